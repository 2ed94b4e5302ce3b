"""Whether everything that sessions need answers: hub, record, gateway, Slurm, catalogue service and agents.

What is asked of them is remembered for a few seconds, for all who ask together: nobody can load them through this.
Slurm itself is never asked; the gateway knows whether it answers.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from fabric_hub.catalogue.api import Agent
from fabric_hub.catalogue.api import Health as CatalogueHealth
from fabric_hub.errors import FabricError
from fabric_hub.gateway.api import Health as GatewayHealth
from fabric_hub.slurm.model import Node, Snapshot

T = TypeVar("T")

REMEMBERED_S = 5.0
PART_S = 4.0  # each part answers within this, or counts as silent
AGENT_SILENT_S = 180.0  # an agent says every minute how it fares
PUBLISHED_S = 300.0  # the nodes are told once a minute who may read what
LEAST_SHARE = 0.5  # of the agents must answer
TOLERATED_S = 30.0  # of silence of Slurm: one question that failed is no outage

# The codes of what is wrong; programs compare them.
SILENT, TIMEOUT, UNKNOWN = "no-answer", "timeout", "not-known"
SLURM_SILENT, CATALOGUE_PROBLEM, NOT_PUBLISHED = "slurm-silent", "catalogue-problem", "not-published"
AGENTS_SILENT, NO_REPORTS = "agents-silent", "no-reports"


@dataclass(frozen=True)
class Part:
    """One part: whether it is ready, why not, and more for who may read it.

    ``code`` may stand beside a part that is ready: nothing is known against it.
    """

    name: str
    ok: bool
    code: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Observed:
    """What was found at ``at`` (Unix seconds): parts, and what Prometheus is told beside them."""

    at: float
    parts: tuple[Part, ...]
    catalogue: CatalogueHealth | None = None
    agents: tuple[Agent, ...] | None = None
    off: frozenset[str] = frozenset()  # nodes that Slurm does not use

    @property
    def ready(self) -> bool:
        return all(part.ok for part in self.parts)


@dataclass(frozen=True)
class Asks:
    """Whom to ask; None: this site has none.

    :param hub: raises FabricError when the hub or its database does not answer.
    :param record: reads the sessions' record; it may block.
    """

    hub: Callable[[], Awaitable[None]]
    record: Callable[[], object]
    gateway: Callable[[], Awaitable[GatewayHealth]] | None = None
    snapshot: Callable[[], Awaitable[Snapshot | None]] | None = None
    catalogue: Callable[[], Awaitable[CatalogueHealth]] | None = None
    agents: Callable[[], Awaitable[tuple[Agent, ...]]] | None = None


# -- judgement, pure


def slurm_part(health: GatewayHealth | None, now: float) -> Part:
    """Whether Slurm answers, by what the gateway knows; None: the gateway does not say."""
    if health is None:
        return Part("slurm", ok=False, code=UNKNOWN)
    since = health.unavailable_since
    if since is not None and now - since > TOLERATED_S:
        return Part("slurm", ok=False, code=SLURM_SILENT, detail=f"silent for {now - since:.0f} s: {health.problem}")
    return Part("slurm", ok=True)


def catalogue_part(health: CatalogueHealth, now: float) -> Part:
    """Whether the catalogue service does its work: it answers, and the nodes are told."""
    if health.problem:
        return Part("catalogue", ok=False, code=CATALOGUE_PROBLEM, detail=str(health.problem))
    if health.published_at is None:
        # one that has just begun has its first minute
        begins = health.uptime_s < PUBLISHED_S
        return Part("catalogue", ok=begins, code=NOT_PUBLISHED, detail="the nodes have not been told yet")
    if (age := now - health.published_at) > PUBLISHED_S:
        return Part("catalogue", ok=False, code=NOT_PUBLISHED, detail=f"the nodes were told {age:.0f} s ago")
    return Part("catalogue", ok=True, detail=f"catalogue {health.serial}")


def short(name: str) -> str:
    """A node's name as agents and Slurm have it in common."""
    return name.partition(".")[0].lower()


