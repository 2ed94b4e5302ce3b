"""Until the catalogue service has told which projects it keeps, nobody is ended or refused for good for being in none;
from then on those of a moment ago are those of now."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from jupyterhub.auth import Authenticator

from fabric_hub.budgets.history import History
from fabric_hub.budgets.rolling import roll
from fabric_hub.config.settings import Members, Project, Settings
from fabric_hub.errors import FabricError
from fabric_hub.gateway.request_policy import check_known, check_person, check_submission
from fabric_hub.hub.patches.membership import live_check
from fabric_hub.hub.roles import is_worker, may_log_in
from fabric_hub.hub.spawner.failures import RefusedRequestError
from fabric_hub.launch.choice import no_project, open_project
from fabric_hub.messages.reader import Reader
from fabric_hub.messages.text import Text, whole
from fabric_hub.projects.membership import closed, everybody, is_user, visited, workers
from fabric_hub.service.tasks.strays import orphans
from fabric_hub.sessions.store import SessionStore
from fabric_hub.slurm.accounting import Accounting
from fabric_hub.slurm.model import JobSpec, SubmitRequest
from fabric_hub.slurm.unavailable import SlurmUnavailableError
from tests.support.builders import NOW, SESSION, TODAY, a_job
from tests.support.kept_projects import KeptProjects

WAVES = Project(account="fh-waves", title="Waves", members=Members(owner=("bo",), member=("mia",), visitor=("cas",)))
NOT_ALL = "Not all projects are known now: the catalogue service has not told which it keeps."


@pytest.fixture
def kept(catalogue_site: Settings, tmp_path: Path) -> KeptProjects:
    return KeptProjects(catalogue_site, tmp_path)


@pytest.fixture
def without(catalogue_site: Settings, tmp_path: Path) -> KeptProjects:
    """A site whose own file has no projects."""
    return KeptProjects(catalogue_site.model_copy(update={"project": {}}), tmp_path)


def submission(user: str, account: str = "fh-waves") -> SubmitRequest:
    spec = JobSpec(account=account)
    return SubmitRequest(session=SESSION, user=user, image="base", spec=spec, environment={}, files=())


def test_the_gateway_answers_that_it_is_to_be_tried_again_and_then_yes_or_no(kept: KeptProjects) -> None:
    for user in ("mia", "nobody"):
        with pytest.raises(SlurmUnavailableError) as unsure:
            check_person(kept.settings, user, SESSION, ())
        with pytest.raises(SlurmUnavailableError):
            check_submission(kept.settings, submission(user), TODAY)
        assert (unsure.value.status, unsure.value.reason) == (503, "slurm-unavailable")
        assert str(unsure.value.said) == NOT_ALL
        assert str(unsure.value.advice).startswith("Nothing is lost: sessions keep running, and it is tried again.")
    check_submission(kept.settings, submission("jan", "phys"), TODAY)  # whom the site's file has
    with pytest.raises(SlurmUnavailableError):  # jan may be in waves
        check_submission(kept.settings, submission("jan"), TODAY)
    with pytest.raises(SlurmUnavailableError):  # what a project used that is not known would be taken for nothing
        check_known(kept.settings)
    kept.publish(waves=WAVES)
    check_submission(kept.settings, submission("mia"), TODAY)
    check_known(kept.settings)
    with pytest.raises(FabricError, match="in account fh-waves, which pays for no open project of theirs"):
        check_submission(kept.settings, submission("jan"), TODAY)
    for stranger in ("nobody", "cas"):
        with pytest.raises(FabricError) as refused:
            check_submission(kept.settings, submission(stranger), TODAY)
        assert refused.value.status == 403


def test_who_left_can_be_cleaned_up_after_and_starts_nothing(kept: KeptProjects) -> None:
    kept.publish(waves=WAVES)
    left = WAVES.model_copy(update={"members": WAVES.members.model_copy(update={"member": ()})})
    kept.publish(waves=left)
    job = a_job(user="mia", account="fh-waves", name=f"fabric-main-{SESSION}")
    check_person(kept.settings, "mia", SESSION, (job,))
    with pytest.raises(FabricError, match="isn't in a project yet"):
        check_submission(kept.settings, submission("mia"), TODAY)


def test_a_site_whose_projects_are_all_kept_is_open_to_nobody_else(without: KeptProjects) -> None:
    """A site without projects has no strangers; one that keeps them elsewhere is no such site, whatever it keeps."""
    for _ in range(2):
        assert not is_user(without.settings, "mallory")
        named = a_job(user="mallory", account="their-own", name=f"fabric-main-{SESSION}")
        assert orphans(without.settings, (named,), {}, NOW) == []
        without.publish()
    with pytest.raises(FabricError) as refused:
        check_submission(without.settings, submission("mallory"), TODAY)
    assert refused.value.status == 403


def test_a_start_is_refused_for_now_and_not_for_good(kept: KeptProjects) -> None:
    for user, wanted in (("mia", None), ("mia", "waves"), ("jan", "waves")):
        with pytest.raises(FabricError) as refused:
            open_project(kept.settings, user, wanted, TODAY)
        assert (refused.value.status, str(refused.value.said)) == (503, NOT_ALL)
    assert open_project(kept.settings, "jan", "physics", TODAY)[0] == "physics"
    kept.publish(waves=WAVES)
    assert open_project(kept.settings, "mia", "waves", TODAY) == ("waves", WAVES)
    with pytest.raises(FabricError, match="is not a member of project waves"):
        open_project(kept.settings, "jan", "waves", TODAY)


def test_a_visitor_reads_why_they_start_nothing_and_whom_to_ask(kept: KeptProjects) -> None:
    kept.publish(waves=WAVES)
    why = no_project(kept.settings, "cas")
    sentence = "You are a visitor of project Waves: visitors see what it shows them, and start nothing."
    assert (str(why), str(why.hint), why.reason.status) == (sentence, "Ask bo to make you a member.", 403)
    dutch = whole(FabricError(why)).say(Reader(language="nl"))
    assert dutch != str(whole(FabricError(why)))
    assert "Waves" in dutch
    orphan = Project(account="fh-tides", members=Members(visitor=("cas",)))
    kept.publish(waves=WAVES, tides=orphan)
    two = no_project(kept.settings, "cas")
    assert str(two).startswith("You are a visitor of projects Waves and tides: ")
    kept.publish(tides=orphan)
    assert str(no_project(kept.settings, "cas").hint) == "Ask the operators to make you a member."
    assert str(no_project(kept.settings, "nobody")) == "nobody isn't in a project yet."
    with pytest.raises(FabricError) as refused:
        open_project(kept.settings, "cas", "tides", TODAY)
    assert isinstance(refused.value.said, Text)
    assert refused.value.said.code == "only-visitor"


def test_a_paused_project_starts_nothing_and_says_why(kept: KeptProjects) -> None:
    kept.publish(waves=WAVES.model_copy(update={"paused": "the review is late"}))
    for user, whom in (("mia", "its owner"), ("bo", "the operators")):
        with pytest.raises(FabricError) as refused:
            open_project(kept.settings, user, "waves", TODAY)
        assert refused.value.text == f"Project waves is paused: the review is late. Ask {whom} when it goes on."
    why = closed(kept.settings.project["waves"], TODAY)
    assert why is not None
    assert (why.code, str(why)) == ("project-is-paused", "is paused: the review is late")


def test_sets_of_people_have_visitors_where_they_belong(kept: KeptProjects) -> None:
    kept.publish(waves=WAVES)
    assert {"bo", "mia"} <= workers(kept.settings)
    assert "cas" not in workers(kept.settings)
    assert workers(kept.settings) | {"cas"} == everybody(kept.settings)
    assert list(visited(kept.settings, "cas")) == ["waves"]
    assert visited(kept.settings, "mia") == {}
    assert is_worker(kept.settings, "cas", admin=True)
    assert not is_worker(kept.settings, "cas", admin=False)


class OfAGroup(Authenticator):  # type: ignore[misc]
    """A site's own: lets in who is in a group, and of the others nobody without a second factor."""

    def check_allowed(self, username: str, authentication: Any = None) -> bool:
        if username == "without-a-second-factor":
            return False
        return username == "of-a-group" or super().check_allowed(username, authentication)


