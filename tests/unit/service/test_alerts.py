"""Every alert fires when it should, and not on a site in order; evaluated by Prometheus' own tool."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from fabric_hub.config.settings import Settings
from fabric_hub.sessions.store import SessionStore
from tests.support import promtool
from tests.support.promtool import ALERTS, NEEDS_PROMTOOL

from .test_dashboard import told

RULES: dict[str, dict[str, Any]] = {
    rule["alert"]: rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]
}
WEEKS = 86400 * 7
# What Prometheus has of a site in order, each minute for an hour.
WELL = {
    'up{job="jupyterhub"}': "1+0x80",
    'up{job="fabric"}': "1+0x80",
    "fabric_gateway_up": "1+0x80",
    "fabric_slurm_silent": "0+0x80",
    'fabric_ready{part="slurm"}': "1+0x80",
    'fabric_data_age_seconds{of="jobs"}': "5+0x80",
    'fabric_data_age_seconds{of="limits"}': "60+0x80",
    'fabric_session_failures_total{reason="script"}': "1+0x80",
    'fabric_session_failures_total{reason="hours"}': "0+9x80",
    "fabric_backup_age_seconds": "86400+60x80",
    'fabric_sessions_held{reason="older"}': "0+0x80",
    "fabric_hook_failures_total": "3+0x80",
    'fabric_certificate_valid_seconds{certificate="hub-internal"}': f"{52 * WEEKS}-60x80",
    "fabric_catalogue_up": "1+0x80",
    "fabric_catalogue_problem": "0+0x80",
    "fabric_catalogue_published_age_seconds": "59+0x80",
    'fabric_agents{state="answering"}': "4+0x80",
    'fabric_agents{state="silent"}': "0+0x80",
    'fabric_agents{state="off"}': "2+0x80",
    'fabric_agents_by_version{version="0.1.0"}': "4+0x80",
    'fabric_agent_usable{node="gpu1"}': "1+0x80",
    'fabric_agent_events_waiting{node="gpu1"}': "2+0x80",
}
# What is different where an alert fires, when it has fired, the labels that say of what, and its value in words.
FIRES: dict[str, tuple[dict[str, str], str, dict[str, str], str]] = {
    "HubDown": ({'up{job="fabric"}': "0+0x80"}, "3m", {"job": "fabric"}, ""),
    "GatewayDown": ({"fabric_gateway_up": "0+0x80"}, "3m", {}, ""),
    "SlurmSilent": ({"fabric_slurm_silent": "1+0x80"}, "6m", {}, ""),
    "NotReady": ({'fabric_ready{part="slurm"}': "0+0x80"}, "6m", {"part": "slurm"}, ""),
    "JobsOld": ({'fabric_data_age_seconds{of="jobs"}': "5+60x80"}, "7m", {"of": "jobs"}, "7m 5s"),
    "LimitsOld": ({'fabric_data_age_seconds{of="limits"}': "60+60x80"}, "12m", {"of": "limits"}, "13m 0s"),
    "StartsFail": ({'fabric_session_failures_total{reason="script"}': "1+1x80"}, "16m", {}, "15"),
    "SessionsHeld": ({'fabric_sessions_held{reason="older"}': "2+0x80"}, "6m", {}, "2"),
    "BackupOld": ({"fabric_backup_age_seconds": "129540+60x80"}, "13m", {}, "1d 12h 12m 0s"),
    "HookFails": ({"fabric_hook_failures_total": "3+0x30 4+0x80"}, "40m", {}, ""),
    "CertificateEnds": (
        {'fabric_certificate_valid_seconds{certificate="hub-internal"}': f"{2 * WEEKS}-60x80"},
        "1m",
        {"certificate": "hub-internal"},
        "13d 23h 59m 0s",
    ),
    "CatalogueDown": ({"fabric_catalogue_up": "0+0x80"}, "3m", {}, ""),
    "CatalogueProblem": ({"fabric_catalogue_problem": "1+0x80"}, "6m", {}, ""),
    "NodesNotTold": ({"fabric_catalogue_published_age_seconds": "59+60x80"}, "11m", {}, "11m 59s"),
    "AgentsMissing": ({'fabric_agents{state="silent"}': "1+0x80"}, "11m", {"state": "silent"}, "1"),
    "AgentUnusable": ({'fabric_agent_usable{node="gpu1"}': "0+0x80"}, "6m", {"node": "gpu1"}, ""),
    "EventsWait": ({'fabric_agent_events_waiting{node="gpu1"}': "101+0x80"}, "16m", {"node": "gpu1"}, "101"),
    "AgentVersionsDiffer": ({'fabric_agents_by_version{version="0.0.9"}': "1+0x80"}, "65m", {}, "2"),
}


def a_test(alert: str, series: dict[str, str], at: str, *fired: dict[str, Any]) -> dict[str, Any]:
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": [{"alertname": alert, "eval_time": at, "exp_alerts": list(fired)}],
    }


def expected(alert: str, labels: dict[str, str], value: str) -> dict[str, Any]:
    """The alert as people get it."""
    summary = re.sub(r"\{\{ \$value.*?\}\}", value, RULES[alert]["annotations"]["summary"])
    for name, of in labels.items():
        summary = summary.replace(f"{{{{ $labels.{name} }}}}", of)
    return {"exp_labels": {**labels, **RULES[alert]["labels"]}, "exp_annotations": {"summary": summary}}


@NEEDS_PROMTOOL
def test_promtool_takes_the_rules(tmp_path: Path) -> None:
    done = promtool.run("check", "rules", str(ALERTS), directory=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(RULES)} rules found" in done.stdout


@NEEDS_PROMTOOL
def test_every_alert_fires_and_none_does_on_a_site_in_order(tmp_path: Path) -> None:
    assert set(FIRES) == set(RULES)
    well = a_test("", WELL, "70m")
    well["alert_rule_test"] = [{"alertname": alert, "eval_time": "70m", "exp_alerts": []} for alert in RULES]
    tests = [well]
    for alert, (changes, at, labels, value) in FIRES.items():
        tests.append(a_test(alert, {**WELL, **changes}, at, expected(alert, labels, value)))
    # an authority's end is told two months ahead
    ends = {'fabric_certificate_valid_seconds{certificate="hub-ca"}': f"{8 * WEEKS}-60x80"}
    told_of = expected("CertificateEnds", {"certificate": "hub-ca"}, "55d 23h 59m 0s")
    tests.append(a_test("CertificateEnds", {**WELL, **ends}, "1m", told_of))
    none = {"fabric_backup_age_seconds": "Inf+0x80"}
    tests.append(a_test("BackupOld", {**WELL, **none}, "13m", expected("BackupOld", {}, "+Inf")))
    left = {'fabric_sessions_held{reason="undecided"}': "1+0x80"}
    tests.append(a_test("SessionsHeld", {**WELL, **left}, "6m", expected("SessionsHeld", {}, "1")))
    wrong = promtool.wrong_with(tests, tmp_path)
    assert not wrong, wrong[:2000]


def test_alerts_name_metrics_that_there_are_and_say_what_they_mean(site: Settings, store: SessionStore) -> None:
    there = told(site, store)
    for rule in RULES.values():
        assert set(re.findall(r"\bfabric_\w+", rule["expr"])) <= there
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert len(rule["annotations"]["summary"]) > 30
