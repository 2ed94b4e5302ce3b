"""What people have of a file system, by its own quota tool."""

from __future__ import annotations

import os
import pwd
import re
import shlex
import time
from dataclasses import replace
from pathlib import Path

import pytest

from fabric_hub.config.quotas import StorageSettings
from fabric_hub.gateway.queries import on_demand as reading
from fabric_hub.gateway.queries.on_demand import Availability, StorageReader
from fabric_hub.slurm.storage import NoQuotaError, argv, filled, numbered, parse
from fabric_hub.unix.accounts import Account

HOME = StorageSettings(title="Home", kind="quota", path=Path("/home"))
LUSTRE = StorageSettings(kind="lustre", path=Path("/lustre"))
PROJECT = StorageSettings(
    kind="project", path=Path("/data"), project="p{uid}", program=("/usr/bin/sudo", "-n", "quota")
)

ANSWERS = Path(__file__).parent / "storage_answers"
RELEASES = ("bookworm", "trixie")

# Of scripts/record_quotas_machine.sh: what each account and project wrote and was given, in KiB and files. Where a soft
# and a hard limit are set, the soft one counts.
OF_USERS = {
    "under": (4096 + 3072 + 1024 + 6144 + 2048, 20480, 5, None),  # ann, in the directories of two projects too
    "asked_by_root": (16384, 20480, 5, None),
    "over_soft": (12288, 10240, 1, None),
    "at_hard": (10240, 10240, 1, None),
    "unset": (4096 + 1024, None, 2, None),
    "nothing": (0, None, 0, None),
    "unused": (0, 10240, 0, 100),
    "files_over_soft": (0, None, 12, 10),
    "files_at_hard": (0, None, 5, 5),
    "grace_over": (2048, 1024, 1, None),
    "long_user": (1024, 2048, 1, None),
    "large": (1024, 50 << 30, 1, 2_000_000_000),
}
OF_PROJECTS = {  # with their directory, one file more
    "project_name": (6144, 8192, 2, None),
    "project_number": (2048, 1024, 2, None),
    "project_unset": (0, None, 1, None),
}
DIRECTORY = {"ext4": 4, "xfs": 0}  # KiB of a small directory
TOLD = {
    "long_path": (12288, 10240, 1, None),
    "long_path_project": (2048 + DIRECTORY["ext4"], 1024, 2, None),
    "bind_mount": OF_USERS["under"],
    "link": OF_USERS["under"],
    "counted_only": (4096, 1024, 1, None),
}
OVER_NFS = ("under", "over_soft", "at_hard", "unset", "nothing", "files_over_soft", "large")  # of the ext4 at /home
TOLD |= {f"nfs{version}_{case}": OF_USERS[case] for version in (3, 4) for case in OVER_NFS}
TOLD |= {
    "nfs_of_a_part": OF_USERS["under"],
    "nfs_project": (6144 + DIRECTORY["ext4"], 8192, 2, None),
    "nfs_project_asked_by_user": (6144 + DIRECTORY["ext4"], 8192, 2, None),  # the server does not mind who asks
}
for _kind, _directory in DIRECTORY.items():
    TOLD |= {f"{_kind}_{case}": numbers for case, numbers in OF_USERS.items()}
    TOLD |= {
        f"{_kind}_{case}": (used + _directory, limit, files, most)
        for case, (used, limit, files, most) in OF_PROJECTS.items()
    }
REFUSED = {
    "ext4_of_another": "quota: bob (uid 2002): Permission denied",
    "xfs_of_another": "quota: bob (uid 2002): Permission denied",
    "ext4_user_unknown": "quota: user ghost does not exist.",
    "xfs_user_unknown": "quota: user ghost does not exist.",
    "ext4_project_unknown": "quota: project nix does not exist.",
    "xfs_project_unknown": "quota: project nix does not exist.",
    "ext4_project_asked_by_user": "quota: Cannot get quota for project 3001 from kernel on /dev/vda: Operation not "
    "permitted",
    "below_the_mount": "quota: Mountpoint (or device) /home/files not found or has no quota enabled.",
    "no_quotas": "quota: Mountpoint (or device) /plain not found or has no quota enabled.",
    "nfs_of_another": "quota: bob (uid 2002): Permission denied",
    "nfs_no_quotas": "quota: error while getting quota from localhost:/plain for ann (id 2001): Quota not enabled",
    "nfs_without_rquotad": "quota: error while getting quota from localhost:/home for ann (id 2001): Cannot connect to "
    "RPC quota service",
    "projects_only": "quota: Not all specified mountpoints are using quota.",
}
NO_ROW, FAILED = "The quota tool's answer holds no quota.", "The quota tool failed."
SAYS = {case: f"{NO_ROW} The quota tool says: {words}" for case, words in REFUSED.items()} | {
    "not_there": f"{FAILED} The quota tool says: quota: Cannot stat() given mountpoint /nowhere: "
    "No such file or directory",
    "xfs_project_asked_by_user": "Nothing of the project is there, or the quota tool did not run as root.",
}


