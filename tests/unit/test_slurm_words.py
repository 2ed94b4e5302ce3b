"""Every refusal, wait and end is told in words that say what to do."""

from __future__ import annotations

import pytest

from fabric_hub.clock import clock
from fabric_hub.errors import SlurmUnavailableError
from fabric_hub.model import Job, JobSpec, Reservation, Snapshot
from fabric_hub.slurm import reasons, refusals

from .builders import NOW, a_job

SPEC = JobSpec(partition="gpu", account="lab", gres=("gpu:h200:2",), minutes=90, memory_mb=9000)


@pytest.mark.parametrize(
    ("said", "reason", "told"),
    [
        ("Invalid account or account/partition combination specified", "account", "account lab"),
        ("invalid partition specified: nope", "partition", "Partition gpu"),
        ("Requested time limit is invalid (missing or exceeds some limit)", "time-limit", "1:30 h"),
        ("Requested node configuration is not available", "too-large", "gpu:h200:2"),
        ("Memory specification can not be satisfied", "memory", "9000 MiB"),
        ("Invalid qos specification", "qos", "lab"),
        ("Requested reservation is invalid", "reservation", "Reservation"),
        ("Invalid feature specification", "constraint", "gpu"),
        ("Invalid generic resource (gres) specification", "gres", "gpu:h200:2"),
        ("Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)", "limit", "lab"),
        ("QOSMaxSubmitJobPerUserLimit", "submit-limit", "lab"),
        ("QOSMaxGRESPerUser", "limit", "QOSMaxGRESPerUser"),
        ("AssocGrpGRESMinutes", "limit", "AssocGrpGRESMinutes"),
        ("Slurm temporarily unable to accept job: Resource temporarily unavailable", "queue-full", "full"),
        ("A shark ate the cable", "refused", "A shark ate the cable"),
    ],
)
def test_sbatchs_refusals_are_explained(said: str, reason: str, told: str) -> None:
    error = refusals.refused(f"sbatch: error: Batch job submission failed: {said}", SPEC)
    assert (error.reason, error.status) == (reason, 409)
    assert told in error.message
    assert error.hint


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Batch job submission failed: Unable to contact slurm controller (connect failure)", "slurmctld"),
        ("slurm_load_jobs error: Zero Bytes were transmitted or received", "slurmctld"),
        ("Munge encode failed: Failed to access /run/munge/munge.socket.2", "munge"),
        ("slurm_load_jobs error: Protocol authentication error", "munge"),
    ],
)
def test_silence_is_never_taken_for_a_refusal(said: str, told: str) -> None:
    error = refusals.refused(said, SPEC)
    assert isinstance(error, SlurmUnavailableError)
    assert told in error.message


def pending(reason: str) -> Job:
    return Job(
        job_id=5, name="n", user="anna", account="lab", partition="gpu", qos="high", state="PENDING", reason=reason
    )


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("Priority", "Other jobs are before it in the queue."),
        ("Resources", "next in line"),
        ("QOSMaxGRESPerUser", "more GPUs at a time than allowed for you under the QOS high"),
        ("AssocGrpGRESMinutes", "The GPU hours of account lab are used up"),
        ("AssocGrpCPUMinutesLimit", "The CPU hours of account lab are used up"),
        ("AssocGrpGRES", "All GPUs that account lab may use at a time are in use"),
        ("AssocMaxJobsLimit", "more jobs at a time than allowed for you under account lab"),
        ("QOSMaxWallDurationPerJobLimit", "more running time than the QOS high allows one job"),
        ("QOSMinGRES", "fewer GPUs"),
        ("ReqNodeNotAvail, UnavailableNodes:gpu1", "maintenance"),
        ("PartitionTimeLimit", "more time than partition gpu allows"),
        ("JobHeldUser", "scontrol release 5"),
        ("JobHeldAdmin", "operators"),
        ("Dependency", "another job"),
        ("BeginTime", "later"),
        ("Reservation", "reservation"),
        ("SomethingNew{0}", "SomethingNew0"),
    ],
)
def test_a_waiting_job_says_what_it_waits_for(reason: str, told: str) -> None:
    assert told in reasons.explain(pending(reason))


def test_a_job_that_waits_for_its_reservation_says_when_that_begins() -> None:
    job = pending("Reservation").model_copy(update={"reservation": "monday {job_id}"})
    monday = Reservation(name=job.reservation, starts_at=NOW + 3600, ends_at=NOW + 7200, nodes="gpu1")
    told = reasons.explain(job, Snapshot(now=NOW, reservations=(monday,)))
    assert told == f"It waits for its reservation monday job_id, which begins at {clock(NOW + 3600)}."
    for unknown in (None, Snapshot(now=NOW), Snapshot(now=NOW + 3601, reservations=(monday,))):
        assert reasons.explain(job, unknown) == "It waits for its reservation to begin."


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("TIMEOUT", "time limit (1 h 30 min)"), ("OUT_OF_MEMORY", "more memory"), ("NODE_FAIL", "gpu1 broke down"),
        ("PREEMPTED", "higher right"), ("CANCELLED", "stopped"), ("FAILED", "exit code 3"), ("BOOT_FAIL", "gpu1"),
        ("DEADLINE", "deadline"), ("LAUNCH_FAILED", "gpu1"), ("COMPLETED", "by itself"), ("RUNNING", "gpu1"),
        ("COMPLETING", "cleaned up"), ("SUSPENDED", "goes on"), ("BRAND_NEW", "BRAND_NEW"),
    ],
)  # fmt: skip
def test_a_job_that_started_says_how_it_fares(state: str, told: str) -> None:
    job = Job(job_id=5, name="n", user="anna", node="gpu1", state=state, limit_s=5400, exit_status=3)
    assert told in reasons.explain(job)


@pytest.mark.parametrize(
    ("ran_s", "reservation", "told"),
    [
        (205, "course", "ended with its reservation, before its time limit (1 h 00 min)"),
        (205, "", "before its time limit (1 h 00 min): most likely a budget of phys is used up"),
        (3601, "course", "reached its time limit"),
        (3601, "", "reached its time limit"),
    ],
)
def test_a_session_that_slurm_ended_with_its_reservation_or_a_budget_says_so(
    ran_s: float, reservation: str, told: str
) -> None:
    ended = {"state": "TIMEOUT", "reason": "TimeLimit", "started_at": NOW, "ends_at": NOW + ran_s, "limit_s": 3600}
    assert told in reasons.explain(a_job(**ended, reservation=reservation, account="phys"))


def test_a_signal_is_named() -> None:
    job = Job(job_id=5, name="n", user="anna", state="FAILED", exit_signal=9)
    assert "SIGKILL" in reasons.explain(job)


def test_a_job_that_slurm_refused_after_taking_it_says_so() -> None:
    job = Job(job_id=5, name="n", user="anna", state="FAILED", reason="BadConstraints", exit_signal=1)
    assert "no node has all" in reasons.explain(job)
