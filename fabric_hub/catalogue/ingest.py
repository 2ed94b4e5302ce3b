"""What the nodes tell: one small file for each event, taken into the audit log and removed.

The nodes' agent is root, and writes below ``{catalogue.published}/events``. A file counts only when it is a plain
file of root's (or of the catalogue service's own: where root is nobody to a file server, the agent writes as the
catalogue service),
small, and says just what it may say; whatever else lies there is set aside in ``events/refused``, with words in
the log.
"""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import pwd
import re
import stat
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, ValidationError

from fabric_hub.catalogue.audit.log import Entry, NodeName, files
from fabric_hub.config.catalogue import CatalogueSettings
from fabric_hub.config.settings import Settings
from fabric_hub.config.users import UserSettings
from fabric_hub.datasets.model import Catalogue, Digest, VersionName
from fabric_hub.projects.membership import is_member, responsible
from fabric_hub.types import Frozen, Slug, SlurmName, slurm_key
from fabric_hub.unix.accounts import hub_name

from .publish import last_user

log = logging.getLogger(__name__)

LARGEST = 4096  # bytes of one event; one has about 300
AT_ONCE = 500  # events of one pass: one append to the audit log
KEPT_ASIDE = 1000
AGENTS = "agents"  # the directory beside the events in which the agents say how they fare
FORGOTTEN_S = 86400.0  # age of a half-written file that nobody will finish
_NAME = re.compile(r"[0-9]{1,20}-[A-Za-z0-9][A-Za-z0-9._-]{0,63}-[A-Za-z0-9_]{1,64}\.json")


