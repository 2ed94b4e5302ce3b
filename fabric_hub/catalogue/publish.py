"""What the catalogue service tells the nodes (``{catalogue.published}/grants.json``), and hub and gateway
(``projects.json`` beside its socket).

:func:`grants` decides (pure), :func:`publish` and :func:`publish_projects` write. The nodes' agent authorises by
``grants.json`` alone: a uid that is not in it opens nothing. The hub's own policy (``policy.py``) must say the same; a
test holds the two together.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import pwd
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from fabric_hub.config.catalogue import CatalogueSettings
from fabric_hub.config.settings import Settings
from fabric_hub.config.users import UserSettings
from fabric_hub.datasets.model import Access, Catalogue, Dataset, Grant
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import startup
from fabric_hub.projects.document import ProjectsDocument, as_json
from fabric_hub.projects.leases import WantedDocument, as_content, wanted_file
from fabric_hub.projects.live import projects_file
from fabric_hub.projects.membership import end_of, people_today
from fabric_hub.unix.accounts import UnknownAccountError, resolve, unix_name

from .leases.progress import wanted_of
from .leases.store import LeaseStore, for_nodes
from .project_store import ProjectStore
from .restored import Revocation
from .store import CatalogueStore

log = logging.getLogger(__name__)

FORMAT = 1
# How long a uid stays published whose account the name service has forgotten; and where another account has it now.
FORGOTTEN_S = 24 * 3600.0
RENAMED_S = 600.0
_SEEN_EVERY_S = 60.0
UidOf = Callable[[str], int | None]


def grants(
    settings: Settings, catalogue: Catalogue, uid_of: UidOf, today: date, ended: Iterable[Revocation] = ()
) -> dict[str, Any]:
    """What the nodes are told, without the time of writing.

    Listed are published datasets with their published versions; for each, the uids of the members who may
    use it now: the project has a grant in force, and they accepted the current agreement in that project.

    :param uid_of: a hub user's uid, or None where there is none to be found: they are left out.
    :param ended: grants that were taken away together with the jobs that had the dataset open.
    """
    accepted: dict[str, set[tuple[str, str]]] = {}
    current = {one.name: one.agreement.version for one in catalogue.datasets if one.agreement}
    for one in catalogue.acceptances:
        if current.get(one.dataset) == one.agreement:
            accepted.setdefault(one.dataset, set()).add((one.project, one.user))
    granted: dict[str, list[Grant]] = {}
    for grant in catalogue.grants:
        if grant.until is None or today <= grant.until:
            granted.setdefault(grant.dataset, []).append(grant)
    offered = {one.name: entry for one in catalogue.datasets if (entry := _offered(one)) is not None}
    allowed = {
        one.name: found
        for one in catalogue.datasets
        if one.name in offered
        and (
            found := _everybody(settings, one, accepted.get(one.name, set()), uid_of, today)
            if one.access is Access.PUBLIC
            else _projects(settings, one, granted.get(one.name, ()), accepted.get(one.name, set()), uid_of, today)
        )
    }
    content = {"format": FORMAT, "serial": catalogue.serial, "datasets": offered, "grants": allowed}
    ends = [
        {"dataset": one.dataset, "account": settings.project[one.project].account, "at": one.at}
        for one in ended
        if one.project in settings.project
    ]
    return {**content, "end_jobs": ends} if ends else content


def _offered(dataset: Dataset) -> dict[str, Any] | None:
    if dataset.published_at is None or dataset.retired_at is not None or dataset.access is None:
        return None
    versions = {
        one.version: {"kind": one.kind, "path": one.path, "sha256": one.sha256, "bytes": one.bytes}
        for one in dataset.versions
        if one.published_at is not None and one.retired_at is None
    }
    if dataset.latest not in versions:
        return None
    return {"access": dataset.access.value, "latest": dataset.latest, "versions": versions}


def _everybody(
    settings: Settings, dataset: Dataset, accepted: Iterable[tuple[str, str]], uid_of: UidOf, today: date
) -> list[dict[str, Any]]:
    """Of a public dataset: everybody, or, where it has an agreement, whoever accepted it in one of their projects."""
    if dataset.agreement is None:
        return [{"account": None, "uids": None, "until": None}]
    users = {user for project, user in accepted if user in people_today(settings, project, today)}
    uids = _uids(users, uid_of)
    return [{"account": None, "uids": uids, "until": None}] if uids else []


def _projects(
    settings: Settings,
    dataset: Dataset,
    granted: Iterable[Grant],
    accepted: set[tuple[str, str]],
    uid_of: UidOf,
    today: date,
) -> list[dict[str, Any]]:
    """Of any other dataset: the members of every granted project who accepted its agreement; without one nobody."""
    if dataset.agreement is None:
        return []
    ends: dict[str, date | None] = {}  # by project, of its longest grant, and not beyond its own end
    for grant in granted:
        if grant.project in ends and (ends[grant.project] is None or grant.until is not None):
            before = ends[grant.project]
            ends[grant.project] = None if before is None or grant.until is None else max(before, grant.until)
        else:
            ends[grant.project] = grant.until
    found = []
    for name in sorted(ends):
        users = [user for user in people_today(settings, name, today) if (name, user) in accepted]
        uids = _uids(users, uid_of)
        if uids:
            project = settings.project[name]
            last = min((day for day in (ends[name], project.end) if day is not None), default=None)
            found.append({"account": project.account, "uids": uids, "until": end_of(last)})
    return found


def _uids(users: Iterable[str], uid_of: UidOf) -> list[int]:
    return sorted({uid for user in users if (uid := uid_of(user)) is not None})


class Uids:
    """Looks up the uid of hub users, and says once of each who has none that they are left out.

    A name service that forgets an account for a while takes nothing away: the uid that was published last stays, for a
    day, and a few minutes only where another account has it now.
    """

    def __init__(self) -> None:
        self._missing: dict[str, str] = {}
        self._last: dict[str, tuple[int, float]] = {}  # by user, and when it was seen

    def remember(self, path: Path) -> None:
        """Take in what the last publication, maybe another process's, has seen."""
        try:
            found = json.loads(path.read_bytes())
            self._last = {str(user): (int(uid), float(at)) for user, (uid, at) in found.items()}
        except FileNotFoundError:
            self._last = {}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            log.warning("The uids of the last publication cannot be read, and are forgotten: %s", error)
            self._last = {}

    def to_keep(self) -> dict[str, tuple[int, float]]:
        """What the next publication may need to know."""
        now = time.time()
        return {user: (uid, at) for user, (uid, at) in sorted(self._last.items()) if now - at < FORGOTTEN_S}

    def of(self, users: UserSettings) -> UidOf:
        """A lookup for one publication: every name is asked for once. It may block."""
        known: dict[str, int | None] = {}

        def uid_of(user: str) -> int | None:
            if user not in known:
                known[user] = self._ask(user, users)
            return known[user]

        return uid_of

    def _ask(self, user: str, users: UserSettings) -> int | None:
        try:
            uid = resolve(user, users).uid
        except UnknownAccountError as error:
            if (kept := self._kept(user, users)) is not None:
                if self._missing.get(user) != error.message:
                    self._missing[user] = error.message
                    log.warning("%s keeps what was granted for now: %s", user, error.said)
                return kept
            self._say_left_out(user, error)
            return None
        except FabricError as error:
            self._say_left_out(user, error)
            return None
        self._missing.pop(user, None)
        self._last[user] = uid, time.time()
        return uid

    def _say_left_out(self, user: str, error: FabricError) -> None:
        words = f"none: {error.message}"
        if self._missing.get(user) != words:
            self._missing[user] = words
            log.warning("%s gets no dataset on any node: %s", user, error)

    def _kept(self, user: str, users: UserSettings) -> int | None:
        """The uid of an account that the name service has forgotten; None where it may not be used any more."""
        uid, at = self._last.get(user, (None, 0.0))
        if uid is None:
            return None
        try:
            other = pwd.getpwuid(uid).pw_name
        except KeyError:
            return uid if time.time() - at < FORGOTTEN_S else None
        taken = other in {unix_name(users, user) for user in self._last}
        return uid if not taken and time.time() - at < RENAMED_S else None


