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
from fabric_hub.messages.text import NOTHING, Reason, Text, verbatim, whole
from fabric_hub.messages.texts import doctor as texts
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
    """A kind of name: what is said of it, and the command that lists its names."""

    counted: Reason
    lacking: Reason
    unknown: Reason
    none_shown: Reason
    lists: str
    hidden_by: frozenset[str]  # words of PrivateData, as Sight.hidden in daemons.py has them


_PARTITION = _Kind(
    texts.PARTITIONS, texts.NO_PARTITION, texts.PARTITIONS_UNKNOWN, texts.SHOWS_NO_PARTITION, "sinfo -a",
    frozenset({"partitions"}),
)  # fmt: skip
_QOS = _Kind(
    texts.QOS, texts.NO_QOS, texts.QOS_UNKNOWN, texts.SHOWS_NO_QOS, "sacctmgr show qos format=name", privacy.ACCOUNTS
)
_ACCOUNT = _Kind(
    texts.ACCOUNTS, texts.NO_ACCOUNT, texts.ACCOUNTS_UNKNOWN, texts.SHOWS_NO_ACCOUNT,
    "sacctmgr show account format=account", privacy.ACCOUNTS,
)  # fmt: skip
_GPU_TYPE = _Kind(
    texts.GPU_TYPES, texts.NO_GPU_TYPE, texts.GPU_TYPES_UNKNOWN, texts.SHOWS_NO_NODE, "sinfo -a -o '%P %G'",
    frozenset({"nodes", "partitions", privacy.CLOUD}),
)  # fmt: skip


class _Named(NamedTuple):
    """A name in the site's file beside those that Slurm has there; ``unsure`` says why there may be others, if so."""

    kind: _Kind
    whose: Text  # profile gpu-1
    key: str  # profile.gpu-1.partition
    name: str
    had: frozenset[str]
    unsure: Text
    where: Text


async def of_gateway(found: Settings, hidden: frozenset[str] | None) -> list[Finding]:
    """What :func:`look` finds by the site's own gateway.

    :param hidden: what Slurm hides from the gateway, as words of PrivateData; None: not known.
    """
    try:
        async with GatewayClient(found.gateway.socket) as gateway:
            return await look(found, gateway, hidden)
    except FabricError as error:
        return [_not_known(texts.NAMES_UNKNOWN(why=whole(error)), texts.MEND_FIRST())]


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
            late = texts.SLURM_LATE(seconds=f"{LONGEST_WAIT_S:g}")
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
        yield right(texts.SLURM_HAS(counts=tuple(kind.counted(n=len(names)) for kind, names in there.items())))
    unsure: dict[tuple[_Kind, Text], set[str]] = {}
    for named in missing:
        if named.unsure:
            unsure.setdefault((named.kind, named.unsure), set()).add(named.name)
        else:
            has = _shortened(named.had, named.name)
            yield problem(
                named.kind.lacking(whose=named.whose, where=named.where, key=named.key, name=named.name, names=has)
            )
    for (kind, why), names in unsure.items():
        yield _not_known(kind.unknown(n=len(names), names=_shortened(names), why=why, command=kind.lists))


def _names(found: Settings, limits: Limits, snapshot: Snapshot, hidden: frozenset[str] | None) -> Iterator[_Named]:
    """Every name of Slurm's in the site's file."""
    partitions = frozenset(one.name for one in limits.partitions)
    levels = frozenset(one.name for one in limits.qos)
    accounts = frozenset(one.account for one in limits.associations)
    silent = limits.problem or texts.SLURM_SILENT() if limits.unavailable_since is not None else NOTHING

    def unsure(kind: _Kind, had: frozenset[str]) -> Text:
        return silent or _hidden(kind, hidden) or (NOTHING if had else kind.none_shown())

    slurm = texts.IN_SLURM()
    for name, profile in found.profile.items():
        if profile.kind != "slurm":
            continue
        whose, key = texts.PROFILE(name=name), f"profile.{name}"
        if profile.partition:
            why = unsure(_PARTITION, partitions)
            yield _Named(_PARTITION, whose, f"{key}.partition", profile.partition, partitions, why, slurm)
        if profile.qos:
            yield _Named(_QOS, whose, f"{key}.qos", slurm_key(profile.qos), levels, unsure(_QOS, levels), slurm)
        if profile.gpus and profile.gpu_type:
            yield _gpu_type(name, profile, profile.gpu_type, partitions, snapshot, hidden)
    for name, project in found.project.items():
        account, why = slurm_key(project.account), unsure(_ACCOUNT, accounts)
        whose = texts.PROJECT(name=name)
        yield _Named(_ACCOUNT, whose, f"project.{name}.account", account, accounts, why, slurm)


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
    where = texts.IN_PARTITION(partition=partition) if partition else texts.IN_SLURM()
    why = _hidden(_GPU_TYPE, hidden)
    if snapshot.unavailable_since is not None:
        why = snapshot.problem or texts.SLURM_SILENT()
    elif not nodes:
        why = why or (texts.SHOWS_NO_NODE_OF(partition=partition) if partition else texts.SHOWS_NO_NODE())
    types = frozenset(kind for node in nodes for kind, number in node.gpus.items() if kind and number)
    return _Named(_GPU_TYPE, texts.PROFILE(name=name), f"profile.{name}.gpu_type", wanted, types, why, where)


def _hidden(kind: _Kind, hidden: frozenset[str] | None) -> Text:
    """Why Slurm may have more of a kind than the gateway sees; nothing where it sees all."""
    if hidden is None:
        return texts.HIDDEN_UNKNOWN()
    words = sorted(kind.hidden_by & hidden)
    return texts.HIDDEN(things=tuple(privacy.HIDDEN[word] for word in words)) if words else NOTHING


def _not_known(about: Text, remedy: Text | None = None) -> Finding:
    return Finding(state="SKIPPED", about=about, remedy=remedy or about.hint or NOTHING)


def _shortened(names: Iterable[str], like: str = "") -> Text:
    """Some names for people, those first that are like another one."""
    rest = sorted(names)
    small = [name.lower() for name in rest]
    near = difflib.get_close_matches(like.lower(), small, n=_SHOWN)
    rest.sort(key=lambda name: near.index(name.lower()) if name.lower() in near else len(near))
    shown = ", ".join(f'"{name}"' for name in rest[:_SHOWN])
    more = len(rest) - _SHOWN
    if more > 0:
        return texts.NAMES_MORE(names=shown, number=more)
    return verbatim(shown) if shown else texts.NAMES_NONE()
