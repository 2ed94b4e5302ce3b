"""What file systems' own quota tools say of a user's storage, as types. Pure.

``quota`` (ext4, XFS, NFS) and ``lfs quota`` (Lustre) print the same table: amounts in KiB, a ``*`` behind what is over,
and a time of grace, which is one word in both when asked as :func:`argv` asks. Never ``df``: it tells of the file
system.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from fabric_hub.config.quotas import StorageSettings
from fabric_hub.messages.text import NOTHING, Said, Text, WithTexts
from fabric_hub.messages.texts import storage as texts
from fabric_hub.types import Frozen

_KIB = 1024
_TABLE = 9  # file system; blocks, quota, limit, grace; files, quota, limit, grace
# quota's exit status of an account that is over a limit, with its row; also of every refusal, which has no row.
_OVER = 1


class StorageQuota(WithTexts):
    """One file system's quota: bytes, and files. A limit that is None is none.

    ``project`` is the project of the site's file whose quota it is, where each has its own. ``at`` is when the tool
    said so (Unix seconds). ``problem`` says why it said nothing; the numbers are then 0 and None.
    """

    title: str
    path: str
    scope: str  # user, project
    project: str = ""
    at: float | None = None
    used: int = 0
    limit: int | None = None
    files_used: int | None = None
    files_limit: int | None = None
    problem: Said = NOTHING


class StorageAnswer(Frozen):
    """The quotas of a user, in the order of the site's file; ``at`` is when the first of the tools was asked."""

    at: float
    quotas: tuple[StorageQuota, ...] = ()


class NoQuotaError(ValueError):
    """An answer that is no quota; ``text`` says what it is."""

    def __init__(self, text: Text) -> None:
        super().__init__(str(text))
        self.text = text


def filled(source: StorageSettings, user: str, uid: int, project: str = "", account: str = "") -> StorageSettings:
    """A file system with all names in title, path and project in place.

    :param user: the Unix account.
    :param project: of the site's file, ``account`` is its Slurm account; both are checked there, hold no slash and do
        not begin with a dot or a dash.
    """

    def put(text: str) -> str:
        for name, value in (("{user}", user), ("{uid}", str(uid)), ("{project}", project), ("{account}", account)):
            text = text.replace(name, value)
        return text

    named = {"title": put(source.title), "path": Path(put(str(source.path))), "project": put(source.project)}
    return source.model_copy(update=named)


def numbered(source: StorageSettings, projid: str) -> StorageSettings:
    """A file system of Lustre with the number of its project: lfs knows no names, other than quota.

    :param source: with all names in place, see :func:`filled`.
    :param projid: the text of /etc/projid, a line of which is ``NAME:NUMBER``; a name that is not there stays.
    """
    if source.kind != "lustre" or not source.project:
        return source
    numbers = dict(
        line.strip().split(":", 1) for line in projid.splitlines() if re.fullmatch(r"[^#:]+:\d+", line.strip())
    )
    return source.model_copy(update={"project": numbers.get(source.project, source.project)})


def argv(source: StorageSettings, user: str, uid: int) -> list[str]:
    """The arguments of a tool that tells a user's quota of a file system.

    :param source: with the names of a project in place, see :func:`filled`.
    :param user: the Unix account.
    """
    source = filled(source, user, uid)
    whose, path = source.project, str(source.path)
    if source.kind == "lustre":
        program = source.program or ("/usr/bin/lfs",)
        return [*program, "quota", "-q", *(["-p", whose] if whose else ["-u", user]), path]
    program = source.program or ("/usr/bin/quota",)
    # one line for each file system, the time of grace as a number, also where nothing is used
    plain = ["--no-wrap", "--raw-grace", "--verbose", "--show-mntpoint", "--hide-device", f"--filesystem={path}"]
    return [*program, *plain, *(["--project", whose] if source.kind == "project" else ["--user", user])]


def parse(text: str, source: StorageSettings, status: int = 0) -> StorageQuota:
    """The one row of a tool's answer.

    A quota of which every limit is 0 has none. Where there are two limits, the one for good and the one that may be
    passed for a while, the lower one counts: files that pass it cannot stay.

    :param status: the tool's exit status.
    :raises NoQuotaError: there is no row, it is not of the known form, or its numbers are not to be relied on.
    """
    words = text.split()
    start = next((number for number, word in enumerate(words) if word.startswith("/") and _is_row(words, number)), None)
    row = () if start is None else words[start + 1 : start + _TABLE]
    if any("[" in word for word in row):  # lfs: what a server that is away holds is left out of a number in brackets
        raise NoQuotaError(texts.SERVERS_AWAY())
    if status not in (0, _OVER):
        raise NoQuotaError(texts.TOOL_FAILED())
    if re.search(r":\s*none\s*$", text):
        raise NoQuotaError(texts.NO_QUOTA())
    if not row:
        raise NoQuotaError(texts.EMPTY_ANSWER())
    blocks, soft, hard, _, files, files_soft, files_hard, _ = row
    # XFS: who is not root is told zeros of any project, and no error; a project has at least its own directory
    if source.kind == "project" and not any(map(_number, (blocks, soft, hard, files, files_soft, files_hard))):
        raise NoQuotaError(texts.NOTHING_OF_PROJECT())
    limit = _limit(soft, hard)
    return StorageQuota(
        title=source.title or str(source.path),
        path=str(source.path),
        scope="project" if source.project else "user",
        used=_number(blocks) * _KIB,
        limit=None if limit is None else limit * _KIB,
        files_used=_number(files),
        files_limit=_limit(files_soft, files_hard),
    )


def _is_row(words: Sequence[str], start: int) -> bool:
    row = words[start + 1 : start + _TABLE]
    amounts = [word for number, word in enumerate(row) if number not in (3, 7)]
    return len(row) == _TABLE - 1 and all(re.fullmatch(r"\[?\d+\]?\*?", word) for word in amounts)


def _number(word: str) -> int:
    return int(word.strip("*"))


def _limit(soft: str, hard: str) -> int | None:
    return min((number for number in (_number(soft), _number(hard)) if number), default=None)


def unknown(source: StorageSettings, problem: Text) -> StorageQuota:
    """A file system whose quota is not known."""
    scope = "project" if source.project else "user"
    return StorageQuota(title=source.title or str(source.path), path=str(source.path), scope=scope, problem=problem)
