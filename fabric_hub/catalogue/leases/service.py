"""Leased accounts in the catalogue service: the hub's verbs, and the loop that frees what was given back."""

from __future__ import annotations

import asyncio
import logging
import stat
import time
from collections.abc import Callable, Iterable

from fabric_hub.catalogue.agents import AgentReports
from fabric_hub.catalogue.api import LeaseBody, LeasedAccount, ReturnBody
from fabric_hub.catalogue.audit.log import Entry
from fabric_hub.catalogue.denials import Denials
from fabric_hub.catalogue.project_policy import Asker
from fabric_hub.catalogue.project_store import RefusedError
from fabric_hub.catalogue.publish import publish_accounts
from fabric_hub.catalogue.rate_limit import RateLimit
from fabric_hub.catalogue.store import CatalogueStore
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import datasets as dataset_texts
from fabric_hub.projects.leases import DoneDocument, read
from fabric_hub.types import login_name

from .keeping import LeasedAccounts, denial
from .progress import NodeSays, Told
from .store import Leased

log = logging.getLogger(__name__)

AT_ONCE, PER_S = 200, 0.5  # a course's accounts are lent together


class Leases:
    """Implements :class:`fabric_hub.catalogue.api.LeaseVerbs`.

    :param settings: the site's file as it is now; it may block.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        store: CatalogueStore,
        meet: Callable[[Entry], object],
        append: Callable[[Iterable[Entry]], object],
        denials: Denials,
        reports: AgentReports,
    ) -> None:
        self._settings, self._store = settings, store
        self._accounts = LeasedAccounts(settings, store.leases, store.projects, meet, append)
        self._denials, self._reports = denials, reports
        self._wishes = RateLimit(AT_ONCE, PER_S)
        self._trouble = ""

    async def lease(self, body: LeaseBody) -> LeasedAccount:
        asker = await self._asker(body.by)
        try:
            found = await asyncio.to_thread(self._accounts.lease, body.request, asker)
        except RefusedError as error:
            await self._denials.denied(denial(body.request, "", asker, error))
            raise
        return LeasedAccount.model_validate(found.model_dump(include=set(LeasedAccount.model_fields)))

    async def give_back(self, body: ReturnBody) -> None:
        asker = await self._asker(body.by)
        try:
            await asyncio.to_thread(self._accounts.give_back, body.account, asker)
        except RefusedError as error:
            await self._denials.denied(denial(None, body.account, asker, error))
            raise

    async def _asker(self, by: str) -> Asker:
        site = await asyncio.to_thread(self._settings)
        user = login_name(by, site.login.keep_case)
        if not self._wishes.take(user, time.monotonic()):
            raise FabricError(dataset_texts.TOO_OFTEN(user=user))
        return Asker(user, operator=user in site.login.admins)

    async def look(self) -> None:
        """One round: take back what is overdue, take each step that is due, and say what is to be done next."""
        await asyncio.to_thread(self._look)

    def _look(self) -> None:
        site = self._settings()
        if site.catalogue is None:
            return
        self._accounts.take_overdue()
        leased = self._store.leases.all()
        if any(one.state == "cleaning" for one in leased):
            gateway = self._of_gateway(site)
            agents, silent = self._reports.read_with_silent()

            def told(one: Leased) -> Told:
                nodes: dict[str, NodeSays | None] = {**dict.fromkeys(silent), **{agent.node: None for agent in agents}}
                for agent in agents:
                    for cleaned in agent.cleaned:
                        if cleaned.uid == one.uid:
                            nodes[agent.node] = NodeSays(cleaned.round, cleaned.found, cleaned.why)
                return Told(gateway.accounts.get(one.account), nodes)

            self._accounts.advance(told)
        publish_accounts(site.catalogue, self._store.leases)

    def _of_gateway(self, site: Settings) -> DoneDocument:
        """What the gateway says: a file of whoever owns its directory, which stands in one of root's."""
        path = site.gateway.accounts_file
        try:
            directory, above = path.parent.lstat(), path.parent.parent.lstat()
            if not stat.S_ISDIR(directory.st_mode) or directory.st_mode & 0o022:
                raise ValueError("others may write its directory")
            if above.st_uid not in (0, directory.st_uid) or above.st_mode & 0o022:
                raise ValueError("the directory above is not root's alone")
            found = read(path, DoneDocument, frozenset({directory.st_uid}))
        except FileNotFoundError:
            return DoneDocument()
        except (OSError, ValueError) as error:
            if str(error) != self._trouble:
                log.error("%s, which the gateway writes, does not count: %s", path, error)
            self._trouble = str(error)
            return DoneDocument()
        self._trouble = ""
        return found
