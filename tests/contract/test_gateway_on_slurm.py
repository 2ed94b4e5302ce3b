"""What can only be seen on a real Slurm: what its records hold, and what its clients' words really are."""

from __future__ import annotations

import json
import os
import re
import stat
import time
from pathlib import Path

import pytest

from fabric_hub.errors import FabricError
from fabric_hub.gateway.jobs.extend import Extender
from fabric_hub.gateway.service import Gateway
from fabric_hub.slurm.model import job_name
from fabric_hub.unix import accounts
from tests.support.embedded_run import EmbeddedRun

from .conftest import Stage, new_session

pytestmark = pytest.mark.slurm

# slurmctld ends jobs over their budget every half minute; a try takes a few seconds of one
BUDGET_TRIES = 6


@pytest.mark.parametrize("gateway", ["real"], indirect=True)
async def test_secrets_are_in_the_users_file_and_nowhere_in_slurm(gateway: Stage, embedded: EmbeddedRun) -> None:
    session = new_session()
    submitted = await gateway.client.submit(gateway.request(session))
    await gateway.until(session, lambda job: job.state == "RUNNING")
    users = embedded.settings.users
    account = accounts.resolve(gateway.user, users)
    file = Path(accounts.session_root(gateway.user, account, users)) / session / "env.json"
    status = file.stat()
    assert (stat.S_IMODE(status.st_mode), status.st_uid) == (0o600, account.uid)
    assert "a-secret-token" in file.read_text()
    told = embedded.slurm("scontrol", "show", "job", "-dd", str(submitted.job_id))
    script = embedded.slurm("scontrol", "write", "batch_script", str(submitted.job_id), "-")
    assert "a-secret-token" not in told + script
    assert "Requeue=0" in told
    while not (log := await gateway.client.log(session, gateway.user)).lines:
        await gateway.client.snapshot(fresh=time.time(), wait_s=5)
    assert f"called with: -I -m fabric_lab.launch --session-dir {file.parent}" in log.lines
    assert "token in the environment: none" in log.lines
    assert f"home: {account.home}" in log.lines


@pytest.mark.parametrize("gateway", ["real"], indirect=True)
async def test_a_refusal_is_explained_and_leaves_no_secret_behind(gateway: Stage, embedded: EmbeddedRun) -> None:
    session = new_session()
    request = gateway.request(session)
    spec = request.spec.model_copy(update={"account": "no-such-account"})
    with pytest.raises(FabricError) as refused:
        await gateway.client.submit(request.model_copy(update={"spec": spec}))
    assert (refused.value.reason, refused.value.status) == ("account", 409)
    assert "no-such-account" in refused.value.message
    users = embedded.settings.users
    account = accounts.resolve(gateway.user, users)
    assert not os.path.exists(f"{accounts.session_root(gateway.user, account, users)}/{session}/env.json")  # noqa: ASYNC240


@pytest.mark.parametrize("gateway", ["real"], indirect=True)
async def test_no_hub_makes_a_person_pay_from_another_projects_account(gateway: Stage, embedded: EmbeddedRun) -> None:
    """Slurm would take it: whoever submits there by hand may."""
    unix = accounts.resolve(gateway.user, embedded.settings.users).name
    embedded.slurm("sacctmgr", "--immediate", "--quiet", "add", "user", unix, "account=proteins")
    try:
        allowed = embedded.as_user(
            gateway.user, "sbatch", "--test-only", "--account=proteins", "--partition=cpu", "--wrap=true"
        )
        assert allowed.returncode == 0, allowed.stderr
        for account in ("proteins", None):
            request = gateway.request(new_session())
            spec = request.spec.model_copy(update={"account": account})
            with pytest.raises(FabricError) as refused:
                await gateway.client.submit(request.model_copy(update={"spec": spec}))
            assert (refused.value.reason, refused.value.status) == ("project", 403)
            assert "which pays for no open project of theirs" in refused.value.message
            assert gateway.jobs_of(await gateway.client.snapshot(fresh=time.time(), wait_s=5), request.session) == []
    finally:
        embedded.slurm("sacctmgr", "--immediate", "--quiet", "remove", "user", unix, "account=proteins")


