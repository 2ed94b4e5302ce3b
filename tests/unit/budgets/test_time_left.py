from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from fabric_hub.budgets.time_left import longer, time_left
from fabric_hub.config.settings import Profile, Project
from fabric_hub.errors import FabricError
from fabric_hub.messages.formats import clock
from fabric_hub.messages.text import NOTHING
from fabric_hub.projects.membership import end_of
from tests.support.builders import NOW, a_job

PROFILE = Profile(default_hours=2, max_hours=4)
PROJECT = Project(account="phys")
HOUR = 3600.0
RUNNING = a_job(started_at=NOW, ends_at=NOW + 2 * HOUR)


def test_a_session_ends_at_its_time_limit_and_says_so() -> None:
    left = time_left(RUNNING, PROFILE, PROJECT, NOW, offered=False)
    assert (left.ends_at, left.why) == (NOW + 2 * HOUR, "limit")
    assert str(left.text) == f"This session ends at {clock(NOW + 2 * HOUR)} (time limit)."
    assert (left.can_extend, left.extend_most_minutes) == (False, 0)
    assert left.extend_why_not.code == "extend-not-offered"
    with pytest.raises(FabricError, match=r"Sessions can't be extended here\. Save your work"):
        longer(left, 10)


@pytest.mark.parametrize("state", ["PENDING", "COMPLETING", "COMPLETED"])
def test_a_job_that_does_not_run_has_no_end_to_tell(state: str) -> None:
    assert time_left(a_job(state=state, ends_at=NOW), PROFILE, PROJECT, NOW, offered=True).ends_at is None
    left = time_left(None, PROFILE, PROJECT, NOW, offered=True)
    assert (left.ends_at, left.extend_why_not.code) == (None, "extend-no-end")
    with pytest.raises(FabricError, match="This session's end is not known"):
        longer(left.model_copy(update={"extend_why_not": NOTHING}), 10)


def test_where_the_site_lets_it_a_session_may_have_as_much_as_its_profile_allows() -> None:
    left = time_left(RUNNING, PROFILE, PROJECT, NOW, offered=True)
    assert (left.can_extend, left.extend_most_minutes) == (True, 120)
    assert longer(left, 60) == 180
    with pytest.raises(FabricError, match="at most 120 minutes more, not 121"):
        longer(left, 121)


def test_a_session_of_the_longest_time_is_told_which_limit_it_has_met() -> None:
    job = a_job(started_at=NOW, ends_at=NOW + 4 * HOUR)
    left = time_left(job, PROFILE, PROJECT, NOW, offered=True)
    with pytest.raises(FabricError, match="at most 4 hours") as refused:
        longer(left, 10)
    assert refused.value.status == 403


def test_a_reservation_that_ends_first_is_the_end() -> None:
    left = time_left(RUNNING, PROFILE, PROJECT, NOW, offered=True, reservation_ends_at=NOW + HOUR)
    assert (left.ends_at, left.why, left.can_extend) == (NOW + HOUR, "reservation", False)
    assert str(left.text) == f"This session ends at {clock(NOW + HOUR)} (end of its reservation)."
    assert left.extend_why_not.code == "extend-reservation-ends"


def test_where_slurm_lets_jobs_go_on_after_their_reservation_the_end_is_that_and_more_time_is_not() -> None:
    over = NOW + HOUR
    left = time_left(RUNNING, PROFILE, PROJECT, NOW, offered=True, reservation_ends_at=over, over_run_s=1800)
    assert (left.ends_at, left.why) == (over + 1800, "reservation")
    why = "Slurm lets it go on for 30 min after its reservation"
    assert str(left.text) == f"This session ends at {clock(over + 1800)}: {why}."
    assert str(left.extend_why_not) == f"This session cannot be longer: its reservation ends at {clock(over)}."
    left = time_left(RUNNING, PROFILE, PROJECT, NOW, offered=True, reservation_ends_at=over, over_run_s=2 * HOUR)
    assert (left.ends_at, left.why) == (NOW + 2 * HOUR, "limit")


def test_one_hour_is_said_as_one() -> None:
    profile = PROFILE.model_copy(update={"max_hours": 1.0})
    left = time_left(a_job(started_at=NOW, ends_at=NOW + HOUR), profile, PROJECT, NOW, offered=True)
    assert str(left.extend_why_not) == "This session cannot be longer: its profile allows at most 1 hour."


def test_while_its_reservation_is_not_known_the_end_is_the_latest_there_can_be() -> None:
    left = time_left(RUNNING, PROFILE, PROJECT, NOW, offered=True, reservation_unknown=True)
    assert left.ends_at == NOW + 2 * HOUR
    assert str(left.text).endswith("at the latest; the end of its reservation is not known yet.")


def test_in_a_reservation_that_ends_later_a_session_ends_at_its_limit_and_may_have_more_until_then() -> None:
    left = time_left(RUNNING, PROFILE, PROJECT, NOW, offered=True, reservation_ends_at=NOW + 3 * HOUR)
    assert (left.ends_at, left.why, left.extend_most_minutes) == (NOW + 2 * HOUR, "limit", 60)


def test_a_job_without_a_time_limit_ends_with_its_reservation() -> None:
    job = a_job(started_at=NOW, ends_at=None)
    left = time_left(job, PROFILE, PROJECT, NOW, offered=True, reservation_ends_at=NOW + 3 * HOUR)
    assert (left.ends_at, left.why, left.can_extend) == (NOW + 3 * HOUR, "reservation", False)
    assert str(left.extend_why_not) == "Its job has no time limit."
    assert time_left(job, PROFILE, PROJECT, NOW, offered=True).ends_at is None


def test_nothing_is_longer_than_its_project() -> None:
    today = datetime.fromtimestamp(NOW).astimezone().date()
    project = PROJECT.model_copy(update={"end": today})
    ends = end_of(project.end)
    assert ends is not None
    assert datetime.fromtimestamp(ends).astimezone().date() == today + timedelta(days=1)
    job = a_job(started_at=ends - HOUR, ends_at=ends)
    left = time_left(job, PROFILE, project, ends - HOUR, offered=True)
    assert (left.why, left.can_extend) == ("project", False)
    assert str(left.extend_why_not) == f"This session cannot be longer: its project ends at {clock(ends)}."
    assert left.text.code == "ends-by-project"


def test_a_project_without_an_end_never_ends() -> None:
    assert end_of(None) is None
    assert end_of(date(9999, 12, 31)) is None, "after that year there are no days"


def test_the_profile_of_a_session_may_be_gone_from_the_site() -> None:
    left = time_left(RUNNING, None, None, NOW, offered=True)
    assert (left.ends_at, left.can_extend) == (NOW + 2 * HOUR, False)
    assert str(left.extend_why_not) == "The profile of this session is no longer offered."
