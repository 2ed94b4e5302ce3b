"""A project's folder with real accounts on a real file system: who gets in, what they read, and who is put out."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import shutil
import subprocess
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fabric_hub.cli import doctor_folders, main, project_folders
from fabric_hub.config.settings import Members, Project, Settings, parse
from fabric_hub.errors import FabricError
from fabric_hub.gateway.folders import top
from fabric_hub.gateway.folders.plan import INSIDE, Decision
from fabric_hub.gateway.folders.reconciler import FolderReconciler
from fabric_hub.gateway.folders.usage import FolderUsage
from fabric_hub.messages.text import message_of
from fabric_hub.unix import accounts, acl
from tests.conftest import new_prefix
from tests.support.builders import least_site_text
from tests.support.unix_people import as_account, unix_accounts
from tests.support.waiting import until_async

pytestmark = [pytest.mark.root, pytest.mark.skipif(os.geteuid() != 0, reason="accounts of their own need root")]

# Jupyter's own contents manager saves, uploads and reads, as it does in a session.
JUPYTER = textwrap.dedent(
    """
    import sys, json, os
    from jupyter_server.services.contents.largefilemanager import LargeFileManager
    verb, root, path, text = sys.argv[1:]
    manager = LargeFileManager(root_dir=root)
    if verb == "save":
        cell = {"cell_type": "code", "source": text, "metadata": {}, "outputs": [], "execution_count": None, "id": "a"}
        notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}
        manager.save({"type": "notebook", "format": "json", "content": notebook}, path)
        manager.create_checkpoint(path)
    elif verb == "upload":
        manager.save({"type": "file", "format": "text", "content": text, "chunk": 1}, path)
        manager.save({"type": "file", "format": "text", "content": "+end", "chunk": -1}, path)
    elif verb == "folder":
        manager.save({"type": "directory"}, path)
    else:
        found = manager.get(path, content=True)["content"]
        print(found if isinstance(found, str) else found["cells"][0]["source"])
    """
)


@dataclass
class Place:
    """A site's folders with the people of one project, ``waves``: ada owns it, bob is a member; eve is a stranger."""

    prefix: str
    directory: Path
    settings: Settings
    images: Path
    homes: Path

    @property
    def waves(self) -> Path:
        return self.directory / "waves"

    def account(self, name: str) -> str:
        return self.prefix + name

    def uid(self, name: str) -> int:
        return pwd.getpwnam(self.account(name)).pw_uid

    def project(self, name: str, **members: tuple[str, ...]) -> None:
        projects = self.settings.project
        assert isinstance(projects, dict)
        projects[name] = Project(account=name, service_account=self.account("svc"), members=Members(**members))

    def follow(self) -> list[str]:
        """One round of the gateway's; the codes of what it could not do."""
        folders = self.settings.folders
        assert folders is not None
        reconciler = FolderReconciler(self.settings, folders)
        asyncio.run(reconciler.follow())
        return [problem.code for problem in reconciler.health.problems]

    def can(self, name: str, *argv: str) -> bool:
        return as_account(self.account(name), *argv).returncode == 0

    def jupyter(self, name: str, verb: str, path: str, text: str = "", umask: str = "077") -> str:
        python = str(self.images / "base" / "current" / "bin" / "python")
        arguments = (python, "-I", "-c", JUPYTER, verb, str(self.waves), path, text)
        done = as_account(self.account(name), *arguments, umask=umask, cwd=self.homes / name)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.fixture(scope="module")
def prefix() -> Iterator[str]:
    made = new_prefix()
    with unix_accounts(made, ["svc", "ada", "bob", "eve"]):
        yield made


@pytest.fixture
def place(prefix: str, sandbox: Path, images: Path) -> Iterator[Place]:
    directory = sandbox / "folders"
    directory.mkdir(mode=0o755)
    more = f'[users]\nunix_name = "{prefix}{{user}}"\n[folders]\ndirectory = "{directory}"\ninterval_s = 1\n'
    settings = parse(least_site_text(sandbox, more)).model_copy(update={"project": {}})
    made = Place(prefix, directory, settings, images, sandbox / "folder-homes")
    for name in ("ada", "bob", "eve"):
        home = made.homes / name
        home.mkdir(mode=0o700, parents=True)
        os.chown(home, made.uid(name), -1)
    made.project("waves", owner=("ada",), member=("bob",))
    yield made
    shutil.rmtree(directory)
    shutil.rmtree(made.homes)


@pytest.fixture
def folder(place: Place) -> Place:
    """The same with the folder made and opened to the project's people."""
    assert project_folders.make(place.settings, "waves").code == "folder-made"
    assert place.follow() == []
    return place