def out_of_use(nodes: Iterable[Node]) -> frozenset[str]:
    """The nodes that Slurm knows and places nothing on: off, down or drained."""
    return frozenset(short(node.name) for node in nodes if not node.usable)


def answers(agent: Agent, now: float) -> bool:
    """Whether an agent was heard of lately."""
    return now - agent.told_at <= AGENT_SILENT_S


def agents_part(agents: Iterable[Agent], off: frozenset[str], now: float) -> Part:
    """Whether enough of the agents answer that should: those of nodes that are off need not."""
    due = [agent for agent in agents if short(agent.node) not in off]
    if not due:
        return Part("agents", ok=True, code=NO_REPORTS, detail="no agent has said how it fares")
    heard = [agent for agent in due if answers(agent, now)]
    silent = sorted(agent.node for agent in due if agent not in heard)
    detail = f"{len(heard)} of {len(due)} agents answer"
    if silent:
        detail += f"; silent: {', '.join(silent[:5])}{' and more' if len(silent) > 5 else ''}"
    enough = len(heard) >= LEAST_SHARE * len(due)
    return Part("agents", ok=enough, code="" if enough else AGENTS_SILENT, detail=detail)


def failed(name: str, error: BaseException) -> Part:
    """A part that gave no answer."""
    if isinstance(error, TimeoutError):
        return Part(name, ok=False, code=TIMEOUT, detail=f"no answer within {PART_S:g} s")
    if isinstance(error, FabricError):
        return Part(name, ok=False, code=getattr(error.said, "code", "") or error.reason or SILENT, detail=str(error))
    return Part(name, ok=False, code=SILENT, detail=f"{type(error).__name__}: {error}")


# -- asking


class Readiness:
    """Asks all parts at once, and remembers what it found for all who ask."""

    def __init__(self, asks: Asks, clock: Callable[[], float] = time.time) -> None:
        self._asks, self._clock = asks, clock
        self._found: Observed | None = None
        self._asking: asyncio.Task[Observed] | None = None

    async def __call__(self) -> Observed:
        """What was found now, or some seconds ago."""
        now = self._clock()
        if self._found is not None and 0 <= now - self._found.at < REMEMBERED_S:
            return self._found
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask(), name="readiness")
        return await asyncio.shield(self._asking)  # who goes away ends nobody else's answer

    async def _ask(self) -> Observed:
        asks = self._asks
        hub, record, gateway, snapshot, catalogue, agents = await asyncio.gather(
            _answer(asks.hub),
            _answer(lambda: asyncio.to_thread(asks.record)),
            _answer(asks.gateway),
            _answer(asks.snapshot),
            _answer(asks.catalogue),
            _answer(asks.agents),
        )
        now = self._clock()
        parts = [_plain("hub", hub), _plain("record", record)]
        if asks.gateway:
            parts += [_plain("gateway", gateway), slurm_part(gateway.value, now)]
        if asks.catalogue:
            health = catalogue.value
            parts.append(catalogue_part(health, now) if health else _plain("catalogue", catalogue))
        off = out_of_use(snapshot.value.nodes) if snapshot.value else frozenset[str]()
        if asks.agents:
            known = agents.value
            told = agents_part(known, off, now) if known is not None else Part("agents", ok=True, code=UNKNOWN)
            parts.append(told)  # whose silence it is, is told by the part that answers for them
        self._found = Observed(now, tuple(parts), catalogue.value, agents.value, off)
        return self._found


@dataclass(frozen=True)
class _Answer(Generic[T]):
    value: T | None = None
    error: BaseException | None = None


async def _answer(ask: Callable[[], Awaitable[T]] | None) -> _Answer[T]:
    if ask is None:
        return _Answer()
    try:
        async with asyncio.timeout(PART_S):
            return _Answer(await ask())
    except Exception as error:
        return _Answer(error=error)


def _plain(name: str, answer: _Answer[Any]) -> Part:
    return failed(name, answer.error) if answer.error else Part(name, ok=True)
