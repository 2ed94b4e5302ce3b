"""A month's sheet says what Slurm's accounting says: of a scripted month, line by line of sacct's own form."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from fabric_hub.budgets.history import SETTLED_S, History, bounds
from fabric_hub.budgets.month import (
    DayPiece,
    Failure,
    Hour,
    by_day,
    by_hour_of_day,
    days_of,
    first_of,
    percentile,
    span_of,
    starts_of,
)
from fabric_hub.budgets.month_csv import COLUMNS, as_csv
from fabric_hub.budgets.months import MonthBook, hours_not_used
from fabric_hub.budgets.rolling import roll
from fabric_hub.config.settings import Settings
from fabric_hub.gateway.queries import sacct
from fabric_hub.messages.text import Text, sentences, verbatim
from fabric_hub.messages.texts import starts as texts
from fabric_hub.sessions.store import Session, SessionStore
from fabric_hub.sessions.tables import sessions as table
from fabric_hub.slurm.accounting import Accounting, PastJob
from tests.support.builders import a_session, a_site, fields_of_a_session

MONTH = "2026-03"  # in it the clocks go forward in Europe; of another zone it is a plain month
BEGIN, AFTER = span_of(MONTH)
HOUR = 3600.0


def at(day: int, hour: float) -> float:
    """A local time of the month, in Unix seconds."""
    return bounds(date(2026, 3, day))[0] + hour * HOUR


class Slurm:
    """The accounting of a scripted month, as sacct prints it (``--parsable2``)."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.names: dict[int, str] = {}
        self.asked = 0

    def ran(self, number: int, began: float, ended: float, *, gpus: int, account: str = "phys", name: str = "") -> None:
        tres = f"billing=8,cpu=8,gres/gpu={gpus},mem=4G,node=1" if gpus else "billing=8,cpu=8,mem=4G,node=1"
        fields = (number, "jan", account, "gpu", "normal", "COMPLETED", int(began), int(ended), tres)
        self.lines.append("|".join(map(str, fields)))
        if name:
            self.names[number] = f"fabric-main-{name}"

    def jobs(self) -> tuple[PastJob, ...]:
        return sacct.jobs("".join(f"{line}\n" for line in self.lines), self.names)

    async def accounting(self, start: float, end: float) -> Accounting:
        self.asked += 1
        ran = tuple(job for job in self.jobs() if job.started_at < end and (job.ended_at or end) > start)
        return Accounting(start=start, end=end, at=AFTER + 2 * SETTLED_S, jobs=ran, below={})


class Site:
    """A record with sessions of a scripted month, and Slurm's accounting of it."""

    def __init__(self, directory: Path) -> None:
        more = 'organisation = "Delta University"\nsector = "education"\n'
        self.settings: Settings = a_site(directory, f'[project.extra]\naccount = "extra"\n{more}')
        self.store = SessionStore(f"sqlite:///{directory}/sessions.sqlite")
        self.slurm = Slurm()
        self.now = AFTER + 2 * SETTLED_S
        self.book = MonthBook(self.store.engine, lambda: self.now)

    def session(self, created_at: float, **fields: object) -> Session:
        """A session as the record has it."""
        told = fields_of_a_session(user="jan", project="physics", account="phys", profile="gpu", created_at=created_at)
        number = len(self.store.live_all()) + int(created_at)
        made = self.store.create(**{**told, "server_name": f"s{number}"})
        with self.store.engine.begin() as connection:
            changed = {"created_at": created_at, **fields}
            connection.execute(sa.update(table).where(table.c.id == made.id).values(**changed))
        found = self.store.get(made.id)
        assert found is not None
        return found

    async def roll(self) -> None:
        history = History(self.store.engine)
        await roll(self.settings, self.slurm, self.store, history, days=days_of(MONTH), clock=lambda: self.now)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def by_seconds(jobs: tuple[PastJob, ...], begin: float, after: float) -> float:
    """GPU-hours between two moments, as sacct's CPUTimeRAW counts: whole elapsed seconds times GPUs."""
    return (
        sum(job.gpus * max(0.0, min(job.ended_at or after, after) - max(job.started_at, begin)) for job in jobs) / HOUR
    )


