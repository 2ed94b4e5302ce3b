"""What the agent says of itself: the catalogue service understands it, and it names no person."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

import fabric_hub
import fabric_node
from fabric_hub.catalogue.agents import AgentReports
from fabric_node import report
from fabric_node.agent import Agent
from fabric_node.config import Config, parse
from fabric_node.events import Event
from fabric_node.trust import NodeError

EVENT = Event("opened", 1.0, "gpu1", 7, 1234, "secret-account", "secret-dataset", "1", None, "asked")


def config(directory: Path) -> Config:
    for name in ("events", "state/events", "run/jobs"):
        (directory / name).mkdir(parents=True)
    paths = {"grants": "grants.json", "events": "events", "store": "store", "run": "run", "state": "state"}
    text = json.dumps({key: str(directory / name) for key, name in paths.items()} | {"owners": [os.geteuid()]})
    return parse(text)


def test_the_agent_has_the_version_of_the_hub_that_it_comes_with() -> None:
    assert fabric_node.__version__ == fabric_hub.__version__


def test_the_catalogue_service_understands_what_the_agent_says_and_it_names_nobody(tmp_path: Path) -> None:
    made = config(tmp_path)
    agent = Agent(made)
    agent.events.write(EVENT)
    told = report.report(made, agent, 100.0, 200.0)
    assert told["events_waiting"] == 1
    (tmp_path / "reports").mkdir()
    agent.events.brought["opened"] += 1
    told = report.report(made, agent, 100.0, 200.0)
    path = tmp_path / "reports" / f"{told['node']}.json"
    path.write_text(json.dumps(told))
    [known] = AgentReports(path.parent, frozenset({os.geteuid()}), 0).read()
    assert (known.node, known.opened, known.time, known.started) == (report.node_name(), 1, 200.0, 100.0)
    assert "grants" in known.problem
    assert not any(word in json.dumps(told) for word in ("secret", "1234"))


def test_the_format_of_the_agents_log_is_a_setting(tmp_path: Path) -> None:
    least = {"grants": "/g", "events": "/e", "store": "/s"}
    assert parse(json.dumps(least)).log == "text"
    assert parse(json.dumps({**least, "log": "json"})).log == "json"
    with pytest.raises(NodeError, match="neither"):
        parse(json.dumps({**least, "log": "xml"}))