def test_root_makes_it_for_the_service_account_and_nobody_else_is_in_yet(place: Place) -> None:
    project_folders.make(place.settings, "waves")
    assert place.waves.stat().st_uid == place.uid("svc")
    assert not place.can("ada", "ls", str(place.waves))
    assert project_folders.make(place.settings, "waves").code == "folder-there"


def test_members_read_and_write_what_jupyter_saves_whatever_the_umask_is(folder: Place) -> None:
    folder.jupyter("ada", "folder", "results", umask="077")
    folder.jupyter("ada", "save", "results/one.ipynb", "print(1)", umask="077")
    folder.jupyter("ada", "upload", "results/data.csv", "a,b", umask="077")
    assert folder.jupyter("bob", "read", "results/one.ipynb") == "print(1)"
    assert folder.jupyter("bob", "read", "results/data.csv") == "a,b+end"
    folder.jupyter("bob", "save", "results/one.ipynb", "print(2)")
    folder.jupyter("bob", "upload", "results/data.csv", "c")
    assert folder.jupyter("ada", "read", "results/one.ipynb") == "print(2)"
    assert folder.jupyter("ada", "read", "results/data.csv") == "c+end"


def test_a_stranger_a_visitor_and_the_neighbouring_project_stay_out(folder: Place) -> None:
    folder.jupyter("ada", "upload", "data.csv", "a")
    refused = as_account(folder.account("eve"), "cat", str(folder.waves / "data.csv"))
    assert "Permission denied" in refused.stderr
    folder.project("waves", owner=("ada",), member=("bob",), visitor=("eve",))
    assert folder.follow() == []
    assert not folder.can("eve", "ls", str(folder.waves))


