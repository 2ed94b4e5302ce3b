"""What Slurm's clients say when they refuse or get no answer, in plain words. Pure."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from ..errors import FabricError, SlurmUnavailableError
from ..model import JobSpec


class Refusal(NamedTuple):
    """A kind of refusal: its label, and what to tell; ``{...}`` are the spec's fields."""

    pattern: str
    reason: str
    message: str
    hint: str = ""


_ASK = "Choose another profile, or ask the operators."

# sbatch's own words (slurm/src/common/slurm_errno.c and the limit names of acct_policy.c), first match wins.
REFUSALS: Final = (
    Refusal(r"MaxSubmit|GrpSubmit", "submit-limit",
            "You have as many jobs in Slurm as account {account} lets you have ({limit}).",
            "Stop a session or a job that you no longer need, then start again."),
    Refusal(r"Assoc(?:iation)?(?:Grp|Max)\w+|QOS(?:Grp|Max|Min)\w+", "limit",
            "The request is above a limit of your account or QOS ({limit}).",
            "Choose a smaller profile or a shorter time, or ask the operators which limit you have."),
    Refusal(r"Job violates accounting/QOS policy", "limit",
            "The request is above a limit of account {account} or of its QOS: its size, its time, "
            "or the number of jobs you may have.",
            "Stop a session that you no longer need, or choose a smaller profile or a shorter time."),
    Refusal(r"Invalid account or account/partition|Invalid account", "account",
            "Slurm does not let you use account {account} in partition {partition}.",
            "Pick another project, or ask the operators to add you to this account."),
    Refusal(r"User's group not permitted|Access/permission denied|Access denied|Requested partition.*not permitted",
            "access", "Slurm does not let you use partition {partition}.", _ASK),
    Refusal(r"[Ii]nvalid partition", "partition",
            "Partition {partition} does not exist on this cluster.",
            "The profile names a partition that is gone: tell the operators."),
    Refusal(r"Required partition not available|partition.*(?:down|inactive)", "partition-down",
            "Partition {partition} takes no jobs at the moment.", "Try later, or choose another profile."),
    Refusal(r"Invalid (?:qos|QOS)", "qos", "QOS {qos} does not exist, or account {account} may not use it.", _ASK),
    Refusal(r"Requested time limit is invalid|time limit exceeds|exceeds partition.*time", "time-limit",
            "{time} is longer than partition {partition} allows.", "Choose a shorter time."),
    Refusal(r"[Ii]nvalid generic resource|Invalid GRES|[Gg]res.*not (?:valid|available)", "gres",
            "The cluster has no such resource as {gres}.", "Choose a profile with another GPU type."),
    Refusal(r"Invalid feature", "constraint", "No node of partition {partition} has {constraint}.", _ASK),
    Refusal(r"Memory (?:specification|required)", "memory",
            "No node of partition {partition} has the memory asked for ({memory}).",
            "Choose a profile with less memory."),
    Refusal(r"Requested node configuration is not available|More processors requested|CPU count per node|"
            r"Node count specification", "too-large",
            "No node of partition {partition} has all that was asked for: {size}.",
            "Choose a smaller profile or another GPU type."),
    Refusal(r"[Rr]eservation.*(?:invalid|denied)|Access denied to requested reservation", "reservation",
            "Reservation {reservation} is not there, is over, or is not for account {account}.",
            "Start without the reservation, or ask the trainer or the operators."),
    Refusal(r"QUEUE_FULL|[Qq]ueue is full|MaxJobCount|Resource temporarily unavailable", "queue-full",
            "Slurm's queue is full.", "Try again in a few minutes."),
    Refusal(r"Invalid user id|user.*(?:unknown|not known)|Couldn't find.*user", "user",
            "Slurm does not know your account.", "Ask the operators to add you to Slurm."),
)  # fmt: skip

_SILENCE: Final = (
    (
        r"[Mm]unge (?:encode|decode)|munged|[Aa]uthentication (?:error|failure)|auth_munge|[Cc]redential",
        "munge does not answer on the hub's host, so Slurm cannot check who asks",
    ),
    (r"slurm_persist_conn|slurmdbd|accounting storage", "Slurm's database service (slurmdbd) does not answer"),
    (
        r"contact slurm controller|onnection refused|connect failure|Zero Bytes|ocket timed out|standby mode",
        "Slurm's controller (slurmctld) does not answer",
    ),
    (
        r"[Cc]ould not (?:establish|resolve)|[Uu]nable to (?:establish|resolve).*conf|slurm\.conf",
        "Slurm's configuration (slurm.conf) cannot be read on the hub's host",
    ),
)


def silence(words: str) -> str | None:
    """What is wrong when a client's words mean that Slurm did not answer at all, else None."""
    for pattern, problem in _SILENCE:
        if re.search(pattern, words):
            return problem
    return None


def quoted(words: str, limit: int = 300) -> str:
    """A client's words on one line, without its name and level, cut to ``limit`` characters."""
    lines = [re.sub(r"^\w+: (?:error: |fatal: )?", "", line.strip()) for line in words.splitlines()]
    text = " ".join(line.removeprefix("Batch job submission failed: ") for line in lines if line)
    return text[:limit]


def refused(words: str, spec: JobSpec) -> FabricError:
    """The error for sbatch's refusal of a job.

    :param words: sbatch's standard error.
    :returns: 503 when Slurm did not answer, else 409 with an explanation; words
        that we do not know are quoted.
    """
    problem = silence(words)
    if problem:
        return SlurmUnavailableError(f"The session was not started: {problem}.")
    for refusal in REFUSALS:
        match = re.search(refusal.pattern, words)
        if match:
            message = refusal.message.format(limit=match[0], **_fields(spec))
            return FabricError(message, reason=refusal.reason, hint=refusal.hint, status=409)
    said = quoted(words) or "nothing"
    return FabricError(
        f"Slurm refused the job; it said: {said}",
        reason="refused",
        hint="Choose another profile, or show these words to the operators.",
        status=409,
    )


def _fields(spec: JobSpec) -> dict[str, str]:
    memory = f"{spec.memory_mb} MiB" if spec.memory_mb else "the default"
    gres = ", ".join(spec.gres)
    hours, minutes = divmod(spec.minutes or 0, 60)
    return {
        "account": spec.account or "(the default)",
        "partition": spec.partition or "(the default)",
        "qos": spec.qos or "(the default)",
        "reservation": spec.reservation or "(none)",
        "constraint": spec.constraint or "that feature",
        "gres": gres or "(none)",
        "memory": memory,
        "time": f"{hours}:{minutes:02d} h" if spec.minutes else "The time asked for",
        "size": ", ".join(part for part in (f"{spec.cpus} CPUs", f"memory {memory}", gres) if part),
    }
