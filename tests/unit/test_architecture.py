"""The architecture page tells of the packages that there are, and of no other."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
TABLE = PAGE[PAGE.index("## The packages") : PAGE.index("Where a change goes")]


def rooms() -> set[str]:
    """Packages as a reader sees them: those of fabric_hub one by one, the others whole."""
    inside = {f"fabric_hub/{path.parent.name}/" for path in (ROOT / "fabric_hub").glob("*/__init__.py")}
    return inside | {f"{path.parent.name}/" for path in ROOT.glob("fabric_*/__init__.py")} - {"fabric_hub/"}


def test_the_table_of_packages_is_the_real_one() -> None:
    told = set(re.findall(r"^\| `((?:fabric_hub/)?\w+/)` \|", TABLE, re.MULTILINE))
    assert told == rooms()


def test_no_module_lies_loose_at_the_top() -> None:
    loose = {path.name for path in (ROOT / "fabric_hub").glob("*.py")}
    assert loose == {"__init__.py", "errors.py", "types.py"}


def test_the_rooms_of_the_unit_tests_are_those_of_the_packages() -> None:
    here = {path.parent.name for path in Path(__file__).parent.glob("*/__init__.py")}
    known = {Path(room).name for room in rooms()} | {"node", "dev", "lab", "bench"}
    assert here <= known


def test_parts_that_the_table_names_within_a_package_are_there() -> None:
    for package, what in re.findall(r"^\| `(fabric_\w+(?:/\w+)?/)` \| (.*) \|$", TABLE, re.MULTILINE):
        for part in re.findall(r"`(\w+/)`", what):
            assert (ROOT / package / part).is_dir(), f"{package}{part}"


def test_no_module_is_longer_than_a_person_reads_at_once() -> None:
    packages = ("fabric_hub", "fabric_node", "fabric_dev", "extensions/fabric_lab")
    files = (path for package in packages for path in (ROOT / package).rglob("*.py"))
    texts = ((str(path), path.read_text(encoding="utf-8")) for path in files)
    # what a program has written is read by programs
    own = ((name, text) for name, text in texts if "Written by scripts/" not in text[:500])
    assert [name for name, text in own if len(text.splitlines()) > 400] == []
