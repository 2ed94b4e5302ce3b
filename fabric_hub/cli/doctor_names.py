"""Whether Slurm has what a site's file names: partitions, QOS, accounts and types of GPU, by what the gateway knows.

A name that is missing is a problem only where the gateway sees all that Slurm has: where Slurm is silent, or hides
something from the gateway, that is said, and nothing is concluded.
"""

from __future__ import annotations

import difflib
import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from fabric_hub.config.settings import Profile, Settings
from fabric_hub.errors import FabricError
from fabric_hub.gateway.api import LONGEST_WAIT_S
from fabric_hub.gateway.client import GatewayClient
from fabric_hub.slurm import privacy
from fabric_hub.slurm.limits.model import Limits
from fabric_hub.slurm.model import Snapshot
from fabric_hub.types import slurm_key

from .findings import Finding, problem, right

# So many of Slurm's names are told, the nearest first.
_SHOWN = 5


class Source(Protocol):
    """What is asked of the gateway; see :class:`~fabric_hub.gateway.client.GatewayClient`."""

    async def limits(self, after: int | None = None, wait_s: float = 0.0, fresh: float | None = None) -> Limits: ...
    async def snapshot(self, after: int | None = None, wait_s: float = 0.0, fresh: float | None = None) -> Snapshot: ...


class _Kind(NamedTuple):
    """A kind of name: what it is called, what to do where Slurm lacks ``{name}``, and the command that lists them."""

    one: str
    many: str
    remedy: str
    lists: str
    hidden_by: frozenset[str]  # words of PrivateData, as Sight.hidden in daemons.py has them


_PARTITION = _Kind(
    "partition", "partitions", "write one that Slurm has in {key}: sinfo -a lists them", "sinfo -a",
    frozenset({"partitions"}),
)  # fmt: skip
_QOS = _Kind(
    "QOS", "QOS", "correct {key}, or: sacctmgr add qos {name}", "sacctmgr show qos format=name", privacy.ACCOUNTS
)
_ACCOUNT = _Kind(
    "account", "accounts", "correct {key}, or: sacctmgr add account {name}", "sacctmgr show account format=account",
    privacy.ACCOUNTS,
)  # fmt: skip
_GPU_TYPE = _Kind(
    "GPU type", "GPU types", "write one that Slurm has in {key}: sinfo -a -o '%P %G' lists them",
    "sinfo -a -o '%P %G'", frozenset({"nodes", "partitions", privacy.CLOUD}),
)  # fmt: skip


class _Named(NamedTuple):
    """A name in the site's file beside those that Slurm has there; ``unsure`` says why there may be others, or "" ."""

    kind: _Kind
    whose: str  # profile gpu-1
    key: str  # profile.gpu-1.partition
    name: str
    had: frozenset[str]
    unsure: str
    where: str = "Slurm"


async def of_gateway(found: Settings, hidden: frozenset[str] | None) -> list[Finding]:
    """What :func:`look` finds by the site's own gateway.

    :param hidden: what Slurm hides from the gateway, as words of PrivateData; None: not known.
    """
    try:
        async with GatewayClient(found.gateway.socket) as gateway:
            return await look(found, gateway, hidden)
    except FabricError as error:
        return [_not_known("what the site's file names", str(error), "mend that first, then run this again")]


async def look(found: Settings, source: Source, hidden: frozenset[str] | None) -> list[Finding]:
    """Compare the site's file with what the gateway knows.

    Only where a name would be missing is Slurm asked once more, by the gateway: it may have been added a moment ago.
    """
    # that is waited for only where the gateway has just started, and Slurm has not answered it yet
    limits, snapshot = await source.limits(wait_s=LONGEST_WAIT_S), await source.snapshot(wait_s=LONGEST_WAIT_S)
    told = list(compare(found, limits, snapshot, hidden))
    if any(finding.state == "PROBLEM" for finding in told):
        asked = time.time()
        limits = await source.limits(wait_s=LONGEST_WAIT_S, fresh=asked)
        if (limits.at or 0.0) < asked and limits.unavailable_since is None:
            late = f"Slurm has not answered the gateway within {LONGEST_WAIT_S:g} s"
            limits = limits.model_copy(update={"unavailable_since": asked, "problem": late})
        told = list(compare(found, limits, snapshot, hidden))
    return told


