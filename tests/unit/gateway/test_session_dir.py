"""A session's private directory, made for real by a bare interpreter."""

# ruff: noqa: ASYNC240 - the files of one test are on a local disk

from __future__ import annotations

import errno
import os
import pwd
from pathlib import Path

import pytest

from fabric_hub.errors import FabricError
from fabric_hub.gateway.jobs import session_dir as home
from fabric_hub.gateway.jobs import user_helper as as_user
from fabric_hub.messages.text import Text
from fabric_hub.unix.accounts import Account
from tests.support.embedded_run import ROOT

SESSION = "abcdefgh2345"


@pytest.fixture
def me(tmp_path: Path) -> Account:
    entry = pwd.getpwuid(os.geteuid())
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, (entry.pw_gid,), str(tmp_path), "/bin/sh")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / ".fabric-hub"


async def prepare(me: Account, root: Path, **files: str) -> Path:
    await home.prepare(
        me, str(root), SESSION, {name.replace("_", "."): text for name, text in files.items()}, timeout_s=20
    )
    return root / SESSION


async def test_directory_and_files_are_the_users_alone(me: Account, root: Path) -> None:
    directory = await prepare(me, root, env_json='{"environment": {"T": "é"}}', key_pem="k")
    assert directory.stat().st_mode & 0o777 == 0o700
    assert root.stat().st_mode & 0o777 == 0o700
    assert {path.name: path.stat().st_mode & 0o777 for path in directory.iterdir()} == {
        "env.json": 0o600,
        "key.pem": 0o600,
    }
    assert (directory / "env.json").read_text(encoding="utf-8") == '{"environment": {"T": "é"}}'


async def test_preparing_again_replaces_and_shuts_what_was_open(me: Account, root: Path) -> None:
    directory = await prepare(me, root, env_json="old")
    directory.chmod(0o755)
    await prepare(me, root, env_json="new")
    assert (directory / "env.json").read_text() == "new"
    assert directory.stat().st_mode & 0o777 == 0o700


async def test_what_cannot_be_prepared_leaves_no_secret_behind(me: Account, root: Path) -> None:
    (root / SESSION / "env.json").mkdir(parents=True)
    with pytest.raises(FabricError, match="something else is in its place"):
        await prepare(me, root, ssl_key="secret", env_json="{}")
    assert [path.name for path in (root / SESSION).iterdir()] == ["env.json"]


async def test_a_link_in_the_sessions_place_is_not_followed(me: Account, root: Path, tmp_path: Path) -> None:
    root.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (root / SESSION).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FabricError, match="something else is in its place"):
        await prepare(me, root, env_json="secret")
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.skipif(not ROOT, reason="needs root: it gives a directory to somebody else")
@pytest.mark.root
async def test_a_directory_of_somebody_else_is_not_used(me: Account, root: Path) -> None:
    root.mkdir()
    os.chown(root, 64104, 64104)
    with pytest.raises(FabricError, match="belongs to somebody else"):
        await prepare(me, root, env_json="secret")
    assert not list(root.iterdir())


async def test_a_file_in_the_homes_place_says_so(me: Account, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FabricError, match="something else is in its place") as refused:
        await prepare(me, tmp_path / "file" / "hub", env_json="secret")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("number", "code", "told"),
    [
        (errno.EDQUOT, "home-full", "there is no space left, or your quota is used up"),
        (errno.ENOSPC, "home-full", "there is no space left, or your quota is used up"),
        (errno.ENOENT, "home-absent", "the home directory {me.home} does not exist"),
        (errno.EPERM, "home-somebody-elses", "it, or a directory on the way, belongs to somebody else"),
        (errno.EACCES, "home-not-writable", "{me.name} may not write there"),
        (errno.EROFS, "home-not-writable", "{me.name} may not write there"),
        (errno.ELOOP, "home-in-the-way", "something else is in its place"),
        (errno.EIO, "home-other", "Input/output error"),
        (0, "home-without-reason", "it failed without a reason"),
    ],
)
def test_what_went_wrong_in_a_home_is_told_with_its_name(me: Account, number: int, code: str, told: str) -> None:
    error = home.problem({"errno": number}, "/home/anna/.fabric-hub/s", me)
    why = told.format(me=me)
    assert isinstance(error.said, Text)
    assert error.said.code == code
    assert error.message == f"The session's directory /home/anna/.fabric-hub/s cannot be used: {why}."
    assert error.hint
    assert error.reason == ("home-full" if number in (errno.EDQUOT, errno.ENOSPC) else "home")


