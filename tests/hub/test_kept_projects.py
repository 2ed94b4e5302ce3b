"""A project made at the command line, in an embedded run: its people have it at the hub within two seconds."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.conftest import new_prefix
from tests.support.embedded_run import EmbeddedRun, fabric_hub
from tests.support.waiting import until

pytestmark = [pytest.mark.hub, pytest.mark.image]

AT_MOST_S = 2.0


@pytest.fixture(scope="module")
def run(sandbox: Path, images: Path) -> Iterator[EmbeddedRun]:
    """A run without Slurm: hub, service, gateway and catalogue service."""
    directory = sandbox / "kept-projects"
    started = EmbeddedRun.start(directory, "--prefix", new_prefix(), "--local", "--images", str(images))
    yield started
    started.remove()


def projects(run: EmbeddedRun, *argv: str) -> float:
    """Give a command of ``fabric-hub projects``; when it had returned."""
    done = fabric_hub("projects", *argv, "--json", "--site", str(run.site))
    assert done.returncode == 0, done.stderr
    return time.monotonic()


def test_who_is_added_has_the_project_at_once_and_who_is_removed_has_it_no_more(run: EmbeddedRun) -> None:
    headers = {"Authorization": f"token {run.token('student2')}"}
    with httpx.Client(base_url=run.address, headers=headers, timeout=30) as client:

        def offered() -> list[str]:
            answer = client.get("/services/fabric/api/offer")
            assert answer.status_code == 200, answer.text
            return [project["name"] for project in answer.json()["projects"]]

        before = offered()
        assert "tides" not in before
        projects(run, "create", "tides", "--title", "Tidal energy", "--owner", "student1")
        assert offered() == before

        told = projects(run, "add", "tides", "student2")
        until(lambda: "tides" in offered(), "student2 is offered the project", 30, seen=run.logs)
        assert time.monotonic() - told < AT_MOST_S

        projects(run, "pause", "tides", "--why", "too hot")

        def closed() -> str:
            answer = client.get("/services/fabric/api/offer").json()
            return next((one["closed"] for one in answer["projects"] if one["name"] == "tides"), "")

        assert until(closed, "the project is closed", 30, seen=run.logs) == "is paused: too hot"

        told = projects(run, "remove", "tides", "student2")
        until(lambda: offered() == before, "student2 has it no more", 30, seen=run.logs)
        assert time.monotonic() - told < AT_MOST_S

    verified = fabric_hub("audit", "verify", "--site", str(run.site))
    assert verified.returncode == 0, verified.stderr
    files = (run.directory / "catalogue" / "audit").glob("*.jsonl")
    records = [json.loads(line) for file in sorted(files) for line in file.read_text().splitlines()]
    people = fabric_hub("people", "list", "--json", "--site", str(run.site))
    assert people.returncode == 0, people.stderr
    names = {one["number"]: one["names"][-1] for one in json.loads(people.stdout)}
    of_tides = [record for record in records if record.get("project") == "tides"]
    ours = [(record["event"], names.get(record.get("person"))) for record in of_tides]
    assert ours == [
        ("project-created", None), ("person-added", "student1"), ("person-added", "student2"), ("paused", None),
        ("person-removed", "student2"),
    ]  # fmt: skip
