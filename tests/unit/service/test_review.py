"""What the service looks at all the time: which budgets and file systems people are to be told of, and the hook."""

from __future__ import annotations

import json
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from fabric_hub.budgets.forecast import DAY_S
from fabric_hub.budgets.schemas import Balance, DayUse, ParentLimit, StorageUse, Usage
from fabric_hub.config.settings import Settings
from fabric_hub.service.tasks.review import ANSWERED_S, MEMBERS_EVERY_S, Review, passed, people, turn, with_forecast
from fabric_hub.sessions.store import SessionStore
from fabric_hub.slurm.limits.model import Limits
from tests.support.builders import NOW, a_site, fields_of_a_session

DAY = datetime.fromtimestamp(NOW).astimezone().date()


class Budgets:
    """A project that is used up, a user who nearly is, and a full home."""

    def __init__(self, *shared: StorageUse) -> None:
        self.shared, self.asked = shared, list[str]()

    def limits(self) -> Limits | None:
        return None

    def usage(self, project: str, user: str) -> Usage:
        if project != "physics":
            return Usage()
        own = Balance(limit=10.0, used=9.0, left=1.0, running=1.0, to_come=1.5)
        return Usage(project=Balance(limit=100.0, used=100.0, left=0.0), user=own if user == "jan" else None)

    def trend(self, project: str, user: str | None = None) -> tuple[DayUse, ...]:
        return ()

    def charged(self, holder: str) -> tuple[DayUse, ...]:
        return ()

    def storage(self, user: str) -> tuple[StorageUse, ...]:
        self.asked.append(user)
        return (StorageUse(title="Home", path=f"/home/{user}", used=99, limit=100), *self.shared)


@pytest.fixture
def hooked(tmp_path: Path) -> Settings:
    """A site whose hook writes what it is told to a file, and fails while there is a file named ``down``."""
    program = tmp_path / "hook.py"
    program.write_text(
        "import os, sys\n"
        f"if os.path.exists({str(tmp_path / 'down')!r}): sys.exit('no mail server')\n"
        f"open({str(tmp_path / 'told')!r}, 'a').write(sys.stdin.read() + chr(10))\n"
    )
    return a_site(tmp_path, f"[quotas]\nhook = [{sys.executable!r}, '-S', {str(program)!r}]\n")


def told(directory: Path) -> list[dict[str, object]]:
    file = directory / "told"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


async def looked_and_told(review: Review, now: float) -> None:
    await review.look(now)
    await review.tell(now)


def test_budgets_of_projects_and_of_their_users_and_storage_are_looked_at(site: Settings) -> None:
    found = passed(site, Budgets(), [("physics", "jan"), ("physics", "eve"), ("physics", "jan")], NOW)
    assert {threshold.id for threshold in found} == {
        "project:physics#used-up",
        "user:physics/jan#2-days",
        "storage:jan:/home/jan:user:Home#95-percent",
        "storage:eve:/home/eve:user:Home#95-percent",
    }


class Above(Budgets):
    """A project with much left below an account and a QOS with little; a user with a limit that is far away."""

    def usage(self, project: str, user: str) -> Usage:
        if project != "physics":
            return Usage()
        faculty = ParentLimit(name="account faculty", limit=5000.0, used=5000.0, left=0.0)
        grant = ParentLimit(name="QOS grant", limit=400.0, used=300.0, left=100.0)
        big = ParentLimit(name="QOS big", limit=10.0, used=11.0, left=0.0, profiles=("gpu-4", "gpu-8"))
        whole = Balance(
            limit=1000.0, used=100.0, left=0.0, of="account phys", limited_by="account faculty",
            above=(faculty, grant, big),
        )  # fmt: skip
        own = Balance(limit=10.0, used=1.0, left=0.0, of="jan in account phys", limited_by="account faculty")
        return Usage(project=whole, user=own if user else None)

    def charged(self, holder: str) -> tuple[DayUse, ...]:
        each = {"QOS grant": 10.0, "account phys": 1.0}.get(holder)
        return tuple(DayUse(day=DAY - timedelta(days=ago), gpu_hours=each) for ago in range(7, 0, -1) if each)


def test_a_limit_above_a_project_is_told_as_what_it_is_and_its_operators_are_to_be_asked(site: Settings) -> None:
    found = {
        one.id: str(one.text) for one in passed(site, Above(), [("physics", "jan")], NOW) if "storage" not in one.id
    }
    assert set(found) == {
        "project:physics#used-up-account-faculty",
        "project:physics#14-days-QOS-grant",
        "project:physics#used-up-QOS-big",
    }, "the project's own limit and the user's are far away, and not told"
    assert found["project:physics#used-up-account-faculty"] == (
        "The budget of account faculty, which limits project physics, has run out: 5,000 of 5,000 GPU-hours are used. "
        "Ask the operators for more."
    )
    grant = found["project:physics#14-days-QOS-grant"]
    assert grant.startswith("The budget of QOS grant, which limits project physics, lasts until ")
    assert grant.endswith("100 of 400 GPU-hours are left, 10.0 a day are used.")
    assert "QOS big, which limits profiles gpu-4, gpu-8 of project physics, has run out" in str(found)