@pytest.mark.skipif(not ROOT, reason="needs root: somebody else puts something in the way")
@pytest.mark.root
@pytest.mark.parametrize("kind", ["directory", "link"])
async def test_what_somebody_else_put_where_everybody_may_write_is_not_used(
    me: Account, tmp_path: Path, kind: str
) -> None:
    """In a directory open to all, as a rescue directory's parent is, anybody may be there first."""
    everybodys, elsewhere = tmp_path / "rescue", tmp_path / "elsewhere"
    everybodys.mkdir()
    everybodys.chmod(0o1777)
    elsewhere.mkdir()
    root = everybodys / "me"
    if kind == "directory":
        root.mkdir(mode=0o777)
    else:
        root.symlink_to(elsewhere)
    os.chown(root, 64104, 64104, follow_symlinks=False)
    with pytest.raises(FabricError, match="belongs to somebody else"):
        await prepare(me, root, env_json="secret")
    assert not list(elsewhere.iterdir())
    assert kind == "link" or not list(root.iterdir())


async def test_of_a_rescue_session_nothing_is_left_and_of_another_the_log(
    me: Account, root: Path, tmp_path: Path
) -> None:
    rescue = tmp_path / "rescue" / "me"
    roots = (str(root), str(rescue))
    for where in (root, rescue):
        directory = await prepare(me, where, env_json="{}")
        (directory / "own" / "runtime").mkdir(parents=True)
        (directory / "session.log").write_text(f"in {where.name}\n")
    assert (await home.find_log(me, roots, SESSION, timeout_s=20)).lines == ("in .fabric-hub",)
    await home.remove_all(me, roots, SESSION, timeout_s=20)
    assert [path.name for path in (root / SESSION).iterdir()] == ["session.log"]
    assert not list(rescue.iterdir())
    await home.remove_all(me, roots, "zzzzzzzzzzzz", timeout_s=20)


async def test_a_rescue_sessions_log_is_found_where_it_is(me: Account, root: Path, tmp_path: Path) -> None:
    directory = await prepare(me, tmp_path / "rescue", env_json="{}")
    roots = (str(root), str(tmp_path / "rescue"))
    assert (await home.find_log(me, roots, SESSION, timeout_s=20)).path == f"{root}/{SESSION}/session.log"
    (directory / "session.log").write_text("rescued\n")
    found = await home.find_log(me, roots, SESSION, timeout_s=20)
    assert (found.lines, found.path) == (("rescued",), f"{directory}/session.log")


async def test_the_log_is_its_last_lines_without_control_characters(me: Account, root: Path) -> None:
    directory = await prepare(me, root, env_json="{}")
    lines = "".join(f"line {number}\n" for number in range(20000))
    (directory / "session.log").write_text(lines + "\x1b[31mred\x1b[0m\x07\n\x1b]0;title\x07 10%\r 100%\n\n")
    log = await home.read_log(me, str(root), SESSION, timeout_s=20)
    assert log is not None
    assert len(log) == home.LOG_LINES
    assert log[-3:] == ("line 19999", "red", " 100%")


async def test_no_log_is_no_lines_and_a_pipe_does_not_block(me: Account, root: Path) -> None:
    assert await home.read_log(me, str(root), SESSION, timeout_s=20) == ()
    directory = await prepare(me, root, env_json="{}")
    os.mkfifo(directory / "session.log")
    assert await home.read_log(me, str(root), SESSION, timeout_s=20) == ()


async def test_removing_leaves_the_log_only(me: Account, root: Path) -> None:
    directory = await prepare(me, root, env_json="{}", key_pem="k")
    (directory / "session.log").write_text("bye\n")
    (directory / "deep" / "er").mkdir(parents=True)
    (directory / "deep" / "er" / "link").symlink_to("/etc")
    await home.remove(me, str(root), SESSION, timeout_s=20)
    assert [path.name for path in directory.iterdir()] == ["session.log"]
    assert Path("/etc/passwd").exists()
    await home.remove(me, str(root), "zzzzzzzzzzzz", timeout_s=20)


async def test_old_logs_go_with_the_next_session(me: Account, root: Path) -> None:
    old = root / "oldoldoldold"
    old.mkdir(parents=True)
    (old / "session.log").write_text("")
    os.utime(old / "session.log", (1, 1))
    await prepare(me, root, env_json="{}")
    await home.remove(me, str(root), SESSION, timeout_s=20)
    assert list(root.iterdir()) == []


def test_a_line_without_end_is_cut() -> None:
    assert [len(line) for line in as_user.clean("x" * 5000)] == [as_user.LINE_CHARS]
