"""Builds packages: ``python -m scripts.packages [--into DIR] [--kind deb|rpm] [--sign KEY] [--maintainer TEXT]``.

``make packages`` writes three packages of each kind to ``build/packages``, for this kind of machine and this version of
Python: ``fabric-hub`` with its own Python environment, ``fabric-hub-node`` and ``fabric-hub-extension``; with a bill of
what they are made of, and ``SHA256SUMS``, signed where a key is named. Fetches what the lock files name.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from fabric_hub import __version__
from fabric_hub.images.wheel import build_wheel
from scripts import dist

from . import deb, rpm, sbom, tree

ROOT = Path(__file__).resolve().parents[2]
BUILDERS = {"deb": (deb.build, "dpkg-deb"), "rpm": (rpm.build, "rpmbuild")}
NAMESPACE = "fabric-hub"  # of the signature: it is no signature of anything else


def build(into: Path, kinds: list[str], maintainer: str) -> list[Path]:
    """Build all packages of these kinds; their paths, with the bill's."""
    for kind in kinds:
        if not shutil.which(BUILDERS[kind][1]):
            sys.exit(
                f"{BUILDERS[kind][1]} is not installed: no {kind} can be built. Install it, or name another --kind."
            )
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    os.environ.setdefault("SOURCE_DATE_EPOCH", str(_last_change()))
    with tempfile.TemporaryDirectory(prefix="fabric-packages-") as directory:
        staged, built, trees = (Path(directory) / name for name in ("fabric-hub", "dist", "trees"))
        dist.stage(ROOT, staged)
        dist.build(staged, built, build_wheel(ROOT, print))
        home = tree.environment(ROOT, built, trees / "hub")
        made = datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        bill = sbom.bill(
            home,
            (ROOT / "requirements.lock").read_text(),
            (ROOT / "package-lock.json").read_text(),
            name="fabric-hub",
            version=__version__,
            made=made,
        )
        packages = (
            tree.hub(ROOT, built, trees / "hub", bill),
            tree.node(ROOT, built, trees / "node"),
            tree.extension(ROOT, built, trees / "extension"),
        )
        found = [
            BUILDERS[kind][0](package, ROOT, __version__, maintainer, into) for kind in kinds for package in packages
        ]
    listed = into / f"fabric-hub-{__version__}.cdx.json"
    listed.write_bytes(bill)
    return [*found, listed]


def _last_change() -> int:
    """Unix time of the last commit: whoever builds it again gets the same times."""
    done = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "log", "-1", "--format=%ct"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return int(done.stdout)


def _author() -> str:
    """Whoever commits here, else the project."""
    found = []
    for key in ("user.name", "user.email"):
        done = subprocess.run(["git", "config", key], cwd=ROOT, capture_output=True, text=True, check=False)
        found.append(done.stdout.strip())
    return f"{found[0]} <{found[1]}>" if all(found) else "Fabric Hub <fabric-hub@example.org>"


def sign(sums: Path, key: Path) -> Path:
    """Sign a file of digests with an SSH key (ssh-keygen(1), -Y); the signature's path."""
    signature = sums.with_name(f"{sums.name}.sig")
    signature.unlink(missing_ok=True)
    tree.run(["ssh-keygen", "-Y", "sign", "-f", key, "-n", NAMESPACE, sums])
    return signature


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m scripts.packages", description=__doc__)
    parser.add_argument("--into", type=Path, default=ROOT / "build" / "packages", help="default: build/packages")
    parser.add_argument("--kind", choices=sorted(BUILDERS), action="append", help="default: all")
    parser.add_argument("--sign", type=Path, metavar="KEY", help="an SSH key that signs the digests")
    parser.add_argument(
        "--maintainer",
        default=_author(),
        help='who answers for them: "Name <address>"; default: git\'s user.name and email',
    )
    args = parser.parse_args()
    into = args.into.absolute()
    built = build(into, args.kind or sorted(BUILDERS), args.maintainer)
    sums = into / dist.SUMS
    sums.write_text("".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in built))
    for path in [*built, sums, *([sign(sums, args.sign)] if args.sign else [])]:
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
