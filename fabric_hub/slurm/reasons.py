"""Why a job waits, and how it ended, in words a student understands. Pure.

The words of Slurm are at https://slurm.schedmd.com/squeue.html (job reasons and states).
"""

from __future__ import annotations

import re
import signal
import time
from typing import Final

from fabric_hub.messages.formats import clock, short_duration

from .model import Job, Phase, Snapshot

_MINUTE_S: Final = 60.0  # Slurm counts time limits in whole minutes
_WHO: Final = {"QOS": "the QOS {qos}", "Assoc": "account {account}"}
# What a limit counts, from its name: QOSMaxGRESPerUser, AssocGrpCPUMinutesLimit ...
_COUNTED: Final = (
    (r"GRES|Gres", "GPUs"), (r"Cpu|CPU", "CPUs"), (r"Mem", "memory"), (r"Node", "nodes"), (r"Jobs?", "jobs"),
    (r"Wall|Time", "running time"), (r"Billing", "billing units"), (r"BB", "burst buffer"), (r"License", "licences"),
)  # fmt: skip

_WAITING: Final = {
    "": "Waiting for Slurm to look at it.",
    "Priority": "Other jobs are before it in the queue.",
    "Resources": "It is next in line and waits until enough of {partition} is free.",
    "Dependency": "It waits for another job to end first.",
    "DependencyNeverSatisfied": "It waits for another job that failed, so it will never start. Stop it.",
    "BeginTime": "It was asked to start later.",
    "JobHeldUser": "It is on hold because its owner said so. Release it with: scontrol release {job_id}",
    "JobHeldAdmin": "The operators put it on hold. Ask them why.",
    "JobHoldMaxRequeue": "Slurm put it on hold after it was restarted too often. Stop it and start again.",
    "JobLaunchFailure": "The node could not start it. Stop it and start again.",
    "launch_failed_requeued_held": "The node could not start it. Stop it and start again.",
    "Reservation": "It waits for its reservation to begin.",
    "ReservationDeleted": "Its reservation is gone, so it will not start. Stop it and start again without one.",
    "PartitionTimeLimit": "It asks for more time than {partition} allows, so it will not start. "
                          "Stop it and choose a shorter time.",
    "PartitionNodeLimit": "It asks for more nodes than {partition} allows, so it will not start. "
                          "Stop it and choose a smaller profile.",
    "PartitionConfig": "It asks for more than {partition} allows, so it will not start. "
                       "Stop it and choose a smaller profile.",
    "PartitionDown": "The operators have stopped {partition} for now. It starts when they open it again.",
    "PartitionInactive": "The operators have stopped {partition} for now. It starts when they open it again.",
    "BadConstraints": "No node has all that it asks for, so it will not start. Stop it and choose another profile.",
    "AccountNotAllowed": "Account {account} may not use {partition}. Stop it and pick another project or profile.",
    "QOSNotAllowed": "The QOS {qos} may not be used here. Stop it and choose another profile.",
    "InvalidAccount": "Account {account} no longer exists. Stop it and pick another project.",
    "InvalidQOS": "The QOS {qos} no longer exists. Stop it and choose another profile.",
    "AccountingPolicy": "A limit of account {account} is reached. It starts when other jobs end.",
    "QOSJobLimit": "The QOS {qos} has as many jobs as it may have. It starts when one ends.",
    "QOSUsageThreshold": "The QOS {qos} may not be used while the account's use is this high.",
    "Licenses": "It waits for a software licence to come free.",
    "Prolog": "The node is being made ready for it.",
    "Cleaning": "The node is being cleaned up after an earlier run of it.",
    "NodeDown": "A node that it needs is down. It starts on another, or when the node is back.",
    "ReqNodeNotAvail": "The nodes that it needs are down, reserved, or kept free for maintenance. "
                       "A shorter time may fit before the maintenance.",
    "FrontEndDown": "The cluster's front end is down.",
    "SystemFailure": "Slurm had an internal failure. Stop it and start again.",
    "JobArrayTaskLimit": "Its job array runs as many tasks at a time as it was asked to.",
    "MaxMemPerLimit": "It asks for more memory than is allowed, so it will not start. "
                      "Stop it and choose a smaller profile.",
    "NonZeroExitCode": "It ended with an error.",
    "RaisedSignal": "It was ended by a signal.",
    "TimeLimit": "It reached its time limit.",
}  # fmt: skip

