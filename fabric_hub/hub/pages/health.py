"""How the parts of the site fare, on the operators' page: the same questions as for its readiness, asked by the hub.

Nobody waits for an answer: what was found last is shown, and asked anew while somebody looks at the page. Slurm is
not asked; the gateway knows whether it answers.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fabric_hub.catalogue.api import Agent
from fabric_hub.hub.spawner.runtime import HubRuntime
from fabric_hub.messages.text import Reason, Text
from fabric_hub.messages.texts import operate as texts
from fabric_hub.rpc.client import UnixClient
from fabric_hub.service.readiness import AGENTS_SILENT, Asks, Observed, Part, Readiness, answers, short
from fabric_hub.slurm.model import Snapshot
from fabric_hub.slurm.reasons import silence

# What was found longer ago is asked anew, for the next look at the page.
ASKED_EVERY_S: Final = 10.0
# So many silent nodes are named.
NAMED: Final = 5
# The names of the parts, and what an operator does about one that does not answer.
_PARTS: Final[dict[str, tuple[Reason, Reason]]] = {
    "hub": (texts.PART_SERVICE, texts.MEND_SERVICE),
    "record": (texts.PART_RECORD, texts.MEND_RECORD),
    "gateway": (texts.PART_GATEWAY, texts.MEND_GATEWAY),
    "slurm": (texts.PART_SLURM, texts.MEND_SLURM),
    "catalogue": (texts.PART_CATALOGUE, texts.MEND_CATALOGUE),
    "agents": (texts.PART_AGENTS, texts.MEND_AGENTS),
}
_HEALTH = "/services/fabric/api/health"


@dataclass(frozen=True)
class PartState:
    """A part of the site. ``state`` is of the dot, ``word`` the same in a word, ``why`` what is wrong.

    ``since`` (Unix seconds) is when it was first seen so by this hub; None: from its start. ``mend`` is what to do.
    """

    key: str
    name: Text
    state: str
    word: Text
    since: float | None
    why: Text | None = None
    mend: Text | None = None


def states_of(observed: Observed, since: dict[str, float], snapshot: Snapshot | None) -> tuple[PartState, ...]:
    """All parts as the page shows them, the hub itself first. Pure.

    :param since: when each part was first seen to be as it is now.
    """
    hub = PartState("self", texts.PART_HUB(), "running", texts.WORKS(), None)
    return (hub, *(_state(part, observed, since.get(part.name), snapshot) for part in observed.parts))


def _state(part: Part, observed: Observed, since: float | None, snapshot: Snapshot | None) -> PartState:
    name, mend = _PARTS[part.name]
    why = _agents(observed) if part.name == "agents" and observed.agents is not None else None
    if part.ok:
        unknown = part.name == "agents" and why is None
        word = texts.NOT_KNOWN() if unknown else texts.WORKS()
        return PartState(part.name, name(), "ended" if unknown else "running", word, since, why)
    if part.name == "slurm":
        why = silence(snapshot) or None
        since = snapshot.unavailable_since if snapshot and snapshot.unavailable_since else since
    elif part.code != AGENTS_SILENT:
        why = texts.NO_ANSWER() if observed.catalogue is None or part.name != "catalogue" else _catalogue(observed)
    return PartState(part.name, name(), "failed", texts.FAILS(), since, why, mend())


def _catalogue(observed: Observed) -> Text:
    health = observed.catalogue
    assert health is not None
    if health.problem:
        return health.problem
    return texts.NODES_TOLD(at=health.published_at) if health.published_at else texts.NODES_NOT_TOLD()


def _agents(observed: Observed) -> Text | None:
    """How many of the nodes' agents answer that should, and which do not; None where none has said anything."""
    due = [one for one in observed.agents or () if short(one.node) not in observed.off]
    if not due:
        return None
    quiet = sorted(one.node for one in due if not answers(one, observed.at))
    if not quiet:
        return texts.AGENTS_ANSWER(n=len(due))
    return texts.AGENTS_QUIET(heard=len(due) - len(quiet), all=len(due), nodes=tuple(quiet[:NAMED]))


class ServiceClient(UnixClient):
    """Asks our own service whether it answers."""

    who = "service"

    def __init__(self, socket: Path) -> None:
        super().__init__(socket, timeout_s=10.0)

    async def answers(self) -> None:
        """
        :raises FabricError: it does not answer.
        """
        await self.send("GET", _HEALTH)


class SiteHealth:
    """What is known of the parts, and since when each is as it is."""

    def __init__(self, shared: HubRuntime, clock: Callable[[], float] = time.time) -> None:
        self._shared, self._clock = shared, clock
        settings, catalogue = shared.settings, shared.catalogue_service
        slurm = settings.slurm is not None

        async def snapshot() -> Snapshot | None:
            return shared.follower.value

        async def agents() -> tuple[Agent, ...]:
            assert catalogue is not None
            return (await catalogue.agents()).agents

        self._ask = Readiness(
            Asks(
                hub=ServiceClient(settings.hub.service_socket).answers,
                record=shared.store.newest,
                gateway=shared.gateway.health if slurm else None,
                snapshot=snapshot if slurm else None,
                catalogue=catalogue.health if catalogue else None,
                agents=agents if catalogue and settings.enforces_datasets else None,
            ),
            clock,
        )
        self._observed: Observed | None = None
        self._since: dict[str, tuple[bool, float]] = {}
        self._asking: asyncio.Task[None] | None = None

    def of(self, shared: HubRuntime) -> bool:
        """Whether it is of this runtime, which a hub makes anew with other settings."""
        return self._shared is shared

    async def first(self) -> None:
        """Wait for the first answers, where there are none yet."""
        if self._observed is None:
            await self._look()

    def states(self) -> tuple[PartState, ...]:
        """The parts as they were found last; asks anew where that is some time ago."""
        observed = self._observed
        due = observed is None or self._clock() - observed.at > ASKED_EVERY_S
        if due and (self._asking is None or self._asking.done()):
            self._asking = asyncio.create_task(self._look(), name="operate-health")
        if observed is None:
            return ()
        return states_of(observed, {name: at for name, (_, at) in self._since.items()}, self._shared.follower.value)

    async def _look(self) -> None:
        self._observed = observed = await self._ask()
        for part in observed.parts:
            before = self._since.get(part.name)
            if before is None or before[0] != part.ok:
                self._since[part.name] = part.ok, observed.at