def last_user(datasets: CatalogueSettings, uid: int) -> str | None:
    """The user to whom a uid belonged in the last publications, where it was one user's."""
    uids = Uids()
    uids.remember(_uids_file(datasets))
    found = [user for user, (own, _) in uids.to_keep().items() if own == uid]
    return found[0] if len(found) == 1 else None


def publish(settings: Settings, store: CatalogueStore, uids: Uids | None = None) -> bool:
    """Tell the nodes who may use what now; whether that was news.

    One process at a time, and the catalogue is read when it is this one's turn: nobody writes an older one
    over a newer one.

    :param settings: of the site's file; the projects that the catalogue has are taken from there.
    :param store: the catalogue; it is read under the lock.
    :raises FabricError: the file cannot be written; the nodes go by the one they have.
    """
    assert settings.catalogue is not None
    place = settings.catalogue.published
    try:
        directory = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(directory, fcntl.LOCK_EX)
            uids = uids or Uids()
            uids.remember(_uids_file(settings.catalogue))
            uid_of, leased = uids.of(settings.users), store.leases.all()
            back = frozenset(one.uid for one in leased if one.state != "leased")  # nobody's: nothing is granted to them
            today = datetime.now().astimezone().date()
            content = grants(
                store.projects.over(settings),
                store.catalogue(today),
                lambda user: None if (uid := uid_of(user)) in back else uid,
                today,
                store.ended(),
            )
            if cleaning := for_nodes(leased):
                content["cleaning"] = cleaning
            _keep_uids(settings.catalogue, uids.to_keep())
            if content == _published(settings.catalogue):
                return False
            replace(place, "grants.json", {**content, "written": time.time()}, 0o640)
        finally:
            os.close(directory)
    except OSError as error:
        raise FabricError(startup.CANNOT_PUBLISH(path=str(place), why=str(error.strerror or error))) from error
    return True


