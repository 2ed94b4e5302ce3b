"""What Slurm's clients say when they refuse or get no answer, in plain words. Pure.

What sbatch or scontrol writes is of two hands: the site's (``log_user`` of its job_submit plugin, the prints of a
wrapper around the client) and the client's own, which is its last line of the form ``sbatch: error: ...``. Only that
one is classified: a site's sentence on credentials is no outage of munge. Every other line is handed on as it is.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from fabric_hub.errors import FabricError, SlurmUnavailableError
from fabric_hub.slurm.model import JobSpec


class Refusal(NamedTuple):
    """A kind of refusal: its label, and what to tell; ``{...}`` are the spec's fields."""

    pattern: str
    reason: str
    message: str
    hint: str = ""


_ASK = "Choose another profile, or ask the operators."

# sbatch's own words (slurm/src/common/slurm_errno.c and the limit names of acct_policy.c), first match wins.
REFUSALS: Final = (
    Refusal(r"\w*(?:MaxSubmit|GrpSubmit)\w*", "submit-limit",
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

_UNAVAILABLE: Final = (
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


_OWN_NAME: Final = re.compile(r"^(?:\S*/)?s(?:batch|cancel|control|queue|info|acct|acctmgr|report)(?:\.[\w.-]+)?: ")
_LEVEL: Final = re.compile(r"^(?:error|fatal): ")
_FAILED: Final = "Batch job submission failed: "
# slurmctld's word on what is wrong, alone on a line before sbatch's own: a limit's name, what cannot be satisfied.
_DETAIL: Final = re.compile(
    r"(?:Assoc|QOS|Max|Grp)[A-Z]\w+|(?:Memory specification|CPU count per node) can not be satisfied|"
    r"invalid partition specified: \S+"
)
# What sbatch says of a plugin that gave no reason of Slurm's.
_NO_REASON: Final = frozenset({"Unspecified error", "Error", "Slurm job submit plugin error"})
_JOB_ID: Final = re.compile(r"(\d+)(?:;\S+)?")
# A site's sentence may be long; one that fills a page is cut.
_LONGEST = 2000


class Words(NamedTuple):
    """What a client wrote: its own last word, slurmctld's before it, and the site's lines in one."""

    own: str
    detail: str = ""
    site: str = ""


def read(words: str) -> Words:
    """Tell a client's own word from the site's.

    :param words: standard error of sbatch or scontrol.
    """
    lines = [line for line in (line.strip() for line in words.splitlines()) if line]
    if not lines:
        return Words("")
    plain = [_OWN_NAME.sub("", line) for line in lines]
    last = len(lines) - 1
    for test in (lambda n: _FAILED in plain[n], lambda n: plain[n] != lines[n] and _LEVEL.match(plain[n])):
        found = [number for number in range(len(lines)) if test(number)]
        if found:
            last = found[-1]
            break
    told = [_LEVEL.sub("", line).removeprefix(_FAILED) for line in plain]
    details = [line for line in told if _DETAIL.fullmatch(line)]
    others = dict.fromkeys(line for n, line in enumerate(told) if n != last and line not in details)
    if unavailable(told[last]):  # no plugin was asked: what has the client's name before it is the client's
        others = dict.fromkeys(line for n, line in enumerate(told) if n != last and plain[n] == lines[n])
    return Words(told[last], details[0] if details else "", " ".join(others)[:_LONGEST])


def submitted(out: str, words: str) -> tuple[int | None, str]:
    """(the job's id, the site's words) of an sbatch that succeeded.

    :param out: its standard output: with ``--parsable`` the id is the last line NUMBER or NUMBER;CLUSTER.
    :param words: its standard error.
    """
    lines = [line for line in (line.strip() for line in out.splitlines()) if line]
    numbers = [n for n, line in enumerate(lines) if _JOB_ID.fullmatch(line)]
    number = int(lines[numbers[-1]].partition(";")[0]) if numbers else None
    site = lines[: numbers[-1]] + lines[numbers[-1] + 1 :] if numbers else lines
    site += [_LEVEL.sub("", _OWN_NAME.sub("", line.strip())) for line in words.splitlines() if line.strip()]
    return number, " ".join(dict.fromkeys(site))[:_LONGEST]


def unavailable(words: str) -> str | None:
    """What is wrong when a client's words mean that Slurm did not answer at all, else None.

    :param words: of a client through which no site speaks (squeue, scancel), else its own word (:func:`read`).
    """
    for pattern, problem in _UNAVAILABLE:
        if re.search(pattern, words):
            return problem
    return None


def quoted(words: str, limit: int = _LONGEST) -> str:
    """A client's words on one line, without its name and level, cut to ``limit`` characters."""
    lines = [_LEVEL.sub("", _OWN_NAME.sub("", line.strip())) for line in words.splitlines()]
    return " ".join(line.removeprefix(_FAILED) for line in lines if line)[:limit]


def refused(words: str, spec: JobSpec) -> FabricError:
    """The error for sbatch's refusal of a job, the site's own words in it.

    :param words: what sbatch wrote.
    :returns: 503 when Slurm did not answer, else 409 with an explanation; words
        that we do not know are quoted.
    """
    said = read(words)
    also = f" The cluster says: {said.site}" if said.site else ""
    problem = unavailable(said.own)
    if problem:
        return SlurmUnavailableError(f"The session was not started: {problem}.{also}")
    for text in (said.detail, said.own):
        for refusal in REFUSALS:
            match = re.search(refusal.pattern, text)
            if match:
                message = refusal.message.format(limit=match[0], **_fields(spec))
                return FabricError(message + also, reason=refusal.reason, hint=refusal.hint, status=409)
    told = said.site if said.site and said.own in _NO_REASON else quoted(words)
    return FabricError(
        f"Slurm refused the job; it said: {told or 'nothing'}",
        reason="refused",
        hint="Do what these words say, or show them to the operators.",
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
