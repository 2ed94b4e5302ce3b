"""What a real sbatch makes of a submission: the site's own words around it, and what its job inherits."""

from __future__ import annotations

import contextlib
import resource
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fabric_hub.errors import FabricError
from fabric_hub.gateway.jobs import script
from fabric_hub.slurm.model import JobSpec
from fabric_hub.slurm.unavailable import SlurmUnavailableError
from tests.support.embedded_run import EmbeddedRun
from tests.support.waiting import until

from .conftest import Stage, new_session

pytestmark = pytest.mark.slurm

URL = "https://ai.example.org/report"
LUA = Path("/usr/lib/x86_64-linux-gnu/slurm-wlm/job_submit_lua.so")


@contextlib.contextmanager
def job_submit_lua(run: EmbeddedRun, body: str) -> Iterator[None]:
    """The cluster asks a site's script about every job."""
    script = run.directory / "etc" / "job_submit.lua"
    script.write_text(
        f"function slurm_job_submit(job, parts, uid)\n{body}\nend\n"
        "function slurm_job_modify(job, record, parts, uid)\n  return slurm.SUCCESS\nend\n"
    )
    try:
        with run.while_in_slurm("JobSubmitPlugins=lua"):
            yield
    finally:
        script.unlink()


@pytest.mark.skipif(not LUA.exists(), reason="Slurm's lua plugin is not installed")
@pytest.mark.parametrize("gateway", ["real"], indirect=True)
@pytest.mark.parametrize(
    ("sentence", "code", "reason"),
    [
        (f"Project is suspended: the yearly report is overdue, see {URL}", "slurm.ESLURM_INVALID_ACCOUNT", "account"),
        (f"Your credentials for this project expired: renew at {URL}", "slurm.ERROR", "refused"),
    ],
)
async def test_what_job_submit_lua_says_is_told_and_is_no_outage(
    gateway: Stage, embedded: EmbeddedRun, sentence: str, code: str, reason: str
) -> None:
    with job_submit_lua(embedded, f'  slurm.log_user("{sentence}")\n  return {code}'):
        with pytest.raises(FabricError) as refused:
            await gateway.client.submit(gateway.request(new_session()))
    assert not isinstance(refused.value, SlurmUnavailableError)
    assert (refused.value.reason, refused.value.status) == (reason, 409)
    assert sentence in refused.value.message


@pytest.mark.skipif(not LUA.exists(), reason="Slurm's lua plugin is not installed")
@pytest.mark.parametrize("gateway", ["real"], indirect=True)
async def test_what_job_submit_lua_says_to_a_success_is_told_too(gateway: Stage, embedded: EmbeddedRun) -> None:
    said = f"Your allocation ends on Friday, see {URL}"
    with job_submit_lua(embedded, f'  slurm.log_user("{said}")\n  return slurm.SUCCESS'):
        submitted = await gateway.client.submit(gateway.request(new_session()))
    assert submitted.words == said


@pytest.mark.parametrize("gateway", ["real"], indirect=True)
@pytest.mark.parametrize(("before", "after"), [("echo '12 nodes are back'", ""), ("", "echo '12 nodes are back'")])
async def test_an_sbatch_that_prints_before_or_after_the_job_id_submits(
    gateway: Stage, embedded: EmbeddedRun, before: str, after: str
) -> None:
    sbatch = embedded.directory / "contract" / "bin" / "sbatch"
    real = sbatch.readlink()
    sbatch.unlink()
    try:
        sbatch.write_text(f'#!/bin/sh\n{before}\n{real} "$@" || exit\n{after}\n')
        sbatch.chmod(0o755)
        submitted = await gateway.client.submit(gateway.request(new_session()))
    finally:
        sbatch.unlink()
        sbatch.symlink_to(real)
    assert submitted.words == "12 nodes are back"
    assert embedded.slurm("squeue", "-h", "-j", str(submitted.job_id), "-o", "%i") == str(submitted.job_id)


def test_a_prologue_that_fails_ends_the_job_with_its_status_and_says_where_in_the_log(embedded: EmbeddedRun) -> None:
    log = embedded.home("student1") / "prologue.log"
    text = script.script(
        JobSpec(), session="s", directory="/d", python=Path("/bin/true"), prologue="echo before\nmodul load cuda"
    )
    done = embedded.as_user(
        "student1", "sbatch", "--parsable", "--wait", "--account=ml-course", "--partition=cpu", "--mem=100M",
        f"--output={log}", input=text,
    )  # fmt: skip
    assert done.returncode == script.PROLOGUE_FAILED, done.stderr
    said = log.read_text()
    assert "before" in said
    assert f"{script.PROLOGUE_WORDS} with status 127, at: modul load cuda\n" in said

    def over() -> str | None:
        """What Slurm says of the job, once its node has cleaned up after it: ``--wait`` does not wait for that."""
        told = embedded.slurm("scontrol", "show", "job", done.stdout.strip())
        return None if "JobState=COMPLETING" in told else told

    told = until(over, "the job is over")
    assert "JobState=FAILED" in told
    assert f"ExitCode={script.PROLOGUE_FAILED}:0" in told


@pytest.mark.parametrize("gateway", ["real"], indirect=True)
async def test_a_session_has_the_umask_of_the_site_and_the_limits_of_the_node(
    gateway: Stage, embedded: EmbeddedRun
) -> None:
    python = embedded.directory / "contract" / "images" / "base" / "current" / "bin" / "python"
    before = python.read_text()
    python.write_text("#!/bin/bash\necho umask $(umask), $(ulimit -Sn) files\nexec sleep 600\n")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        # the gateway of this stage runs in this process
        resource.setrlimit(resource.RLIMIT_NOFILE, (1000, hard))
        session = new_session()
        await gateway.client.submit(gateway.request(session))
        await gateway.until(session, lambda job: job.state == "RUNNING")
        while not (log := await gateway.client.log(session, gateway.user)).lines:
            await gateway.client.snapshot(fresh=time.time(), wait_s=5)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        python.write_text(before)
    node, _ = resource.prlimit(embedded.pid("slurmd-cpu1"), resource.RLIMIT_NOFILE)
    assert log.lines == (f"umask 0022, {node} files",)
