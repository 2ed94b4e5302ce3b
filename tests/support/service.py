"""The service's application with a real store, and everybody who may call it: what the document is held to."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from prometheus_client.registry import Collector
from starlette.types import Message, Receive, Scope, Send

from fabric_hub.datasets.model import Acceptance, Catalogue, Grant
from fabric_hub.datasets.policy import ACCEPT_SCOPE
from fabric_hub.errors import FabricError
from fabric_hub.gateway.api import Health
from fabric_hub.messages.text import verbatim
from fabric_hub.messages.texts import service as texts
from fabric_hub.service.app import make_app
from fabric_hub.service.auth import Tokens
from fabric_hub.service.budget_service import BudgetService
from fabric_hub.service.callers import METRICS_SCOPE, SERVICE, Caller
from fabric_hub.service.dataset_service import DatasetService
from fabric_hub.service.deps import ServiceContext
from fabric_hub.service.metrics import ServiceMetrics, seen
from fabric_hub.service.readiness import Asks, Observed, Readiness
from fabric_hub.service.tasks.continuation import Continuation
from fabric_hub.service.tasks.idle import IdleSessions
from fabric_hub.service.tasks.review import Review
from fabric_hub.sessions.scopes import SERVICE_SCOPE, SESSION_SCOPE, scopes_of
from fabric_hub.sessions.store import Session, SessionStore
from fabric_hub.slurm.model import Job, Snapshot, job_name

from .accounts_and_hub import Accounts, Hub, no_newer
from .builders import NOW, a_dataset, a_node, a_site, fields_of_a_session
from .catalogue import FakeCatalogue
from .gateway import FakeGateway

ROOT = "/services/fabric"
SITE = """
[catalogue]

[quotas]

[profile.quick]
gpus = 1
max_hours = 4
idle_minutes = 1
idle_warn_minutes = 0.5

[project.school]
kind = "course"
account = "teach"
members.owner = ["tess"]

[project.partner]
kind = "client"
account = "clients"
members.owner = ["sam"]
"""
_PERSON = (SESSION_SCOPE, SERVICE_SCOPE, ACCEPT_SCOPE)
_HOUR_S = 3600.0


@dataclass(frozen=True)
class Identity:
    """Somebody who calls: by which token, and whom the hub takes it for (None: for nobody).

    :param project: the project in which they ask for something.
    """

    name: str
    token: str | None
    user: str = ""
    scopes: Sequence[str] = ()
    kind: str = "user"
    project: str = "physics"

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.token is None else {"Authorization": f"token {self.token}"}

    @property
    def model(self) -> dict[str, Any] | None:
        """The hub's word on the token."""
        return {"name": self.user, "kind": self.kind, "scopes": list(self.scopes)} if self.user else None


IDENTITIES = (
    Identity("anonymous", None),
    Identity("unknown", "no-such-token"),
    # made for JupyterHub's own API, and for another service
    Identity("elsewhere", "made-for-others", "jan", (SESSION_SCOPE, ACCEPT_SCOPE, "access:services!service=other")),
    Identity("session", "of-a-session", "jan", scopes_of("jan", "")),
    Identity("ended-session", "of-one-that-is-over", "jan", scopes_of("jan", "old")),
    Identity("person", "of-jan", "jan", (*_PERSON, "access:servers!user=jan")),
    Identity("limited", "of-jan-for-usage", "jan", (SERVICE_SCOPE,)),
    Identity("trainer", "of-tess", "tess", (*_PERSON, "access:servers!user=tess"), project="school"),
    Identity("staff", "of-sam", "sam", (*_PERSON, "access:servers!user=sam"), project="partner"),
    # an administrator of the hub is a member of no project by that
    Identity(
        "operator", "of-root", "root", (SESSION_SCOPE, ACCEPT_SCOPE, METRICS_SCOPE, "access:services", "access:servers")
    ),
    Identity("other-service", "of-a-service", "portal", (SERVICE_SCOPE, ACCEPT_SCOPE), kind="service"),
    Identity("prometheus", "of-prometheus", "prometheus", (METRICS_SCOPE,), kind="service"),
)
BY_NAME = {who.name: who for who in IDENTITIES}
_BY_TOKEN = {who.token: who for who in IDENTITIES if who.token}

_MEMBERS = frozenset({"person", "trainer", "staff"})  # of the project that they ask for
_IN_PERSON = _MEMBERS | {"operator"}
# Whom each kind of caller stands for.
_WHO = {
    Caller.ANYBODY: frozenset(BY_NAME),
    Caller.TOKEN: _IN_PERSON | {"session", "limited", "other-service"},
    Caller.SESSION: frozenset({"session"}),
    Caller.PERSON: _IN_PERSON | {"limited"},
    Caller.IN_PROJECT: _MEMBERS | {"limited"},
    Caller.ACCEPTING: _IN_PERSON,
    Caller.MEMBER: _MEMBERS,
    Caller.METRICS: frozenset({"prometheus", "operator"}),
}
# Who gets what they ask for, where they ask rightly. Nobody else does, from any operation of the document.
REACHED_BY: dict[str, frozenset[str]] = {line.operation: _WHO[line.caller] for line in SERVICE if line.documented}


