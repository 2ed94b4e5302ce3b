"""Use by day: summed up from Slurm's accounting, once, whose it is."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from fabric_hub.budgets.history import (
    DASK,
    OTHER,
    OVER_EVERY_S,
    SETTLED_S,
    Charged,
    History,
    bounds,
    due,
    session_of,
    summed,
)
from fabric_hub.budgets.report import as_csv, as_text, report
from fabric_hub.budgets.rolling import roll
from fabric_hub.config.settings import Settings, SlurmSettings, parse
from fabric_hub.errors import FabricError
from fabric_hub.gateway.queries.on_demand import AccountingReader
from fabric_hub.gateway.queries.queries import Queries
from fabric_hub.messages.text import verbatim
from fabric_hub.sessions.store import Session, SessionStore
from fabric_hub.slurm.accounting import PastJob, below, sharing
from fabric_hub.slurm.limits.model import GPU, Association, Limit, Limits, Qos
from fabric_hub.slurm.unavailable import SlurmUnavailableError
from tests.support.builders import least_site_text
from tests.support.gateway import FakeGateway

DAY = date(2026, 11, 20)
BEGIN, AFTER = bounds(DAY)
HOUR = 3600.0
SESSION = "abcdefgh2345"


def site(tmp_path: Path) -> Settings:
    more = """\