class Recorded:
    """A file of storage_answers: what was asked of which tool, and what it answered."""

    def __init__(self, path: Path) -> None:
        head, _, answer = path.read_text().partition("-- stdout\n")
        self.stdout, _, self.stderr = answer.partition("-- stderr\n")
        facts = dict(line.partition(":")[::2] for line in head.splitlines())
        self.command = facts["command"].strip()
        self.status = int(facts["exit status"])
        self.user, uid = facts["user"].split()
        self.uid = int(uid)
        project = facts["project"].strip()
        kind = "project" if project else "quota"
        self.source = StorageSettings.model_validate(
            {"kind": kind, "path": facts["path"].strip(), "project": project, "title": "Here"}
        )


@pytest.mark.parametrize("release", RELEASES)
def test_every_recording_is_accounted_for(release: str) -> None:
    cases = {path.stem for path in (ANSWERS / release).glob("*.txt")}
    assert cases == TOLD.keys() | SAYS.keys()


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("case", sorted(TOLD | SAYS))
def test_what_was_recorded_is_what_is_asked(release: str, case: str) -> None:
    recorded = Recorded(ANSWERS / release / f"{case}.txt")
    asked = shlex.join(argv(recorded.source, recorded.user, recorded.uid))
    assert asked == recorded.command, "the arguments changed: record again with scripts/record_quotas.py"


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("case", sorted(TOLD))
def test_a_recorded_answer_tells_what_was_written_and_set(release: str, case: str) -> None:
    recorded = Recorded(ANSWERS / release / f"{case}.txt")
    found = parse(recorded.stdout, recorded.source, recorded.status)
    used, limit, files, files_limit = TOLD[case]
    assert found.used == used * 1024
    assert found.limit == (None if limit is None else limit * 1024)
    assert (found.files_used, found.files_limit) == (files, files_limit)
    assert (found.title, found.path, str(found.problem)) == ("Here", str(recorded.source.path), "")
    assert found.scope == ("project" if recorded.source.project else "user")
    over = (limit is not None and used >= limit) or (files_limit is not None and files >= files_limit)
    assert recorded.status == int(over), "quota's exit status is that of a failure when the account is over a limit"


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("case", sorted(SAYS))
async def test_a_recorded_refusal_is_told_in_the_tools_words(tmp_path: Path, release: str, case: str) -> None:
    recorded = Recorded(ANSWERS / release / f"{case}.txt")
    (tmp_path / "out").write_text(recorded.stdout)
    (tmp_path / "err").write_text(recorded.stderr)
    program = _tool(tmp_path, "quota", f"cd {tmp_path}; cat out; cat err >&2; exit {recorded.status}")
    desk = StorageReader([recorded.source.model_copy(update={"program": program})])
    (told,) = (await desk.read(_myself())).quotas
    assert str(told.problem) == SAYS[case]
    assert (told.used, told.limit) == (0, None)


# lfs quota -q, in the form in which its print_quota writes it. Lustre 2.14 and before: a longer path has a line of its
# own, and lines on default quotas follow the row. Since then (the lfs that has --lqa): a space behind each column, no
# line break, "expired" for "none", no lines on default quotas.
LFS = """\
        /lustre    2048       0    4096       -      12       0     100       -
"""
LFS_OVER = """\
        /lustre    2048*   1024    4096 6d23h59m59s      12*     10     100    none
"""
LFS_WRAPPED = """\
/lustre/of/a/long/name
                   2048*   1024    4096    none      12       0       0       -
"""
LFS_DEFAULT = """\
        /lustre    2048    4096    8192       -      12       0       0       -
uid 2001 is using default block quota setting
uid 2001 is using default file quota setting
"""
LFS_NEW = """\
        /lustre   2048*    1024    4096 expired     12*       0      12       - 
"""  # noqa: W291
LFS_NEW_LONG = """\
/lustre/of/a/long/name    2048       0       0       -      12       0       0       - 
"""  # noqa: W291
# Brackets: a server did not tell its part. lfs ends with EIO then, and an older one with 0 nevertheless.
LFS_INEXACT = """\
        /lustre  [1024]       0    4096       -      12       0     100       -
Some errors happened when getting quota info. Some devices may be not working or deactivated. The data in "[]" is inaccurate.
"""  # noqa: E501


