"""Names are the same when Slurm, or JupyterHub, says so: however the site's file writes them."""

from __future__ import annotations

import tomllib
from datetime import date, datetime
from itertools import islice
from pathlib import Path

import pytest

from fabric_hub.budgets.balance import balance
from fabric_hub.budgets.history import summed
from fabric_hub.cli import doctor, main
from fabric_hub.config.settings import Settings, parse
from fabric_hub.config.spelling import differing
from fabric_hub.gateway import request_policy as permits
from fabric_hub.gateway.queries import sacctmgr, scontrol
from fabric_hub.launch import choice as policy
from fabric_hub.launch.options import parse_options
from fabric_hub.slurm.accounting import PastJob
from fabric_hub.slurm.limits.check import decide
from fabric_hub.slurm.limits.model import GPU, Association, Limit, Limits, PartitionLimits, Qos
from fabric_hub.slurm.limits.request import JobRequest
from fabric_hub.slurm.model import Job, JobSpec, SubmitRequest
from fabric_node.grants import same_account
from tests.support.builders import NOW, a_session, site_text

PEOPLE = "[project.fold]\naccount = 'Proteins'\nmembers = { member = ['Anna.Smith@Example.org'] }\n"
QUICK = "[profile.quick]\npartition = 'gpu'\nqos = 'High'\n"


def limits(account: str = "proteins", qos: str = "high") -> Limits:
    return Limits(
        at=NOW,
        associations=(
            Association(account=account, parent="root", grp_tres_mins={GPU: Limit(limit=6000, used=600)}),
            Association(account=account, user="anna", parent=account, qos=("normal", qos), default_qos="normal"),
        ),
        qos=(Qos(name="normal"), Qos(name=qos)),
        partitions=(PartitionLimits(name="gpu", allow_accounts=(account,), allow_qos=(qos,)),),
    )


@pytest.fixture
def site(tmp_path: Path) -> Settings:
    return parse(site_text(tmp_path, PEOPLE + QUICK))


@pytest.mark.parametrize("known", [limits(), limits("Proteins", "HIGH")], ids=["sacctmgr", "slurmrestd"])
def test_a_qos_and_an_account_in_another_case_are_the_ones_that_slurm_has(site: Settings, known: Limits) -> None:
    spec = JobSpec(partition="gpu", account=site.project["fold"].account, qos=site.profile["quick"].qos, minutes=5)
    assert (spec.account, spec.qos) == ("proteins", "high")
    assert not decide(known, None, JobRequest.of(spec, "anna"), NOW).refused
    left = balance(known, None, site.project["fold"].account, now=NOW)
    assert left is not None
    assert (left.limit, left.left) == (100.0, 90.0)


def test_slurms_answers_are_read_in_one_case_whoever_made_the_names() -> None:
    line = "ClusterName=c Account=Proteins UserName= Partition= ParentAccount=root(1) GrpJobs=N(0) DefQOS="
    own = "ClusterName=c Account=Proteins UserName=anna(1000) Partition= ParentAccount= GrpJobs=N(0)"
    text = f"Association Records\n\n{line}\n{own}\n\nQOS Records\n\nQOS=High(7)\n    GrpJobs=N(0)\n"
    found = sacctmgr.with_rights(
        Limits(associations=(Association(account="Proteins", user="anna", parent="Proteins"),)),
        "Proteins|anna||High,normal|Normal\n",
    )
    (rights,) = found.associations
    assert (rights.account, rights.qos, rights.default_qos) == ("proteins", ("high", "normal"), "normal")
    accounts, qos = scontrol.associations(text)
    assert {one.account for one in accounts} == {"proteins"}
    assert [one.name for one in qos] == ["high"]
    assert Job(job_id=1, name="n", user="anna", account="Proteins", qos="High", state="RUNNING").account == "proteins"


def test_hours_of_an_account_in_another_case_are_its_projects(site: Settings) -> None:
    start = NOW - 3600
    job = PastJob(
        job_id=7, user="anna", account="PROTEINS", state="COMPLETED", started_at=start, ended_at=NOW, gpus=2,
        name="fabric-main-abcdefgh2345",
    )  # fmt: skip
    session = a_session(id="abcdefgh2345", user="anna", project="fold", account="Proteins")
    rows = summed(site, [job], {session.id: session}, datetime.fromtimestamp(start).astimezone().date(), NOW)
    assert [(row.project, row.account) for row in rows] == [("fold", "proteins")]


def test_people_are_members_under_the_name_that_jupyterhub_gives_them(site: Settings) -> None:
    user = "anna.smith@example.org"
    assert user in site.project["fold"].members
    choice = policy.choose(site, user, parse_options({"project": "fold", "profile": "cpu"}), date(2026, 1, 1))
    assert choice.account == "proteins"
    spec = JobSpec(account=choice.account)
    request = SubmitRequest(session="abcdefgh2345", user=user, image="base", spec=spec)
    permits.check_submission(site, request, date(2026, 1, 1))


def test_where_the_authenticator_keeps_the_case_two_spellings_are_two_people(tmp_path: Path) -> None:
    text = site_text(tmp_path, f"[login]\nkeep_case = true\n{PEOPLE}").replace("[login]\nkind = 'site'\n", "")
    members = parse(text).project["fold"].members
    assert "Anna.Smith@Example.org" in members
    assert "anna.smith@example.org" not in members


def test_administrators_too(tmp_path: Path) -> None:
    assert parse(site_text(tmp_path, "[login]\nadmins = ['Root.Operator']\n")).login.admins == ("root.operator",)


def test_stewards_too_and_it_is_said(tmp_path: Path) -> None:
    text = site_text(tmp_path, "[catalogue.stewards]\n'*' = ['Ruth.Steward']\n")
    catalogue = parse(text).catalogue
    assert catalogue
    assert catalogue.stewards == {"*": ("ruth.steward",)}
    assert [one.key for one in differing(tomllib.loads(text))] == ["catalogue.stewards.*"]


def test_a_partition_keeps_its_case_as_in_slurm(tmp_path: Path) -> None:
    assert parse(site_text(tmp_path, "[profile.q]\npartition = 'GPU'\n")).profile["q"].partition == "GPU"


def test_a_node_takes_an_account_for_the_same_in_any_case() -> None:
    assert same_account("Proteins", "proteins")
    assert not same_account("proteins", "protein")


def test_doctor_notes_the_same(tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    site.write_text(site_text(tmp_path, PEOPLE + QUICK))
    notes = [str(found.about) for found in islice(doctor.of_site(site), 4) if found.state == "NOTE"]
    assert 'profile.quick.qos: "High" is read as "high", as Slurm keeps it' in notes


def test_check_config_says_what_is_read_in_another_way_than_it_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = tmp_path / "site.toml"
    site.write_text(site_text(tmp_path, PEOPLE + QUICK))
    assert main(["check-config", "--site", str(site)]) == 0
    said = capsys.readouterr().out
    assert 'profile.quick.qos: "High" is read as "high", as Slurm keeps it.' in said
    assert 'project.fold.account: "Proteins" is read as "proteins", as Slurm keeps it.' in said
    assert '"Anna.Smith@Example.org" is read as "anna.smith@example.org", as JupyterHub writes it' in said
    number = 1 + site.read_text().split("\n").index("account = 'Proteins'")
    assert f"site.toml:{number}: project.fold.account" in said
