"""What `fabric-hub doctor` makes of facts about machine, Slurm and versions: one function for each. Pure.

The facts are fetched by :mod:`.probe_facts`. A judgement is a state and a text, whose hint is the remedy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from fabric_hub.catalogue.api import Agent
from fabric_hub.messages.text import NOTHING, Text
from fabric_hub.messages.texts import probes as texts
from fabric_hub.slurm.model import Job, Phase

from .findings import Finding

State = Literal["OK", "NOTE", "SKIPPED", "PROBLEM"]
CLOCK_S = 60.0  # grants end and events are recorded by a node's clock; munge refuses 300 s
NAME_SLOW_S = 2.0
SHOWN = 5
OLDEST_WITH_CGROUP_2 = (22, 5)


class Judged(NamedTuple):
    """What is made of some facts."""

    state: State
    about: Text
    remedy: Text | None = None  # default: the text's own hint

    def finding(self) -> Finding:
        """As a line of the report, for whoever reads it."""
        return Finding(state=self.state, about=self.about, remedy=self.remedy or self.about.hint or NOTHING)


def unchecked(what: Text, why: Text, remedy: Text) -> Judged:
    """What could not be looked at from here."""
    return Judged("SKIPPED", texts.UNCHECKED(what=what, why=why), remedy)


def few(names: Iterable[str]) -> str:
    """Some names of many, for a sentence."""
    found = sorted(names)
    return ", ".join(found[:SHOWN]) + (", …" if len(found) > SHOWN else "")


def setting(config: str, name: str) -> str:
    """A setting in ``scontrol show config``; "" where it has none."""
    found = re.search(rf"^\s*{re.escape(name)}\s*=\s*(.*?)\s*$", config, re.MULTILINE | re.IGNORECASE)
    value = found.group(1) if found else ""
    return "" if value.lower() in ("(null)", "none", "n/a") else value


@dataclass(frozen=True)
class Namespaces:
    """The mount namespaces of this machine's slurmd processes and of its first process; None: not to be seen."""

    slurmd: Mapping[int, str | None]  # process -> namespace
    machine: str | None


def namespaces(config: str, found: Namespaces) -> Judged:
    """Whether jobs get mount namespaces inside another one, where kernels and Slurm fail in ways that nobody explains.

    :param config: ``scontrol show config``.
    """
    if not setting(config, "JobContainerType").endswith("tmpfs"):
        return Judged("OK", texts.NO_NAMESPACES())
    if not found.slurmd:
        return unchecked(texts.WHAT_NAMESPACES(), texts.NO_SLURMD(), texts.ON_A_NODE())
    for process, namespace in sorted(found.slurmd.items()):
        if namespace is None or found.machine is None:
            return unchecked(texts.WHAT_NAMESPACES(), texts.NOT_ALLOWED(), texts.AS_ROOT())
        if namespace != found.machine:
            return Judged("PROBLEM", texts.NESTED(pid=process))
    return Judged("OK", texts.NAMESPACES())


def database(config: str, clusters: Iterable[str]) -> Judged:
    """Whether Slurm keeps account of this cluster, and holds anybody to limits.

    :param clusters: those that Slurm's database has.
    """
    kind = setting(config, "AccountingStorageType")
    if not kind.endswith("slurmdbd"):
        return Judged("PROBLEM", texts.NO_ACCOUNTING(type=kind or "none"))
    cluster = setting(config, "ClusterName")
    if cluster.lower() not in {name.lower() for name in clusters}:
        return Judged("PROBLEM", texts.NO_CLUSTER(cluster=cluster))
    enforce = setting(config, "AccountingStorageEnforce")
    if not {"limits", "safe", "all"} & {word.strip().lower() for word in enforce.split(",")}:
        return Judged("PROBLEM", texts.NOT_ENFORCED(enforce=enforce or "none"))
    return Judged("OK", texts.ACCOUNTING(cluster=cluster))


def cgroup(config: str, machine: int, version: tuple[int, int], *, node: bool) -> Judged:
    """Whether Slurm and this machine mean the same cgroups.

    :param machine: the version that is mounted here, 1 or 2.
    :param version: of Slurm: (22, 5).
    :param node: whether a slurmd runs here.
    """
    used = ("cgroup" in setting(config, "ProctrackType")) or ("cgroup" in setting(config, "TaskPlugin"))
    if not used:
        return Judged("NOTE", texts.NO_CGROUP())
    if not node:
        return unchecked(texts.WHAT_CGROUP(), texts.NO_SLURMD(), texts.ON_A_NODE())
    if version < OLDEST_WITH_CGROUP_2 and machine == 2:
        return Judged("PROBLEM", texts.CGROUP_OLD_SLURM(version=f"{version[0]}.{version[1]:02d}"))
    plugin = re.search(r"v([12])$", setting(config, "CgroupPlugin"))
    if plugin and int(plugin.group(1)) != machine:
        return Judged("PROBLEM", texts.CGROUP_VERSION(plugin=plugin.group(1), machine=machine))
    return Judged("OK", texts.CGROUP(machine=machine))


