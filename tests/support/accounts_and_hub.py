"""Doubles behind the service's verbs for usage and time: numbers that a test sets, and what was asked of others."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx

from fabric_hub.budgets.schemas import Balance, DayUse, StorageUse, Usage
from fabric_hub.sessions.store import SessionStore
from fabric_hub.slurm.limits.model import Limits
from fabric_hub.slurm.model import ExtendRequest

from .builders import fields_of_a_session


class Accounts:
    """A source of usage whose numbers a test sets."""

    def __init__(self) -> None:
        self.project = Balance(limit=100.0, used=90.0, left=10.0, running=1.0, to_come=12.0, of="account phys")
        self.own = Balance(limit=None, used=12.0, left=10.0, running=1.0)
        self.full = 50
        self.told: Limits | None = None

    def limits(self) -> Limits | None:
        return self.told

    def usage(self, project: str, user: str) -> Usage:
        if project != "physics":
            return Usage(age_s=3.0)
        return Usage(project=self.project, user=self.own if user else None, age_s=3.0)

    def trend(self, project: str, user: str | None = None) -> tuple[DayUse, ...]:
        today = datetime.now().astimezone().date()
        return tuple(
            DayUse(day=today - timedelta(days=ago), gpu_hours=2.0 if user is None else 0.5) for ago in range(7, 0, -1)
        )

    def charged(self, holder: str) -> tuple[DayUse, ...]:
        return self.trend("physics") if holder == self.project.of else ()

    def storage(self, user: str) -> tuple[StorageUse, ...]:
        home = StorageUse(title="Home", path=f"/home/{user}", used=self.full, limit=100, at=1.0)
        of_projects = (StorageUse(title=name, path=f"/projects/{name}", project=name) for name in ("physics", "course"))
        return (home, *of_projects)


async def no_newer() -> Limits | None:
    return None


@dataclass
class Hub:
    """JupyterHub's API: what was asked of it; a start makes the session's record as the spawner does."""

    store: SessionStore
    started: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    stopped: list[tuple[str, str]] = field(default_factory=list)
    answer: httpx.Response = field(default_factory=lambda: httpx.Response(202))
    active: dict[str, dict[str, Any]] = field(default_factory=lambda: {"": {}})

    async def servers(self, user: str) -> dict[str, dict[str, Any]] | None:
        return self.active

    async def start(self, user: str, server: str, options: dict[str, Any]) -> httpx.Response:
        self.started.append((user, server, options))
        if self.answer.status_code < 400:
            self.store.create(**fields_of_a_session(server_name=server))
        return self.answer

    async def stop(self, user: str, server: str) -> httpx.Response:
        self.stopped.append((user, server))
        return httpx.Response(204)


@dataclass
class Gateway:
    asked: list[ExtendRequest] = field(default_factory=list)

    async def extend(self, request: ExtendRequest) -> None:
        self.asked.append(request)
