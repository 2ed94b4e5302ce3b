"""What the nodes' agents say of themselves, and whom the catalogue service believes."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from fabric_hub.catalogue.agents import FORGOTTEN_S, AgentReports, parse
from fabric_hub.catalogue.ingest import AGENTS, RefusedFile, waiting

REPORT = {
    "format": 1, "node": "gpu1", "time": 1000.0, "version": "0.1.0", "started": 900, "serial": 4, "jobs": 2,
    "mounts": 3, "events_waiting": 1, "opened": 5, "refused": 6, "revoked": 7, "troubles": 0, "problem": "",
}  # fmt: skip


def write(directory: Path, name: str = "gpu1.json", **changes: Any) -> Path:
    path = directory / name
    path.write_text(json.dumps({**REPORT, **changes}))
    path.chmod(0o644)
    return path


def reports(directory: Path, cached_s: float = 0.0) -> AgentReports:
    return AgentReports(directory, frozenset({0, os.geteuid()}), cached_s)


def test_what_an_agent_says_is_told_with_the_time_of_its_file(tmp_path: Path) -> None:
    path = write(tmp_path)
    os.utime(path, (5000, time.time() - 90))
    [agent] = reports(tmp_path).read()
    assert (agent.node, agent.version, agent.opened, agent.refused, agent.revoked) == ("gpu1", "0.1.0", 5, 6, 7)
    assert 85 < time.time() - agent.told_at < 200


def test_a_newer_report_takes_the_place_of_the_older_and_is_read_when_it_is_old_enough(tmp_path: Path) -> None:
    write(tmp_path)
    now = [time.time()]
    known = AgentReports(tmp_path, frozenset({0, os.geteuid()}), 10, clock=lambda: now[0])
    assert [agent.jobs for agent in known.read()] == [2]
    fresh = write(tmp_path, ".new", jobs=9)
    fresh.rename(tmp_path / "gpu1.json")
    assert [agent.jobs for agent in known.read()] == [2]
    now[0] += 11
    assert [agent.jobs for agent in known.read()] == [9]


def test_a_report_on_many_accounts_counts_and_a_node_whose_report_cannot_be_used_is_not_forgotten(
    tmp_path: Path,
) -> None:
    dirty = [{"uid": 20000 + number, "round": 1, "found": 1, "why": "x" * 400} for number in range(200)]
    write(tmp_path, cleaned=dirty)
    write(tmp_path, "gpu2.json", node="gpu3")
    known = reports(tmp_path)
    [agent], silent = known.read_with_silent()
    assert len(agent.cleaned) == 200
    assert silent == {"gpu2"}


@pytest.mark.parametrize(
    "changes",
    [
        {"node": "gpu2"},  # for another
        {"format": 2},
        {"told_at": 99.0},
        {"version": "0.1.0\n", "node": "gpu1"},
        {"jobs": -1},
        {"jobs": "2"},
        {"problem": "x" * 500},
        {"user": "jan"},
        {"time": float("inf")},
    ],
)
def test_what_is_no_report_does_not_count(tmp_path: Path, changes: dict[str, Any]) -> None:
    write(tmp_path, **changes)
    write(tmp_path, "gpu9.json", node="gpu9")
    assert [agent.node for agent in reports(tmp_path).read()] == ["gpu9"]


def test_a_link_and_a_file_that_others_may_write_do_not_count(tmp_path: Path) -> None:
    target = write(tmp_path, "target")
    (tmp_path / "gpu1.json").symlink_to(target)
    write(tmp_path, "gpu2.json", node="gpu2").chmod(0o666)
    assert reports(tmp_path).read() == ()


def test_a_node_that_was_silent_for_days_is_forgotten(tmp_path: Path) -> None:
    path = write(tmp_path)
    long_ago = time.time() - FORGOTTEN_S - 60
    os.utime(path, (long_ago, long_ago))
    assert reports(tmp_path).read() == ()
    assert not path.exists()


def test_the_place_of_reports_is_no_event(tmp_path: Path) -> None:
    (tmp_path / AGENTS).mkdir()
    assert waiting(tmp_path) == []
    assert reports(tmp_path / "missing").read() == ()


def test_an_agent_says_how_far_uids_of_pools_are() -> None:
    cleaned = [{"uid": 61001, "round": 2, "found": 3, "why": ""}]
    text = json.dumps({"format": 1, "node": "gpu1", "time": 5.0, "version": "1", "started": 1.0, "cleaned": cleaned})
    (found,) = parse(text.encode(), "gpu1", 6.0).cleaned
    assert (found.uid, found.round, found.found, found.why) == (61001, 2, 3, "")
    for wrong in ([{"uid": "61001", "round": 2, "found": 3}], [{"uid": 61001, "round": True, "found": 3}], {"uid": 1}):
        text = json.dumps({"format": 1, "node": "gpu1", "time": 5.0, "version": "1", "started": 1.0, "cleaned": wrong})
        with pytest.raises(RefusedFile):
            parse(text.encode(), "gpu1", 6.0)
