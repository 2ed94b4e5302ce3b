"""The Grafana dashboard asks for metrics that there are."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml
from prometheus_client import Counter, Gauge, Histogram

from fabric_hub.config.settings import Settings
from fabric_hub.hub.spawner import metrics as hub_metrics
from fabric_hub.service import readiness
from fabric_hub.service.daemon_metrics import DaemonMetrics, Watched
from fabric_hub.service.metrics import Observed, ServiceMetrics
from fabric_hub.service.tasks.review import Review
from fabric_hub.sessions.store import SessionStore

from .test_metrics import OneBudget

ROOT = Path(__file__).parents[3]
DASHBOARD: dict[str, Any] = json.loads((ROOT / "packaging" / "grafana" / "fabric-hub.json").read_text())
SEEN = readiness.Observed(0.0, (readiness.Part("hub", ok=True),), None, ())
_SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("_total",), "gauge": ("",)}


def asked_for() -> set[str]:
    """The metrics that the dashboard's panels name."""
    expressions = [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", ())]
    return {name for expression in expressions for name in re.findall(r"\bfabric_\w+", expression)}


def told(site: Settings, store: SessionStore) -> set[str]:
    """The metrics that hub and service tell."""
    source = OneBudget()
    seen = Observed(now=0.0, sessions=(), returned={}, snapshot=None, limits=None, questions={})
    service = ServiceMetrics(site, seen, source, Review(site, store, source)).collect()
    watched = DaemonMetrics(Watched(0.0, SEEN, offers=True, certificates={}, backup_at=None)).collect()
    metrics = [made for made in vars(hub_metrics).values() if isinstance(made, Counter | Gauge | Histogram)]
    hub = [family for metric in metrics for family in metric.collect()]
    return {f"{family.name}{suffix}" for family in [*service, *watched, *hub] for suffix in _SUFFIXES[family.type]}


def test_every_metric_that_the_dashboard_names_exists(site: Settings, store: SessionStore) -> None:
    assert asked_for() <= told(site, store)


def test_every_metric_that_there_is_is_on_the_dashboard(site: Settings, store: SessionStore) -> None:
    shown = {re.sub(r"_(bucket|sum|count|total)$", "", name) for name in asked_for()}
    assert {re.sub(r"_(bucket|sum|count|total)$", "", name) for name in told(site, store)} <= shown


def test_the_guide_sends_no_token_in_clear_and_scrapes_what_the_alerts_name() -> None:
    blocks = re.findall(
        r"^```yaml\n(.*?)^```", (ROOT / "docs" / "how-to" / "monitor.md").read_text(), re.DOTALL | re.MULTILINE
    )
    [scrapes] = (yaml.safe_load(block) for block in blocks)
    jobs = {job["job_name"]: job["scheme"] for job in scrapes["scrape_configs"]}
    assert jobs == {"jupyterhub": "https", "fabric": "https"}
    alerts = (ROOT / "packaging" / "prometheus" / "alerts.yml").read_text()
    assert set(re.findall(r'of="(\w+)"', alerts)) <= {"jobs", "nodes", "limits"}
    matched = re.search(r'job=~"([\w|]+)"', alerts)
    assert matched
    assert set(matched[1].split("|")) == set(jobs)


def test_the_dashboard_names_no_site_and_every_panel_says_what_it_shows() -> None:
    text = json.dumps(DASHBOARD)
    assert "http://" not in text
    assert all(panel["description"] for panel in DASHBOARD["panels"] if panel["type"] != "row")
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
