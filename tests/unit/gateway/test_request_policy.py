"""What a hub that somebody has taken over still cannot ask of the gateway."""

from __future__ import annotations

from datetime import date
from functools import partial

import pytest

from fabric_hub.config.catalogue import CatalogueSettings
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.gateway.request_policy import check_account, check_person, check_spec
from fabric_hub.gateway.request_policy import check_submission as check_on_a_day
from fabric_hub.slurm.model import JobSpec, SessionFile, SubmitRequest
from tests.support.builders import a_job

SITE = Settings.model_validate(
    {
        "hub": {"state_dir": "/var/lib/hub"},
        "images": {"dir": "/images"},
        "gateway": {"environment_from_hub": ["https_proxy"]},
        "project": {
            "twin": {"account": "twin", "members": {"owner": ["ann"], "member": ["bob"]}},
            "other": {"account": "other", "members": {"owner": ["eve"], "visitor": ["ann"]}},
            "past": {"account": "past", "members": {"owner": ["ann"]}, "end": "2026-03-01"},
            "paused": {"account": "halted", "members": {"owner": ["ann"]}, "paused": "unpaid"},
        },
    }
)
TODAY = date(2026, 3, 2)
check_submission = partial(check_on_a_day, today=TODAY)


def request(
    user: str = "ann",
    environment: dict[str, str] | None = None,
    file: str = "ssl.key",
    account: str | None = "twin",
) -> SubmitRequest:
    return SubmitRequest(
        session="a" * 12,
        user=user,
        image="base",
        spec=JobSpec(account=account),
        environment=environment or {},
        files=(SessionFile(name=file, content="x"),),
    )


def test_nobodys_session_runs_as_the_account_that_owns_a_projects_folder() -> None:
    project = SITE.project["twin"].model_copy(update={"service_account": "p-twin"})
    site = SITE.model_copy(update={"project": {"twin": project}})
    check_account(site, "ann")
    with pytest.raises(
        FabricError, match="The account p-twin is nobody's: it owns a project's folder, or is lent"
    ) as refused:
        check_account(site, "p-twin")
    assert refused.value.status == 403


def test_nobodys_session_runs_as_an_account_that_is_lent() -> None:
    pools = {"guests": {"purpose": "guest", "accounts": ["guest1"]}}
    site = SITE.model_copy(
        update={"catalogue": CatalogueSettings.model_validate({"data_dir": "/data", "pools": pools})}
    )
    check_account(site, "ann")
    with pytest.raises(FabricError, match="The account guest1 is nobody's"):
        check_account(site, "guest1")


@pytest.mark.parametrize("user", ["ann", "bob"])
def test_members_of_a_project_may_have_sessions(user: str) -> None:
    environment = {"JUPYTERHUB_API_TOKEN": "t", "FABRIC_SESSION": "s", "JPY_API_TOKEN": "t", "https_proxy": "p"}
    check_submission(SITE, request(user, environment))


@pytest.mark.parametrize("user", ["nobody", "operator", "carol", "root"])
def test_an_account_that_is_no_member_is_never_used(user: str) -> None:
    with pytest.raises(FabricError, match="isn't in a project yet") as refused:
        check_submission(SITE, request(user))
    assert refused.value.status == 403


@pytest.mark.parametrize("account", ["other", "past", "halted", "root", None])
def test_a_session_is_paid_by_an_open_project_of_its_person_and_by_nothing_else(account: str | None) -> None:
    with pytest.raises(FabricError) as refused:
        check_submission(SITE, request(account=account))
    assert (refused.value.status, refused.value.reason) == (403, "project")
    assert refused.value.message == (
        f"The hub asks for a session of ann in account {account or '(none)'}, which pays for no open project of theirs."
    )
    assert refused.value.hint.startswith("The accounts of their open projects: twin.")
    check_on_a_day(SITE, request(account="past"), date(2026, 3, 1))
    check_submission(SITE, request(account="TWIN"))  # Slurm compares names without case
    check_submission(SITE.model_copy(update={"project": {}}), request(account=account))


THEIRS = "abcdefghijkl"


@pytest.mark.parametrize("user", ["nobody", "operator", "carol", "root"])
def test_nothing_is_done_as_somebody_who_is_in_no_project(user: str) -> None:
    forged = a_job(user=user, account="their-own")
    others = a_job(user="bob", account="twin")
    for session, jobs in (("", ()), (THEIRS, ()), (THEIRS, (forged, others)), ("aaaaaaaaaaaa", (forged, others))):
        with pytest.raises(FabricError, match="isn't in a project yet") as refused:
            check_person(SITE, user, session, jobs)
        assert refused.value.status == 403
    check_person(SITE, "bob", THEIRS, ())


def test_the_session_of_somebody_who_left_can_be_ended_and_cleared_away() -> None:
    for name in (f"fabric-main-{THEIRS}", f"fabric-main-{THEIRS}-dask-one"):
        paid = a_job(user="carol", account="twin", name=name, state="COMPLETED")
        check_person(SITE, "carol", THEIRS, (paid,))
        with pytest.raises(FabricError, match="isn't in a project yet"):
            check_person(SITE, "carol", "aaaaaaaaaaaa", (paid,))


def test_a_site_without_projects_has_no_strangers() -> None:
    check_person(SITE.model_copy(update={"project": {}}), "carol")


@pytest.mark.parametrize("name", ["JUPYTER_CONFIG_DIR", "LD_PRELOAD", "PYTHONPATH", "BASH_ENV", "PATH", "HOME"])
def test_no_variable_chooses_what_a_session_runs(name: str) -> None:
    with pytest.raises(FabricError, match=name) as refused:
        check_submission(SITE, request(environment={name: "secret-value"}))
    assert "secret-value" not in refused.value.text
    assert refused.value.message == f"The hub sends the variables {name}, which the gateway does not pass on."


def test_no_file_but_a_certificate_goes_along() -> None:
    with pytest.raises(FabricError, match=r"The hub sends the files jupyter_server_config\.py; a session's are "):
        check_submission(SITE, request(file="jupyter_server_config.py"))


def test_a_site_without_datasets_is_asked_for_none() -> None:
    asked = request().model_copy(update={"datasets": ("wind-farm",)})
    with pytest.raises(FabricError, match="The hub asks for datasets, but the gateway's site file has no") as refused:
        check_submission(SITE, asked)
    assert refused.value.status == 403
    assert refused.value.message == (
        "The hub asks for datasets, but the gateway's site file has no [catalogue] section."
    )
    check_submission(SITE.model_copy(update={"catalogue": CatalogueSettings()}), asked)


def test_another_cluster_and_text_for_scripts_are_refused_by_their_reason() -> None:
    with pytest.raises(FabricError, match="This gateway watches one cluster and cannot follow jobs on cluster north"):
        check_spec(SITE, JobSpec(cluster="north"))
    with pytest.raises(
        FabricError, match="The gateway does not take req_prologue, req_epilogue from the hub"
    ) as refused:
        check_spec(SITE, JobSpec(prologue="a", epilogue="b"))
    assert "gateway.script_text_from_hub = true" in refused.value.hint
    allowed = SITE.gateway.model_copy(update={"script_text_from_hub": True})
    check_spec(SITE.model_copy(update={"gateway": allowed}), JobSpec(prologue="a"))
