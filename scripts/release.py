"""Makes a release of the commit that is checked out. It pushes nothing.

``make release VERSION=1.2.0``, or ``python -m scripts.release 1.2.0``, looks whether the checkout can be released,
builds everything into ``build/dist`` from a copy with the new version, and only then writes the version, commits it as
"Release 1.2.0" and tags that commit ``v1.2.0``. With ``--dry-run`` it stops before it writes, commits or tags.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from fabric_hub.images.wheel import VERSION, build_wheel

from . import dist

# The version is in fabric_hub; what cannot read it there repeats it: how often, and in which words.
REPEATED = {VERSION: ('__version__ = "{}"', 1), "fabric_node/__init__.py": ('__version__ = "{}"', 1),
            "extensions/package.json": ('"version": "{}"', 1),
            "extensions/package-lock.json": ('"name": "fabric-lab",\n{indent}"version": "{}"', 2)}  # fmt: skip
_PLAIN = re.compile(r"\d+\.\d+\.\d+")


def current(root: Path) -> str:
    """The version of a checkout."""
    [found] = re.findall(r'^__version__ = "([^"]+)"$', (root / VERSION).read_text(encoding="utf-8"), re.MULTILINE)
    return str(found)


def repeated(root: Path) -> dict[str, list[str]]:
    """The versions that each of a checkout's files names, in all places that a release changes."""
    return {
        name: [match[2] for match in _places(name).finditer((root / name).read_text(encoding="utf-8"))]
        for name in REPEATED
    }


def _places(name: str) -> re.Pattern[str]:
    words = re.escape(REPEATED[name][0]).replace(r"\{indent\}", r"\s+")
    before, _, after = words.partition(r"\{\}")
    return re.compile(f'({before})([^"]+)({after})')


def set_version(root: Path, version: str) -> None:
    """Write a version to every place of a checkout that has it.

    :raises ValueError: a file has not as many places as it should have.
    """
    for name, (_, times) in REPEATED.items():
        text, changed = _places(name).subn(rf"\g<1>{version}\g<3>", (root / name).read_text(encoding="utf-8"))
        if changed != times:
            raise ValueError(f"{name} names the version in {changed} places, not in {times}.")
        (root / name).write_text(text, encoding="utf-8")


def section(changelog: str, title: str) -> str | None:
    """The text of a section of the changelog, or None; a version's heading ends with a date."""
    date = "" if title == "Unreleased" else r" - \d{4}-\d\d-\d\d"
    found = re.search(rf"^## \[{re.escape(title)}\]{date}\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    return found[1].strip() if found else None


def problems(root: Path, version: str) -> list[str]:
    """Why a checkout cannot be released as ``version``, each with the next step; none when it can."""
    if not _PLAIN.fullmatch(version):
        return [f"{version!r} is not a version: give three numbers, such as 1.2.0."]
    found = []
    if _git(root, "status", "--porcelain"):
        found.append("The checkout has changes that are not committed. Commit them first.")
    if _git(root, "tag", "--list", f"v{version}"):
        found.append(f"The tag v{version} is there already. Choose a later version.")
    before = current(root)
    if _numbers(version) < _numbers(before):
        found.append(f"{version} is earlier than {before}, the version of this checkout. Choose a later one.")
    changelog = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    if not section(changelog, version):
        found.append(f'CHANGELOG.md says nothing of it. Write a section "## [{version}] - YYYY-MM-DD".')
    if section(changelog, "Unreleased"):
        found.append(f"CHANGELOG.md has changes under [Unreleased]. Move them to [{version}].")
    return found


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-c", f"safe.directory={root}", *arguments], cwd=root, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"git {arguments[0]} failed with status {done.returncode}: {done.stderr.strip()}")
    return done.stdout.strip()


def release(root: Path, version: str, into: Path, *, dry_run: bool) -> None:
    """Build, then commit and tag. A build that fails leaves the checkout as it was.

    :param into: where what is built goes; what it held is removed.
    """
    with tempfile.TemporaryDirectory(prefix="fabric-release-") as directory:
        staged = Path(directory) / "fabric-hub"
        dist.stage(root, staged)
        set_version(staged, version)
        dist.run(staged, "scripts.make_reference")
        built = dist.build(staged, into, build_wheel(staged, print))
        for path in built:
            print(path)
        names = [str(name) for name in dist.tracked(root)]
        changed = [name for name in names if (root / name).read_bytes() != (staged / name).read_bytes()]
        if dry_run:
            print(f"Nothing was changed. A release would change {', '.join(changed) or 'no file'} and tag v{version}.")
            return
        for name in changed:
            shutil.copyfile(staged / name, root / name)
    if changed:
        _git(root, "commit", "--quiet", "--message", f"Release {version}", "--", *changed)
    said = section((root / "CHANGELOG.md").read_text(encoding="utf-8"), version)
    _git(
        root, "tag", "--annotate", "--cleanup=verbatim", "--message", f"Fabric Hub {version}\n\n{said}\n", f"v{version}"
    )
    print(f"v{version} is tagged here. To publish it: push the branch and the tag, and put up what is in {into}.")


def main() -> int:
    """Release this checkout; status 1, and every reason, when it cannot be."""
    parser = argparse.ArgumentParser(prog="python -m scripts.release", description=__doc__)
    parser.add_argument("version", metavar="VERSION", help="three numbers, such as 1.2.0")
    parser.add_argument("--dry-run", action="store_true", help="build only; write, commit and tag nothing")
    args = parser.parse_args()
    found = problems(dist.ROOT, args.version)
    for problem in found:
        print(problem)
    if not found:
        release(dist.ROOT, args.version, dist.ROOT / "build" / "dist", dry_run=args.dry_run)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
