"""``fabric-hub usage``: the report that a project's owner gets, from what is on record."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from fabric_hub.quotas.history import History, UsageRow

ROOT = Path(__file__).parents[2]
FIRST, SECOND = date(2026, 10, 1), date(2026, 10, 2)
HUB_UID = 65533  # stands for the hub's account; no user has it


@pytest.fixture
def site() -> Iterator[Path]:
    """A site whose hub has a directory of its own, with two days on record."""
    with TemporaryDirectory(prefix="fabric-usage-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        state = directory / "hub"
        state.mkdir(mode=0o700)
        file = directory / "site.toml"
        file.write_text(
            f'[hub]\nstate_dir = "{state}"\n[images]\ndir = "/img"\n[slurm]\n'
            '[project.one]\ntitle = "One"\naccount = "lab"\n[project.two]\naccount = "course"\n'
        )
        history = History(f"sqlite:///{state}/sessions.sqlite")
        for day, hours in ((FIRST, 2.0), (SECOND, 3.0)):
            rows = [_row(day, "ann", "gpu", hours), _row(day, "bob", "other", 1.0)]
            rows.append(_row(day, "ann", "cpu", 0.5, project="two", account="course"))
            history.replace(day, rows, rolled_at=0.0)
        history.close()
        if os.geteuid() == 0:
            for path in (state, *state.iterdir()):
                os.chown(path, HUB_UID, HUB_UID)
        yield file


def _row(day: date, user: str, profile: str, hours: float, *, project: str = "one", account: str = "lab") -> UsageRow:
    return UsageRow(
        day=day, project=project, account=account, user=user, profile=profile, gpu_hours=hours, cpu_hours=0.0, jobs=1
    )


def _usage(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return _usage_of_all(site, "--project", "one", *arguments)


def _usage_of_all(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fabric_hub.cli", "usage", "--site", str(site), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=60)


def test_the_report_sums_up_by_user_and_profile_and_names_days_that_are_missing(site: Path) -> None:
    done = _usage(site, "--from", "2026-10-01", "--to", "2026-10-03", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["project"], told["account"], told["gpu_hours"]) == ("one", "lab", 7.0)
    assert [(total["name"], total["gpu_hours"]) for total in told["users"]] == [("ann", 5.0), ("bob", 2.0)]
    assert [(total["name"], total["gpu_hours"]) for total in told["profiles"]] == [("gpu", 5.0), ("other", 2.0)]
    assert told["missing"] == ["2026-10-03"]


def test_days_outside_the_window_do_not_count(site: Path) -> None:
    done = _usage(site, "--from", "2026-10-02", "--to", "2026-10-02", "--csv")
    assert done.stdout.splitlines()[1:] == [
        "2026-10-02,one,lab,ann,gpu,3.0000,0.0000,1",
        "2026-10-02,one,lab,bob,other,1.0000,0.0000,1",
    ]


def test_people_read_a_table(site: Path) -> None:
    said = _usage(site, "--from", "2026-10-01", "--to", "2026-10-02").stdout
    assert "One (one, account lab), 2026-10-01 to 2026-10-02:\n7.0 GPU-hours" in said


def test_without_a_project_all_are_told_each_by_its_name(site: Path) -> None:
    window = ("--from", "2026-10-01", "--to", "2026-10-02")
    said = _usage_of_all(site, *window).stdout.splitlines()
    assert said[:2] == ["All projects, 2026-10-01 to 2026-10-02:", "8.0 GPU-hours, 0.0 CPU-hours"]
    rows = [line.split() for line in said[2:] if line]
    for row in (["one", "7.0", "0.0"], ["two", "1.0", "0.0"], ["one", "bob", "2.0", "0.0", "2"]):
        assert row in rows
    assert ["two", "cpu", "1.0", "0.0", "2"] in rows
    told = json.loads(_usage_of_all(site, *window, "--json").stdout)
    assert [(one["project"], one["gpu_hours"]) for one in told["projects"]] == [("one", 7.0), ("two", 1.0)]
    assert (told["gpu_hours"], told["missing"]) == (8.0, [])
    assert _usage_of_all(site, "--from", "2026-10-02", "--to", "2026-10-02", "--csv").stdout.splitlines() == [
        "day,project,account,user,profile,gpu_hours,cpu_hours,jobs",
        "2026-10-02,one,lab,ann,gpu,3.0000,0.0000,1",
        "2026-10-02,one,lab,bob,other,1.0000,0.0000,1",
        "2026-10-02,two,course,ann,cpu,0.5000,0.0000,1",
    ]


@pytest.mark.root
def test_given_as_root_it_leaves_the_hub_its_files(site: Path) -> None:
    assert _usage(site, "--json").returncode == 0
    assert {path.stat().st_uid for path in (site.parent / "hub").iterdir()} == {HUB_UID}


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["--project", "nothing"], 1, "There is no project nothing. This site has one, two."),
        (["--from", "2026-10-02", "--to", "2026-10-01"], 1, "--from 2026-10-02 is after --to 2026-10-01."),
        (["--from", "yesterday"], 2, "'yesterday' is not a date (YYYY-MM-DD)"),
        (["--now"], 1, "The gateway is not running"),
    ],
)
def test_what_cannot_be_reported_says_why(site: Path, arguments: list[str], status: int, says: str) -> None:
    done = _usage(site, *arguments)
    assert (done.returncode, says in done.stderr) == (status, True), done.stderr