async def test_the_sheet_of_a_scripted_month_has_slurms_own_numbers(site: Site) -> None:
    long, short, failed = (
        site.session(at(3, 9), submitted_at=at(3, 9) + 1, ready_at=at(3, 10)),
        site.session(at(31, 23), submitted_at=at(31, 23), ready_at=at(31, 23.9)),
        site.session(at(5, 8), ended_at=at(5, 9), end_reason="failed", end_text=texts.JOB_GONE()),
    )
    site.slurm.ran(1, at(3, 9.5), at(5, 11.25), gpus=2, name=long.id)  # over two midnights
    site.slurm.ran(2, at(31, 23.5), AFTER + 5 * HOUR, gpus=1, name=short.id)  # into the next month
    site.slurm.ran(3, BEGIN - 3 * HOUR, BEGIN + 90 * 60, gpus=4)  # from the month before; no session's
    site.slurm.ran(4, at(10, 3), at(10, 4), gpus=0)
    site.slurm.ran(5, at(29, 0), at(30, 0), gpus=1)  # the day on which the clocks may change
    site.slurm.ran(6, at(12, 1), at(12, 2), gpus=8, account="elsewhere")  # only shares a budget with a project
    site.slurm.ran(7, at(12, 1), at(12, 2), gpus=1, account="teach", name=long.id)  # not that session's account
    await site.roll()
    sheet = site.book.sheet(site.settings, MONTH)
    mine = tuple(job for job in site.slurm.jobs() if job.account != "elsewhere")
    of_sessions = tuple(job for job in mine if job.job_id in (1, 2))
    assert sheet.of_sessions == pytest.approx(by_seconds(of_sessions, BEGIN, AFTER))
    assert sheet.of_sessions + sheet.of_others == pytest.approx(by_seconds(mine, BEGIN, AFTER))
    assert len(sheet.hours) == round((AFTER - BEGIN) / HOUR)
    for hour in sheet.hours:
        assert hour.sessions + hour.others == pytest.approx(by_seconds(mine, hour.at, hour.at + HOUR))
    assert {day: used for day, used, _ in by_day(sheet.hours)}[date(2026, 3, 4)] == 48.0
    [wait] = sheet.waits
    assert (wait.profile, wait.starts) == ("gpu", 2)
    assert (wait.p50, wait.p95) == pytest.approx((1800 - 1, 1800))
    assert (sheet.starts.tried, sheet.starts.succeeded, sheet.starts.waiting) == (3, 2, 0)
    assert sheet.starts.failed == (Failure(code=texts.JOB_GONE.code, starts=1),)
    assert failed.id not in site.slurm.names.values()
    assert (sheet.missing, sheet.closed) == ((), True)


async def test_a_closed_month_is_made_once_and_kept_and_slurm_is_asked_for_none(site: Site) -> None:
    site.slurm.ran(1, at(3, 9), at(3, 12), gpus=2)
    await site.roll()
    assert site.slurm.asked == 31
    assert site.book.open_months() == [MONTH]
    assert site.book.close(site.settings, MONTH)
    kept = site.book.sheet(site.settings, MONTH)
    assert (kept.of_others, kept.closed, kept.made_at) == (6.0, True, site.now)
    assert site.book.open_months() == []
    site.session(at(3, 9), ended_at=at(3, 9), end_reason="failed")
    site.now += HOUR
    assert site.book.close(site.settings, MONTH)
    assert site.book.sheet(site.settings, MONTH) == kept
    assert site.slurm.asked == 31


async def test_a_month_that_is_not_over_or_not_whole_is_not_kept(site: Site) -> None:
    site.now = at(10, 12)
    history = History(site.store.engine)
    await roll(site.settings, site.slurm, site.store, history, days=days_of(MONTH)[:8], clock=lambda: site.now)
    assert not site.book.close(site.settings, MONTH)
    sheet = site.book.sheet(site.settings, MONTH)
    assert sheet.missing == (date(2026, 3, 9), date(2026, 3, 10))
    assert site.book.without_piece(days_of(MONTH)[:10]) == [date(2026, 3, 9), date(2026, 3, 10)]
    assert site.book.known() == [MONTH]
    site.session(at(9, 9))
    site.now = AFTER + 2 * SETTLED_S
    await site.roll()
    assert site.book.sheet(site.settings, MONTH).starts.waiting == 1
    assert not site.book.close(site.settings, MONTH), "a start of the month still waits"


async def test_a_requeued_job_waited_until_it_first_ran(site: Site) -> None:
    one = site.session(at(3, 9), submitted_at=at(3, 9), ready_at=at(3, 10))
    site.slurm.ran(1, at(3, 9.25), at(3, 9.5), gpus=1, name=one.id)
    site.slurm.ran(1, at(4, 9), at(4, 10), gpus=1, name=one.id)
    await site.roll()
    sheet = site.book.sheet(site.settings, MONTH)
    assert [(wait.starts, wait.p50) for wait in sheet.waits] == [(1, 900.0)]
    assert sheet.of_sessions == 1.25


def test_people_count_once_for_each_organisation_that_the_site_knows_of(site: Site) -> None:
    for user, project in (("jan", "extra"), ("jan", "extra"), ("eve", "extra"), ("eve", "physics"), ("ann", "gone")):
        site.session(at(3, 9), user=user, project=project, ended_at=at(3, 10), end_reason="stopped")
    found = site.book.sheet(site.settings, MONTH).people
    assert [(one.organisation, one.sector, one.people, one.sessions) for one in found] == [
        ("", "", 2, 2),
        ("Delta University", "education", 2, 3),
    ]


