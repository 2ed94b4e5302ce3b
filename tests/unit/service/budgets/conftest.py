"""The service with a session that counts: its verbs for usage, budgets and time."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from fabric_hub.config.settings import Settings
from fabric_hub.service.app import make_app
from fabric_hub.service.budget_service import BudgetService
from fabric_hub.service.deps import ServiceContext
from fabric_hub.service.tasks.continuation import Continuation
from fabric_hub.service.tasks.idle import IdleSessions
from fabric_hub.service.tasks.review import Review
from fabric_hub.sessions.scopes import SERVICE_SCOPE, SESSION_SCOPE, scopes_of
from fabric_hub.sessions.store import Session, SessionStore
from fabric_hub.slurm.model import Snapshot
from tests.support.accounts_and_hub import Accounts, Gateway, Hub, no_newer
from tests.support.builders import a_job, a_site, a_snapshot, fields_of_a_session

from ..test_app import API, token

TOKENS: dict[str, dict[str, Any]] = {
    "session": {"name": "jan", "kind": "user", "scopes": scopes_of("jan", "")},
    "person": {"name": "jan", "kind": "user", "scopes": [SESSION_SCOPE, SERVICE_SCOPE, "access:servers!user=jan"]},
    "service": {"name": "jan", "kind": "service", "scopes": [SERVICE_SCOPE]},
}
HOUR = 3600.0


@pytest.fixture
def site(tmp_path: Path) -> Settings:
    text = "[quotas]\nwarn_days = [14, 7, 2]\n[profile.quick]\ngpus = 1\nidle_minutes = 1\nidle_warn_minutes = 0.5\n"
    made = a_site(tmp_path, text)
    assert made.slurm is not None
    return made.model_copy(update={"slurm": made.slurm.model_copy(update={"extend": "as-gateway"})})


@pytest.fixture
def hub(store: SessionStore) -> Hub:
    return Hub(store)


@pytest.fixture
def accounts() -> Accounts:
    return Accounts()


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


@pytest.fixture
def review(site: Settings, store: SessionStore, accounts: Accounts) -> Review:
    return Review(site, store, accounts)


@pytest.fixture
def started_at() -> float:
    return float(int(time.time()) - 60)


@pytest.fixture
async def api(
    site: Settings, store: SessionStore, hub: Hub, accounts: Accounts, gateway: Gateway, review: Review,
    started_at: float,
) -> AsyncIterator[httpx.AsyncClient]:  # fmt: skip
    async def identify(told: str) -> dict[str, Any] | None:
        return TOKENS.get(told)

    async def latest() -> Snapshot:
        jobs = [
            a_job(
                job_id=7,
                name=f"fabric-main-{session.id}",
                account="phys",
                qos="normal",
                tres="cpu=4,gres/gpu=1",
                started_at=started_at,
                ends_at=started_at + HOUR,
            )
            for session in store.live_all()
            if session.server_name == ""
        ]
        return a_snapshot(*jobs)

    idle = IdleSessions(site, store, hub)
    budgets = BudgetService(site, accounts, review, Continuation(site, store, hub), idle, gateway, no_newer)
    app = make_app(ServiceContext(site, store, identify, latest, budgets=budgets))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        yield client
    await idle.close()


@pytest.fixture
def session(store: SessionStore) -> Session:
    made = store.create(**fields_of_a_session(profile="gpu", gpus=1))
    store.update(made.id, job_id=7, submitted_at=time.time())
    return made


async def asked(api: httpx.AsyncClient, verb: str, path: str, body: Any = None, who: str = "session") -> httpx.Response:
    return await api.request(verb, f"{API}/{path}", headers=token(who), json=body)
