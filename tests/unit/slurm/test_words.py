"""Every refusal, wait and end is told in words that say what to do."""

from __future__ import annotations

import pytest

from fabric_hub.errors import SlurmUnavailableError
from fabric_hub.gateway import refusals
from fabric_hub.messages.formats import clock
from fabric_hub.slurm import reasons
from fabric_hub.slurm.model import Job, JobSpec, Reservation, Snapshot
from tests.support.builders import NOW, a_job

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


URL = "https://ai.example.org/report"


@pytest.mark.parametrize(
    ("site", "last", "reason", "told"),
    [
        (f"Project is suspended: the report is overdue, see {URL}",
         "Invalid account or account/partition combination specified", "account", "account lab"),
        (f"Your credentials for this project expired: renew at {URL}", "Unspecified error", "refused", "credentials"),
        (f"slurmdbd and munge: authentication error? See {URL}", "Unspecified error", "refused", "munge"),
        (f"Connection refused by policy, see {URL}", "Requested time limit is invalid", "time-limit", "1:30 h"),
        (f"queue is full of interactive jobs, see {URL}", "Invalid qos specification", "qos", "QOS"),
    ],
)  # fmt: skip
def test_a_sites_own_sentence_is_told_and_taken_for_nothing_else(site: str, last: str, reason: str, told: str) -> None:
    said = (
        f"sbatch: error: {site}\nsbatch: error: Batch job submission failed: {last}\nmodule: cluster news at /etc/motd"
    )
    error = refusals.refused(said, SPEC)
    assert not isinstance(error, SlurmUnavailableError)
    assert (error.reason, error.status) == (reason, 409)
    assert told in error.message
    assert site in error.message
    assert "cluster news" in error.message


def test_of_several_lines_only_the_clients_own_last_one_says_that_slurm_is_silent() -> None:
    munge = (
        "sbatch: error: If munged is up, restart with --num-threads=10\n"
        "sbatch: error: Munge encode failed: Failed to access /run/munge/munge.socket.2: No such file or directory\n"
        "sbatch: error: slurm_send_node_msg: auth_g_create: REQUEST_SUBMIT_BATCH_JOB has authentication error\n"
        "sbatch: error: Batch job submission failed: Protocol authentication error\n"
        "Note: jobs of more than 8 hours wait longer\n"
    )
    error = refusals.refused(munge, SPEC)
    assert isinstance(error, SlurmUnavailableError)
    assert "munge does not answer" in error.message
    assert error.message.endswith("The cluster says: Note: jobs of more than 8 hours wait longer")


def test_slurmctlds_word_before_sbatchs_own_says_which_limit_it_is() -> None:
    said = (
        "sbatch: error: QOSMaxSubmitJobPerUserLimit\nsbatch: error: Batch job submission failed: "
        "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)"
    )
    error = refusals.refused(said, SPEC)
    assert error.reason == "submit-limit"
    assert "(QOSMaxSubmitJobPerUserLimit)" in error.message
    assert "The cluster says" not in error.message


@pytest.mark.parametrize(
    ("out", "words", "expected"),
    [
        ("4711", "", (4711, "")),
        ("4711;north", "", (4711, "")),
        ("Dear user, 12 jobs of yours wait\n12\n4711", "", (4711, "Dear user, 12 jobs of yours wait 12")),
        ("4711;north\nsubmitted at 10:03\n", "", (4711, "submitted at 10:03")),
        ("4711", f"sbatch: Your allocation ends on Friday, see {URL}",
         (4711, f"Your allocation ends on Friday, see {URL}")),
        ("Submitted batch job", "", (None, "Submitted batch job")),
        ("", "", (None, "")),
    ],
)  # fmt: skip
def test_the_job_id_is_the_last_line_of_its_form_and_the_rest_is_the_sites(
    out: str, words: str, expected: tuple[int | None, str]
) -> None:
    assert refusals.submitted(out, words) == expected


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
        ("SomethingNew{0}", "SomethingNew{0}"),
    ],
)
def test_a_waiting_job_says_what_it_waits_for(reason: str, told: str) -> None:
    assert told in str(reasons.explain(pending(reason)))


def test_a_job_that_waits_for_its_reservation_says_when_that_begins() -> None:
    job = pending("Reservation").model_copy(update={"reservation": "monday {job_id}"})
    monday = Reservation(name=job.reservation, starts_at=NOW + 3600, ends_at=NOW + 7200, nodes="gpu1")
    told = str(reasons.explain(job, Snapshot(now=NOW, reservations=(monday,))))
    assert told == f"It waits for its reservation monday {{job_id}}, which begins at {clock(NOW + 3600)}."
    for unknown in (None, Snapshot(now=NOW), Snapshot(now=NOW + 3601, reservations=(monday,))):
        assert str(reasons.explain(job, unknown)) == "It waits for its reservation to begin."


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("TIMEOUT", "time limit (1 h 30 min)"), ("OUT_OF_MEMORY", "more memory"), ("NODE_FAIL", "gpu1 broke down"),
        ("PREEMPTED", "higher-priority"), ("CANCELLED", "stopped"), ("FAILED", "exit code 3"), ("BOOT_FAIL", "gpu1"),
        ("DEADLINE", "deadline"), ("LAUNCH_FAILED", "gpu1"), ("COMPLETED", "by itself"), ("RUNNING", "gpu1"),
        ("COMPLETING", "cleaned up"), ("SUSPENDED", "goes on"), ("BRAND_NEW", "BRAND_NEW"),
    ],
)  # fmt: skip
def test_a_job_that_started_says_how_it_fares(state: str, told: str) -> None:
    job = Job(job_id=5, name="n", user="anna", node="gpu1", state=state, limit_s=5400, exit_status=3)
    assert told in str(reasons.explain(job))


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
    assert told in str(reasons.explain(a_job(**ended, reservation=reservation, account="phys")))


def test_a_signal_is_named() -> None:
    job = Job(job_id=5, name="n", user="anna", state="FAILED", exit_signal=9)
    assert "SIGKILL" in str(reasons.explain(job))


def test_a_job_that_slurm_refused_after_taking_it_says_so() -> None:
    job = Job(job_id=5, name="n", user="anna", state="FAILED", reason="BadConstraints", exit_signal=1)
    assert "no node has all" in str(reasons.explain(job))