def test_a_project_lasts_as_long_as_the_limit_above_it_that_is_used_up_first() -> None:
    told = with_forecast(Above(), "physics", Above().usage("physics", "").project, DAY, NOW)
    assert told is not None
    assert (told.rate_per_day, told.lasts_until) == (1.0, NOW)
    assert [(one.name, one.rate_per_day, one.lasts_until) for one in told.above] == [
        ("account faculty", None, NOW),
        ("QOS grant", 10.0, NOW + 10 * DAY_S),
        ("QOS big", None, NOW),
    ]
    more = told.model_copy(update={"left": 100.0, "limited_by": "QOS grant", "above": told.above[1:]})
    again = with_forecast(Above(), "physics", more, DAY, NOW)
    assert again is not None
    assert again.lasts_until == NOW + 10 * DAY_S, "a limit of some profiles only is not the project's"


def test_a_warning_goes_to_the_owners_of_a_project_or_to_the_user(site: Settings) -> None:
    assert people(site, "project:physics") == ["ada"]
    assert people(site, "project:physics:/projects/physics") == ["ada"]
    assert people(site, "project:gone") == []
    assert people(site, "user:physics/jan") == ["jan"]
    assert people(site, "storage:eve:/home/eve:user:Home") == ["eve"]


def test_a_projects_storage_is_told_once_for_all_its_members_by_the_newest_word(site: Settings) -> None:
    use = StorageUse(title="Projects", path="/projects", project="physics", used=85, limit=100, at=1.0)
    uses = use, use.model_copy(update={"used": 96, "at": 2.0}), StorageUse(**{**use.model_dump(), "problem": "hung"})
    found = passed(site, Budgets(*uses), [("physics", "jan"), ("physics", "eve")], NOW)
    (told,) = [threshold for threshold in found if threshold.subject.startswith("project:physics:")]
    assert told.id == "project:physics:/projects:Projects#95-percent"
    assert str(told.text).startswith("Projects (/projects, the quota of project physics) is 96% full by space.")


def test_each_members_turn_comes_once_in_the_time_for_all() -> None:
    members = [f"u{number}" for number in range(7)]
    looks = [turn(members, at, at + 20.0, 3600.0) for at in range(7200, 10800, 20)]
    assert sorted(name for names in looks for name in names) == members
    assert max(len(names) for names in looks) == 1, "they are spread out"
    assert sorted(turn(members, 0.0, 1e6, 3600.0)) == members, "after a long time without a look all come, once"
    assert turn([], 0.0, 1e6) == []


async def test_who_has_no_session_is_looked_at_when_their_turn_comes_and_told_until_the_next(
    hooked: Settings, store: SessionStore, tmp_path: Path
) -> None:
    source = Budgets()
    review, now = Review(hooked, store, source), time.time()
    await looked_and_told(review, now)
    assert [one.id for one in review.in_force] == ["project:physics#used-up"]
    for ahead in (MEMBERS_EVERY_S, MEMBERS_EVERY_S + ANSWERED_S + 1, MEMBERS_EVERY_S + ANSWERED_S + 21):
        await looked_and_told(review, now + ahead)
        wanted = (
            {"storage:jan:/home/jan:user:Home#95-percent", "user:physics/jan#2-days"}
            if ahead > MEMBERS_EVERY_S
            else set()
        )
        assert {one.id for one in review.of("jan", ["physics"])} == {"project:physics#used-up", *wanted}
    assert source.asked.count("jan") == 2, "once to ask, and once to read what was answered"
    ids = [str(message["id"]) for message in told(tmp_path)]
    assert ids.count("storage:jan:/home/jan:user:Home#95-percent") == 1


async def test_whoever_reads_a_warning_is_told_whom_they_can_ask(site: Settings, store: SessionStore) -> None:
    review = Review(site, store, Budgets())
    await review.look(time.time())
    for user, whom in (("jan", "its owner"), ("ada", "the operators")):
        (used_up,) = review.of(user, ["physics"])
        assert str(used_up.text).endswith(f"Ask {whom} for more.")


async def test_the_hook_is_told_of_each_warning_once(hooked: Settings, store: SessionStore, tmp_path: Path) -> None:
    store.create(**fields_of_a_session())
    review = Review(hooked, store, Budgets())
    for _ in range(3):
        await looked_and_told(review, time.time())
    messages = told(tmp_path)
    assert sorted(str(message["id"]) for message in messages) == [
        "project:physics#used-up",
        "storage:jan:/home/jan:user:Home#95-percent",
        "user:physics/jan#2-days",
    ]
    (own,) = [message for message in messages if message["subject"] == "user:physics/jan"]
    assert str(own["text"]).startswith("Your budget in project physics lasts until ")
    in_force = {one.subject: one.text for one in review.in_force}
    assert in_force["user:physics/jan"].params["title"].code == "budget-of-user"
    (used_up,) = [message for message in messages if message["subject"] == "project:physics"]
    assert used_up["people"] == ["ada"]
    assert str(used_up["text"]).endswith("run out: 100 of 100 GPU-hours are used. Ask the operators for more."), (
        "it is told to the owners"
    )
    assert review.hook_failures == 0


async def test_a_hook_that_fails_holds_nothing_up_and_is_told_later(
    hooked: Settings, store: SessionStore, tmp_path: Path
) -> None:
    review, now = Review(hooked, store, Budgets()), time.time()
    (tmp_path / "down").touch()
    await looked_and_told(review, now)
    assert [one.id for one in review.in_force] == ["project:physics#used-up"]
    assert review.hook_failures == 1
    (tmp_path / "down").unlink()
    await looked_and_told(review, now + 1)
    assert told(tmp_path) == []
    await looked_and_told(review, now + 61)
    assert [message["id"] for message in told(tmp_path)] == ["project:physics#used-up"]