def publish_projects(datasets: CatalogueSettings, projects: ProjectStore) -> bool:
    """Tell hub and gateway which projects the catalogue has now; whether that was news.

    Where the socket's directory is not there, nobody is told: the service does so when it starts.

    :raises FabricError: the file cannot be written; they go by the one that they have.
    """
    path = projects_file(datasets)
    if not path.parent.is_dir() or _told(projects.document()) == _read(path):
        return False
    try:
        with projects.alone() as document:
            replace(path.parent, path.name, _told(document), 0o640)
    except OSError as error:
        raise FabricError(startup.CANNOT_PUBLISH(path=str(path.parent), why=str(error.strerror or error))) from error
    return True


def _told(document: ProjectsDocument) -> dict[str, Any]:
    told = {name: as_json(project) for name, project in document.projects.items()}
    content = {"format": document.format, "serial": document.serial, "projects": told}
    ends = {name: end.model_dump(exclude_defaults=True) for name, end in document.login_ends.items()}
    return {**content, "login_ends": ends} if ends else content


def forget_uid(datasets: CatalogueSettings, user: str) -> None:
    """Forget a user's uid, which was kept for a name service that forgets accounts for a while.

    :raises FabricError: the file cannot be written.
    """
    try:
        directory = os.open(datasets.published, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(directory, fcntl.LOCK_EX)
            uids = Uids()
            uids.remember(_uids_file(datasets))
            kept = uids.to_keep()
            if kept.pop(user, None) is not None:
                replace(datasets.state_dir, _uids_file(datasets).name, kept, 0o600)
        finally:
            os.close(directory)
    except OSError as error:
        at = str(datasets.published)
        raise FabricError(startup.CANNOT_PUBLISH(path=at, why=str(error.strerror or error))) from error


def grants_file(datasets: CatalogueSettings) -> Path:
    """The file that the nodes read."""
    return datasets.published / "grants.json"


def _uids_file(datasets: CatalogueSettings) -> Path:
    return datasets.state_dir / "uids.json"  # not beside grants.json: nodes may write there


def _keep_uids(datasets: CatalogueSettings, seen: dict[str, tuple[int, float]]) -> None:
    """Write down the uids that were seen, for whoever publishes next; not again for a few seconds' difference."""
    before = Uids()
    before.remember(_uids_file(datasets))
    last = before.to_keep()
    same = seen.keys() == last.keys() and all(
        seen[user][0] == last[user][0] and seen[user][1] - last[user][1] < _SEEN_EVERY_S for user in seen
    )
    if not same:
        replace(datasets.state_dir, _uids_file(datasets).name, seen, 0o600)


def _published(datasets: CatalogueSettings) -> dict[str, Any] | None:
    """What stands in the file, without its time; None when there is none that can be read."""
    content = _read(grants_file(datasets))
    return {name: part for name, part in content.items() if name != "written"} if isinstance(content, dict) else None


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None


def replace(place: Path, name: str, content: Mapping[str, Any], mode: int) -> None:
    """Write a document in one step, on the disk when this returns. One process at a time, see to that."""
    for stale in place.glob(f".{name}.*"):  # of a writer that was killed: we hold the lock
        stale.unlink(missing_ok=True)
    fresh = place / f".{name}.{secrets.token_hex(4)}"
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            os.fchmod(handle, mode)
            json.dump(content, file, sort_keys=True, separators=(",", ":"))
            file.flush()
            os.fsync(handle)
        fresh.replace(place / name)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    directory = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def publish_accounts(datasets: CatalogueSettings, leases: LeaseStore) -> bool:
    """Tell the gateway what is to be done for accounts that were given back; whether that was news.

    Only the catalogue service calls this, from one place.

    :raises FabricError: the file cannot be written.
    """
    path = wanted_file(datasets)
    leased = leases.all()
    accounts = {
        one.account: wanted
        for one in leased
        if one.state == "cleaning" and (wanted := wanted_of(one.uid, one.cleaning)) is not None
    }
    apart = {one.account: one.why for one in leased if one.state == "quarantined"}
    content = as_content(WantedDocument(accounts=accounts, apart=apart))
    if content == _read(path):
        return False
    try:
        replace(path.parent, path.name, content, 0o640)
    except OSError as error:
        raise FabricError(startup.CANNOT_PUBLISH(path=str(path.parent), why=str(error.strerror or error))) from error
    return True
