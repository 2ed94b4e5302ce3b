"""The widget in a real kernel of the image."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support import panel_usage as usage
from tests.support.answering_hub import SESSION, AnsweringHub
from tests.support.running_session import session_environment

pytestmark = pytest.mark.image

# Runs cells in the image's kernel and prints each one's outputs.
IN_A_KERNEL = """
import json, sys
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel(kernel_name="python3")
outputs = []
try:
    for cell in json.loads(sys.argv[1]):
        heard = []
        client.execute_interactive(cell, timeout=60, output_hook=lambda m: heard.append([m["msg_type"], m["content"]]))
        outputs.append(heard)
finally:
    client.stop_channels()
    manager.shutdown_kernel(now=True)
print(json.dumps(outputs))
"""


def run_cells(python: Path, home: Path, environment: dict[str, str], *cells: str) -> list[list[Any]]:
    done = subprocess.run(
        [python, "-I", "-c", IN_A_KERNEL, json.dumps(cells)],
        env={"HOME": str(home), "PATH": os.defpath, "SLURMD_NODENAME": "gpu1", **environment},
        cwd=home,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    outputs: list[list[Any]] = json.loads(done.stdout.splitlines()[-1])
    for heard in outputs:
        assert not [content for kind, content in heard if kind == "error"], heard
    return outputs


def text_of(heard: list[Any]) -> str:
    """What a cell printed."""
    return "".join(content["text"] for kind, content in heard if kind == "stream")


def test_the_widget_shows_the_sessions_facts_and_as_text_too(python: Path, hub: AnsweringHub, tmp_path: Path) -> None:
    environment = session_environment(hub.url)
    [shown] = run_cells(python, tmp_path, environment, "from fabric_lab import session; session()")
    [result] = [content["data"] for kind, content in shown if kind in ("execute_result", "display_data")]
    assert "application/vnd.jupyter.widget-view+json" in result
    assert "Project:   Digital Twin" in result["text/plain"]
    assert "Node:      gpu1" in result["text/plain"]
    assert "Digital Twin" in result["text/html"]
    assert re.search(r"As of \d\d \w+ \d\d:\d\d [A-Z]+\. Run the cell again", result["text/html"])
    [opened] = [c for kind, c in shown if kind == "comm_open" and c["data"]["state"].get("_model_name") == "HTMLModel"]
    assert "Digital Twin" in opened["data"]["state"]["value"]


def test_session_data_is_a_dict_of_the_same_facts(python: Path, hub: AnsweringHub, tmp_path: Path) -> None:
    cell = "import json; from fabric_lab import session; print(json.dumps(session.data))"
    [printed] = run_cells(python, tmp_path, session_environment(hub.url), cell)
    known = json.loads(text_of(printed))
    assert known["hub"] == SESSION
    assert (known["project"], known["profile"], known["node"]) == ("twin", "gpu-1", "gpu1")


def test_the_widget_updates_itself_while_the_kernel_works(python: Path, hub: AnsweringHub, tmp_path: Path) -> None:
    first = (
        "from fabric_lab.kernel import session_widget as w; import asyncio; "
        "w.KEEP_S = 0; view = w.session(every_s=0.05); old = view.value"
    )
    change = "import os; os.environ['SLURMD_NODENAME'] = 'gpu2'"
    wait = """
async def changed():
    while view.value == old:
        await asyncio.sleep(0.02)
await asyncio.wait_for(changed(), 50)
print('gpu2' in view.value)
view.close()
"""
    outputs = run_cells(python, tmp_path, session_environment(hub.url), first, change, wait)
    assert text_of(outputs[2]) == "True\n"


def test_outside_a_session_the_widget_says_so(python: Path, tmp_path: Path) -> None:
    [printed] = run_cells(python, tmp_path, {}, "from fabric_lab import session; print(session)")
    assert "This kernel was not started by a hub." in text_of(printed)


def test_text_of_others_is_shown_as_text(python: Path, hub: AnsweringHub, tmp_path: Path) -> None:
    environment = session_environment(hub.url, FABRIC_PROFILE="<img src=x onerror=alert(1)>")
    [printed] = run_cells(python, tmp_path, environment, "from fabric_lab import session; print(session().value)")
    assert "&lt;img" in text_of(printed)
    assert "<img" not in text_of(printed)


def test_quota_is_shown_live_and_stays_as_html_and_text(python: Path, hub: AnsweringHub, tmp_path: Path) -> None:
    hub.usage = usage.answers()
    twice = "from fabric_lab import quota; from fabric_lab import quota; quota()"
    [shown] = run_cells(python, tmp_path, session_environment(hub.url), twice)
    [result] = [content["data"] for kind, content in shown if kind in ("execute_result", "display_data")]
    assert "application/vnd.jupyter.widget-view+json" in result
    assert "80.0 of 200 GPU-hours used, 120 left" in result["text/plain"]
    assert 'aria-label="Home: 81% used"' in result["text/html"]


def test_quota_data_gives_the_numbers(python: Path, hub: AnsweringHub, tmp_path: Path) -> None:
    hub.usage = usage.answers()
    cell = "import json; from fabric_lab import quota; print(json.dumps(quota.data))"
    [printed] = run_cells(python, tmp_path, session_environment(hub.url), cell)
    assert json.loads(text_of(printed)) == {**hub.usage["GET /quota"], "gpu_use": []}
    [printed] = run_cells(python, tmp_path, {}, cell)
    assert json.loads(text_of(printed))["problem"] == "This kernel was not started by a hub."


def test_the_quota_widget_updates_itself(python: Path, hub: AnsweringHub, tmp_path: Path) -> None:
    hub.usage = usage.answers()
    first = (
        "from fabric_lab.kernel import quota_widget as w; import time; "
        "w.KEEP_S = 0; view = w.quota(every_s=0.05); old = view.value"
    )
    wait = """
import asyncio
async def changed():
    while "Bought" not in view.value:
        await asyncio.sleep(0.02)
    print("changed")
view._source._known = None
w.client.call = lambda path: ({"gpu_hours": None, "project_title": "x", "problem": "Bought more."}, "")
await asyncio.wait_for(changed(), 50)
view.close()
"""
    outputs = run_cells(python, tmp_path, session_environment(hub.url), first, wait)
    assert text_of(outputs[1]) == "changed\n"