async def test_a_login_is_looked_at_when_it_comes(kept: KeptProjects) -> None:
    may = live_check(OfAGroup(allowed_users={"steward"}), kept.settings)
    assert [await may(name) for name in ("jan", "steward", "of-a-group")] == [True, True, True]
    with pytest.raises(RefusedRequestError) as unsure:
        await may("cas")
    assert unsure.value.status_code == 503
    assert unsure.value.jupyterhub_message.startswith(NOT_ALL)
    kept.publish(waves=Project(account="fh-waves", members=Members(visitor=("cas", "without-a-second-factor"))))
    assert await may("cas")
    assert not await may("without-a-second-factor"), "the site's authenticator has the last word"
    kept.publish()
    assert [await may(name) for name in ("cas", "steward", "mallory")] == [False, True, False]
    assert may_log_in(kept.settings, "jan")


async def test_no_day_is_summed_up_without_the_projects_that_are_kept(
    kept: KeptProjects, store: SessionStore, database: Path
) -> None:
    """It would be on record, for good, without what they used."""

    class Slurm:
        asked = 0

        async def accounting(self, start: float, end: float) -> Accounting:
            self.asked += 1
            return Accounting(start=start, end=end, at=end, jobs=(), below={})

    slurm, history, day = Slurm(), History(f"sqlite:///{database}"), date(2026, 3, 2)
    with pytest.raises(FabricError, match="Not all projects are known now"):
        await roll(kept.settings, slurm, store, history, days=[day])
    assert slurm.asked == 0
    kept.publish(waves=WAVES)
    assert await roll(kept.settings, slurm, store, history, days=[day]) == 1
    history.close()