class NodeEvent(Frozen):
    """One event as a node tells it. Strict: a number in quotes is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format: Literal[1]
    event: Literal["opened", "closed", "refused", "revoked"]
    time: float = Field(ge=0, lt=1e11, allow_inf_nan=False)
    node: NodeName
    job: int = Field(ge=0, lt=2**53)
    uid: int = Field(ge=0, lt=2**32)
    account: SlurmName | None = None
    dataset: Slug
    version: VersionName | None = None
    sha256: Digest | None = None
    why: Annotated[str, Field(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$")] | None = None


class RefusedFile(Exception):  # noqa: N818 - said of a file, in words
    """A file is no event; the message says why."""


def events_directory(datasets: CatalogueSettings) -> Path:
    """Where the nodes put their events."""
    return datasets.published / "events"


def waiting(directory: Path) -> list[str]:
    """The names of what lies there, oldest event first, at most as many as one pass takes."""
    names = [entry.name for entry in os.scandir(directory) if not entry.name.startswith(".")]
    return sorted(name for name in names if name not in ("refused", AGENTS))[:AT_ONCE]


def read(path: Path, trusted: frozenset[int]) -> NodeEvent:
    """The event in a file.

    :param trusted: uids whose files count.
    :raises RefusedFile: it is not one.
    :raises FileNotFoundError: it is gone.
    """
    if not _NAME.fullmatch(path.name):
        raise RefusedFile("its name is not that of an event")
    content = content_of(path, trusted)
    try:
        return NodeEvent.model_validate_json(content)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'it'}: {e['msg']}" for e in error.errors()[:3])
        raise RefusedFile(f"it is no event ({wrong[:300]})") from None


def content_of(path: Path, trusted: frozenset[int], largest: int = LARGEST) -> bytes:
    """What a small plain file of a trusted account has in it.

    :param trusted: uids whose files count.
    :param largest: bytes that it may have.
    :raises RefusedFile: it is not such a file.
    :raises FileNotFoundError: it is gone.
    """
    try:
        # not blocking: opening a pipe would wait for its other end
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        what = "it is a link" if error.errno == errno.ELOOP else f"it cannot be opened ({error.strerror})"
        raise RefusedFile(what) from error
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise RefusedFile("it is not a plain file")
        if status.st_uid not in trusted:
            raise RefusedFile(f"it belongs to uid {status.st_uid}, neither to root nor to the catalogue service")
        if status.st_mode & 0o022:
            raise RefusedFile("others may write to it")
        with os.fdopen(os.dup(handle), "rb") as file:
            content = file.read(largest + 1)
    finally:
        os.close(handle)
    if len(content) > largest:
        raise RefusedFile(f"it has more than {largest} bytes")
    return content


def user_of(users: UserSettings, uid: int) -> str | None:
    """The hub user of a uid; None when the account is nobody's here, or everybody's. It may block."""
    if users.shared_account:
        return None
    try:
        return hub_name(users, pwd.getpwuid(uid).pw_name)
    except KeyError:
        return None


def entry(event: NodeEvent, source: str, user: str | None, settings: Settings, catalogue: Catalogue) -> Entry:
    """An event as it goes in the audit log: with its user, project and purpose. Pure.

    The project is the one with the job's Slurm account. Several may share an account, or the account may not be
    known (Slurm 22.05 tells a Prolog none): then it is the one in which
    the user accepted the dataset's agreement last, or the only one that the user is a member of; else none is named.
    """
    if user is not None and not _fits(user):
        user = None
    shared = settings.users.shared_account
    projects = [
        name
        for name, project in settings.project.items()
        if event.account is None
        or (slurm_key(event.account) == project.account and (shared or (user is not None and is_member(project, user))))
    ]
    accepted = sorted(
        (
            one
            for one in catalogue.acceptances
            if one.dataset == event.dataset and one.project in projects and one.user == user
        ),
        key=lambda one: one.at,
    )
    last = accepted[-1] if accepted else None
    project = last.project if last else projects[0] if len(projects) == 1 else None
    return Entry(
        event=event.event,
        at=event.time,
        user=user,
        responsible=responsible(settings, project),
        project=project,
        account=event.account,
        purpose=last.purpose if last else None,
        agreement=last.agreement if last else None,
        dataset=event.dataset,
        version=event.version,
        sha256=event.sha256,
        node=event.node,
        job=event.job,
        uid=event.uid,
        why=event.why,
        source=source,
    )


def _fits(user: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,63}", user) is not None


class Ingest:
    """Takes in the nodes' events.

    :param append: puts entries in the audit log; when it raises, the files stay for the next pass.
    :param recorded: sources that the end of the audit log names: a catalogue service that died after it wrote them, and
        before it removed their files, does not write them twice.
    """

    def __init__(
        self, directory: Path, trusted: frozenset[int], append: Callable[[Iterable[Entry]], None], recorded: set[str]
    ) -> None:
        self._directory = directory
        self._trusted = trusted
        self._append = append
        self._recorded = recorded
        self._said: set[str] = set()

    def once(self, settings: Settings, catalogue: Catalogue) -> int:
        """One pass; the number of files that were dealt with: when it is AT_ONCE, there may be more.

        :raises FabricError: the audit log cannot be written.
        :raises OSError: the directory cannot be used.
        """
        names = waiting(self._directory)
        entries: list[Entry] = []
        done: list[str] = []
        for name in names:
            try:
                event = read(self._directory / name, self._trusted)
            except FileNotFoundError:
                continue
            except RefusedFile as refusal:
                self._set_aside(name, str(refusal))
                continue
            done.append(name)
            if name not in self._recorded:
                user = user_of(settings.users, event.uid) or self._who_had(settings, event.uid)
                entries.append(entry(event, name, user, settings, catalogue))
        if entries:
            self._append(entries)
            self._recorded |= {str(one.source) for one in entries}
        for name in done:
            (self._directory / name).unlink(missing_ok=True)
            self._recorded.discard(name)
        return len(names)

    @staticmethod
    def _who_had(settings: Settings, uid: int) -> str | None:
        """Whose uid it was when the nodes were told last: the name service may have forgotten the account just now."""
        if settings.catalogue is None or settings.users.shared_account:
            return None
        return last_user(settings.catalogue, uid)

    def _set_aside(self, name: str, why: str) -> None:
        aside = self._directory / "refused"
        try:
            aside.mkdir(mode=0o700, exist_ok=True)
            kept = sorted(os.scandir(aside), key=lambda one: one.stat(follow_symlinks=False).st_ctime)
            for old in kept[: max(0, len(kept) - KEPT_ASIDE + 1)]:
                os.unlink(old.path)
            os.rename(self._directory / name, aside / name)
            what = f"It is in {aside} now."
        except OSError as error:
            what = f"It cannot be moved to {aside}: {error.strerror}."
        words = f"{self._directory / ascii(name)[1:-1]} is no event of a node: {why}. {what}"
        if words not in self._said:
            self._said = {words, *list(self._said)[:AT_ONCE]}  # one that cannot be moved is met at every pass
            log.warning("%s", words)

    def tidy(self) -> None:
        """Remove half-written files that nobody has finished for a day."""
        for found in os.scandir(self._directory):
            if not found.name.startswith("."):
                continue
            with contextlib.suppress(FileNotFoundError):  # it was finished just now
                status = found.stat(follow_symlinks=False)
                if stat.S_ISREG(status.st_mode) and status.st_mtime < time.time() - FORGOTTEN_S:
                    os.unlink(found.path)


def recorded_sources(audit_log: Path) -> set[str]:
    """The sources that the end of the audit log names: more of it than one pass writes."""
    found = set()
    for path in files(audit_log)[-2:]:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - AT_ONCE * LARGEST))
            for line in file:
                with contextlib.suppress(ValueError, AttributeError):  # the first is a part of one
                    found.add(json.loads(line).get("source"))
    return {source for source in found if isinstance(source, str)}
