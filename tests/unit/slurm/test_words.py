"""Every wait and end of a job is told in words that say what to do."""

from __future__ import annotations

from typing import Any

import pytest

from fabric_hub.messages.formats import clock
from fabric_hub.slurm import reasons
from fabric_hub.slurm.model import Job, Reservation, Snapshot
from tests.support.builders import NOW, a_job


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
            "Time limit reached (1 h 30 min). Choose a longer time if you need it.",
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
        ("FAILED", "JupyterLab stopped (exit code 3). Check the session's log."),
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
        (3601, "course", "Time limit reached"),
        (3601, "", "Time limit reached"),
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
        ({"exit_signal": 9}, "JupyterLab stopped (signal 9, SIGKILL). Check the session's log."),
        ({"exit_signal": 99}, "JupyterLab stopped (signal 99). Check the session's log."),
        ({}, "JupyterLab stopped with an error. Check the session's log."),
        ({"reason": "BadConstraints", "exit_signal": 1}, "Slurm refused the job: no node has all that it asks for."),
        (
            {"reason": "JobLaunchFailure"},
            "The session was ended by a signal, or its node could not start it. Check its log.",
        ),
        (
            {"reason": "JobLaunchFailure", "exit_signal": 53, "node": "gpu1"},
            "The session was ended by a signal (signal 53), or gpu1 could not start it. Check its log.",
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
