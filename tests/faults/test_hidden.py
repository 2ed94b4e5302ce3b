"""Slurm hides the sessions' jobs from the gateway: they go on, and it is said which right is missing."""

from __future__ import annotations

import pytest

from tests.support.broken_site import SOON_S, BrokenSite
from tests.support.embedded_run import fabric_hub
from tests.support.person import words
from tests.support.waiting import until

pytestmark = [pytest.mark.slurm, pytest.mark.hub, pytest.mark.root, pytest.mark.timeout(400)]

SMALL = {"project": "proteins", "profile": "small", "image": "tiny"}


def test_sessions_that_private_data_hides_go_on_also_through_restarts(site: BrokenSite) -> None:
    runs, waits, starts = site.person("researcher"), site.person("staff"), site.person("student1")
    runs.start("", **SMALL)
    runs.until_ready()
    site.run.slurm("scontrol", "update", "PartitionName=gpu", "State=DOWN")
    site.hands.submit(waits.start, "", project="bakery", profile="gpu-1", image="tiny")
    running, waiting = site.session_of(runs), site.session_of(waits)
    gateway = site.run.unix_name("gateway")
    with site.run.while_in_slurm("PrivateData=jobs"):
        assert site.run.as_user("gateway", "squeue", "-h").stdout == "", "an answer, complete and empty"
        said = f"PrivateData=jobs, and the gateway's account {gateway} is no Operator in Slurm"
        until(lambda: said in words(runs.log_in().browser.get("/hub/home")), "the page says why", 2 * SOON_S)
        doctor = fabric_hub("doctor", "--dir", str(site.run.directory)).stdout
        assert f"PrivateData=jobs, and {gateway} is no Operator in Slurm" in doctor
        site.kill()
        site.kill_gateway()
        site.up()
        runs.until_ready()
        starts.start("", project="ml-course", profile="small", image="tiny")
        starts.until_ready()
        assert runs.start("", **SMALL).status_code == 400, "the hub polls, and it still runs"
        hidden = site.session_of(starts)
        site.run.slurm("scancel", str(hidden.job_id))
        until(lambda: site.session(hidden.id).ended_at, "an end is seen all the same, by the owner's word", 60)
        assert site.session(hidden.id).end_reason == "cancelled"
        site.run.slurm("scontrol", "update", "PartitionName=gpu", "State=UP")
        waits.until_ready()
    assert site.session(running.id).live
    assert site.session_of(waits).id == waiting.id
    until(lambda: said not in words(runs.browser.get("/hub/home")), "that they are shown again is told", 2 * SOON_S)
    assert site.jobs_of(running) == [running.job_id], "submitted once"
    assert site.state_of(running.job_id) == "RUNNING"
