"""Builds what is released: sources, the hub's wheel, the extension's wheel and the node's program, with their digests.

``python -m scripts.dist`` (``make dist``) writes them to ``build/dist`` from the tracked files as they are now.
The hub's wheel holds the extension's wheel and all that an installed hub reads beside its code, so that it builds
images where no checkout is.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from fabric_hub.images.wheel import SHIPPED, build_wheel

ROOT = Path(__file__).resolve().parents[1]
SUMS = "SHA256SUMS"


def tracked(root: Path) -> list[Path]:
    """The files that git knows of in a checkout, relative to it."""
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={root}", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=True
    )
    names = [Path(name) for name in listed.stdout.split("\0") if name]
    return [name for name in names if (root / name).is_file()]


def stage(root: Path, into: Path) -> None:
    """Copy a checkout's tracked files to a new directory."""
    for name in tracked(root):
        (into / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, into / name)


def build(staged: Path, into: Path, lab_wheel: Path) -> list[Path]:
    """Build everything from a stage.

    :param staged: what :func:`stage` made; building leaves files there.
    :param into: a directory; what it held is removed.
    :param lab_wheel: the extension's wheel, made of the stage's sources.
    :returns: the built files, with ``SHA256SUMS``, which ``sha256sum --check`` reads.
    """
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    shipped = staged / SHIPPED
    shipped.mkdir()
    shutil.copy2(lab_wheel, shipped)
    node_program = shipped / "fabric-node"
    run(staged, "scripts.make_node_program", str(node_program))
    # the wheel is built from the sources' archive: that holds all that is needed, then
    run(staged, "build", "--no-isolation", "--outdir", str(into), str(staged))
    for path in (lab_wheel, node_program, staged / "requirements.lock"):
        shutil.copy2(path, into)
    built = sorted(into.iterdir())
    sums = "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in built)
    (into / SUMS).write_text(sums, encoding="utf-8")
    return [*built, into / SUMS]


def run(staged: Path, module: str, *arguments: str) -> None:
    """Run a module of the stage, or a build tool of this environment, there; ends this program when that fails."""
    argv = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(argv, cwd=staged, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        last = "\n".join(done.stdout.strip().splitlines()[-15:])
        sys.exit(f"{last}\npython -m {module} failed with status {done.returncode}.")


def main() -> int:
    """Build the checkout as it is; files that git does not know of are left out."""
    parser = argparse.ArgumentParser(prog="python -m scripts.dist", description=__doc__)
    parser.add_argument("--into", type=Path, default=ROOT / "build" / "dist", help="default: build/dist")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fabric-dist-") as directory:
        staged = Path(directory) / "fabric-hub"
        stage(ROOT, staged)
        for path in build(staged, args.into.absolute(), build_wheel(ROOT, print)):
            print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
