"""An embedded run takes and removes its own directory and its own accounts, and nobody else's."""

from __future__ import annotations

import os
import pwd
import tempfile
from pathlib import Path

import pytest

from fabric_dev import accounts, instance
from fabric_dev.directories import make_root
from fabric_dev.instance import Instance
from fabric_dev.layout import Layout
from fabric_dev.ports import Ports
from fabric_dev.stop import down
from fabric_hub.errors import FabricError
from tests.support.embedded_run import fabric_hub

ROOT = os.geteuid() == 0


def _layout(directory: Path) -> Layout:
    return Layout(directory, directory / "images")


@pytest.fixture
def open_to_all(sandbox: Path) -> Path:
    """A directory of this test's own that every account can pass through; its path is short."""
    directory = Path(tempfile.mkdtemp(prefix="open-", dir=sandbox))
    directory.chmod(0o755)
    return directory


def _strange(directory: Path) -> None:
    directory.mkdir(mode=0o700)
    (directory / "thesis.tex").write_text("years of work")


def _like_the_root_directory(directory: Path) -> None:
    """Debian has a directory /run/lock."""
    _strange(directory)
    (directory / "run" / "lock").mkdir(parents=True)


def _with_a_file_of_that_name(directory: Path) -> None:
    _strange(directory)
    (directory / "instance.json").write_text('{"of": "another program"}')


def _with_a_link_in_the_marks_place(directory: Path) -> None:
    _strange(directory)
    (directory / "fabric-hub-run").symlink_to("/etc/hostname")


@pytest.mark.parametrize(
    "make", [_strange, _like_the_root_directory, _with_a_file_of_that_name, _with_a_link_in_the_marks_place]
)
def test_a_directory_of_somebody_elses_is_neither_taken_nor_removed(open_to_all: Path, make: object) -> None:
    directory = open_to_all / "theirs"
    make(directory)  # type: ignore[operator]
    before = sorted(path.name for path in directory.rglob("*"))
    for command in (("up",), ("up", "--detach"), ("down",), ("down", "--purge")):
        done = fabric_hub(*command, "--dir", str(directory))
        assert done.returncode == 1
        assert "is not the directory of an embedded run of this account" in done.stderr, command
    assert sorted(path.name for path in directory.rglob("*")) == before
    assert directory.stat().st_mode & 0o777 == 0o700, "not opened to others either"


@pytest.mark.skipif(not ROOT, reason="gives a directory to another account")
def test_a_directory_that_another_account_prepared_is_refused(open_to_all: Path) -> None:
    directory = open_to_all / "prepared"
    directory.mkdir()
    os.chown(directory, 4711, 4711)
    with pytest.raises(FabricError, match="not the directory of an embedded run"):
        make_root(directory)
    instance.mark(_layout(directory))
    with pytest.raises(FabricError, match="not the directory of an embedded run"):
        down(directory, purge=True, say=print)
    os.chown(directory, 0, 0)
    os.chown(directory / "fabric-hub-run", 4711, 4711)
    with pytest.raises(FabricError, match="not the directory of an embedded run"):
        make_root(directory)


def test_what_a_run_made_is_its_own_also_half_way_and_from_before_there_were_marks(open_to_all: Path) -> None:
    for name in ("new", "empty"):
        directory = open_to_all / name
        if name == "empty":
            directory.mkdir()
        make_root(directory)
        make_root(directory)
        (directory / "instance.json").write_text("cut off")
        assert instance.is_ours(_layout(directory))
        down(directory, purge=True, say=print)
        assert not directory.exists()
    old = _layout(open_to_all / "old")
    old.root.mkdir()
    ports = Ports(public=8000, hub=1, slurmctld=4, slurmdbd=5, slurmd=(6, 7, 8))
    known = Instance(ports=ports, images=old.images)
    instance.write_private(old.instance, known.model_dump_json().replace('"hub":1', '"hub":1,"proxy_api":2'))
    make_root(old.root)
    assert old.mark.is_file()


def test_only_accounts_with_our_mark_and_a_home_in_the_directory_are_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    layout = _layout(Path("/srv/run"))
    people = [
        pwd.struct_passwd(("x-hub", "x", 901, 901, "Fabric Hub", "/srv/run/hub", "/sbin/nologin")),
        pwd.struct_passwd(("x-staff", "x", 902, 902, "Fabric Hub demo,2.1,,", "/srv/run/homes/staff", "/bin/sh")),
        pwd.struct_passwd(("x-catalogue", "x", 903, 903, "Alice", "/srv/run/catalogue", "/bin/sh")),
        pwd.struct_passwd(("other-hub", "x", 904, 904, "Fabric Hub", "/srv/runs/hub", "/bin/sh")),
    ]
    monkeypatch.setattr(pwd, "getpwall", lambda: people)
    assert [entry.pw_name for entry in accounts.ours(layout)] == ["x-hub", "x-staff"]
    with pytest.raises(
        FabricError, match="already has an account x-catalogue, with its home in /srv/run/catalogue"
    ) as refused:
        accounts.create(layout, "x-")
    assert "--purge" not in refused.value.hint, "there is no run to purge"


def test_the_log_with_the_passwords_is_closed_before_the_first_line(open_to_all: Path) -> None:
    directory = open_to_all / "log-of-up"
    make_root(directory)
    (directory / "log").mkdir(mode=0o755)
    (directory / "log" / "up.log").touch(mode=0o644)
    before = os.umask(0)
    try:
        # such accounts cannot be: it ends as soon as it has begun
        fabric_hub("up", "--detach", "--dir", str(directory), "--prefix", "Not a prefix")
    finally:
        os.umask(before)
    log = directory / "log" / "up.log"
    assert log.stat().st_size > 0
    assert log.stat().st_mode & 0o777 == 0o600
    down(directory, purge=True, say=print)


@pytest.mark.root
def test_a_directory_that_somebody_makes_at_the_last_moment_is_not_taken(
    open_to_all: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In /var/tmp, for one: its owner could put other files in the place of those that root's daemons read."""
    directory = open_to_all / "run"
    directory.mkdir()
    os.chown(directory, 65534, 65534)
    monkeypatch.setattr(Path, "exists", lambda _: False)  # as it was for whoever looked a moment ago
    with pytest.raises(FabricError, match="is there already"):
        make_root(directory)
    monkeypatch.undo()
    assert not list(directory.iterdir())