def compare(found: Settings, limits: Limits, snapshot: Snapshot, hidden: frozenset[str] | None) -> Iterator[Finding]:
    """A line for each name that Slurm does not have, one for each kind that is not known, and one for those it has."""
    there: dict[_Kind, set[str]] = {}
    missing: list[_Named] = []
    for named in _names(found, limits, snapshot, hidden):
        if named.name in named.had:
            there.setdefault(named.kind, set()).add(named.name)
        else:
            missing.append(named)
    if there:
        counts = ", ".join(
            f"{len(names)} {kind.one if len(names) == 1 else kind.many}" for kind, names in there.items()
        )
        yield right(f"Slurm has of what the site's file names: {counts}")
    unsure: dict[tuple[_Kind, str], set[str]] = {}
    for named in missing:
        if named.unsure:
            unsure.setdefault((named.kind, named.unsure), set()).add(named.name)
        else:
            yield problem(
                f'{named.whose}: {named.where} has no {named.kind.one} "{named.name}"; it has '
                + _shortened(named.had, named.name),
                named.kind.remedy.format(key=named.key, name=named.name),
            )
    for (kind, why), names in unsure.items():
        what = f"the {kind.one if len(names) == 1 else kind.many} {_shortened(names)}"
        yield _not_known(what, why, f"look as somebody who may see all: {kind.lists}")


def _names(found: Settings, limits: Limits, snapshot: Snapshot, hidden: frozenset[str] | None) -> Iterator[_Named]:
    """Every name of Slurm's in the site's file."""
    partitions = frozenset(one.name for one in limits.partitions)
    levels = frozenset(one.name for one in limits.qos)
    accounts = frozenset(one.account for one in limits.associations)
    silent = str(limits.problem) or "Slurm does not answer the gateway" if limits.unavailable_since is not None else ""

    def unsure(kind: _Kind, had: frozenset[str]) -> str:
        return silent or _hidden(kind, hidden) or ("" if had else f"Slurm shows the gateway no {kind.one} at all")

    for name, profile in found.profile.items():
        if profile.kind != "slurm":
            continue
        whose, key = f"profile {name}", f"profile.{name}"
        if profile.partition:
            why = unsure(_PARTITION, partitions)
            yield _Named(_PARTITION, whose, f"{key}.partition", profile.partition, partitions, why)
        if profile.qos:
            yield _Named(_QOS, whose, f"{key}.qos", slurm_key(profile.qos), levels, unsure(_QOS, levels))
        if profile.gpus and profile.gpu_type:
            yield _gpu_type(name, profile, profile.gpu_type, partitions, snapshot, hidden)
    for name, project in found.project.items():
        account, why = slurm_key(project.account), unsure(_ACCOUNT, accounts)
        yield _Named(_ACCOUNT, f"project {name}", f"project.{name}.account", account, accounts, why)


def _gpu_type(
    name: str,
    profile: Profile,
    wanted: str,
    partitions: frozenset[str],
    snapshot: Snapshot,
    hidden: frozenset[str] | None,
) -> _Named:
    """A profile's type of GPU beside those on the nodes of its partition; on all nodes where there is no such one."""
    partition = profile.partition if profile.partition in partitions else None
    nodes = [node for node in snapshot.nodes if partition is None or partition in node.partitions]
    where = f"Slurm's partition {partition}" if partition else "Slurm"
    why = _hidden(_GPU_TYPE, hidden)
    if snapshot.unavailable_since is not None:
        why = str(snapshot.problem) or "Slurm does not answer the gateway"
    elif not nodes:
        why = why or f"Slurm shows the gateway no node{f' of partition {partition}' if partition else ''}"
    types = frozenset(kind for node in nodes for kind, number in node.gpus.items() if kind and number)
    return _Named(_GPU_TYPE, f"profile {name}", f"profile.{name}.gpu_type", wanted, types, why, where)


def _hidden(kind: _Kind, hidden: frozenset[str] | None) -> str:
    """Why Slurm may have more of a kind than the gateway sees; "" where it sees all."""
    if hidden is None:
        return "it cannot be told what Slurm hides from the gateway"
    words = sorted(kind.hidden_by & hidden)
    return f"Slurm hides {', '.join(str(privacy.HIDDEN[word]) for word in words)} from the gateway" if words else ""


def _not_known(what: str, why: str, remedy: str) -> Finding:
    return Finding(state="SKIPPED", about=f"whether Slurm has {what} is not known: {why}", remedy=remedy)


def _shortened(names: Iterable[str], like: str = "") -> str:
    """Some names for people, those first that are like another one."""
    rest = sorted(names)
    small = [name.lower() for name in rest]
    near = difflib.get_close_matches(like.lower(), small, n=_SHOWN)
    rest.sort(key=lambda name: near.index(name.lower()) if name.lower() in near else len(near))
    shown = ", ".join(f'"{name}"' for name in rest[:_SHOWN])
    more = len(rest) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown or "none"