@pytest.mark.parametrize("gateway", ["real"], indirect=True)
async def test_a_name_with_newlines_forges_nothing(gateway: Stage, embedded: EmbeddedRun) -> None:
    session = new_session()
    mine = await gateway.client.submit(gateway.request(session))
    # Slurm gives "Prolog" as the reason of a job whose node is still made ready
    before = await gateway.until(session, lambda job: job.state == "RUNNING" and not job.reason)
    forged = f"x|aaaa\n{mine.job_id}|aaaastudent1|aaaa|aaaa|aaaa|aaaaCANCELLED|aaaa"
    done = embedded.as_user(
        gateway.other, "sbatch", "--parsable", "--account=ml-course", "--partition=cpu", "--mem=100M",
        f"--job-name={forged}", "--output=/dev/null", "--wrap=sleep 60",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    number = int(done.stdout)
    snapshot, seen = None, {}
    while number not in seen:
        snapshot = await gateway.client.snapshot(after=snapshot.serial if snapshot else None, wait_s=10)
        seen = {job.job_id: job for job in snapshot.jobs}
    embedded.as_user(gateway.other, "scancel", str(number))
    assert seen[mine.job_id] == before
    assert seen[number].name == forged


@pytest.mark.parametrize("gateway", ["real"], indirect=True)
async def test_a_sessions_datasets_are_told_to_it_by_the_gateway_alone_and_stand_in_no_record_of_slurms(
    gateway: Stage, embedded: EmbeddedRun
) -> None:
    session = new_session()
    lies = {"FABRIC_DATASETS": "all", "FABRIC_DATA_DIR": "/etc", "FABRIC_NODE_SOCKET": "/tmp/mine.sock"}
    request = gateway.request(session).model_copy(
        update={"datasets": ("wind-farm", "soil"), "environment": {**lies, "FABRIC_SESSION": session}}
    )
    submitted = await gateway.client.submit(request)
    number = str(submitted.job_id)
    records = {
        "squeue": ("-h", "-j", number, "-o", "%all"),
        "scontrol": ("-dd", "show", "job", number),
        "sacct": ("-n", "-P", "-j", number, "-o", "JobID,JobName,Comment,AdminComment,SubmitLine,WorkDir"),
    }
    for program, arguments in records.items():
        said = embedded.as_user(gateway.other, program, *arguments)
        while program == "sacct" and "fabric-session" not in said.stdout:  # the database hears of a job a little later
            said = embedded.as_user(gateway.other, program, *arguments)
        assert number in said.stdout, said.stderr
        assert "wind-farm" not in said.stdout
        assert "soil" not in said.stdout
    settings = embedded.settings
    account = accounts.resolve(gateway.user, settings.users)
    file = Path(accounts.session_root(gateway.user, account, settings.users)) / session / "env.json"
    assert json.loads(file.read_text())["environment"] == {
        **settings.dataset_environment(["wind-farm", "soil"]), **settings.folder_environment, "FABRIC_SESSION": session
    }  # fmt: skip
    assert settings.catalogue
    assert settings.dataset_environment([])["FABRIC_NODE_SOCKET"] == str(settings.catalogue.node_socket)


@pytest.mark.parametrize("gateway", ["real"], indirect=True)
async def test_more_time_never_reaches_into_a_reservation_of_the_node(gateway: Stage, embedded: EmbeddedRun) -> None:
    session = new_session()
    await gateway.client.submit(gateway.request(session))
    job = await gateway.until(session, lambda job: job.state == "RUNNING")
    name = f"maint-{session}"
    embedded.slurm(
        "scontrol", "create", "reservation", f"ReservationName={name}", "StartTime=now+60minutes", "Duration=60",
        f"Nodes={job.node}", "Users=root", "Flags=MAINT",
    )  # fmt: skip
    try:
        await gateway.client.extend(gateway.more(session, job.job_id, 30))
        with pytest.raises(FabricError) as refused:
            await gateway.client.extend(gateway.more(session, job.job_id, 120))
        assert f"Node {job.node} is reserved from" in refused.value.message
        assert name in refused.value.message
        assert refused.value.status == 403
    finally:
        embedded.slurm("scontrol", "delete", f"ReservationName={name}")


@pytest.mark.parametrize("gateway", ["real"], indirect=True)
async def test_more_time_never_reaches_into_a_reservation_of_any_of_a_jobs_nodes(
    gateway: Stage, embedded: EmbeddedRun
) -> None:
    session, name = new_session(), f"maint-{new_session()}"
    done = embedded.as_user(
        gateway.user, "sbatch", "--parsable", "--account=ml-course", "--partition=gpu", "--nodes=2", "--mem=100M",
        "--time=5", f"--job-name={job_name(gateway.hub, session)}", "--output=/dev/null", "--wrap=sleep 600",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    job = await gateway.until(session, lambda job: job.state == "RUNNING")
    other = {"gpu1": "gpu2", "gpu2": "gpu1"}[job.node]
    embedded.slurm(
        "scontrol", "create", "reservation", f"ReservationName={name}", "StartTime=now+60minutes", "Duration=60",
        f"Nodes={other}", "Users=root", "Flags=MAINT",
    )  # fmt: skip
    try:
        with pytest.raises(FabricError, match=f"Node {other} is reserved from"):
            await gateway.client.extend(gateway.more(session, job.job_id, 120, partition="gpu"))
    finally:
        embedded.slurm("scontrol", "delete", f"ReservationName={name}")


@pytest.mark.parametrize("gateway", ["real"], indirect=True)
async def test_a_gateway_that_was_started_anew_knows_its_own_job_among_copies_of_it(
    gateway: Stage, embedded: EmbeddedRun
) -> None:
    session = new_session()
    mine = await gateway.client.submit(gateway.request(session))
    comment = embedded.slurm("squeue", "-h", "-j", str(mine.job_id), "-O", "Comment:200").strip()
    assert re.fullmatch(r"fabric-session=[0-9a-f]{32}", comment)
    copy = gateway.forge(session, comment)
    await gateway.until(session, lambda job: job.job_id == copy)
    assert gateway.settings
    anew = Gateway(gateway.settings)
    await anew.start()
    try:
        again = await anew.submit(gateway.request(session, again=True))
        assert (again.job_id, again.adopted) == (mine.job_id, True)
        # nor is the copy of a job that is over
        embedded.slurm("scancel", str(mine.job_id))
        await gateway.until(session, lambda job: copy == job.job_id and job.state == "RUNNING")
        last = await anew.submit(gateway.request(session, again=True, job_id=mine.job_id))
        assert not last.adopted
        assert last.job_id > copy
    finally:
        await anew.stop()


@pytest.mark.parametrize("gateway", ["real"], indirect=True)
async def test_in_its_own_reservation_a_session_may_have_more_time_until_that_ends(
    gateway: Stage, embedded: EmbeddedRun
) -> None:
    session = new_session()
    name = f"class-{session}"
    embedded.slurm(
        "scontrol", "create", "reservation", f"ReservationName={name}", "StartTime=now", "Duration=60", "Nodes=gpu2",
        f"Accounts={gateway.spec.account}",
    )  # fmt: skip
    try:
        request = gateway.request(session)
        spec = request.spec.model_copy(update={"reservation": name, "partition": "gpu"})
        await gateway.client.submit(request.model_copy(update={"spec": spec}))
        job = await gateway.until(session, lambda job: job.state == "RUNNING")
        assert (job.reservation, job.node) == (name, "gpu2")
        snapshot = await gateway.client.snapshot()
        while not snapshot.reservations:
            snapshot = await gateway.client.snapshot(after=snapshot.serial, wait_s=10)
        (reserved,) = (one for one in snapshot.reservations if one.name == name)
        assert reserved.ends_at - reserved.starts_at == 3600
        await gateway.client.extend(gateway.more(session, job.job_id, 40, partition="gpu"))
        with pytest.raises(FabricError) as refused:
            await gateway.client.extend(gateway.more(session, job.job_id, 70, partition="gpu"))
        assert f"Its reservation {name} ends at" in refused.value.message
        assert refused.value.status == 403
    finally:
        embedded.slurm("scancel", "--quiet", f"--name={job_name(gateway.hub, session)}")
        embedded.slurm("sh", "-c", f"until scontrol delete ReservationName={name}; do sleep 0.5; done")


@pytest.mark.parametrize("gateway", ["real"], indirect=True)
async def test_more_time_never_goes_beyond_the_jobs_partition(gateway: Stage, embedded: EmbeddedRun) -> None:
    session = new_session()
    await gateway.client.submit(gateway.request(session))
    job = await gateway.until(session, lambda job: job.state == "RUNNING")
    before = embedded.slurm("scontrol", "--oneliner", "show", "partition", "cpu")
    kept = re.search(r"MaxTime=(\S+)", before)
    assert kept
    embedded.slurm("scontrol", "update", "PartitionName=cpu", "MaxTime=40")
    try:
        with pytest.raises(FabricError, match="Partition cpu allows a job at most 40 minutes"):
            await gateway.client.extend(gateway.more(session, job.job_id, 41))
    finally:
        embedded.slurm("scontrol", "update", "PartitionName=cpu", f"MaxTime={kept[1]}")


async def running_in(gateway: Stage, qos: str) -> tuple[str, int]:
    """A new session whose job runs in a QOS, and the job's number."""
    session = new_session()
    request = gateway.request(session)
    spec = request.spec.model_copy(update={"qos": qos})
    submitted = await gateway.client.submit(request.model_copy(update={"spec": spec}))
    await gateway.until(session, lambda job: job.state == "RUNNING")
    return session, submitted.job_id


@pytest.mark.parametrize("gateway", ["real"], indirect=True)
async def test_more_time_never_goes_beyond_the_jobs_qos_and_budget(gateway: Stage, embedded: EmbeddedRun) -> None:
    """Slurm itself would let the gateway, an Operator, pass both."""
    name = f"q{gateway.hub}"
    change = ("sacctmgr", "--immediate", "--quiet")
    embedded.slurm(*change, "add", "qos", name, "MaxWall=30")
    embedded.slurm(*change, "modify", "account", "ml-course", "set", f"qos+={name}")
    try:
        session, job = await running_in(gateway, name)
        await gateway.fresh_limits()
        with pytest.raises(FabricError) as refused:
            await gateway.client.extend(gateway.more(session, job, 120))
        assert refused.value.message == f"QOS {name} allows a job at most 30 minutes, not 2 hours."
        assert refused.value.status == 403
        embedded.slurm(*change, "modify", "qos", name, "set", "MaxWall=-1")
        await gateway.fresh_limits()
        for _ in range(BUDGET_TRIES):
            await gateway.client.extend(gateway.more(session, job, 120))
            await gateway.until(session, lambda job: job.limit_s == 120 * 60)
            embedded.slurm(*change, "modify", "qos", name, "set", "GrpTRESMins=cpu=0")
            await gateway.fresh_limits()
            with pytest.raises(FabricError) as refused:
                await gateway.client.extend(gateway.more(session, job, 180))
            state, limit = embedded.slurm("squeue", "-h", "-t", "all", "-o", "%T %l", f"--jobs={job}").split()
            assert limit == "2:00:00"
            if refused.value.message != "The session's job does not run.":
                break
            # every half minute slurmctld ends the jobs that are over their budget: it came first
            assert state != "RUNNING", "the job runs, whatever the refusal says"
            embedded.slurm(*change, "modify", "qos", name, "set", "GrpTRESMins=cpu=-1")
            await gateway.fresh_limits()
            session, job = await running_in(gateway, name)
        assert refused.value.message.startswith(f"The budget of QOS {name} has run out"), refused.value.message
    finally:
        embedded.slurm("scancel", "--quiet", f"--qos={name}")
        left = f"squeue -h -o %i --qos={name}"
        embedded.slurm("timeout", "50", "sh", "-c", f'until [ -z "$({left})" ]; do sleep 0.2; done')
        embedded.slurm(*change, "delete", "qos", name)


@pytest.mark.root
@pytest.mark.parametrize("gateway", ["real"], indirect=True)
async def test_a_plain_slurm_gives_its_users_no_more_time_and_that_is_said(
    gateway: Stage, embedded: EmbeddedRun
) -> None:
    session = new_session()
    await gateway.client.submit(gateway.request(session))
    job = await gateway.until(session, lambda job: job.state == "RUNNING")
    settings = embedded.settings
    assert settings.slurm is not None
    account = accounts.resolve(gateway.user, settings.users)
    extender = Extender(settings.slurm.model_copy(update={"extend": "as-user"}), 20.0)
    limits, snapshot = await gateway.client.limits(), await gateway.client.snapshot()
    with pytest.raises(FabricError, match="does not let a running job have more time") as refused:
        await extender.extend(job, job.node, account, 30, limits, snapshot)
    assert refused.value.status == 403