@dataclass(frozen=True)
class _Wanted:
    """What must be so for a request to be granted.

    ``granted``: every project may use the dataset of the document's examples; ``accepted``: jan has accepted its
    agreement; ``continued``: jan's session has a successor that is ready.
    """

    granted: bool = True
    accepted: bool = True
    continued: bool = False

    @classmethod
    def of(cls, verb: str, path: str) -> _Wanted:
        return cls(
            granted=not path.endswith("/request"),
            accepted=not path.endswith("/acceptance"),
            continued=(verb, path)
            in {("GET", f"{ROOT}/api/session/continue"), ("POST", f"{ROOT}/api/session/continue/end")},
        )


class Service:
    """The application, and what is behind it."""

    def __init__(self, directory: Path) -> None:
        site = a_site(directory, SITE)
        assert site.slurm is not None
        self.settings = site.model_copy(update={"slurm": site.slurm.model_copy(update={"extend": "as-gateway"})})
        self.store = SessionStore(f"sqlite:///{directory}/sessions.sqlite")
        self._gateway = FakeGateway()
        self._gateway.set_nodes((a_node(), a_node(name="cpu1", partitions=("cpu",), gpus={}, gpus_free={})))
        self._usage = Accounts()
        self._hub = Hub(self.store)
        self._review = Review(self.settings, self.store, self._usage)
        self._is: _Wanted | None = None
        self._catalogue_service = FakeCatalogue(_catalogue(_Wanted()))
        budgets = BudgetService(
            settings=self.settings,
            source=self._usage,
            review=self._review,
            continuation=Continuation(self.settings, self.store, self._hub),
            idle=IdleSessions(self.settings, self.store, self._hub),
            gateway=self._gateway,
            newer_limits=no_newer,
        )
        tokens = Tokens(_who, self.store.holder)
        catalogue_service = self._catalogue_service
        datasets = DatasetService(self.settings, self.store, catalogue_service.known, catalogue_service)
        self._app = make_app(
            ServiceContext(
                self.settings, self.store, tokens, self._latest, datasets, budgets, self._scrape, self._readiness
            )
        )
        self._session: Session | None = None
        self._alone = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as if nobody had asked for anything before."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        wanted = _Wanted.of(scope["method"], scope["path"])
        if wanted != self._is:
            self._fresh(wanted)

        async def noting(message: Message) -> None:
            if scope["method"] != "GET" and message.get("status", 500) < 300:
                self._is = None  # something may have changed
            await send(message)

        await self._app(scope, receive, noting)

    def _fresh(self, wanted: _Wanted) -> None:
        """A new session of jan's with a job that runs, and what else must be so."""
        self._is = wanted
        self._catalogue_service.catalogue = _catalogue(wanted)
        for live in self.store.live_all():
            self.store.end(live.id, reason="stopped", text=verbatim(""))
        if self._session:
            self._gateway.forget(self._session.id)
        fields = fields_of_a_session(profile="quick", gpus=1, datasets=["weather"], token="of-a-session")
        made = self._session = self.store.create(**fields)
        began = time.time() - 60
        job = Job(
            job_id=7, name=job_name("main", made.id), user="jan", account="phys", partition="gpu", qos="normal",
            state="RUNNING", node="gpu1", submitted_at=began, started_at=began, ends_at=began + _HOUR_S,
            limit_s=int(_HOUR_S), tres="cpu=4,gres/gpu=1",
        )  # fmt: skip
        self._gateway.add(job)
        self.store.update(made.id, job_id=job.job_id, submitted_at=began)
        if wanted.continued:
            self.store.prepare_successor(made, "session-2", ["a.ipynb"])
            later = self.store.create(**fields_of_a_session(server_name="session-2"))
            self.store.update(later.id, ready_at=began)

    def alone(self) -> None:
        """From now on neither Slurm nor the catalogue service answers, and the hub starts nothing."""
        self._gateway.become_unavailable()
        self._catalogue_service.become_unavailable()
        self._hub.answer = httpx.Response(503)
        self._alone = True

    def close(self) -> None:
        self.store.close()

    async def _latest(self) -> Snapshot:
        return await self._gateway.snapshot()

    async def _health(self) -> Health:
        return self._gateway.health()

    async def _hub_answers(self) -> None:
        if self._alone:
            raise FabricError(texts.HUB_SILENT())

    async def _readiness(self) -> Observed:
        # a new one each time: each request has an event loop of its own here
        asks = Asks(hub=self._hub_answers, record=self.store.newest, gateway=self._health, snapshot=self._latest)
        return await Readiness(asks)()

    async def _scrape(self) -> Collector:
        now = await seen(self.store, await self._latest(), await self._gateway.limits(), None)
        return ServiceMetrics(self.settings, now, self._usage, self._review)


def _catalogue(wanted: _Wanted) -> Catalogue:
    """With the dataset of the document's examples."""
    agreement = {"version": "2026.1", "text": "Do no harm."}
    return Catalogue(
        serial=1,
        now=NOW,
        datasets=(a_dataset(agreement=agreement), a_dataset("weather", access="public", agreement=None)),
        grants=tuple(Grant(dataset="wind-farm", project=who.project) for who in IDENTITIES) if wanted.granted else (),
        acceptances=(
            Acceptance(user="jan", project="physics", dataset="wind-farm", agreement="2026.1", purpose="research"),
        )
        if wanted.accepted
        else (),
    )


async def _who(token: str) -> dict[str, Any] | None:
    who = _BY_TOKEN.get(token)
    return who.model if who else None
