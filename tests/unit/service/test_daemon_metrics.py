"""What Prometheus is told of the daemons."""

from __future__ import annotations

import math
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from fabric_hub.service.daemon_metrics import DaemonMetrics, Together, Watched
from fabric_hub.service.readiness import Observed, Part
from tests.support.builders import NOW

from .test_readiness import an_agent, catalogue


def told(seen: Observed, **changes: Any) -> dict[tuple[str, ...], float]:
    fields: dict[str, Any] = {"offers": True, "certificates": {}, "backup_at": None, **changes}
    registry = CollectorRegistry()
    registry.register(Together(DaemonMetrics(Watched(NOW, seen, **fields))))
    return {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(generate_latest(registry).decode())
        for sample in family.samples
    }


def test_catalogue_service_and_agents_are_told() -> None:
    agents = (
        an_agent("gpu1", opened=5, refused=2, events_waiting=3, mounts=4, jobs=1),
        an_agent("gpu2", 900, version="0.0.9", problem="no grants"),
        an_agent("gpu3", 900),
    )
    parts = (Part("hub", ok=True), Part("slurm", ok=False))
    found = told(Observed(NOW, parts, catalogue(audit_seq=12), agents, frozenset({"gpu3"})))
    assert found["fabric_ready", "hub"] == 1
    assert found["fabric_ready", "slurm"] == 0
    assert found["fabric_catalogue_up",] == 1
    assert found["fabric_catalogue_problem",] == 0
    assert found["fabric_catalogue_published_age_seconds",] == 10
    assert found["fabric_audit_entries",] == 12
    assert [found["fabric_agents", state] for state in ("answering", "silent", "off")] == [1, 1, 1]
    assert found["fabric_agents_by_version", "0.1.0"] == 1
    assert found["fabric_agent_usable", "gpu1"] == 1
    assert found["fabric_agent_usable", "gpu2"] == 0
    assert found["fabric_agent_report_age_seconds", "gpu2"] == 900
    assert found["fabric_agent_events_waiting", "gpu1"] == 3
    assert found["fabric_agent_events_total", "opened", "gpu1"] == 5
    assert found["fabric_agent_events_total", "refused", "gpu1"] == 2


def test_a_catalogue_service_that_does_not_answer_is_down_and_one_that_is_not_there_is_nothing() -> None:
    assert told(Observed(NOW, ()))["fabric_catalogue_up",] == 0
    assert ("fabric_catalogue_up",) not in told(Observed(NOW, ()), offers=False)


def test_how_old_the_newest_backup_is_is_told_and_that_there_is_none() -> None:
    assert told(Observed(NOW, ()), backup_at=NOW - 3600)["fabric_backup_age_seconds",] == 3600
    assert told(Observed(NOW, ()))["fabric_backup_age_seconds",] == math.inf


def test_the_end_of_the_hubs_own_certificates_is_told() -> None:
    assert told(Observed(NOW, ()), certificates={"hub-internal": NOW + 86400})[
        "fabric_certificate_valid_seconds", "hub-internal"
    ] == pytest.approx(86400)