@pytest.mark.parametrize(
    ("text", "limit", "files_limit"),
    [
        (LFS, 4096, 100),
        (LFS_OVER, 1024, 10),
        (LFS_WRAPPED, 1024, None),
        (LFS_DEFAULT, 4096, None),
        (LFS_NEW, 1024, 12),
        (LFS_NEW_LONG, None, None),
    ],
)
def test_lustre_tells_its_table_in_the_forms_of_its_versions(
    text: str, limit: int | None, files_limit: int | None
) -> None:
    found = parse(text, LUSTRE)
    assert (found.used, found.files_used) == (2048 * 1024, 12)
    assert (found.limit, found.files_limit) == (limit and limit * 1024, files_limit)
    assert found.title == "/lustre"


@pytest.mark.parametrize("status", [0, 5])
def test_a_number_that_lustre_could_not_confirm_is_not_told(status: int) -> None:
    with pytest.raises(NoQuotaError) as inexact:
        parse(LFS_INEXACT, LUSTRE, status)
    assert str(inexact.value.text) == "Not all servers of the file system answer, so what is used is not known."
    with pytest.raises(NoQuotaError, match="Not all servers of the file system answer"):
        parse(LFS_INEXACT.replace("[1024] ", "[4096]*"), LUSTRE, status)


def test_a_row_of_a_tool_that_failed_is_not_told() -> None:
    assert parse(LFS, LUSTRE, 0).used == 2048 * 1024
    with pytest.raises(NoQuotaError, match="The quota tool failed"):
        parse(LFS, LUSTRE, 121)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Disk quotas for user ann (uid 2001): none\n", "No quota is set on it"),
        ("", "answer holds no quota"),
        ("/lustre 1 2 three 4 5 6 7 8", "answer holds no quota"),
        ("/home 819200 900000", "answer holds no quota"),
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


def _tool(directory: Path, name: str, script: str) -> tuple[str, ...]:
    path = directory / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return (str(path),)


async def test_each_tool_answers_or_says_why_not_and_all_are_in_the_answer(tmp_path: Path) -> None:
    recorded = Recorded(ANSWERS / "bookworm" / "ext4_over_soft.txt")
    over = _tool(tmp_path, "over", f"cat <<'END'\n{recorded.stdout}END\nexit {recorded.status}")
    hung = _tool(tmp_path, "hung", "exec sleep 60")
    broken = _tool(tmp_path, "broken", "echo 'quota: Cannot open quotafile: Permission denied' >&2; exit 2")
    programs = (over, hung, broken, ("/nowhere/quota",))
    desk = StorageReader([HOME.model_copy(update={"program": program, "timeout_s": 1.0}) for program in programs])
    answer = await desk.read(_myself())
    told, slow, refused, missing = answer.quotas
    assert (told.used, str(told.problem)) == (12288 * 1024, "")
    assert str(slow.problem) == "/home did not answer within 1 s."
    assert str(refused.problem) == (
        "The quota tool failed. The quota tool says: quota: Cannot open quotafile: Permission denied"
    )
    assert "/nowhere/quota cannot be used" in str(missing.problem)
    assert (await desk.read(_myself())) == answer, "asked again at once, the tools are left alone"


def _counting(directory: Path, hung: Path) -> tuple[str, ...]:
    """A tool that writes down that it was asked, and hangs while there is such a file."""
    script = f"echo \"$@\" >> {directory}/asked; if [ -e {hung} ]; then exec sleep 60; fi\ncat <<'END'\n{LFS}END"
    return _tool(directory, "lfs", script)


def _others(count: int) -> list[Account]:
    """Accounts of other numbers, for tools that the gateway runs itself."""
    return [replace(_myself(), name=f"u{uid}", uid=uid) for uid in range(3001, 3001 + count)]


async def test_a_file_system_that_hangs_keeps_two_and_nobody_after_them_and_no_other_file_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hung = tmp_path / "hung"
    slow = StorageSettings(
        kind="project", path=Path("/slow"), project="{user}", timeout_s=1.0, program=_counting(tmp_path, hung)
    )
    (tmp_path / "well").mkdir()
    well = slow.model_copy(update={"path": Path("/well"), "program": _counting(tmp_path / "well", tmp_path / "never")})
    desk, people = StorageReader([slow, well]), _others(12)
    before = (await desk.read(people[0])).quotas
    assert [one.used for one in before] == [2048 * 1024] * 2
    monkeypatch.setattr(reading, "_HOLDS_S", 0.0)
    hung.touch()
    for one in people[:2]:
        await desk.read(one)
    began = time.monotonic()
    answers = [(await desk.read(one)).quotas for one in people]
    assert time.monotonic() - began < 12 * slow.timeout_s / 2, "others waited for a file system that hangs"
    assert [told.used for _, told in answers] == [2048 * 1024] * 12
    asked = (tmp_path / "asked").read_text().splitlines()
    assert len(asked) == 3
    known, *others = (first for first, _ in answers)
    assert known == before[0], "the numbers of before are told, with their time"
    for told in others:
        assert re.fullmatch(
            r"/slow did not answer others within 1 s; it is asked again at .*\d\d:\d\d .+\.", str(told.problem)
        )
    hung.unlink()
    desk._places[0]._availability.until = 0.0  # its time has come
    for asker in people:
        assert [str(one.problem) for one in (await desk.read(asker)).quotas] == ["", ""]


