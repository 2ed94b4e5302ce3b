"""What an operator does with requests at the command line, as the catalogue service's account."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fabric_hub.catalogue.admin import CatalogueAdmin
from fabric_hub.catalogue.admin import opened as catalogue_opened
from fabric_hub.catalogue.project_policy import Asker
from fabric_hub.catalogue.project_store import ProjectStore
from fabric_hub.config.settings import Settings
from fabric_hub.projects.requests import Approval

from .store import RequestStore


class RequestAdmin:
    """Requests in the hands of an operator.

    :param settings: of the site's file alone.
    """

    def __init__(self, at: CatalogueAdmin, settings: Settings) -> None:
        self._at, self._settings = at, settings
        self.projects: ProjectStore = at.store.projects
        self.store = RequestStore(at.store.engine, at.store.projects)
        self._asker = Asker(at.by, operator=True, from_hub=False)

    def approve(self, number: int, approval: Approval) -> str:
        """Make of a request what is given, and tell all; returns the project's name."""
        self._at.meet(self.store.one(number).user)
        name = self.store.approve(number, approval, self._settings, self._asker, self._at.append)
        self._at.tell()
        return name

    def decline(self, number: int, why: str) -> None:
        """Close a request with nothing given."""
        self._at.meet(self.store.one(number).user)
        self.store.decline(number, why, self._asker, self._at.append)


@contextmanager
def opened(settings: Settings) -> Iterator[RequestAdmin]:
    """The requests for an operator. The process is the catalogue service's account from here on.

    :raises FabricError: this process may not be that account; the database cannot be opened.
    """
    with catalogue_opened(settings) as at:
        yield RequestAdmin(at, settings)
