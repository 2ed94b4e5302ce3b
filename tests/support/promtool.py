"""Prometheus' own tool, which tells whether alerts fire."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

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
