"""Prometheus' own tool, which tells whether alerts fire."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

ROOT = Path(__file__).parents[2]
ALERTS = ROOT / "packaging" / "prometheus" / "alerts.yml"
_OWN = ROOT / ".venv" / "share" / "fabric-hub" / "promtool"

_FOUND = str(_OWN) if _OWN.exists() else shutil.which("promtool")
NEEDS_PROMTOOL = pytest.mark.skipif(not _FOUND, reason="needs promtool: scripts/setup --dev gets it where apt can")


def run(*arguments: str, directory: Path) -> subprocess.CompletedProcess[str]:
    """promtool with arguments."""
    assert _FOUND
    command = [_FOUND, *arguments]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=120, check=False)


def wrong_with(tests: list[dict[str, Any]], directory: Path) -> str:
    """What is wrong with tests of the alerts, in promtool's words; "" when all pass.

    :param tests: as ``promtool test rules`` takes them.
    :param directory: for its files.
    """
    path = directory / "test.yml"  # JSON is YAML
    path.write_text(json.dumps({"rule_files": [str(ALERTS)], "evaluation_interval": "1m", "tests": tests}))
    done = run("test", "rules", path.name, directory=directory)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def fires(alert: str, scraped: str, directory: Path) -> bool:
    """Whether an alert fires where Prometheus has read this for ten minutes.

    :param scraped: what a real address of metrics answered.
    """
    samples = (one for family in text_string_to_metric_families(scraped) for one in family.samples)
    series = []
    for one in samples:
        labels = ",".join(f"{name}={json.dumps(value)}" for name, value in one.labels.items())
        if one.name.startswith("fabric_"):
            series.append({"series": f"{one.name}{{{labels}}}", "values": f"{one.value:.0f}+0x10"})
    none = [{"alertname": alert, "eval_time": "10m", "exp_alerts": []}]
    wrong = wrong_with([{"interval": "1m", "input_series": series, "alert_rule_test": none}], directory)
    assert not wrong or f"alertname: {alert}" in wrong, wrong  # what is wrong is that it fires
    return bool(wrong)
