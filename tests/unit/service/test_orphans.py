"""Which jobs nobody owns, so that they are ended, and which are left alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from fabric_hub.config.settings import Settings, parse
from fabric_hub.service.tasks.strays import GRACE_S, orphans
from fabric_hub.sessions.store import Session
from fabric_hub.slurm.model import Job
from fabric_hub.types import HubUser
from tests.support.builders import NOW, SESSION, a_job, a_session, a_site, site_text


def ended(site: Settings, job: Job, *known: Session, now: float = NOW) -> list[str]:
    return [orphan.user for orphan in orphans(site, (job,), {session.id: session for session in known}, now)]


def test_a_live_sessions_job_is_left_alone(site: Settings) -> None:
    assert ended(site, a_job(), a_session()) == []


def test_a_job_whose_session_was_never_on_record_is_ended(site: Settings) -> None:
    assert ended(site, a_job()) == ["jan"]


def test_a_session_that_is_over_has_a_grace_for_its_own_cancel(site: Settings) -> None:
    over = a_session(ended_at=NOW)
    assert ended(site, a_job(), over, now=NOW + GRACE_S) == []
    assert ended(site, a_job(), over, now=NOW + GRACE_S + 0.1) == ["jan"]


def test_the_workers_of_a_sessions_dask_cluster_end_after_the_session(site: Settings) -> None:
    workers = a_job(name=f"fabric-main-{SESSION}-dask-one", state="PENDING", array_id=7, array_tasks="0-7")
    assert ended(site, workers, a_session()) == []
    assert ended(site, workers, a_session(ended_at=NOW), now=NOW + GRACE_S + 0.1) == ["jan"]
    assert ended(site, workers) == ["jan"]


@pytest.mark.parametrize(
    "job",
    [
        a_job(name="bash"),
        a_job(name=f"fabric-main-{SESSION}-dask-"),
        a_job(name=f"fabric-other-{SESSION}"),
        a_job(state="COMPLETED"),
        a_job(state="COMPLETING"),
    ],
)
def test_jobs_of_others_and_jobs_that_are_over_are_left_alone(site: Settings, job: Job) -> None:
    assert ended(site, job) == []


def test_a_job_that_another_account_gave_a_sessions_name_is_not_the_sessions(site: Settings) -> None:
    assert ended(site, a_job(user="mallory"), a_session(ended_at=1.0)) == []


def test_accounts_of_no_hub_user_are_left_alone(tmp_path: Path) -> None:
    site = parse(site_text(tmp_path, '[users]\nunix_name = "demo-{user}"\n'))
    assert ended(site, a_job(user="demo-jan")) == ["jan"]
    assert ended(site, a_job(user="root")) == []
    assert ended(site, a_job(user="demo-x\\y")) == []


def test_a_forged_name_of_somebody_in_no_project_is_left_alone(site: Settings) -> None:
    assert ended(site, a_job(user="mallory")) == []
    assert ended(site, a_job(user="left", account="phys")) == ["left"], "a project pays for it"


def test_where_everybody_shares_an_account_the_sessions_name_alone_decides(tmp_path: Path) -> None:
    site = parse(site_text(tmp_path, "[users]\nshared_account = true\n"))
    assert ended(site, a_job(user="fabric")) == ["orphan"]
    assert ended(site, a_job(user="fabric"), a_session()) == []


@given(user=st.text(max_size=70), name=st.just(f"fabric-main-{SESSION}") | st.text(max_size=40))
def test_whatever_an_account_or_a_job_is_called_only_hub_users_are_named(user: str, name: str) -> None:
    for orphan in orphans(a_site(Path("/srv")), (a_job(user=user, name=name),), {}, NOW):
        TypeAdapter(HubUser).validate_python(orphan.user)
