"""The projects of a site as they stand now: those of its file, and those that the catalogue service keeps.

Every process starts from the site's file; :func:`with_live_projects` gives its settings a mapping that follows
``projects.json``. Whoever asks ``settings.project`` reads what was published at most a second ago.
"""

from __future__ import annotations

import json
import logging
import os
import pwd
import threading
import time
from collections.abc import Callable, ItemsView, Iterator, KeysView, Mapping, ValuesView
from pathlib import Path

from fabric_hub.config.catalogue import CatalogueSettings
from fabric_hub.config.settings import Project, Settings

from .document import FILE, LoginEnd, ProjectsDocument, document
from .membership import without

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0


class LiveProjects(Mapping[str, Project]):
    """Projects by name; those of the site's file come first, and win over one of the same name.

    :param of_file: the projects of the site's file.
    :param path: where the catalogue service publishes those that it keeps.
    :param owners: uids whose word is taken: a file of somebody else's is not read.
    :param clock: monotonic seconds.
    """

    def __init__(
        self,
        of_file: Mapping[str, Project],
        path: Path,
        owners: frozenset[int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.of_file = dict(of_file)
        self._path, self._owners, self._clock = path, owners, clock
        self._looking = threading.Lock()
        self._looked_at: float | None = None
        self._state: tuple[int, int, int] | None = None
        self._document: ProjectsDocument | None = None
        self._all = dict(of_file)
        self._trouble = ""

    @property
    def known(self) -> bool:
        """Whether the catalogue service's projects were ever read. Until then who is in none may be in one of them."""
        self._current()
        return self._document is not None

    @property
    def serial(self) -> int:
        """The serial of what was read last; 0 before."""
        self._current()
        return self._document.serial if self._document else 0

    @property
    def login_ends(self) -> Mapping[str, LoginEnd]:
        """Whose logins end, and who is blocked, by name at the hub."""
        self._current()
        return self._document.login_ends if self._document else {}

    @property
    def trouble(self) -> str:
        """Why what was published cannot be used, in words of the system; "" where it can, or nothing is there."""
        self._current()
        return self._trouble

    def is_kept(self, name: str) -> bool:
        """Whether the catalogue service keeps a project, not the site's file."""
        return name in self._current() and name not in self.of_file

    def look(self) -> None:
        """Read the file now if it is another than at the last look."""
        with self._looking:
            self._looked_at = self._clock()
            self._read()

    def __getitem__(self, name: str) -> Project:
        return self._current()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._current())

    def __len__(self) -> int:
        return len(self._current())

    # of one moment each: the mapping may be another between two questions
    def keys(self) -> KeysView[str]:
        return self._current().keys()

    def values(self) -> ValuesView[Project]:
        return self._current().values()

    def items(self) -> ItemsView[str, Project]:
        return self._current().items()

    def _current(self) -> dict[str, Project]:
        first = self._looked_at is None
        # somebody else looks already: what was read before is good enough, if anything was
        if self._is_old() and self._looking.acquire(blocking=first):
            try:
                if self._is_old():
                    self._looked_at = self._clock()
                    self._read()
            finally:
                self._looking.release()
        return self._all

    def _is_old(self) -> bool:
        return self._looked_at is None or self._clock() - self._looked_at >= LOOK_EVERY_S

    def _read(self) -> None:
        """Take in the file. One that cannot be read changes nothing, and is told once."""
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            with os.fdopen(descriptor, "rb") as file:
                status = os.fstat(file.fileno())
                state = (status.st_mtime_ns, status.st_ino, status.st_size)
                if state == self._state:
                    return
                if status.st_uid not in self._owners or status.st_mode & 0o022:
                    raise ValueError("it is not the catalogue service's, or others may write it")
                content = json.loads(file.read())
            fresh = document(content if isinstance(content, dict) else {}, self._document or ProjectsDocument())
        except FileNotFoundError:
            return  # the catalogue service was not started since this machine was
        except (OSError, ValueError) as error:
            if str(error) != self._trouble:
                log.error("%s cannot be used, and projects stay as they were: %s", self._path, error)
            self._trouble = str(error)
            return
        self._trouble = ""
        self._document, self._state = fresh, state
        both = self.of_file | {name: one for name, one in fresh.projects.items() if name not in self.of_file}
        self._all = without(both, fresh.blocked)


def with_live_projects(settings: Settings) -> Settings:
    """Settings whose projects follow the catalogue service; as they are where a site has none."""
    if settings.catalogue is None or isinstance(settings.project, LiveProjects):
        return settings
    live = LiveProjects(settings.project, projects_file(settings.catalogue), _owners(settings.catalogue))
    return settings.model_copy(update={"project": live})


def are_known(settings: Settings) -> bool:
    """Whether all projects are known. Until then nobody is ended for being in none."""
    return settings.project.known if isinstance(settings.project, LiveProjects) else True


def login_ends(settings: Settings) -> Mapping[str, LoginEnd]:
    """Whose logins end, and who is blocked, as far as is known; nobody where a site has no catalogue service."""
    return settings.project.login_ends if isinstance(settings.project, LiveProjects) else {}


def why_blocked(settings: Settings, name: str) -> str:
    """Why an operator has blocked somebody; "" where nobody has."""
    end = login_ends(settings).get(name)
    return end.blocked if end else ""


def projects_file(catalogue: CatalogueSettings) -> Path:
    """Where the catalogue service publishes the projects that it keeps."""
    return catalogue.socket.parent / FILE


def _owners(catalogue: CatalogueSettings) -> frozenset[int]:
    try:
        return frozenset({0, pwd.getpwnam(catalogue.account).pw_uid})
    except KeyError:
        return frozenset({0})
