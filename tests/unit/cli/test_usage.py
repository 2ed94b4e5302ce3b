"""``fabric-hub usage``: the report that a project's owner gets, from what is on record."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from fabric_hub.budgets.history import SETTLED_S, History, UsageRow, bounds
from fabric_hub.slurm.accounting import PastJob
from tests.support.builders import least_site_text
from tests.support.gateway import FakeGateway, serving

ROOT = Path(__file__).parents[3]
FIRST, SECOND = date(2026, 10, 1), date(2026, 10, 2)
HUB_UID = 65533  # stands for the hub's account; no user has it


@pytest.fixture
def site_file() -> Iterator[Path]:
    """A site whose hub has a directory of its own, with two days on record."""
    with TemporaryDirectory(prefix="fabric-usage-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        state = directory / "hub"
        state.mkdir(mode=0o700)
        file = directory / "site.toml"
        file.write_text(
            least_site_text(
                state,
                '[slurm]\n[project.one]\ntitle = "One"\naccount = "lab"\n[project.two]\naccount = "course"\n',
            )
        )
        history = History(f"sqlite:///{state}/sessions.sqlite")
        for day, hours in ((FIRST, 2.0), (SECOND, 3.0)):
            rows = [_row(day, "ann", "gpu", hours), _row(day, "bob", "other", 1.0)]
            rows.append(_row(day, "ann", "cpu", 0.5, project="two", account="course"))
            history.replace(day, rows, rolled_at=bounds(day)[1])
        history.close()
        if os.geteuid() == 0:
            for path in (state, *state.iterdir()):
                os.chown(path, HUB_UID, HUB_UID)
        yield file


def _row(day: date, user: str, profile: str, hours: float, *, project: str = "one", account: str = "lab") -> UsageRow:
    return UsageRow(
        day=day, project=project, account=account, user=user, profile=profile, gpu_hours=hours, cpu_hours=0.0, jobs=1
    )


def _usage(site_file: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return _usage_of_all(site_file, "--project", "one", *arguments)


def _usage_of_all(site_file: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fabric_hub.cli", "usage", "--site", str(site_file), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=60)


def test_the_report_sums_up_by_user_and_profile_and_names_days_that_are_missing(site_file: Path) -> None:
    done = _usage(site_file, "--from", "2026-10-01", "--to", "2026-10-03", "--json")
    assert done.returncode == 3, done.stderr
    assert "1 of 3 days are not summed up, 2026-10-03 is the first: the report is not complete. --now" in done.stderr
    told = json.loads(done.stdout)
    assert (told["project"], told["account"], told["gpu_hours"]) == ("one", "lab", 7.0)
    assert [(total["name"], total["gpu_hours"]) for total in told["users"]] == [("ann", 5.0), ("bob", 2.0)]
    assert [(total["name"], total["gpu_hours"]) for total in told["profiles"]] == [("gpu", 5.0), ("other", 2.0)]
    assert told["missing"] == ["2026-10-03"]


def test_days_outside_the_window_do_not_count(site_file: Path) -> None:
    done = _usage(site_file, "--from", "2026-10-02", "--to", "2026-10-02", "--csv")
    assert done.stdout.splitlines()[1:] == [
        "2026-10-02,one,lab,ann,gpu,3.0000,0.0000,1",
        "2026-10-02,one,lab,bob,other,1.0000,0.0000,1",
    ]


def test_a_day_that_was_summed_up_before_its_end_is_missing_and_the_table_is_told_all_the_same(site_file: Path) -> None:
    url = f"sqlite:///{site_file.parent}/hub/sessions.sqlite"
    history = History(url)
    history.replace(SECOND, [_row(SECOND, "ann", "gpu", 3.0)], rolled_at=bounds(SECOND)[1] - 1)
    history.close()
    done = _usage(site_file, "--from", "2026-10-01", "--to", "2026-10-02", "--csv")
    assert (done.returncode, len(done.stdout.splitlines())) == (3, 4)
    assert "1 of 2 days are not summed up, 2026-10-02 is the first" in done.stderr


def test_last_month_is_the_whole_of_it(site_file: Path) -> None:
    last = datetime.now().astimezone().date().replace(day=1) - timedelta(days=1)
    told = json.loads(_usage(site_file, "--last-month", "--json").stdout)
    assert (told["first"], told["last"]) == (last.replace(day=1).isoformat(), last.isoformat())


async def test_now_sums_up_the_days_that_are_asked_for_however_old_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, last = date(2026, 3, 1), date(2026, 3, 31)
    middle = date(2026, 3, 15)
    text = least_site_text(tmp_path, f'[slurm]\n[gateway]\nsocket = "{tmp_path}/gateway"\n')
    (tmp_path / "site.toml").write_text(f'{text}[project.one]\naccount = "lab"\n')
    history = History(f"sqlite:///{tmp_path}/sessions.sqlite")
    history.replace(middle, [_row(middle, "bob", "gpu", 5.0)], rolled_at=bounds(middle)[1] + SETTLED_S)
    history.close()
    fake, begin = FakeGateway(), bounds(first)[0]
    one = {"job_id": 1, "user": "ann", "account": "lab", "state": "COMPLETED", "gpus": 2}
    fake.past = (PastJob.model_validate({**one, "started_at": begin, "ended_at": begin + 3600}),)
    command = [sys.executable, "-m", "fabric_hub.cli", "usage", "--site", str(tmp_path / "site.toml"), "--now", "--csv"]
    async with serving(fake, tmp_path / "gateway"):
        process = await asyncio.create_subprocess_exec(
            *command, "--from", f"{first}", "--to", f"{last}", cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        out, err = await asyncio.wait_for(process.communicate(), 60)
    assert (process.returncode, err.decode()) == (0, "")
    assert out.decode().splitlines()[1:] == [
        "2026-03-01,one,lab,ann,other,2.0000,0.0000,1",
        "2026-03-15,one,lab,bob,gpu,5.0000,0.0000,1",
    ], "and leaves alone what is final"


def test_people_read_a_table(site_file: Path) -> None:
    done = _usage(site_file, "--from", "2026-10-01", "--to", "2026-10-02")
    assert (done.returncode, done.stderr) == (0, "")
    said = done.stdout
    assert "One (one, account lab), 2026-10-01 to 2026-10-02:\n7.0 GPU-hours" in said


def test_without_a_project_all_are_told_each_by_its_name(site_file: Path) -> None:
    window = ("--from", "2026-10-01", "--to", "2026-10-02")
    said = _usage_of_all(site_file, *window).stdout.splitlines()
    assert said[:2] == ["All projects, 2026-10-01 to 2026-10-02:", "8.0 GPU-hours, 0.0 CPU-hours"]
    rows = [line.split() for line in said[2:] if line]
    for row in (["one", "7.0", "0.0"], ["two", "1.0", "0.0"], ["one", "bob", "2.0", "0.0", "2"]):
        assert row in rows
    assert ["two", "cpu", "1.0", "0.0", "2"] in rows
    told = json.loads(_usage_of_all(site_file, *window, "--json").stdout)
    assert [(one["project"], one["gpu_hours"]) for one in told["projects"]] == [("one", 7.0), ("two", 1.0)]
    assert (told["gpu_hours"], told["missing"]) == (8.0, [])
    assert _usage_of_all(site_file, "--from", "2026-10-02", "--to", "2026-10-02", "--csv").stdout.splitlines() == [
        "day,project,account,user,profile,gpu_hours,cpu_hours,jobs",
        "2026-10-02,one,lab,ann,gpu,3.0000,0.0000,1",
        "2026-10-02,one,lab,bob,other,1.0000,0.0000,1",
        "2026-10-02,two,course,ann,cpu,0.5000,0.0000,1",
    ]


@pytest.mark.root
def test_given_as_root_it_leaves_the_hub_its_files(site_file: Path) -> None:
    assert _usage(site_file, "--from", "2026-10-01", "--to", "2026-10-02", "--json").returncode == 0
    assert {path.stat().st_uid for path in (site_file.parent / "hub").iterdir()} == {HUB_UID}


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["--project", "nothing"], 1, "There is no project nothing. This site has one, two."),
        (["--from", "2026-10-02", "--to", "2026-10-01"], 1, "--from 2026-10-02 is after --to 2026-10-01."),
        (["--last-month", "--to", "2026-10-01"], 1, "--last-month stands in place of --from and --to."),
        (["--from", "yesterday"], 2, "'yesterday' is not a date (YYYY-MM-DD)"),
        (["--now"], 1, "The gateway is not running"),
    ],
)
def test_what_cannot_be_reported_says_why(site_file: Path, arguments: list[str], status: int, says: str) -> None:
    done = _usage(site_file, *arguments)
    assert (done.returncode, says in done.stderr) == (status, True), done.stderr
