"""What Slurm's clients say when they refuse or get no answer, in plain words. Pure.

What sbatch or scontrol writes is of two hands: the site's (``log_user`` of its job_submit plugin, the prints of a
wrapper around the client) and the client's own, which is its last line of the form ``sbatch: error: ...``. Only that
one is classified: a site's sentence on credentials is no outage of munge. Every other line is handed on as it is.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Reason, Text, sentences
from fabric_hub.messages.texts import gateway as texts
from fabric_hub.messages.texts import slurm_reasons as of_slurm
from fabric_hub.messages.texts.limits import CPUS
from fabric_hub.slurm.model import JobSpec
from fabric_hub.slurm.unavailable import SlurmUnavailableError

# sbatch's own words (slurm/src/common/slurm_errno.c and the limit names of acct_policy.c), first match wins.
REFUSALS: Final[tuple[tuple[str, Reason], ...]] = (
    (r"\w*(?:MaxSubmit|GrpSubmit)\w*", texts.SUBMIT_LIMIT),
    (r"Assoc(?:iation)?(?:Grp|Max)\w+|QOS(?:Grp|Max|Min)\w+", texts.NAMED_LIMIT),
    (r"Job violates accounting/QOS policy", texts.SOME_LIMIT),
    (r"Invalid account or account/partition|Invalid account", texts.NO_ACCOUNT),
    (r"User's group not permitted|Access/permission denied|Access denied|Requested partition.*not permitted",
     texts.NO_ACCESS),
    (r"[Ii]nvalid partition", texts.NO_PARTITION),
    (r"Required partition not available|partition.*(?:down|inactive)", texts.PARTITION_DOWN),
    (r"Invalid (?:qos|QOS)", texts.NO_QOS),
    (r"Requested time limit is invalid|time limit exceeds|exceeds partition.*time", texts.TIME_LIMIT),
    (r"[Ii]nvalid generic resource|Invalid GRES|[Gg]res.*not (?:valid|available)", texts.NO_GRES),
    (r"Invalid feature", texts.NO_FEATURE),
    (r"Memory (?:specification|required)", texts.NO_MEMORY),
    (r"Requested node configuration is not available|More processors requested", texts.TOO_LARGE),
    (r"CPU count per node|Node count specification", texts.TOO_LARGE),
    (r"[Rr]eservation.*(?:invalid|denied)|Access denied to requested reservation", texts.NO_RESERVATION),
    (r"QUEUE_FULL|[Qq]ueue is full|MaxJobCount|Resource temporarily unavailable", texts.QUEUE_FULL),
    (r"Invalid user id|user.*(?:unknown|not known)|Couldn't find.*user", texts.NO_USER),
)  # fmt: skip

_UNAVAILABLE: Final = (
    (
        r"[Mm]unge (?:encode|decode)|munged|[Aa]uthentication (?:error|failure)|auth_munge|[Cc]redential",
        of_slurm.MUNGE_SILENT,
    ),
    (r"slurm_persist_conn|slurmdbd|accounting storage", of_slurm.DATABASE_SILENT),
    (
        r"contact slurm controller|onnection refused|connect failure|Zero Bytes|ocket timed out|standby mode",
        of_slurm.CONTROLLER_SILENT,
    ),
    (
        r"[Cc]ould not (?:establish|resolve)|[Uu]nable to (?:establish|resolve).*conf|slurm\.conf",
        of_slurm.CONFIGURATION_UNREADABLE,
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


def unavailable(words: str) -> Text | None:
    """What is wrong when a client's words mean that Slurm did not answer at all, else None.

    :param words: of a client through which no site speaks (squeue, scancel), else its own word (:func:`read`).
    """
    for pattern, problem in _UNAVAILABLE:
        if re.search(pattern, words):
            return problem()
    return None


def with_site(text: Text, site: str) -> Text:
    """A text, and after it the site's own words to the same request, if it has any."""
    return sentences(text, texts.CLUSTER_SAYS(words=site) if site else None)


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
    problem = unavailable(said.own)
    if problem:
        return SlurmUnavailableError(with_site(sentences(texts.NOT_STARTED(), problem), said.site))
    for text in (said.detail, said.own):
        for pattern, reason in REFUSALS:
            match = re.search(pattern, text)
            if match:
                told = _of_spec(reason, spec, match[0])
                return FabricError(
                    with_site(told, said.site), reason=reason.label, hint=told.hint, status=reason.status
                )
    unknown = said.site if said.site and said.own in _NO_REASON else quoted(words)
    return FabricError(texts.REFUSED(words=unknown) if unknown else texts.REFUSED_SILENTLY())


def _of_spec(reason: Reason, spec: JobSpec, limit: str) -> Text:
    """A refusal with those of a specification's fields that it speaks of; ``limit`` is Slurm's word for it."""
    memory = texts.MIB(mib=str(spec.memory_mb)) if spec.memory_mb else texts.DEFAULT_MEMORY()
    known: dict[str, Any] = {
        "limit": limit,
        "account": spec.account or texts.THE_DEFAULT(),
        "partition": spec.partition or texts.THE_DEFAULT(),
        "qos": spec.qos or texts.THE_DEFAULT(),
        "reservation": spec.reservation or texts.NONE(),
        "constraint": spec.constraint or texts.THAT_FEATURE(),
        "gres": tuple(spec.gres) or texts.NONE(),
        "memory": memory,
        "time": spec.minutes * 60 if spec.minutes else texts.THE_TIME(),
        "size": (CPUS(n=spec.cpus), texts.MEMORY(memory=memory), *spec.gres),
    }
    return reason(**{name: known[name] for name in reason.fields})
