"""Whether a site is ready: what each part's silence makes of it, who is told what, and who cannot load it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from fabric_hub.catalogue.api import Agent
from fabric_hub.catalogue.api import Health as CatalogueHealth
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.gateway.api import Health as GatewayHealth
from fabric_hub.messages.texts import service as texts
from fabric_hub.service import readiness
from fabric_hub.service.app import make_app
from fabric_hub.service.deps import ServiceContext
from fabric_hub.service.readiness import Asks, Observed, Part, Readiness
from fabric_hub.sessions.store import SessionStore
from fabric_hub.slurm.model import Node, Snapshot
from tests.support.builders import NOW, a_snapshot

from .test_app import API, TokensOfTheHub, token

SECRET = "slurmctld at ctl1.internal refused: key of eve"


def gateway(**changes: Any) -> GatewayHealth:
    return GatewayHealth.model_validate({"version": "1", "uptime_s": 1, "questions": {}, **changes})


def catalogue(**changes: Any) -> CatalogueHealth:
    told = {"version": "1", "uptime_s": 9000, "serial": 3, "audit_seq": 9, "published_at": NOW - 10, **changes}
    return CatalogueHealth.model_validate(told)


def an_agent(node: str, age_s: float = 30, **changes: Any) -> Agent:
    told = {"node": node, "time": NOW - age_s, "version": "0.1.0", "started": NOW - 9000, "told_at": NOW - age_s}
    return Agent.model_validate({**told, **changes})


def says(value: Any) -> Callable[[], Awaitable[Any]]:
    async def ask() -> Any:
        if isinstance(value, BaseException):
            raise value
        return value

    return ask


def asks(**changes: Any) -> Asks:
    well = {
        "hub": says(None), "record": lambda: None, "gateway": says(gateway()), "snapshot": says(a_snapshot()),
        "catalogue": says(catalogue()), "agents": says((an_agent("gpu1"), an_agent("gpu2"))),
    }  # fmt: skip
    return Asks(**{**well, **changes})


async def found(**changes: Any) -> dict[str, tuple[bool, str]]:
    seen = await Readiness(asks(**changes), clock=lambda: NOW)()
    return {part.name: (part.ok, part.code) for part in seen.parts}


def broken() -> None:
    raise FabricError("disk", reason="record-full")


async def test_a_site_in_order_is_ready_in_every_part() -> None:
    told = await found()
    assert list(told) == ["hub", "record", "gateway", "slurm", "catalogue", "agents"]
    assert set(told.values()) == {(True, "")}


@pytest.mark.parametrize(
    ("changes", "part", "code"),
    [
        ({"hub": says(FabricError(texts.HUB_SILENT()))}, "hub", texts.HUB_SILENT.code),
        ({"record": broken}, "record", "record-full"),
        ({"gateway": says(ConnectionRefusedError())}, "gateway", "no-answer"),
        ({"gateway": says(ConnectionRefusedError())}, "slurm", "not-known"),
        ({"gateway": says(gateway(unavailable_since=NOW - 60, problem="down"))}, "slurm", "slurm-silent"),
        ({"catalogue": says(catalogue(problem="disk full"))}, "catalogue", "catalogue-problem"),
        ({"catalogue": says(catalogue(published_at=NOW - 900))}, "catalogue", "not-published"),
        ({"catalogue": says(catalogue(published_at=None))}, "catalogue", "not-published"),
        ({"catalogue": says(OSError())}, "catalogue", "no-answer"),
        ({"agents": says((an_agent("a"), an_agent("b", 900), an_agent("c", 900)))}, "agents", "agents-silent"),
    ],
)
async def test_a_part_that_fails_makes_the_site_not_ready(changes: dict[str, Any], part: str, code: str) -> None:
    assert (await found(**changes))[part] == (False, code)


async def test_a_question_of_slurms_that_fails_once_is_no_outage() -> None:
    assert (await found(gateway=says(gateway(unavailable_since=NOW - 5))))["slurm"] == (True, "")


async def test_agents_of_nodes_that_slurm_does_not_use_are_not_missed() -> None:
    agents = (an_agent("gpu1"), an_agent("gpu2", 900), an_agent("gpu3", 900))
    nodes = [Node(name=name, address="", usable=name == "gpu1") for name in ("gpu1", "gpu2", "GPU3.example.org")]
    snapshot = a_snapshot().model_copy(update={"nodes": tuple(nodes)})
    assert (await found(agents=says(agents), snapshot=says(snapshot)))["agents"] == (True, "")
    assert (await found(agents=says(agents), snapshot=says(None)))["agents"] == (False, "agents-silent")


async def test_agents_of_a_release_that_does_not_report_make_nobody_unready() -> None:
    assert (await found(agents=says(())))["agents"] == (True, "no-reports")


async def test_a_site_without_slurm_and_datasets_has_neither_part() -> None:
    assert list(await found(gateway=None, snapshot=None, catalogue=None, agents=None)) == ["hub", "record"]


async def test_a_part_that_hangs_counts_as_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "PART_S", 0.01)
    assert (await found(gateway=asyncio.Event().wait))["gateway"] == (False, "timeout")


async def test_however_many_ask_each_part_is_asked_once_in_some_seconds() -> None:
    now, asked = [NOW], [0]

    async def counted() -> GatewayHealth:
        asked[0] += 1
        return gateway()

    ready = Readiness(asks(gateway=counted), clock=lambda: now[0])
    await asyncio.gather(*(ready() for _ in range(50)))
    await ready()
    assert asked == [1]
    now[0] += readiness.REMEMBERED_S
    await ready()
    assert asked == [2]


async def answer(site: Settings, store: SessionStore, parts: tuple[Part, ...], headers: dict[str, str]) -> Any:
    async def seen() -> Observed:
        return Observed(NOW, parts)

    async def latest() -> Snapshot:
        return a_snapshot()

    app = make_app(ServiceContext(site, store, TokensOfTheHub(), latest, readiness=seen))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
        return await client.get(f"{API}/ready", headers=headers)


GOOD, BAD = Part("hub", ok=True), Part("slurm", ok=False, code="slurm-silent", detail=SECRET)


@pytest.mark.parametrize("headers", [{}, token("person"), token("session"), token("unknown"), token("admin")])
async def test_nobody_but_operators_reads_why(site: Settings, store: SessionStore, headers: dict[str, str]) -> None:
    told = await answer(site, store, (GOOD, BAD), headers)
    assert told.status_code == 503
    assert told.json() == {
        "ready": False,
        "parts": {
            "hub": {"ok": True, "code": "", "detail": None},
            "slurm": {"ok": False, "code": "slurm-silent", "detail": None},
        },
    }
    assert SECRET not in told.text


async def test_a_token_for_metrics_reads_why(site: Settings, store: SessionStore) -> None:
    told = await answer(site, store, (GOOD, BAD), token("scraper"))
    assert told.status_code == 503
    assert told.json()["parts"]["slurm"]["detail"] == SECRET


async def test_a_ready_site_answers_200(site: Settings, store: SessionStore) -> None:
    told = await answer(site, store, (GOOD, replace(BAD, ok=True)), {})
    assert (told.status_code, told.json()["ready"]) == (200, True)
