"""A hub that cannot work does not start: one clear sentence, an exit status, and nothing half-written."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from fabric_dev.processes import as_account
from fabric_dev.sitefile import toml
from fabric_hub.config.settings import ENV
from fabric_hub.sessions.store import SessionStore
from fabric_hub.unix import state_lock
from tests.support.broken_site import BrokenSite

pytestmark = [pytest.mark.slurm, pytest.mark.hub, pytest.mark.root]


@pytest.fixture
def broken(_broken: BrokenSite) -> BrokenSite:
    return _broken


@pytest.fixture
def place(broken: BrokenSite) -> Iterator[Path]:
    """A directory of the hub's own for a second site, which never comes up."""
    directory = broken.run.directory / "refused"
    directory.mkdir(mode=0o755)
    yield directory
    shutil.rmtree(directory)


def _site(broken: BrokenSite, place: Path, state: Path) -> Path:
    site = tomllib.loads(broken.run.site.read_text())
    site["hub"]["state_dir"] = str(state)
    file = place / "site.toml"
    file.write_text(toml(site).lstrip("\n"))
    return file


def _start(broken: BrokenSite, site: Path) -> tuple[int, str]:
    """Start a hub as its own account; its exit status and all it said."""
    command, environment = broken.hub_command()
    done = subprocess.run(
        as_account(command[:-1], broken.hub_account), env={**environment, ENV: str(site)}, cwd="/",
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def _files(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


@pytest.fixture
def full_disk(broken: BrokenSite, place: Path) -> Iterator[Path]:
    """A state directory on a disk of its own, where nothing is left but what a hub wrote before."""
    disk = place / "state"
    disk.mkdir()
    account = broken.hub_account
    options = f"size=1m,mode=0700,uid={account.uid},gid={account.gid}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)], check=True)
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def _fill(disk: Path) -> None:
    with (disk / "filler").open("wb", buffering=0) as filler:
        try:
            while True:
                filler.write(b"x" * 4096)
        except OSError:
            return


@pytest.mark.parametrize("used_before", [False, True], ids=["the first start", "a later start"])
def test_a_full_disk_is_named_and_nothing_is_changed(
    broken: BrokenSite, place: Path, full_disk: Path, used_before: bool
) -> None:
    if used_before:
        store = SessionStore(f"sqlite:///{full_disk / 'sessions.sqlite'}")
        store.create(user="researcher", server_name="", kind="slurm", project="p", account="a", profile="x",
                     image="y", hours=1.0)  # fmt: skip
        store.close()
        for path in full_disk.iterdir():
            os.chown(path, broken.hub_account.uid, broken.hub_account.gid)
    _fill(full_disk)
    before = _files(full_disk)
    status, said = _start(broken, _site(broken, place, full_disk))
    assert status != 0
    assert "[startup-state-dir-unwritable]" in said
    assert f"The hub's state directory {full_disk} cannot be written: No space left" in said, said
    assert "Free some space on its disk, then start again; nothing was changed." in said
    assert "Traceback" not in said
    assert _files(full_disk) == before


def test_a_site_file_that_cannot_be_read_is_named(broken: BrokenSite, place: Path) -> None:
    site = _site(broken, place, place / "state")
    site.chmod(0o600)
    status, said = _start(broken, site)
    assert status != 0
    assert f"fabric-hub: [site-file-unreadable] The site file {site} cannot be read: Permission denied." in said, said
    assert "let the user who starts this read the file" in said
    assert "Traceback" not in said
    assert _files(place).keys() == {"site.toml"}


def test_a_site_file_with_mistakes_names_every_one(broken: BrokenSite, place: Path) -> None:
    site = _site(broken, place, place / "state")
    site.write_text(site.read_text().replace("watch_interval_s", "watch_intervall_s").replace("cpus = 1", "cpus = 0"))
    status, said = _start(broken, site)
    assert status != 0
    assert "slurm.watch_intervall_s: no such setting" in said
    assert "profile.small.cpus:" in said
    assert "Traceback" not in said
    assert not (place / "state").exists()


def test_a_clock_behind_the_hubs_own_record_is_named(broken: BrokenSite, place: Path) -> None:
    state = place / "state"
    state.mkdir(mode=0o700)
    store = SessionStore(f"sqlite:///{state / 'sessions.sqlite'}")
    store.create(user="researcher", server_name="", kind="slurm", project="p", account="a", profile="x", image="y",
                 hours=1.0, created_at=time.time() + 86400)  # fmt: skip
    store.close()
    for path in (state, *state.iterdir()):
        os.chown(path, broken.hub_account.uid, broken.hub_account.gid)
    before = _files(state)
    status, said = _start(broken, _site(broken, place, state))
    assert status != 0
    assert "fabric-hub: [startup-clock] This machine's clock says" in said, said
    assert "Set the clock (timedatectl), then start again; nothing was changed." in said
    assert "Traceback" not in said
    after = _files(state)
    assert after.pop(state_lock.LOCK) == b"", "that this state is in use is said by a file that stays"
    assert after == before
