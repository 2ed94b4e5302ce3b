"""What people have of a file system, by its own quota tool."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from fabric_hub.quota_settings import StorageSettings
from fabric_hub.slurm.accounts import Account
from fabric_hub.slurm.reading import StorageDesk
from fabric_hub.slurm.storage import NoQuotaError, argv, parse

HOME = StorageSettings(title="Home", kind="quota", path=Path("/home"))
LUSTRE = StorageSettings(kind="lustre", path=Path("/lustre"))
PROJECT = StorageSettings(
    kind="project", path=Path("/data"), project="p{uid}", program=("/usr/bin/sudo", "-n", "quota")
)

# quota 4.06 --no-wrap --raw-grace --verbose --show-mntpoint --hide-device
EXT4 = """\
Disk quotas for user ann (uid 2001):
     Filesystem  blocks   quota   limit   grace   files   quota   limit   grace
          /home  819200  900000 1000000       0    1234       0       0       0
"""
EXT4_OVER = """\
Disk quotas for user ann (uid 2001):
     Filesystem  blocks   quota   limit   grace   files   quota   limit   grace
          /home  950000* 900000 1000000 1795297232   1234*   1000    2000 1795297232
"""
XFS_PROJECT = """\
Disk quotas for project p2001 (pid 2001):
     Filesystem  blocks   quota   limit   grace   files   quota   limit   grace
          /data 1048576       0 2097152       0      17       0       0       0
"""
# lfs quota -q: a long name has a line of its own; brackets mark what an unreachable server could not confirm
LFS = """\
        /lustre    2048       0   4096       -      12       0     100       -
"""
LFS_WRAPPED = """\
/lustre
                [2048]*    1024    4096 6d23h59m59s      12       0       0       -
"""


def test_ext4_tells_bytes_and_the_limit_that_counts() -> None:
    found = parse(EXT4, HOME)
    assert (found.title, found.path, found.scope) == ("Home", "/home", "user")
    assert (found.used, found.limit) == (819200 * 1024, 900000 * 1024)
    assert (found.files_used, found.files_limit) == (1234, None)


def test_what_is_over_is_still_a_number() -> None:
    found = parse(EXT4_OVER, HOME)
    assert (found.used, found.limit, found.files_used, found.files_limit) == (950000 * 1024, 900000 * 1024, 1234, 1000)


def test_a_projects_quota_reads_the_same() -> None:
    found = parse(XFS_PROJECT, PROJECT)
    assert (found.scope, found.used, found.limit) == ("project", 1 << 30, 2 << 30)


@pytest.mark.parametrize(("text", "used", "limit", "files"), [(LFS, 2048, 4096, 100), (LFS_WRAPPED, 2048, 1024, None)])
def test_lustre_tells_its_table_with_and_without_a_line_break(text: str, used: int, limit: int, files: int) -> None:
    found = parse(text, LUSTRE)
    assert (found.used, found.limit, found.files_limit) == (used * 1024, limit * 1024, files)
    assert found.title == "/lustre"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Disk quotas for user ann (uid 2001): none\n", "no quota is set on it"),
        ("", "the answer holds no quota"),
        ("/lustre 1 2 three 4 5 6 7 8", "the answer holds no quota"),
        ("/home 819200 900000", "the answer holds no quota"),
    ],
)
def test_what_is_no_quota_says_so(text: str, says: str) -> None:
    with pytest.raises(NoQuotaError, match=says):
        parse(text, HOME)


def test_the_tools_are_asked_for_one_user_or_one_project() -> None:
    assert argv(HOME, "ann", 2001)[-2:] == ["--user", "ann"]
    assert "--filesystem=/home" in argv(HOME, "ann", 2001)
    assert argv(LUSTRE, "ann", 2001) == ["/usr/bin/lfs", "quota", "-q", "-u", "ann", "/lustre"]
    assert argv(PROJECT, "ann", 2001)[:3] == ["/usr/bin/sudo", "-n", "quota"]
    assert argv(PROJECT, "ann", 2001)[-2:] == ["--project", "p2001"]


@pytest.mark.parametrize("wrong", [{"kind": "project"}, {"kind": "quota", "project": "x"}, {"kind": "df"}])
def test_a_site_file_says_whose_quota_it_is(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="kind"):
        StorageSettings.model_validate({"path": "/home", **wrong})


def _myself() -> Account:
    entry = pwd.getpwuid(os.geteuid())
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, (), entry.pw_dir, "/bin/sh")


async def test_each_tool_answers_or_says_why_not_and_all_are_in_the_answer(tmp_path: Path) -> None:
    def tool(name: str, script: str) -> tuple[str, ...]:
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return (str(path),)

    over = tool("over", f"cat <<'END'\n{EXT4_OVER}END\nexit 1")
    hung = tool("hung", "exec sleep 60")
    broken = tool("broken", "echo 'quota: Cannot open quotafile: Permission denied' >&2; exit 2")
    sources = [HOME.model_copy(update={"program": program}) for program in (over, hung, broken, ("/nowhere/quota",))]
    desk = StorageDesk(sources, timeout_s=1.0)
    answer = await desk.read(_myself())
    told, slow, refused, missing = answer.quotas
    assert (told.used, told.problem) == (950000 * 1024, "")
    assert slow.problem == "/home did not answer within 1 s"
    assert refused.problem == "the tool failed: quota: Cannot open quotafile: Permission denied"
    assert "/nowhere/quota cannot be used" in missing.problem
    assert (await desk.read(_myself())) is answer, "asked again at once, the tools are left alone"