[slurm]
[users]
unix_name = "x-{user}"
[profile.gpu]
gpus = 1
[project.one]
account = "lab"
[project.two]
account = "shared"
[project.three]
account = "shared"
"""
    return parse(least_site_text(tmp_path, more))


def session(**changes: object) -> Session:
    fields = {"id": SESSION, "user": "ann", "server_name": "", "kind": "slurm", "project": "three", "account": "shared",
              "profile": "gpu", "image": "base", "hours": 1.0, "created_at": BEGIN}  # fmt: skip
    return Session.model_validate({**fields, **changes})


def job(began: float, ended: float | None, *, gpus: int = 1, account: str = "lab", user: str = "x-ann",
        name: str = "") -> PastJob:  # fmt: skip
    return PastJob(job_id=1, user=user, account=account, state="COMPLETED", started_at=began, ended_at=ended,
                   gpus=gpus, cpus=4, name=name)  # fmt: skip


def test_a_job_counts_for_the_part_of_the_day_that_it_ran(tmp_path: Path) -> None:
    found = [job(BEGIN - 5 * HOUR, BEGIN + HOUR), job(AFTER - HOUR, AFTER + HOUR, gpus=2), job(BEGIN - 9, BEGIN)]
    (row,) = summed(site(tmp_path), found, {}, DAY, AFTER + HOUR)
    assert (row.project, row.account, row.user, row.profile) == ("one", "lab", "ann", OTHER)
    assert (row.gpu_hours, row.cpu_hours, row.jobs) == (3.0, 8.0, 2)


def test_a_running_job_counts_until_now(tmp_path: Path) -> None:
    (row,) = summed(site(tmp_path), [job(BEGIN, None)], {}, DAY, BEGIN + 2 * HOUR)
    assert row.gpu_hours == 2.0


def test_a_sessions_job_is_its_projects_and_so_are_its_clusters_workers(tmp_path: Path) -> None:
    name = f"fabric-main-{SESSION}"
    found = [job(BEGIN, BEGIN + HOUR, account="shared", name=name),
             job(BEGIN, BEGIN + HOUR, account="shared", name=f"{name}-dask-big", gpus=4)]  # fmt: skip
    rows = summed(site(tmp_path), found, {SESSION: session()}, DAY, AFTER)
    assert {(row.project, row.profile, row.gpu_hours) for row in rows} == {("three", "gpu", 1.0), ("three", DASK, 4.0)}


@pytest.mark.parametrize(
    "forged",
    [
        job(BEGIN, BEGIN + HOUR, account="shared", user="x-eve", name=f"fabric-main-{SESSION}"),
        job(BEGIN, BEGIN + HOUR, account="lab", name=f"fabric-main-{SESSION}"),
        job(BEGIN, BEGIN + HOUR, account="shared", name=f"fabric-other-{SESSION}"),
    ],
    ids=["another user's", "another account's", "another hub's"],
)
def test_a_name_alone_charges_nobody(tmp_path: Path, forged: PastJob) -> None:
    (row,) = summed(site(tmp_path), [forged], {SESSION: session()}, DAY, AFTER)
    assert row.profile == OTHER
    assert row.project == ("one" if forged.account == "lab" else "")


def test_what_an_account_below_a_projects_used_is_the_projects(tmp_path: Path) -> None:
    found = [job(BEGIN, BEGIN + HOUR, account="lab-a"), job(BEGIN, BEGIN + HOUR, account="elsewhere")]
    rows = summed(site(tmp_path), found, {}, DAY, AFTER, {"lab-a": "lab"})
    assert {(row.project, row.account) for row in rows} == {("one", "lab-a")}, "of others nothing is stored"


def test_accounts_below_are_those_of_the_nearest_that_the_site_has() -> None:
    tree = {
        "root": "",
        "lab": "root",
        "lab-a": "lab",
        "lab-a-1": "lab-a",
        "shared": "lab",
        "shared-1": "shared",
        "x": "root",
    }
    known = [Association(account=name, parent=parent) for name, parent in tree.items()]
    known += [Association(account="root", user="ann", parent="root"), Association(account="loop", parent="loop")]
    found = below(Limits(associations=tuple(known)), {"lab", "shared"})
    assert found == {"lab-a": "lab", "lab-a-1": "lab", "shared-1": "shared"}


def test_who_shares_a_budget_of_gpus_with_a_project_counts_for_how_long_it_lasts() -> None:
    minutes = {GPU: Limit(limit=60)}
    tree = [Association(account=name, parent=parent) for name, parent in
            (("root", ""), ("biology", "root"), ("zoo", "biology"), ("zoo-1", "zoo"), ("arts", "root"))]  # fmt: skip
    faculty = Association(account="faculty", parent="root", grp_tres_mins=minutes)
    ours = [Association(account=name, parent="faculty") for name in ("lab", "neighbour")]
    below_ours = Association(account="lab-a", parent="lab", grp_tres_mins=minutes)
    services = (Qos(name="normal"), Qos(name="grant", grp_tres_mins=minutes))
    known = Limits(associations=(*tree, faculty, *ours, below_ours), qos=services)
    assert sharing(known, {"lab", "zoo"}) == (
        frozenset({"faculty", "lab", "lab-a", "neighbour", "zoo", "zoo-1"}),
        frozenset({"grant"}),
    )


def _sacct(directory: Path, *lines: str) -> Queries:
    """Questions to a stand-in for sacct that writes down how it was asked."""
    program = directory / "sacct"
    program.write_text("#!/bin/sh\n" + f'echo "$@" >> {directory}/asked\n' + "\n".join(lines) + "\n")
    program.chmod(0o755)
    return Queries(SlurmSettings(bin_dir=directory, query_timeout_s=0.01))


class _Known:
    def __init__(self, limits: Limits) -> None:
        self.limits = limits

    async def read(self) -> Limits:
        return self.limits


async def test_slurms_database_is_asked_for_the_sites_accounts_and_those_below_only(tmp_path: Path) -> None:
    questions = _sacct(tmp_path, "exec sleep 0.1")  # longer than slurmctld may take
    tree = tuple(Association(account=name, parent="lab") for name in ("lab-a", "lab-b"))
    desk = AccountingReader(questions, _Known(Limits(at=1.0, associations=tree)), lambda: {"lab", "course"})
    assert (await desk.read(BEGIN, AFTER)).below == {"lab-a": "lab", "lab-b": "lab"}
    asked = (tmp_path / "asked").read_text().splitlines()
    assert len(asked) == 2
    assert all("--accounts=course,lab,lab-a,lab-b " in line for line in asked)
    many = [f"a{number}" for number in range(1001)]
    assert await questions.accounting(BEGIN, AFTER, many) == ()
    lists = [
        re.findall(r"--accounts=(\S+)", line)[0].split(",") for line in (tmp_path / "asked").read_text().splitlines()
    ]
    assert [name for some in lists[2::2] for name in some] == many
    assert await questions.accounting(BEGIN, AFTER, []) == (), "no account is not every account"
    assert len((tmp_path / "asked").read_text().splitlines()) == 8
    await questions.accounting(BEGIN, AFTER, [], ["grant", "normal"])
    assert "--qos=grant,normal " in (tmp_path / "asked").read_text().splitlines()[-1]


async def test_before_it_is_known_which_accounts_there_are_no_day_is_told(tmp_path: Path) -> None:
    desk = AccountingReader(
        _sacct(tmp_path), _Known(Limits(problem=verbatim("slurmctld does not answer"))), lambda: {"lab"}
    )
    with pytest.raises(SlurmUnavailableError, match="slurmctld does not answer"):
        await desk.read(BEGIN, AFTER)
    assert not (tmp_path / "asked").exists()


def test_the_hub_reads_its_own_names_only() -> None:
    assert session_of(f"fabric-main-{SESSION}", "main") == (SESSION, False)
    assert session_of(f"fabric-main-{SESSION}-dask-a", "main") == (SESSION, True)
    assert session_of(f"fabric-b-{SESSION}", "main") == ("", False)
    assert session_of("train.sh", "main") == ("", False)


def test_recent_days_are_summed_up_again_and_old_ones_once() -> None:
    now = AFTER + 2 * HOUR  # two hours into the next day
    today = DAY + timedelta(days=1)
    every = {today - timedelta(days=age): now for age in range(40)}
    assert due(every, now) == [today], "yesterday was summed up after its end"
    for before, wanted in ((AFTER - 1, [today, DAY]), (now - OVER_EVERY_S + 1, [today, DAY])):
        assert due(every | {DAY: before}, now) == wanted
    assert due(every | {DAY: AFTER}, AFTER + OVER_EVERY_S - 1) == [today]
    assert due(every | {DAY: AFTER}, AFTER + OVER_EVERY_S) == [today, DAY]
    assert DAY in due(every | {DAY: AFTER + SETTLED_S - 1}, AFTER + SETTLED_S)
    assert DAY not in due(every | {DAY: AFTER + SETTLED_S}, AFTER + SETTLED_S + 1)
    del every[DAY - timedelta(days=10)]
    assert due(every, now) == [today, DAY - timedelta(days=10)]
    assert len(due({}, now, back=35)) == 36


async def test_summing_up_twice_changes_nothing_and_a_correction_replaces(tmp_path: Path) -> None:
    settings, gateway = site(tmp_path), FakeGateway()
    url = f"sqlite:///{tmp_path}/sessions.sqlite"
    store, history = SessionStore(url), History(url)
    gateway.past = (job(BEGIN, BEGIN + HOUR),)
    for _ in range(2):
        assert await roll(settings, gateway, store, history, days=[DAY]) == 1
    assert [row.gpu_hours for row in history.rows("one", DAY, DAY)] == [1.0]
    gateway.past = (job(BEGIN, BEGIN + 3 * HOUR),)
    await roll(settings, gateway, store, history, days=[DAY])
    assert [row.gpu_hours for row in history.rows("one", DAY, DAY)] == [3.0]
    assert list(history.rolled()) == [DAY]
    history.close()
    store.close()


async def test_a_day_whose_sessions_slurms_database_does_not_show_stays_as_it_was(tmp_path: Path) -> None:
    settings, gateway = site(tmp_path), FakeGateway()
    url = f"sqlite:///{tmp_path}/sessions.sqlite"
    store, history = SessionStore(url), History(url)
    ran = store.create(user="ann", server_name="", kind="slurm", project="three", account="shared", profile="gpu",
                       image="base", hours=1.0, created_at=BEGIN)  # fmt: skip
    store.update(ran.id, job_id=1, submitted_at=BEGIN + 1, announced_at=BEGIN + 60)
    gateway.past = (job(BEGIN, BEGIN + HOUR, account="shared", name=f"fabric-main-{ran.id}"),)
    await roll(settings, gateway, store, history, days=[DAY])
    before = history.rows("three", DAY, DAY)
    assert [row.gpu_hours for row in before] == [1.0]
    gateway.past, rolled = (), history.rolled()
    with pytest.raises(FabricError, match=r"shows none of the sessions that ran on 2026-11-20\.") as hidden:
        await roll(settings, gateway, store, history, days=[DAY, DAY - timedelta(days=1)])
    assert "PrivateData in slurmdbd.conf" in hidden.value.hint
    assert (history.rows("three", DAY, DAY), history.rolled()[DAY]) == (before, rolled[DAY])
    assert DAY - timedelta(days=1) in history.rolled(), "on which no session ran: the answer may be true"
    history.close()
    store.close()


async def test_what_is_charged_is_kept_by_account_and_qos_whoever_used_it(tmp_path: Path) -> None:
    gateway, url = FakeGateway(), f"sqlite:///{tmp_path}/sessions.sqlite"
    store, history = SessionStore(url), History(url)
    yesterday = datetime.now().astimezone().date() - timedelta(days=1)
    begin = bounds(yesterday)[0]
    below = job(begin, begin + HOUR, account="below-lab").model_copy(update={"qos": "grant"})
    gateway.past = (below, below.model_copy(update={"user": "x-bob", "gpus": 2}), job(begin, begin + HOUR, gpus=0))
    for _ in range(2):
        await roll(site(tmp_path), gateway, store, history, days=[yesterday])
    assert history.charged() == (Charged(day=yesterday, account="below-lab", qos="grant", gpu_hours=3.0),)
    assert history.charged(days=0) == ()
    history.close()
    store.close()


async def test_the_trend_has_zeroes_for_days_without_use(tmp_path: Path) -> None:
    settings, gateway = site(tmp_path), FakeGateway()
    url = f"sqlite:///{tmp_path}/sessions.sqlite"
    store, history = SessionStore(url), History(url)
    today = datetime.now().astimezone().date()
    yesterday = today - timedelta(days=1)
    begin = bounds(yesterday)[0]
    gateway.past = (job(begin, begin + HOUR), job(begin, begin + HOUR, user="x-bob"))
    await roll(settings, gateway, store, history)
    trend = {day.day: day.gpu_hours for day in history.daily("one")}
    assert trend[yesterday] == 2.0
    assert trend[today] == 0.0
    assert len(trend) == 29
    assert sum(day.gpu_hours for day in history.daily("one", "bob")) == 1.0
    history.close()
    store.close()


def test_the_report_adds_up_by_user_and_profile(tmp_path: Path) -> None:
    settings = site(tmp_path)
    found = [job(BEGIN, BEGIN + HOUR), job(BEGIN, BEGIN + 2 * HOUR, user="x-bob", gpus=2)]
    rows = summed(settings, found, {}, DAY, AFTER)
    told = report("one", "One", "lab", DAY, DAY, rows, [DAY + timedelta(days=1)])
    assert told.gpu_hours == 5.0
    assert [(total.name, total.gpu_hours) for total in told.users] == [("bob", 4.0), ("ann", 1.0)]
    assert "2026-11-20,one,lab,bob,other,4.0000,8.0000,1" in as_csv(told.days).splitlines()
    assert "Not summed up yet: 2026-11-21." in as_text(told)