_ENDED: Final = {
    "COMPLETED": "The session ended by itself.",
    "TIMEOUT": "The session reached its time limit ({limit}). Start again and ask for more time if you need it.",
    "OUT_OF_MEMORY": "The session used more memory than it asked for. Choose a profile with more memory.",
    "NODE_FAIL": "The node {node} broke down. Start again; files that were saved are still there.",
    "PREEMPTED": "A job with a higher right took its place. Start again.",
    "CANCELLED": "The session was stopped.",
    "FAILED": "The session failed{code}. Its log says why.",
    "BOOT_FAIL": "The node {node} could not be started. Start again.",
    "DEADLINE": "The session could not end before its deadline.",
    "LAUNCH_FAILED": "The node {node} could not start the session. Start again, or tell the operators.",
    "RECONFIG_FAIL": "The node {node} could not be reconfigured. Start again.",
    "REVOKED": "The job went to another cluster.",
}  # fmt: skip

_RUNNING: Final = {
    "RUNNING": "Running on {node}.",
    "SUSPENDED": "Suspended by Slurm: it goes on when a job with a higher right is done.",
    "STOPPED": "Stopped by a signal: it goes on when it is told to.",
    "COMPLETING": "It has ended; {node} is being cleaned up.",
    "CONFIGURING": "Its node is being started; this can take some minutes.",
    "STAGE_OUT": "It has ended; its files are being copied.",
    "SIGNALING": "A signal is being sent to it.",
    "RESIZING": "It is changing its size.",
}

# States in which a job ends by somebody else's doing, or by its node's.
BY_OTHERS = frozenset({"CANCELLED", "FAILED", "BOOT_FAIL", "LAUNCH_FAILED", "NODE_FAIL"})
# Slurm keeps whole seconds, and drains a node before or after it ends the job.
_ABOUT_S = 3.0


def meanwhile(job: Job, moment: float | None) -> bool:
    """Whether something happened while a job had its node, as exactly as Slurm says when. Pure."""
    began, over = job.started_at or job.submitted_at or 0.0, job.ends_at or time.time()
    return moment is not None and began - _ABOUT_S <= moment <= over + _ABOUT_S


def explain(job: Job, snapshot: Snapshot | None = None) -> str:
    """One or two sentences about a job's state for the person who owns it.

    :param snapshot: where the job is from; it may know when the job's reservation begins.
    """
    reason = job.reason.strip("()").split(",")[0].split(" ")[0]
    if job.phase is Phase.ENDED:
        text = _ending(job, reason)
    elif job.phase is Phase.QUEUED and job.state in ("PENDING", "REQUEUED", "REQUEUE_HOLD", "SPECIAL_EXIT"):
        text = _reserved(job, snapshot) if reason == "Reservation" else waiting(reason)
    else:
        text = _RUNNING.get(job.state, f"Slurm calls its state {job.state}.")
    return text.format(
        job_id=job.job_id,
        account=job.account or "(unknown)",
        qos=job.qos or "(unknown)",
        partition=f"partition {job.partition}" if job.partition else "the partition",
        node=job.node or "its node",
        limit="no limit" if job.limit_s is None else short_duration(job.limit_s),
        code=_code(job),
    )


