"""How an account that was given back becomes free, or is set apart: one step at a time. Pure.

close: the gateway lets nothing more be submitted as it, and ends its jobs. nodes: every node removes what it finds of
it. home: the gateway empties its home, as the account. check: every node looks once more and must find nothing at all:
what came back from one node to another in the meantime begins a new round. again: the home is looked at once more, and
what something that was still there had put into it begins a new round, too. A round's answers count for it alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple

from fabric_hub.messages.text import NOTHING, Text, sentences, verbatim
from fabric_hub.messages.texts import leased_accounts as texts
from fabric_hub.projects.leases import Done, Wanted

Step = Literal["close", "nodes", "home", "check", "again"]
State = Literal["free", "leased", "cleaning", "quarantined"]
NODE_STEPS: Final = ("nodes", "check")
_SHOWN = 5  # names of nodes in one sentence


class Cleaning(NamedTuple):
    """How far an account is; ``since`` is when it was given back (Unix seconds)."""

    step: Step
    round: int
    since: float


class NodeSays(NamedTuple):
    """What a node's agent says of an account in a round: how many things it removed in it, and what it cannot."""

    round: int
    found: int
    why: str = ""


class Told(NamedTuple):
    """What is known: ``nodes`` has every node that there is, with None for one that says nothing of the account."""

    gateway: Done | None
    nodes: Mapping[str, NodeSays | None]


class Next(NamedTuple):
    """What becomes of it. ``why``: what it waits for, or why it is set apart."""

    state: State
    step: Step
    round: int
    why: Text = NOTHING


def wanted_of(uid: int, cleaning: Cleaning) -> Wanted | None:
    """What the gateway is to do now; None: it is the nodes' turn."""
    if cleaning.step in NODE_STEPS:
        return None
    return Wanted(uid=uid, work="close" if cleaning.step == "close" else "home", round=cleaning.round)


def following(cleaning: Cleaning, told: Told, now: float, limit_s: float) -> Next:
    """The state after what is known now.

    :param limit_s: how long after it was given back it must be clean.
    """
    why = _outstanding(cleaning, told)
    if why:
        late = now - cleaning.since > limit_s
        return Next("quarantined" if late else "cleaning", cleaning.step, cleaning.round, why)
    match cleaning.step:
        case "close":
            return Next("cleaning", "nodes", cleaning.round)
        case "nodes":
            return Next("cleaning", "home", cleaning.round)
        case "home":
            return Next("cleaning", "check", cleaning.round + 1)
        case "check":
            found = sum(says.found for says in told.nodes.values() if says)
            if not found:
                return Next("cleaning", "again", cleaning.round)
            return Next("cleaning", "close", cleaning.round + 1)
        case "again":
            if told.gateway is not None and not told.gateway.found:
                return Next("free", "close", cleaning.round)
            return Next("cleaning", "close", cleaning.round + 1)


def _outstanding(cleaning: Cleaning, told: Told) -> Text:
    """What has not been said yet in this step."""
    if (wanted := wanted_of(0x7FFFFFFF, cleaning)) is not None:
        done = told.gateway
        if done is None or (done.work, done.round) != (wanted.work, wanted.round):
            return texts.GATEWAY_SILENT() if cleaning.step == "close" else texts.HOME_NOT_SAID()
        return NOTHING if done.done else done.why or texts.GATEWAY_SILENT()
    if not told.nodes:
        return texts.NO_NODES()
    silent = [node for node, says in sorted(told.nodes.items()) if says is None or says.round != cleaning.round]
    held = [
        texts.NODE_NOT_CLEAN(node=node, why=verbatim(says.why))
        for node, says in sorted(told.nodes.items())
        if says is not None and says.round == cleaning.round and says.why
    ]
    said = [texts.NODES_SILENT(nodes=_some(silent))] if silent else []
    return sentences(*held[:_SHOWN], *said)


def _some(nodes: Sequence[str]) -> tuple[str, ...]:
    return (*nodes[:_SHOWN], *(["…"] if len(nodes) > _SHOWN else []))
