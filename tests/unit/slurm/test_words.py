"""Every refusal, wait and end is told in words that say what to do."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest

from fabric_hub.gateway import refusals
from fabric_hub.messages.formats import clock
from fabric_hub.messages.reader import Reader, reading
from fabric_hub.messages.texts import slurm_reasons
from fabric_hub.slurm import privacy, reasons
from fabric_hub.slurm.model import Job, JobSpec, Reservation, Snapshot
from fabric_hub.slurm.unavailable import SlurmUnavailableError
from tests.support.builders import NOW, a_job

SPEC = JobSpec(partition="gpu", account="lab", gres=("gpu:h200:2",), minutes=90, memory_mb=9000)


@pytest.mark.parametrize(
    ("said", "reason", "told"),
    [
        ("Invalid account or account/partition combination specified", "account",
         "Slurm does not let you use account lab in partition gpu."),
        ("User's group not permitted to use this partition", "access", "Slurm does not let you use partition gpu."),
        ("invalid partition specified: nope", "partition", "Partition gpu does not exist on this cluster."),
        ("Required partition not available (inactive or drain)", "partition-down",
         "Partition gpu takes no jobs at the moment."),
        ("Requested time limit is invalid (missing or exceeds some limit)", "time-limit",
         "1 h 30 min is longer than partition gpu allows."),
        ("Requested node configuration is not available", "too-large",
         "No node of partition gpu has all that was asked for: 1 CPU, memory 9000 MiB, gpu:h200:2."),
        ("Memory specification can not be satisfied", "memory",
         "No node of partition gpu has the memory asked for (9000 MiB)."),
        ("Invalid qos specification", "qos", "QOS (the default) does not exist, or account lab may not use it."),
        ("Requested reservation is invalid", "reservation",
         "Reservation (none) is not there, is over, or is not for account lab."),
        ("Invalid feature specification", "constraint", "No node of partition gpu has that feature."),
        ("Invalid generic resource (gres) specification", "gres", "The cluster has no such resource as gpu:h200:2."),
        ("Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)", "limit",
         ("The request is above a limit of account lab or of its QOS: its size, its time, or the number of jobs "
         "you may have.")),
        ("QOSMaxSubmitJobPerUserLimit", "submit-limit",
         "You have as many jobs in Slurm as account lab lets you have (QOSMaxSubmitJobPerUserLimit)."),
        ("QOSMaxGRESPerUser", "limit",
         "The request is above a limit of your account or QOS (QOSMaxGRESPerUser)."),
        ("AssocGrpGRESMinutes", "limit",
         "The request is above a limit of your account or QOS (AssocGrpGRESMinutes)."),
        ("Slurm temporarily unable to accept job: Resource temporarily unavailable", "queue-full",
         "Slurm's queue is full."),
        ("Invalid user id", "user", "Slurm does not know your account."),
        ("A shark ate the cable", "refused", "Slurm refused the job; it said: A shark ate the cable"),
    ],
)  # fmt: skip
def test_sbatchs_refusals_are_explained(said: str, reason: str, told: str) -> None:
    error = refusals.refused(f"sbatch: error: Batch job submission failed: {said}", SPEC)
    assert (error.reason, error.status) == (reason, 409)
    assert error.message == told
    assert error.hint


def test_what_a_specification_leaves_open_is_named_and_a_refusal_without_words_says_so() -> None:
    plain = JobSpec()
    late = refusals.refused("sbatch: error: Requested time limit is invalid", plain)
    assert late.message == "The time asked for is longer than partition (the default) allows."
    large = refusals.refused("sbatch: error: Memory required by task is not available", plain)
    assert large.message == "No node of partition (the default) has the memory asked for (the default)."
    assert refusals.refused("", plain).message == "Slurm refused the job, without a word."


def test_a_refusal_is_told_in_the_language_of_who_reads_it_with_the_sites_words_as_they_are() -> None:
    error = refusals.refused("Budget office says hello\nsbatch: error: Invalid user id", SPEC)
    with reading(Reader("nl")):
        assert error.say() == (
            "Slurm kent je account niet. Het cluster zegt: Budget office says hello "
            "Vraag de beheerders om je in Slurm op te nemen."
        )


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "Batch job submission failed: Unable to contact slurm controller (connect failure)",
            "Slurm's controller (slurmctld) does not answer.",
        ),
        (
            "slurm_load_jobs error: Zero Bytes were transmitted or received",
            "Slurm's controller (slurmctld) does not answer.",
        ),
        (
            "Munge encode failed: Failed to access /run/munge/munge.socket.2",
            "munge does not answer on the hub's host, so Slurm cannot check who asks.",
        ),
        (
            "slurm_load_jobs error: Protocol authentication error",
            "munge does not answer on the hub's host, so Slurm cannot check who asks.",
        ),
        ("accounting storage is not reached", "Slurm's database service (slurmdbd) does not answer."),
        (
            "Could not establish a configuration source",
            "Slurm's configuration (slurm.conf) cannot be read on the hub's host.",
        ),
    ],
)
def test_silence_is_never_taken_for_a_refusal(said: str, told: str) -> None:
    error = refusals.refused(said, SPEC)
    assert isinstance(error, SlurmUnavailableError)
    assert error.message == f"The session was not started. {told}"
    assert error.hint == "Nothing is lost: sessions keep running, and this page tries again."


URL = "https://ai.example.org/report"


@pytest.mark.parametrize(
    ("site", "last", "reason", "told"),
    [
        (f"Project is suspended: the report is overdue, see {URL}",
         "Invalid account or account/partition combination specified", "account", "account lab"),
        (f"Your credentials for this project expired: renew at {URL}", "Unspecified error", "refused", "credentials"),
        (f"slurmdbd and munge: authentication error? See {URL}", "Unspecified error", "refused", "munge"),
        (f"Connection refused by policy, see {URL}", "Requested time limit is invalid", "time-limit", "1 h 30 min"),
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
        ("", "Submitted. Slurm has not scheduled it yet."),
        ("Priority", "Other jobs are ahead of it."),
        ("Resources", "It's next. It starts as soon as enough of partition gpu is free."),
        ("Dependency", "It waits for another job to end first."),
        ("DependencyNeverSatisfied", "It waits for another job that failed, so it will never start. Stop it."),
        ("BeginTime", "It was asked to start later."),
        ("JobHeldUser", "You put this job on hold. Release it with: scontrol release 5"),
        ("JobHeldAdmin", "The operators put it on hold. Ask them why."),
        ("JobHoldMaxRequeue", "Slurm put it on hold after it was restarted too often. Stop it and start again."),
        ("JobLaunchFailure", "The node could not start it. Stop it and start again."),
        ("launch_failed_requeued_held", "The node could not start it. Stop it and start again."),
        ("Reservation", "It waits for its reservation to begin."),
        ("ReservationDeleted", "Its reservation is gone, so it will not start. Stop it and start again without one."),
        (
            "PartitionTimeLimit",
            "It asks for more time than partition gpu allows, so it will not start. Stop it and choose a shorter time.",
        ),
        (
            "PartitionNodeLimit",
            (
                "It asks for more nodes than partition gpu allows, so it will not start. "
                "Stop it and choose a smaller profile."
            ),
        ),
        (
            "PartitionConfig",
            "It asks for more than partition gpu allows, so it will not start. Stop it and choose a smaller profile.",
        ),
        ("PartitionDown", "The operators have stopped partition gpu for now. It starts when they open it again."),
        ("PartitionInactive", "The operators have stopped partition gpu for now. It starts when they open it again."),
        (
            "BadConstraints",
            "No node has all that it asks for, so it will not start. Stop it and choose another profile.",
        ),
        ("AccountNotAllowed", "Account lab may not use partition gpu. Stop it and pick another project or profile."),
        ("QOSNotAllowed", "The QOS high may not be used here. Stop it and choose another profile."),
        ("InvalidAccount", "Account lab no longer exists. Stop it and pick another project."),
        ("InvalidQOS", "The QOS high no longer exists. Stop it and choose another profile."),
        ("AccountingPolicy", "A limit of account lab is reached. It starts when other jobs end."),
        ("QOSJobLimit", "The QOS high has as many jobs as it may have. It starts when one ends."),
        ("QOSUsageThreshold", "The QOS high may not be used while the account's use is this high."),
        ("Licenses", "It waits for a software licence to come free."),
        ("Prolog", "The node is being made ready for it."),
        ("Cleaning", "The node is being cleaned up after an earlier run of it."),
        ("NodeDown", "A node that it needs is down. It starts on another, or when the node is back."),
        (
            "ReqNodeNotAvail",
            (
                "The nodes that it needs are down, reserved, or kept free for maintenance. "
                "A shorter time may fit before the maintenance."
            ),
        ),
        ("FrontEndDown", "The cluster's front end is down."),
        ("SystemFailure", "Slurm had an internal failure. Stop it and start again."),
        ("JobArrayTaskLimit", "Its job array runs as many tasks at a time as it was asked to."),
        (
            "MaxMemPerLimit",
            "It asks for more memory than is allowed, so it will not start. Stop it and choose a smaller profile.",
        ),
        ("NonZeroExitCode", "It ended with an error."),
        ("RaisedSignal", "It was ended by a signal."),
        ("TimeLimit", "It reached its time limit."),
        (
            "QOSMaxGRESPerUser",
            (
                "It would be more GPUs at a time than allowed for you under the QOS high. "
                "It starts when another of the jobs ends."
            ),
        ),
        (
            "QOSMaxCpuPerAccount",
            (
                "It would be more CPUs at a time than allowed for the QOS high altogether. "
                "It starts when another of the jobs ends."
            ),
        ),
        (
            "AssocGrpGRESMinutes",
            (
                "The GPU hours of account lab are used up. "
                "It starts when the operators give the project more; its owner can ask them."
            ),
        ),
        (
            "AssocGrpCPUMinutesLimit",
            (
                "The CPU hours of account lab are used up. "
                "It starts when the operators give the project more; its owner can ask them."
            ),
        ),
        (
            "AssocGrpMemMinutes",
            (
                "The memory hours of account lab are used up. "
                "It starts when the operators give the project more; its owner can ask them."
            ),
        ),
        (
            "AssocGrpNodeMinutes",
            (
                "The node hours of account lab are used up. "
                "It starts when the operators give the project more; its owner can ask them."
            ),
        ),
        (
            "AssocGrpBillingMinutes",
            (
                "The billing unit hours of account lab are used up. "
                "It starts when the operators give the project more; its owner can ask them."
            ),
        ),
        (
            "AssocGrpJobsMinutes",
            (
                "The job hours of account lab are used up. "
                "It starts when the operators give the project more; its owner can ask them."
            ),
        ),
        (
            "AssocGrpGRES",
            "All GPUs that account lab may use at a time are in use. It starts when one of its jobs ends.",
        ),
        (
            "AssocGrpBB",
            "All burst buffer that account lab may use at a time are in use. It starts when one of its jobs ends.",
        ),
        (
            "AssocGrpBillingLimit",
            "All billing units that account lab may use at a time are in use. It starts when one of its jobs ends.",
        ),
        (
            "AssocGrpLicense",
            "All licences that account lab may use at a time are in use. It starts when one of its jobs ends.",
        ),
        (
            "AssocGrpMemLimit",
            "All memory that account lab may use at a time are in use. It starts when one of its jobs ends.",
        ),
        (
            "AssocMaxJobsLimit",
            (
                "It would be more jobs at a time than allowed for you under account lab. "
                "It starts when another of the jobs ends."
            ),
        ),
        (
            "QOSMaxNodePerUserLimit",
            (
                "It would be more nodes at a time than allowed for you under the QOS high. "
                "It starts when another of the jobs ends."
            ),
        ),
        (
            "QOSMaxWallDurationPerJobLimit",
            (
                "It asks for more running time than the QOS high allows one job. "
                "Stop it and choose a smaller profile or a shorter time."
            ),
        ),
        (
            "QOSMaxGRESMinutesPerJob",
            "It asks for more GPUs for longer than the QOS high allows one job. Stop it and choose less or shorter.",
        ),
        (
            "QOSMinGRES",
            "It asks for fewer GPUs than the QOS high wants at the least. Stop it and choose a larger profile.",
        ),
        (
            "ReqNodeNotAvail, UnavailableNodes:gpu1",
            (
                "The nodes that it needs are down, reserved, or kept free for maintenance. "
                "A shorter time may fit before the maintenance."
            ),
        ),
        ("SomethingNew{0}", "Slurm's reason is SomethingNew{0}."),
    ],
)
def test_a_waiting_job_says_what_it_waits_for(reason: str, told: str) -> None:
    assert str(reasons.explain(pending(reason))) == told


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
        ("COMPLETED", "The session ended by itself."),
        (
            "TIMEOUT",
            "The session reached its time limit (1 h 30 min). Start again and ask for more time if you need it.",
        ),
        ("OUT_OF_MEMORY", "The session used more memory than it asked for. Choose a profile with more memory."),
        ("NODE_FAIL", "The node gpu1 broke down. Start again; files that were saved are still there."),
        ("PREEMPTED", "Preempted by a higher-priority job. Start again."),
        ("CANCELLED", "The session was stopped."),
        ("BOOT_FAIL", "The node gpu1 could not be started. Start again."),
        ("DEADLINE", "The session could not end before its deadline."),
        ("LAUNCH_FAILED", "The node gpu1 could not start the session. Start again, or tell the operators."),
        ("RECONFIG_FAIL", "The node gpu1 could not be reconfigured. Start again."),
        ("REVOKED", "The job went to another cluster."),
        ("FAILED", "The session failed with exit code 3. Its log says why."),
        ("RUNNING", "Running on gpu1."),
        ("SUSPENDED", "Suspended by Slurm: it goes on when a higher-priority job is done."),
        ("STOPPED", "Stopped by a signal: it goes on when it is told to."),
        ("COMPLETING", "It has ended; gpu1 is being cleaned up."),
        ("CONFIGURING", "Its node is being started; this can take some minutes."),
        ("STAGE_OUT", "It has ended; its files are being copied."),
        ("SIGNALING", "A signal is being sent to it."),
        ("RESIZING", "It is changing its size."),
        ("BRAND_NEW", "Slurm calls its state BRAND_NEW."),
    ],
)
def test_a_job_that_started_says_how_it_fares(state: str, told: str) -> None:
    job = Job(job_id=5, name="n", user="anna", node="gpu1", state=state, limit_s=5400, exit_status=3)
    assert str(reasons.explain(job)) == told


@pytest.mark.parametrize(
    ("ran_s", "reservation", "told"),
    [
        (205, "course", "ended with its reservation, before its time limit (1 h 00 min)"),
        (205, "", "most likely a budget of phys is used up. Start again; files that were saved are still there."),
        (3601, "course", "reached its time limit"),
        (3601, "", "reached its time limit"),
    ],
)
def test_a_session_that_slurm_ended_with_its_reservation_or_a_budget_says_so(
    ran_s: float, reservation: str, told: str
) -> None:
    ended = {"state": "TIMEOUT", "reason": "TimeLimit", "started_at": NOW, "ends_at": NOW + ran_s, "limit_s": 3600}
    assert told in str(reasons.explain(a_job(**ended, reservation=reservation, account="phys")))


@pytest.mark.parametrize(
    ("ended", "told"),
    [
        ({"exit_signal": 9}, "The session failed (signal 9, SIGKILL). Its log says why."),
        ({"exit_signal": 99}, "The session failed (signal 99). Its log says why."),
        ({}, "The session failed. Its log says why."),
        ({"reason": "BadConstraints", "exit_signal": 1}, "Slurm refused the job: no node has all that it asks for."),
        (
            {"reason": "JobLaunchFailure"},
            "The session was ended by a signal, or its node could not start it. Its log says why.",
        ),
        (
            {"reason": "JobLaunchFailure", "exit_signal": 53, "node": "gpu1"},
            "The session was ended by a signal (signal 53), or gpu1 could not start it. Its log says why.",
        ),
    ],
)
def test_a_failure_names_its_signal_or_what_slurm_refused(ended: dict[str, Any], told: str) -> None:
    job = Job(job_id=5, name="n", user="anna", state="FAILED", **ended)
    assert str(reasons.explain(job)) == told


def test_a_job_without_a_limit_an_account_or_a_partition_is_told_of_all_the_same() -> None:
    bare = Job(job_id=5, name="n", user="anna", state="TIMEOUT")
    assert "(no limit)" in str(reasons.explain(bare))
    waits = bare.model_copy(update={"state": "PENDING", "reason": "AccountNotAllowed"})
    assert str(reasons.explain(waits)).startswith("Account (unknown) may not use the partition.")


def test_a_slurm_that_is_silent_or_hides_something_says_since_when_and_how() -> None:
    assert not reasons.silence(None)
    assert not reasons.silence(Snapshot(now=NOW))
    silent = Snapshot(now=NOW, unavailable_since=NOW, problem=slurm_reasons.CONTROLLER_SILENT())
    assert str(reasons.silence(silent)) == (
        f"Slurm has not answered since {clock(NOW)}. Slurm's controller (slurmctld) does not answer."
    )
    hidden = privacy.why_hidden("jobs", {"jobs"}, "fabric-gateway")
    narrowed = silent.model_copy(update={"narrowed": True, "problem": hidden})
    assert str(reasons.silence(narrowed)) == (
        f"Since {clock(NOW)} Slurm does not show the hub all of its sessions. "
        "Slurm hides the sessions' jobs from the hub: slurm.conf has PrivateData=jobs, and the gateway's account "
        "fabric-gateway is no Operator in Slurm. The operators can give it that right; fabric-hub doctor says how."
    )
    assert Snapshot.model_validate_json(narrowed.model_dump_json()) == narrowed
    with reading(Reader("nl", UTC)):
        assert "Slurm verbergt de jobs van de sessies voor de hub" in reasons.silence(narrowed).say()


@pytest.mark.parametrize(
    ("word", "what"),
    [
        ("nodes", "the nodes"), ("reservations", "reservations"), ("partitions", "partitions"),
        ("accounts", "accounts and their limits"), ("users", "users and their limits"),
        ("usage", "what accounts have used"),
    ],
)  # fmt: skip
def test_what_slurm_hides_is_named(word: str, what: str) -> None:
    assert str(privacy.why_hidden(word, set(), "gw")) == (
        f"Slurm's answers to the hub lack {what}, though they are there. The operators should look at PrivateData in "
        "slurm.conf and slurmdbd.conf, and at the rights of the gateway's account gw: fabric-hub doctor"
    )


def test_a_question_that_slurm_refuses_says_what_the_gateway_lacks() -> None:
    assert str(privacy.why_refused("sacct", "gw")) == (
        "Slurm does not let the gateway's account gw see what sacct asks for (PrivateData in slurm.conf). "
        "The operators can give it the right of an Operator; fabric-hub doctor says how."
    )
    assert str(privacy.HIDDEN[privacy.CLOUD]) == "powered-down nodes of a cloud"