def silence(snapshot: Snapshot | None) -> str:
    """What is wrong with what is known of Slurm, and since when, as sentences; "" while nothing is."""
    if snapshot is None or snapshot.unavailable_since is None:
        return ""
    since, problem = clock(snapshot.unavailable_since), snapshot.problem.rstrip(". ")
    what = f"Slurm has not answered since {since}."
    if snapshot.narrowed:
        what = f"Since {since} Slurm does not show the hub all of its sessions."
    return f"{what} {problem}." if problem else what


def _reserved(job: Job, snapshot: Snapshot | None) -> str:
    """What a job says that waits for its reservation, with ``{...}`` for the job's fields."""
    found = snapshot.reservation_of(job) if snapshot else None
    if snapshot is None or found is None or found.starts_at <= snapshot.now:
        return _WAITING["Reservation"]
    name = re.sub(r"[{}]", "", found.name)
    return f"It waits for its reservation {name}, which begins at {clock(found.starts_at)}."


def waiting(reason: str) -> str:
    """A sentence about Slurm's word for why a job waits, with ``{...}`` for the job's fields."""
    if reason in _WAITING:
        return _WAITING[reason]
    limit = re.fullmatch(r"(QOS|Assoc)(Grp|Max|Min)(\w+?)(Limit)?", reason)
    if not limit:
        word = re.sub(r"[{}]", "", reason)
        return f"Slurm's reason is {word}."
    who, kind, rest = _WHO[limit[1]], limit[2], limit[3]
    what = next((name for pattern, name in _COUNTED if re.search(pattern, rest.split("Per")[0])), rest)
    if kind == "Min":
        return f"It asks for fewer {what} than {who} wants at the least. Stop it and choose a larger profile."
    if re.search(r"Minutes|Mins", rest) and not rest.startswith("RunMin") and "RunMinutes" not in rest:
        if kind == "Grp":
            hours = what.removesuffix("s")
            return (
                f"The {hours} hours of {who} are used up. It starts when the operators give the project more; "
                "its owner can ask them."
            )
        return f"It asks for more {what} for longer than {who} allows one job. Stop it and choose less or shorter."
    if kind == "Grp":
        return f"All {what} that {who} may use at a time are in use. It starts when one of its jobs ends."
    if "PerUser" in rest or "PerAccount" in rest or re.fullmatch(r"Jobs\w*", rest):
        whom = f"{who} altogether" if "PerAccount" in rest else f"you under {who}"
        return f"It would be more {what} at a time than allowed for {whom}. It starts when another of the jobs ends."
    return f"It asks for more {what} than {who} allows one job. Stop it and choose a smaller profile or a shorter time."


def _ending(job: Job, reason: str) -> str:
    if reason in ("BadConstraints", "JobLaunchFailure") and job.state == "FAILED" and job.exit_status is None:
        return "Slurm refused the job: no node has all that it asks for." if reason == "BadConstraints" else (
            "The session was ended by a signal{code}, or {node} could not start it. Its log says why."
        )  # fmt: skip
    if job.state == "TIMEOUT" and _before_its_limit(job):
        if job.reservation:
            why = "The session ended with its reservation, before its time limit ({limit})."
        else:
            why = (
                "Slurm ended the session before its time limit ({limit}): most likely a budget of {account} is used up."
            )
        return f"{why} Start again; files that were saved are still there."
    return _ENDED.get(job.state, f"Slurm calls its state {job.state}.")


def _before_its_limit(job: Job) -> bool:
    """Whether Slurm ended a job for its time, and that time was not over: with its reservation, or with a budget."""
    if job.started_at is None or job.ends_at is None or job.limit_s is None:
        return False
    return job.ends_at < job.started_at + job.limit_s - _MINUTE_S


def _code(job: Job) -> str:
    if job.exit_signal:
        known = {item.value: item.name for item in signal.Signals}
        return f" (signal {job.exit_signal}{', ' + known[job.exit_signal] if job.exit_signal in known else ''})"
    return f" with exit code {job.exit_status}" if job.exit_status else ""
