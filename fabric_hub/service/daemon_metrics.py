"""What Prometheus is told of the daemons: whether each answers, catalogue service, agents, certificates, backup.

No label names a person: nodes, versions, parts and certificates only.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from fabric_hub.catalogue.api import Agent

from .readiness import Observed, answers, short


@dataclass(frozen=True)
class Watched:
    """What is known at the moment of a scrape, ``now`` (Unix seconds).

    :ivar offers: whether this site offers datasets at all.
    :ivar certificates: until when each of the hub's own is valid, in Unix seconds.
    :ivar backup_at: of which moment the newest good backup is; None where none was ever made.
    """

    now: float
    seen: Observed
    offers: bool
    certificates: Mapping[str, float]
    backup_at: float | None


class DaemonMetrics(Collector):
    """One scrape; made anew for each."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched

    def collect(self) -> Iterable[Metric]:
        """All families."""
        watched = self._watched
        ready = GaugeMetricFamily("fabric_ready", "1 where a part of the site is ready, else 0.", labels=["part"])
        for part in watched.seen.parts:
            ready.add_metric([part.name], float(part.ok))
        yield ready
        yield from self._catalogue()
        yield from self._agents(watched.seen.agents or ())
        ends = GaugeMetricFamily(
            "fabric_certificate_valid_seconds",
            "How long the hub's own certificates are valid still; negative: not any more.",
            labels=["certificate"],
        )
        for name, until in sorted(watched.certificates.items()):
            ends.add_metric([name], until - watched.now)
        yield ends
        backup = GaugeMetricFamily(
            "fabric_backup_age_seconds", "How old the newest good backup of the hub's state is; +Inf: there is none."
        )
        at = watched.backup_at
        backup.add_metric([], math.inf if at is None else max(0.0, watched.now - at))
        yield backup

    def _catalogue(self) -> Iterator[Metric]:
        health = self._watched.seen.catalogue
        up = GaugeMetricFamily("fabric_catalogue_up", "1 while the catalogue service answers, else 0.")
        problem = GaugeMetricFamily("fabric_catalogue_problem", "1 while something keeps it from its work, else 0.")
        told = GaugeMetricFamily(
            "fabric_catalogue_published_age_seconds", "Since the nodes were last told who may read what."
        )
        entries = GaugeMetricFamily("fabric_audit_entries", "Entries of the audit log.")
        if self._watched.offers:
            up.add_metric([], float(health is not None))
        if health:
            problem.add_metric([], float(bool(health.problem)))
            entries.add_metric([], health.audit_seq)
            if health.published_at is not None:
                told.add_metric([], max(0.0, self._watched.now - health.published_at))
        yield from (up, problem, told, entries)

    def _agents(self, agents: Iterable[Agent]) -> Iterator[Metric]:
        agents, off, now = tuple(agents), self._watched.seen.off, self._watched.now
        states = GaugeMetricFamily(
            "fabric_agents",
            "The nodes' agents: answering, silent, or off with their node (by Slurm's word).",
            labels=["state"],
        )
        counts = Counter(
            "answering" if answers(one, now) else "off" if short(one.node) in off else "silent" for one in agents
        )
        for state in ("answering", "silent", "off"):
            states.add_metric([state], counts[state])
        versions = GaugeMetricFamily("fabric_agents_by_version", "The agents, by version.", labels=["version"])
        for version, count in sorted(Counter(one.version for one in agents if answers(one, now)).items()):
            versions.add_metric([version], count)
        yield from (states, versions)
        for name, text, values in (
            ("usable", "1 where a node's agent can open datasets, else 0.", lambda one: float(not one.problem)),
            ("report_age_seconds", "Since a node's agent last said how it fares.", lambda one: now - one.told_at),
            ("jobs", "Jobs that a node's agent knows.", lambda one: one.jobs),
            ("mounts", "Datasets mounted on a node.", lambda one: one.mounts),
            ("events_waiting", "Events of a node on their way to the audit log.", lambda one: one.events_waiting),
            ("troubles", "What a node's agent could not put right at its last look.", lambda one: one.troubles),
        ):
            family = GaugeMetricFamily(f"fabric_agent_{name}", text, labels=["node"])
            for one in agents:
                family.add_metric([one.node], values(one))
            yield family
        done = CounterMetricFamily(
            "fabric_agent_events", "Datasets opened, refused and revoked by a node's agent.", labels=["node", "event"]
        )
        for one in agents:
            for event, count in (("opened", one.opened), ("refused", one.refused), ("revoked", one.revoked)):
                done.add_metric([one.node, event], count, created=one.started)
        yield done


class Together(Collector):
    """Several collectors as one."""

    def __init__(self, *collectors: Collector) -> None:
        self._collectors = collectors

    def collect(self) -> Iterable[Metric]:
        """All of all."""
        for one in self._collectors:
            yield from one.collect()
