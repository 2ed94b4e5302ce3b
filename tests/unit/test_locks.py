"""Every lock file is written by one command, holds what it is made from, and names no host."""

from __future__ import annotations

import configparser
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.dist import ROOT, tracked

BY_COMMAND = subprocess.run(
    [ROOT / "scripts/lock", "--list"], capture_output=True, text=True, check=True
).stdout.splitlines()
PYTHON = [name for name in BY_COMMAND if name.endswith(".lock")]
NPM = [name for name in BY_COMMAND if name.endswith("package-lock.json")]
# What a lock file is made from in setup.cfg, beside install_requires; those of images have a file of their own.
EXTRAS = {
    "requirements.lock": ("proxy", "build"),
    "requirements-dev.lock": ("proxy", "build", "postgresql", "shapes", "test", "lint", "docs"),
}


def pinned(lock: str) -> dict[str, str]:
    """Name to version of a lock file of Python packages."""
    text = (ROOT / lock).read_text()
    found = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;]+)", text, re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}


def in_setup_cfg() -> dict[str, list[str]]:
    """Requirements by extra; "" are those that the hub always has."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    options = {"": config["options"]["install_requires"], **config["options.extras_require"]}
    return {extra: text.split("\n")[1:] for extra, text in options.items()}


def in_file(path: Path) -> Iterator[str]:
    """Requirements of a file and of those that it includes."""
    for line in path.read_text().splitlines():
        if line.startswith("-r "):
            yield from in_file(path.parent / line.removeprefix("-r "))
        elif line and not line.startswith("#"):
            yield line


def unsatisfied(requirements: list[str], versions: dict[str, str]) -> list[str]:
    """The requirements that a lock file has not, or has in a version that does not match."""
    wrong = []
    for requirement in map(Requirement, requirements):
        version = versions.get(canonicalize_name(requirement.name))
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            wrong.append(f"{requirement}: {version or 'missing'}")
    return wrong


def test_every_lock_file_is_written_by_the_one_command() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: which files are the project's is not known")
    ours = [name.as_posix() for name in tracked(ROOT) if name.suffix == ".lock" or name.name == "package-lock.json"]
    assert sorted(BY_COMMAND) == sorted(ours)


def test_every_extra_is_locked_for_development() -> None:
    assert set(in_setup_cfg()) - {""} == set(EXTRAS["requirements-dev.lock"])


@pytest.mark.parametrize("lock", EXTRAS)
def test_the_hubs_lock_holds_what_setup_cfg_requires(lock: str) -> None:
    requirements = in_setup_cfg()
    wanted = [one for extra in ("", *EXTRAS[lock]) for one in requirements[extra]]
    assert unsatisfied(wanted, pinned(lock)) == [], "run scripts/lock"


@pytest.mark.parametrize("lock", [name for name in PYTHON if name.startswith("images/")])
def test_an_images_lock_holds_what_its_recipe_requires(lock: str) -> None:
    wanted = list(in_file((ROOT / lock).with_suffix(".in")))
    assert wanted
    assert unsatisfied(wanted, pinned(lock)) == [], "run scripts/lock"


def test_both_of_the_hubs_locks_have_the_same_versions() -> None:
    running, development = pinned("requirements.lock"), pinned("requirements-dev.lock")
    assert running.items() <= development.items()


def test_a_requirement_that_a_lock_does_not_satisfy_is_found() -> None:
    versions = {"one": "1.5", "two-b": "2.0"}
    assert unsatisfied(["one>=1,<2", "Two_B==2.*"], versions) == []
    assert unsatisfied(["one>=2", "three", "two.b[extra]<2"], versions) == [
        "one>=2: 1.5",
        "three: missing",
        "two.b[extra]<2: 2.0",
    ]


@pytest.mark.parametrize("lock", PYTHON)
def test_a_lock_of_python_packages_has_digests_and_names_no_host(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "--hash=sha256:" in text
    assert [word for word in ("://", "file:", "--index-url", "--extra-index-url", "--find-links") if word in text] == []


def hosts(part: Any, place: str = "") -> Iterator[str]:
    """Where a lock file of npm's names a host, its packages' own words on funding aside."""
    for key, value in part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ():
        if key != "funding":
            yield from hosts(value, f"{place}/{key}")
    if isinstance(part, str) and "://" in part:
        yield f"{place}: {part}"


@pytest.mark.parametrize("lock", NPM)
def test_a_lock_of_npm_packages_has_digests_names_no_host_and_holds_what_it_is_made_from(lock: str) -> None:
    document = json.loads((ROOT / lock).read_text())
    packages = document["packages"]
    assert [name for name, package in packages.items() if name and not package.get("integrity")] == []
    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert list(hosts(document)) == []
    wanted = json.loads((ROOT / lock).with_name("package.json").read_text())
    for kind in ("dependencies", "devDependencies"):
        assert packages[""].get(kind) == wanted.get(kind), "run scripts/lock"
