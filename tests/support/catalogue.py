"""A catalogue service in memory, for what asks one in its process: what it was told, in order, and its silence."""

from __future__ import annotations

import time

from fabric_hub.catalogue.client import CatalogueServiceUnavailableError
from fabric_hub.datasets.model import Acceptance, AccessRequest, Catalogue
from fabric_hub.datasets.policy import CatalogueView
from fabric_hub.messages.text import NOTHING, verbatim


class FakeCatalogue:
    """Answers as :class:`fabric_hub.catalogue.client.CatalogueClient` does; ``catalogue`` is what a test sets."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue: Catalogue | None = catalogue
        self.accepted: list[Acceptance] = []
        self.requested: list[AccessRequest] = []
        self.denied: list[tuple[str, str | None, str, str]] = []  # user, project, dataset, why
        self.unavailable_since: float | None = None

    def become_unavailable(self, *, never_answered: bool = False) -> None:
        self.unavailable_since = time.time()
        if never_answered:
            self.catalogue = None

    async def known(self) -> CatalogueView:
        """What a hub that follows this catalogue service knows."""
        return CatalogueView(
            catalogue=self.catalogue,
            unavailable_since=self.unavailable_since,
            problem=verbatim("The catalogue service is not running.") if self.unavailable_since else NOTHING,
        )

    async def accept(self, user: str, project: str, dataset: str, agreement: str, purpose: str) -> None:
        self._check_answers()
        self.accepted.append(
            Acceptance(user=user, project=project, dataset=dataset, agreement=agreement, purpose=purpose)
        )

    async def request(self, user: str, project: str, dataset: str, why: str | None = None) -> None:
        self._check_answers()
        self.requested.append(AccessRequest(user=user, project=project, dataset=dataset, why=why))

    async def event(self, event: str, *, user: str, project: str | None, dataset: str, why: str) -> None:
        self._check_answers()
        assert event == "denied"
        self.denied.append((user, project, dataset, why))

    def _check_answers(self) -> None:
        if self.unavailable_since is not None:
            raise CatalogueServiceUnavailableError(
                "The catalogue service is not running.", reason="catalogue-unavailable", status=503
            )