def _as_kept(first: Text) -> Text:
    """Several sentences as the record has them."""
    return Text.model_validate_json(sentences(first, verbatim("More words.")).model_dump_json())


def test_starts_are_counted_by_what_was_said_when_they_failed() -> None:
    ended = {"ready_at": None, "ended_at": at(3, 10)}
    starts = starts_of(
        [
            a_session(ready_at=at(3, 9), ended_at=None),
            a_session(ready_at=None, ended_at=None),
            a_session(**ended, end_reason="stopped"),
            a_session(**ended, end_reason="image", end_text=texts.IMAGE_NOT_BUILT(image="torch")),
            a_session(**ended, end_reason="image", end_text=_as_kept(texts.IMAGE_NOT_BUILT(image="base"))),
            a_session(**ended, end_reason="refused", end_text=verbatim("sbatch: error: whatever")),
            a_session(**ended, end_reason=None),
        ]
    )
    assert (starts.tried, starts.succeeded, starts.taken_back, starts.waiting) == (7, 1, 1, 1)
    assert [(one.code, one.starts) for one in starts.failed] == [
        ("image-not-built", 2),
        ("refused", 1),
        ("unknown", 1),
    ]


def test_availability_and_idle_gpus_say_since_when_they_are_recorded(site: Site) -> None:
    assert site.book.sheet(site.settings, MONTH).ready.since is None
    site.now = at(20, 12.5)
    for ready in (True, True, False):
        site.book.note_readiness(ready=ready)
    site.now = at(20, 13)
    site.book.note_readiness(ready=True)
    site.book.note_idle("physics", 2.0, 0.5)
    site.book.note_idle("physics", 1.0, 1.0)
    site.now = AFTER
    site.book.note_readiness(ready=False)
    site.book.note_idle("physics", 9.0, 9.0)
    sheet = site.book.sheet(site.settings, MONTH)
    assert (sheet.ready.since, sheet.ready.looks, sheet.ready.ready) == (at(20, 12), 4, 3)
    assert (sheet.idle.since, sheet.idle.watched, sheet.idle.idle) == (at(20, 13), 3.0, 1.5)


def test_a_gpu_below_the_profiles_percent_is_not_used() -> None:
    assert hours_not_used((0.0, 4.9, 5.0, 80.0), 5.0, 1800) == (2.0, 1.0)
    assert hours_not_used((), 5.0, 1800) == (0.0, 0.0)


def test_percentiles_are_values_that_there_were() -> None:
    waits = [float(number) for number in range(1, 101)]
    assert (percentile(waits, 50), percentile(waits, 95), percentile([7.0], 95)) == (50.0, 95.0, 7.0)
    assert percentile([3.0, 1.0, 2.0], 50) == 2.0
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)


def test_hours_of_the_day_are_averages_of_what_is_known() -> None:
    hours = [Hour(at=at(day, hour), sessions=2.0 if hour == 9 else 0.0) for day in (3, 4) for hour in range(24)]
    hours[9] = Hour(at=at(3, 9), others=1.0)
    assert by_hour_of_day(hours)[8:11] == [0.0, 1.5, 0.0]
    assert by_hour_of_day([]) == [0.0] * 24


@pytest.mark.parametrize("text", ["", "2026-13", "2026-1", "26-11", "2026-11-01", "../../x"])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no month"):
        first_of(text)


async def test_the_csv_has_a_fact_in_a_line_that_sums_up_to_the_sheet(site: Site) -> None:
    one = site.session(at(3, 9), submitted_at=at(3, 9), ready_at=at(3, 10), profile="=cmd()")
    site.slurm.ran(1, at(3, 9.5), at(3, 12), gpus=2, name=one.id)
    await site.roll()
    sheet = site.book.sheet(site.settings, MONTH)
    rows = list(csv.DictReader(io.StringIO(as_csv(sheet))))
    assert tuple(rows[0]) == COLUMNS
    used = [float(row["value"]) for row in rows if row["table"] == "occupancy"]
    assert sum(used) == pytest.approx(sheet.of_sessions + sheet.of_others) == pytest.approx(5.0)
    assert {row["name"] for row in rows if row["table"] == "waits"} == {"'=cmd()"}, "no formula in a spreadsheet"
    assert {row["month"] for row in rows} == {MONTH}


def test_a_piece_and_a_sheet_are_read_as_they_were_written(site: Site) -> None:
    day = days_of(MONTH)[0]
    piece = DayPiece(day=day, asked_at=1.0, hours=(Hour(at=bounds(day)[0], sessions=0.1),), begun={"a" * 12: 2.0})
    assert DayPiece.model_validate(piece.model_dump(mode="json")) == piece
    sheet = site.book.sheet(site.settings, MONTH)
    assert type(sheet).model_validate(sheet.model_dump(mode="json")) == sheet
    assert days_of("2024-02")[-1] == date(2024, 2, 29)
    assert days_of("2026-12")[-1] + timedelta(days=1) == date(2027, 1, 1)