def test_who_leaves_is_out_within_seconds_and_keeps_only_what_is_open(folder: Place) -> None:
    folder.jupyter("ada", "upload", "data.csv", "a")
    held = "import sys, time; f = open(sys.argv[1]); print('open', flush=True); sys.stdin.read(); print(f.read())"
    bob = pwd.getpwnam(folder.account("bob"))
    with subprocess.Popen(
        ["/usr/bin/python3", "-I", "-c", held, str(folder.waves / "data.csv")],
        user=bob.pw_uid, group=bob.pw_gid, extra_groups=[], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as holding:  # fmt: skip
        assert holding.stdout is not None
        assert holding.stdout.readline() == "open\n"

        async def leave() -> float:
            folders = folder.settings.folders
            assert folders is not None
            task = asyncio.create_task(FolderReconciler(folder.settings, folders).run())
            left = time.monotonic()
            folder.project("waves", owner=("ada",))

            async def out() -> bool:
                return not await asyncio.to_thread(folder.can, "bob", "ls", str(folder.waves))

            await until_async(out, "the gate is closed to who left", 60, 0.1)
            task.cancel()
            return time.monotonic() - left

        assert asyncio.run(leave()) < 15
        assert not folder.can("bob", "cat", str(folder.waves / "data.csv"))
        assert folder.can("ada", "cat", str(folder.waves / "data.csv"))
        assert holding.communicate("")[0].strip() == "a+end"


def test_what_a_program_makes_private_stays_private(folder: Place) -> None:
    ada, top_of = folder.account("ada"), folder.waves
    script = (
        f"cd {top_of}; mktemp secret.XXXX; umask 077; echo a > plain; chmod 600 plain; echo b > open; cp -p plain kept"
    )
    assert as_account(ada, "sh", "-c", script).returncode == 0
    modes = {path.name.partition(".")[0]: path.stat().st_mode & 0o777 for path in top_of.iterdir()}
    assert modes == {"secret": 0o600, "plain": 0o600, "kept": 0o600, "open": 0o666}
    assert folder.can("bob", "cat", str(top_of / "open"))
    assert not folder.can("bob", "cat", str(top_of / "kept"))


def test_entries_made_by_hand_and_an_opened_top_are_put_right(folder: Place) -> None:
    svc = folder.account("svc")
    assert as_account(svc, "chmod", "0777", str(folder.waves)).returncode == 0
    assert folder.can("eve", "ls", str(folder.waves))
    [found] = [one for one in doctor_folders.of_site(folder.settings) if one.state == "PROBLEM"]
    assert found.about.code == "folder-differs"
    assert folder.follow() == []
    assert not folder.can("eve", "ls", str(folder.waves))
    assert folder.can("bob", "ls", str(folder.waves))


def test_members_cannot_open_the_gate_or_take_it_away(folder: Place) -> None:
    before = os.getxattr(folder.waves, acl.ACCESS)
    assert not folder.can("bob", "chmod", "777", str(folder.waves))
    assert not folder.can("bob", "mv", str(folder.waves), str(folder.directory / "mine"))
    assert not folder.can("svc", "mv", str(folder.waves), str(folder.directory / "mine"))
    assert not folder.can("svc", "rmdir", str(folder.waves))
    assert os.getxattr(folder.waves, acl.ACCESS) == before


def _a_link(place: Place, elsewhere: Path) -> None:
    place.waves.symlink_to(elsewhere)


def _somebodys(place: Place, _: Path) -> None:
    place.waves.mkdir()
    os.chown(place.waves, place.uid("eve"), -1)


def _a_file(place: Place, _: Path) -> None:
    place.waves.write_text("a")


def _an_open_parent(place: Place, _: Path) -> None:
    place.directory.chmod(0o1777)


def _nothing(_place: Place, _: Path) -> None:
    """No folder was made."""


@pytest.mark.parametrize(
    ("in_its_place", "code"),
    [
        (_a_link, "folder-in-the-way"),
        (_a_file, "folder-in-the-way"),
        (_somebodys, "folder-somebody-elses"),
        (_an_open_parent, "folder-parent-open"),
        (_nothing, "folder-absent"),
    ],
)
def test_what_is_not_ours_is_told_and_never_touched(
    place: Place, sandbox: Path, in_its_place: Callable[[Place, Path], None], code: str
) -> None:
    elsewhere = sandbox / "elsewhere"
    elsewhere.mkdir(mode=0o711)
    os.chown(elsewhere, place.uid("svc"), -1)
    try:
        in_its_place(place, elsewhere)
        before = [os.lstat(path) for path in (elsewhere, *place.directory.iterdir())]
        assert place.follow() == [code]
        assert next(one.about.code for one in doctor_folders.of_site(place.settings)) == code
        if in_its_place is not _nothing:
            with pytest.raises(FabricError) as refused:
                project_folders.make(place.settings, "waves")
            assert message_of(refused.value).code == code
        after = [os.lstat(path) for path in (elsewhere, *place.directory.iterdir())]
        unchanged = ("st_mode", "st_uid", "st_ino", "st_ctime_ns")
        assert [[getattr(one, name) for name in unchanged] for one in after] == [
            [getattr(one, name) for name in unchanged] for one in before
        ]
    finally:
        elsewhere.rmdir()


async def test_a_folder_replaced_after_it_was_looked_at_is_not_opened(folder: Place, sandbox: Path) -> None:
    """The helper looks for itself: a link in the top's place, or another's directory, is no gate of ours."""
    owner = accounts.resolve_service(folder.account("svc"), folder.settings.users)
    wanted = Decision(INSIDE, b"", frozenset(), frozenset())
    elsewhere = sandbox / "svc-own"
    elsewhere.mkdir(mode=0o700)
    os.chown(elsewhere, owner.uid, owner.gid)
    kept = folder.waves.rename(folder.directory / "kept")
    try:
        folder.waves.symlink_to(elsewhere)
        with pytest.raises(FabricError) as refused:
            await top.set_gate(folder.directory, "waves", owner, wanted)
        assert message_of(refused.value).code == "folder-in-the-way"
        assert elsewhere.stat().st_mode & 0o777 == 0o700
        folder.waves.unlink()
        folder.waves.mkdir(mode=0o700)
        os.chown(folder.waves, folder.uid("eve"), -1)
        with pytest.raises(FabricError) as refused:
            await top.set_gate(folder.directory, "waves", owner, wanted)
        assert message_of(refused.value).code == "folder-not-set"
    finally:
        elsewhere.rmdir()
        shutil.rmtree(kept)


def test_a_service_account_that_is_a_persons_makes_no_folder_and_is_told(folder: Place) -> None:
    folder.project("waves", owner=("ada", "svc"))
    assert folder.follow() == ["folder-shared-owner"]
    shutil.rmtree(folder.waves)
    with pytest.raises(FabricError) as refused:
        project_folders.make(folder.settings, "waves")
    assert message_of(refused.value).code == "folder-shared-owner"


def test_a_person_without_an_account_is_told_and_the_others_get_in(folder: Place) -> None:
    folder.project("waves", owner=("ada",), member=("nobody-here",))
    assert folder.follow() == ["folder-not-let-in"]
    assert folder.can("ada", "ls", str(folder.waves))
    assert not folder.can("bob", "ls", str(folder.waves))


def test_people_without_end_stay_out_and_the_leaver_goes_all_the_same(
    folder: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = tuple(f"u{number}" for number in range(9000))  # more than an extended attribute holds
    uids = {user: 100_000 + number for number, user in enumerate(many)} | {"ada": folder.uid("ada")}

    def known(user: str, _users: object) -> object:
        return accounts.Account(user, uids[user], 1, (), "/", "/bin/sh")

    monkeypatch.setattr(accounts, "resolve", known)
    folder.project("waves", owner=("ada",), member=many)
    assert folder.follow() == ["folder-too-many"]
    assert folder.can("ada", "ls", str(folder.waves))
    assert not folder.can("bob", "ls", str(folder.waves))


async def test_what_it_holds_is_added_up_as_its_owner(folder: Place) -> None:
    await asyncio.to_thread(folder.jupyter, "ada", "upload", "data.csv", "a" * 100_000)
    owner = accounts.resolve_service(folder.account("svc"), folder.settings.users)
    usage = FolderUsage(3600)
    usage.follow({folder.waves: owner})
    before = usage.of("waves")
    assert before is not None
    assert before.problem.code == "folder-not-measured"
    await usage.measure(folder.waves)
    found = usage.of("waves")
    assert found is not None
    assert not found.problem
    assert found.used == sum(path.stat().st_blocks * 512 for path in folder.waves.rglob("*"))
    assert (found.files_used, found.path, found.scope) == (1, str(folder.waves), "project")
    assert folder.can("ada", "mkdir", "-m", "700", str(folder.waves / "mine"))
    await usage.measure(folder.waves)
    partly = usage.of("waves")
    assert partly is not None
    assert partly.problem.code == "folder-partly-closed"
    usage.follow({})
    assert usage.of("waves") is None


def test_what_takes_too_long_or_fails_is_not_known(folder: Place) -> None:
    owner = accounts.resolve_service(folder.account("svc"), folder.settings.users)
    with pytest.raises(FabricError) as refused:
        asyncio.run(top.measured(folder.waves, owner, 0.0))
    assert message_of(refused.value).code == "folder-too-large"
    with pytest.raises(FabricError) as refused:
        asyncio.run(top.measured(folder.directory / "gone", owner, 10.0))
    assert message_of(refused.value).code == "folder-unmeasurable"


def test_a_file_system_without_acls_is_told(place: Place) -> None:
    root = accounts.Account("root", 0, 0, (), "/", "/bin/sh")
    with pytest.raises(FabricError) as refused:
        top.look(Path("/proc"), "sys", root)
    assert message_of(refused.value).code == "folder-no-acls"
    assert str(place.directory) not in str(refused.value)


def test_the_command_makes_all_folders_and_names_what_it_could_not(
    place: Place, sandbox: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    owned = "".join(
        f'[project.{name}]\naccount = "a"\nservice_account = "{owner}"\n'
        for name, owner in (("waves", place.account("svc")), ("tides", "no-such-account"), ("rain", ""))
    )
    site = sandbox / "folders.toml"
    more = f'[users]\nunix_name = "{place.prefix}{{user}}"\n[folders]\ndirectory = "{place.directory}"\n{owned}'
    site.write_text(least_site_text(sandbox, more))
    assert main(["projects", "folder", "--json", "--site", str(site)]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told == {
        "waves": f"{place.waves} is made, and belongs to {place.account('svc')}.",
        "tides": "project tides has the service account no-such-account, which cannot be used: "
        "there is no Unix account no-such-account on this host",
    }
    assert main(["projects", "folder", "waves", "--site", str(site)]) == 0
    assert "is there, and belongs to" in capsys.readouterr().out
    assert main(["projects", "folder", "rain", "wind", "--site", str(site)]) == 1
    said = capsys.readouterr().out
    assert "Project rain has no service account" in said
    assert "There is no project wind." in said
    monkeypatch.setattr(os, "geteuid", lambda: place.uid("ada"))
    assert main(["projects", "folder", "waves", "--site", str(site)]) != 0
    assert "Only root can give a folder" in capsys.readouterr().err
    monkeypatch.undo()
    site.write_text(least_site_text(sandbox))
    assert main(["projects", "folder", "--site", str(site)]) != 0
    assert "This site has no folders of projects." in capsys.readouterr().err
    site.unlink()


def test_doctor_counts_what_is_in_order(folder: Place) -> None:
    [found] = list(doctor_folders.of_site(folder.settings))
    assert (found.state, found.about.code) == ("OK", "folder-in-order")
    shutil.rmtree(folder.waves)
    folder.directory.rmdir()
    [found] = list(doctor_folders.of_site(folder.settings))
    assert (found.state, found.about.code) == ("PROBLEM", "folder-parent-absent")
    folder.directory.mkdir()