def clock(apart_s: float) -> Judged:
    """Whether this machine and slurmctld agree what time it is."""
    seconds = round(abs(apart_s))
    if seconds >= CLOCK_S:
        return Judged("PROBLEM", texts.CLOCK_WRONG(s=seconds))
    return Judged("OK", texts.CLOCK(s=seconds))


def clocks_of_nodes(agents: Iterable[Agent]) -> Judged | None:
    """Which nodes have a clock of their own; None: none has, that anybody knows of."""
    # a report is written as it is made; one that waited for a file system is older, never newer
    ahead = [one.node for one in agents if one.time - one.told_at > CLOCK_S or one.told_at - one.time > 5 * CLOCK_S]
    return Judged("PROBLEM", texts.CLOCKS_OF_NODES(s=round(CLOCK_S), nodes=few(ahead))) if ahead else None


class Lookup(NamedTuple):
    """How the name service answered for an account."""

    account: str
    found: bool
    took_s: float


def names(lookups: Iterable[Lookup]) -> Judged:
    """Whether the name service has the members' accounts, and soon enough."""
    looked = tuple(lookups)
    if missing := [one.account for one in looked if not one.found]:
        return Judged("PROBLEM", texts.NAMES_MISSING(names=few(missing)))
    slowest = max(looked, key=lambda one: one.took_s, default=None)
    if slowest and slowest.took_s > NAME_SLOW_S:
        return Judged("PROBLEM", texts.NAMES_SLOW(s=round(slowest.took_s), account=slowest.account))
    return Judged("OK", texts.NAMES(n=len(looked)))


def hosts(resolved: Mapping[str, tuple[str, bool]]) -> list[Judged]:
    """Which hosts of the site's file this machine cannot resolve.

    :param resolved: setting -> (host, whether it was found).
    """
    wrong = ((key, host) for key, (host, found) in sorted(resolved.items()) if not found)
    return [Judged("PROBLEM", texts.HOST_UNKNOWN(key=key, host=host)) for key, host in wrong]


def port(key: str, number: int, holders: Mapping[int, str], hub: int, ephemeral: tuple[int, int]) -> list[Judged]:
    """Who holds a port of the hub's.

    :param holders: uid -> account of those who listen on it; systemd holds it as root.
    :param hub: the hub's uid.
    :param ephemeral: first and last of the ports that the kernel gives to anybody.
    """
    said = {"key": key, "port": number}
    others = [name for uid, name in holders.items() if uid not in (0, hub)]
    if others:
        return [Judged("PROBLEM", texts.PORT_TAKEN(**said, account=few(others)))]
    found = [Judged("OK", texts.PORTS(**said)) if holders else Judged("PROBLEM", texts.PORT_FREE(**said))]
    if ephemeral[0] <= number <= ephemeral[1] and 0 not in holders:
        found.append(Judged("NOTE", texts.PORT_EPHEMERAL(**said)))
    return found


def version(what: Text, found: str, ours: str) -> Judged:
    """Whether something is of the release that is installed here."""
    if found != ours:
        return Judged("PROBLEM", texts.VERSION_DIFFERS(what=what, version=found, ours=ours))
    return Judged("OK", texts.VERSIONS(what=what, version=found))


def agents(found: Iterable[Agent], ours: str) -> Judged:
    """Whether the nodes' agents are of the release that is installed here."""
    known = tuple(found)
    if not known:
        return unchecked(texts.WHAT_VERSION(), texts.NO_REPORTS(), texts.ON_A_NODE())
    if others := [f"{one.node} ({one.version})" for one in known if one.version != ours]:
        return Judged("PROBLEM", texts.AGENTS_OTHER(ours=ours, nodes=few(others)))
    return Judged("OK", texts.AGENTS_SAME(n=len(known)))


def sessions_of(jobs: Iterable[Job], hub_id: str) -> set[str]:
    """The sessions that live jobs with this hub's id name."""
    live = (job.session for job in jobs if job.phase not in (Phase.ENDING, Phase.ENDED))
    return {session[1] for session in live if session and session[0] == hub_id}


def hub_id(id_: str, in_slurm: set[str], on_record: set[str]) -> Judged:
    """Whether another hub submits jobs under this one's id.

    :param in_slurm: sessions that jobs with that id name; ``on_record``: those of them that the hub knows.
    """
    if unknown := in_slurm - on_record:
        return Judged("PROBLEM", texts.ID_TWICE(n=len(unknown), id=id_))
    return Judged("OK", texts.ID_ALONE(id=id_))