def test_one_user_who_keeps_the_tool_from_answering_takes_it_from_nobody() -> None:
    hangs = Availability()
    for moment in range(5):
        hangs.timed_out(2001, float(moment))
        assert hangs.may_ask(float(moment))
    hangs.timed_out(2002, 10.0)
    assert not hangs.may_ask(11.0)
    assert not hangs.may_ask(309.0)
    assert [hangs.may_ask(310.0), hangs.may_ask(310.0)] == [True, False], "one tries, the others go on without"
    hangs.answered()
    assert hangs.may_ask(311.0)
    hangs.timed_out(2002, 312.0)
    assert hangs.may_ask(312.0)


async def test_the_quota_of_each_of_a_users_projects_is_told_and_asked_once_for_all_its_members(tmp_path: Path) -> None:
    tool = _counting(tmp_path, tmp_path / "never")
    source = StorageSettings(
        title="Project {project}", kind="lustre", path=Path("/projects/{project}"), project="p-{account}", program=tool
    )
    ours = source.model_copy(update={"kind": "project", "path": Path("/srv/{account}"), "project": "{project}"})
    desk = StorageReader([source, ours])
    answer = await desk.read(_myself(), {"proteins": "lab-1", "course": "edu"})
    assert [str(one.problem) for one in answer.quotas] == [""] * 4
    assert [(one.title, one.path, one.project, one.scope) for one in answer.quotas] == [
        ("Project proteins", "/projects/proteins", "proteins", "project"),
        ("Project course", "/projects/course", "course", "project"),
        ("Project proteins", "/srv/lab-1", "proteins", "project"),
        ("Project course", "/srv/edu", "course", "project"),
    ]
    await desk.read(_others(1)[0], {})
    asked = sorted((tmp_path / "asked").read_text().splitlines())
    plain = "--no-wrap --raw-grace --verbose --show-mntpoint --hide-device"
    assert asked == [
        f"{plain} --filesystem=/srv/edu --project course",
        f"{plain} --filesystem=/srv/lab-1 --project proteins",
        "quota -q -p p-edu /projects/course",
        "quota -q -p p-lab-1 /projects/proteins",
    ]
    shared = StorageReader([ours])
    for account in _others(2):
        (told,) = (await shared.read(account, {"proteins": "lab-1"})).quotas
        assert told.used == 2048 * 1024
    assert len((tmp_path / "asked").read_text().splitlines()) == 5


def test_lustre_is_asked_for_the_number_of_a_project_because_it_knows_no_names() -> None:
    source = LUSTRE.model_copy(update={"project": "p-{account}"})
    projid = "# ours\nroot:0\np-lab:30 01\np-lab-1:3001\nbroken\n"
    numbers = {
        account: numbered(filled(source, "ann", 2001, "x", account), projid).project for account in ("lab-1", "lab")
    }
    assert numbers == {"lab-1": "3001", "lab": "p-lab"}
    assert argv(numbered(LUSTRE.model_copy(update={"project": "7"}), projid), "ann", 2001)[2:] == [
        "-q",
        "-p",
        "7",
        "/lustre",
    ]
    assert numbered(PROJECT, "p{uid}:1") == PROJECT, "quota reads the file itself"


@pytest.mark.parametrize("wrong", ["/projects/{name}", "/projects/{project", "/pro}jects"])
def test_a_path_with_a_name_that_nobody_knows_is_refused_with_those_that_are_known(wrong: str) -> None:
    with pytest.raises(
        ValueError, match=r"path has a name in braces that is not one of \{user\}, \{uid\}, \{project\}"
    ):
        StorageSettings.model_validate({"kind": "lustre", "path": wrong})


@pytest.mark.parametrize("wrong", ["-p", "{project} x", "{name}", "a/b", ".{account}"])
def test_what_is_asked_for_a_project_is_a_plain_name(wrong: str) -> None:
    with pytest.raises(ValueError, match="project"):
        StorageSettings.model_validate({"kind": "lustre", "path": "/lustre", "project": wrong})
