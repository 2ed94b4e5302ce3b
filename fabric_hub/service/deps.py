"""What a route of the service asks for: who calls it (:mod:`.callers`), and what there is to answer with.

Each check refuses everybody else, in words. A route names one of them as the type of a parameter.
No ``from __future__ import annotations`` here: FastAPI reads the annotations.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader
from prometheus_client.registry import Collector

from fabric_hub.config.settings import Settings
from fabric_hub.datasets.policy import ACCEPT_SCOPE
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import service as texts
from fabric_hub.notices.book import NoticeBook
from fabric_hub.sessions.announcements import AnnouncementBook
from fabric_hub.sessions.scopes import SERVICE_SCOPE, may_call, server_of
from fabric_hub.sessions.stops import StopBook
from fabric_hub.sessions.store import Session, SessionStore
from fabric_hub.slurm.model import Snapshot

from .auth import Who
from .budget_service import BudgetService
from .callers import METRICS_SCOPE
from .cluster_quotes import ClusterQuotes
from .dataset_service import DatasetService
from .readiness import Observed


@dataclass(frozen=True)
class ServiceContext:
    """What the routes of one service have at hand.

    :param identify: what the hub says of a token: its user model, or None when it knows no such token.
    :param latest: the latest snapshot, or None where there is no Slurm.
    :param datasets: None where the site offers no datasets.
    :param budgets: None where nobody keeps account of usage.
    :param metrics: what Prometheus is told, or None where nothing is.
    :param readiness: whether everything that sessions need answers, or None where nobody looks.
    :param local: whether the hub can run sessions on its own machine.
    """

    settings: Settings
    store: SessionStore
    identify: Callable[[str], Awaitable[Who | None]]
    latest: Callable[[], Awaitable[Snapshot | None]]
    datasets: DatasetService | None = None
    budgets: BudgetService | None = None
    metrics: Callable[[], Awaitable[Collector]] | None = None
    readiness: Callable[[], Awaitable[Observed]] | None = None
    local: bool = True

    @cached_property
    def quotes(self) -> ClusterQuotes:
        """Prices of workers, in turn for all sessions of this service."""
        return ClusterQuotes(self.settings, self.latest, self.budgets)

    @cached_property
    def stops(self) -> StopBook:
        """Operators' orders to end sessions."""
        return StopBook(self.store.engine)

    @cached_property
    def notices(self) -> NoticeBook:
        """What people are told."""
        return NoticeBook(self.store.engine)

    @cached_property
    def announcements(self) -> AnnouncementBook:
        """What operators announce."""
        return AnnouncementBook(self.store.engine)


async def context_of(request: Request) -> ServiceContext:
    """The context of the application that answers."""
    context: ServiceContext = request.app.state.context
    return context


Context = Annotated[ServiceContext, Depends(context_of)]


# -- who calls

# How a call says who makes it.
_TOKEN = APIKeyHeader(
    name="Authorization",
    scheme_name="token",
    description="`token TOKEN`, with a token of the hub that has the scope of this service.",
    auto_error=False,  # the refusal is our own
)


async def token_owner(context: Context, authorization: Annotated[str | None, Security(_TOKEN)]) -> Who:
    """Whoever has a token that the hub knows, whatever it is for."""
    scheme, _, token = (authorization or "").partition(" ")
    known = scheme.lower() in {"token", "bearer"} and token.strip()
    who = await context.identify(token.strip()) if known else None
    if who is None:
        raise FabricError(texts.NO_TOKEN())
    return who


TokenOwner = Annotated[Who, Depends(token_owner)]


async def token_caller(who: TokenOwner) -> Who:
    """Whoever has a token for this service: one that was made for something else opens nothing here."""
    if not may_call(who.get("scopes") or []):
        raise FabricError(texts.OTHER_SCOPE(scope=SERVICE_SCOPE))
    return who


TokenCaller = Annotated[Who, Depends(token_caller)]


async def session_caller(who: TokenCaller, context: Context) -> Session:
    """A live session, by its own token."""
    server = server_of(who["name"], who.get("scopes") or [])
    if server is None:
        raise FabricError(texts.SESSIONS_ONLY())
    session = context.store.live(who["name"], server)
    if session is None:
        raise FabricError(texts.SESSION_OVER())
    return session


async def person_caller(who: TokenCaller) -> str:
    """A person, by name: no session's token, and no service's."""
    if not _is_person(who):
        raise FabricError(texts.PERSONS_ONLY())
    name: str = who["name"]
    return name


async def accepting_caller(who: TokenCaller) -> str:
    """A person, by name, whose token may accept agreements of datasets."""
    if not _is_person(who) or ACCEPT_SCOPE not in (who.get("scopes") or []):
        raise FabricError(texts.IN_PERSON_ONLY())
    name: str = who["name"]
    return name


async def metrics_reader(who: TokenOwner) -> None:
    """Prometheus, or whoever else may read metrics."""
    if METRICS_SCOPE not in (who.get("scopes") or []):
        raise FabricError(texts.PROMETHEUS_ONLY(scope=METRICS_SCOPE))


async def reads_metrics(context: Context, authorization: Annotated[str | None, Security(_TOKEN)]) -> bool:
    """Whether who asks may read metrics. Everybody else is somebody, too: nobody is refused."""
    try:
        await metrics_reader(await token_owner(context, authorization))
    except FabricError:  # also a hub that does not answer
        return False
    return True


ReadsMetrics = Annotated[bool, Depends(reads_metrics)]


def _is_person(who: Who) -> bool:
    return who.get("kind", "user") == "user" and server_of(who["name"], who.get("scopes") or []) is None


SessionCaller = Annotated[Session, Depends(session_caller)]
PersonCaller = Annotated[str, Depends(person_caller)]
AcceptingCaller = Annotated[str, Depends(accepting_caller)]


# -- what a site may not have


async def datasets_offered(context: Context) -> DatasetService:
    """Datasets, where the site has any."""
    if context.datasets is None:
        raise FabricError(texts.NO_DATASETS())
    return context.datasets


async def usage_kept(context: Context) -> BudgetService:
    """Usage and time, where somebody keeps account."""
    if context.budgets is None:
        raise FabricError(texts.NO_QUOTAS())
    return context.budgets


Datasets = Annotated[DatasetService, Depends(datasets_offered)]
Budgets = Annotated[BudgetService, Depends(usage_kept)]
