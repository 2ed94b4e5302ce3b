"""Roots of other releases: when one cannot be had, and what goes into one."""

from __future__ import annotations

import pytest

from scripts import generations, roots


@pytest.mark.parametrize(
    "line",
    [
        "E: Failed to fetch http://mirror/debian/pool/main/s/slurm-wlm/slurmd_24.11.5-4_amd64.deb  503  Unavailable",
        "Err:1 http://mirror/debian trixie InRelease  Temporary failure resolving 'mirror'",
        "  Could not connect to mirror:80 (127.0.0.1), connection timed out",
        "  Caused by: error sending request for url (https://index/simple/tornado/)",
        "npm error code ENOTFOUND",
        "And because pycares==5.0.1 has no wheels with a matching Python ABI tag (e.g., `cp313`), we can conclude",
        "tar: ./usr/sbin/mariadbd: Cannot write: No space left on device",
    ],
)
def test_what_cannot_be_fetched_is_known_from_what_a_package_client_says(line: str) -> None:
    said = f"Reading package lists...\n{line}\nThe command ended with status 1\n"
    assert roots.unfetched(said) == line.strip()


@pytest.mark.parametrize(
    "said",
    [
        "",
        "dpkg: error processing package mariadb-server (--configure):\n installed script returned error exit status 1",
        "AssertionError: session abc is as wanted: not within 90 s",
        "ModuleNotFoundError: No module named 'tornado'",
        "Hash mismatch for tornado==6.6.1",
    ],
)
def test_what_has_failed_otherwise_is_a_failure(said: str) -> None:
    assert roots.unfetched(said) == ""


def test_a_quick_root_has_the_packages_of_running_and_none_of_the_tests_own() -> None:
    packages = generations.quick().packages
    assert {"slurm-wlm", "slurmdbd", "munge", "mariadb-server", "python3-venv", *generations.MACHINE} <= set(packages)
    assert not {"chromium", "postgresql", "shellcheck"} & set(packages)
    assert len(set(packages)) == len(packages)


def test_kinds_of_root_are_kept_apart_by_what_makes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    base = roots.HERE
    kinds = [generations.FRESH, generations.quick(), generations.foreign("arm64")]
    before = [kind.digest(base) for kind in kinds]
    assert len(set(before)) == len(kinds)
    monkeypatch.setattr(generations, "LOCKS", generations.LOCKS[1:])
    assert not set(before) & {kind.digest(base) for kind in kinds}
