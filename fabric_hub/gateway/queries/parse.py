"""What squeue, sinfo, sacct and scontrol say, as types. Pure.

A job's name is text of its owner's choice: it may hold newlines and any separator,
so that a clever name could read like a line about someone else's job. Every
question therefore carries a fresh random *mark*, which ends each field; nobody
can write a mark that did not exist when the job was named. Text without marks
(a warning between two records) is dropped; an answer that stops in the middle is
no answer (:class:`GarbledError`), for a job missing from it may still be there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from fabric_hub.slurm.model import Job, Node, Phase, Reservation, phase_of

# The clients' names of the fields; all are in Slurm 22.05 and in every later release. The name comes last.
JOB_FIELDS: Final = [
    "JobID", "UserName", "Account", "Partition", "QOS", "State", "Reason", "BatchHost", "SubmitTime", "StartTime",
    "EndTime", "TimeLimit", "exit_code", "tres-alloc", "JobArrayID", "Reservation",
    "Name",
]  # fmt: skip
NODE_FIELDS: Final = [
    "NodeList", "NodeAddr", "PartitionName", "StateLong", "CPUsState", "Memory", "AllocMem", "Gres", "GresUsed",
    "Reason", "Timestamp",
]  # fmt: skip
DETAIL_FIELDS: Final = ["JobID", "UserName", "State", "NodeList", "Comment", "Name"]
ENDED_FIELDS: Final = ["JobIDRaw", "State", "ExitCode", "End"]

_NAME_LIMIT = 200
# What Slurm writes first, in this order; the name and a comment further on are text of an administrator's choice.
_RESERVATION = re.compile(
    r"ReservationName=(?P<name>.+?) StartTime=(?P<starts>\d+) EndTime=(?P<ends>\d+) Duration=\S+ Nodes=(?P<nodes>\S*)"
    r"(?: NodeCnt=\d+ CoreCnt=\d+ Features=.*? PartitionName=.*? Flags=(?P<flags>\S*))?"
)
_FIELD = re.compile(r"(?:^|\s)([A-Za-z][\w/]*)=(\S*)")
_NOTHING = frozenset({"", "n/a", "N/A", "(null)", "None", "NONE", "Unknown", "UNKNOWN"})
# Flags that sinfo appends to a node's state (https://slurm.schedmd.com/sinfo.html#SECTION_NODE-STATE-CODES).
_STATE_FLAGS = "*~#!%$@^+-"
_UNUSABLE_FLAGS = frozenset("*!%$@^")  # not responding, powering down, maintenance, reboot
_USABLE_STATES = frozenset({"idle", "mixed", "allocated", "completing", "planned", "reserved"})


class GarbledError(ValueError):
    """An answer that is cut short or not of the asked form."""


@dataclass(frozen=True)
class JobDetail:
    """What is asked of few jobs only: every node (as Slurm abbreviates them), and the comment, its owner's text."""

    job_id: int
    name: str
    user: str
    state: str
    nodes: str
    comment: str

    @property
    def phase(self) -> Phase:
        return phase_of(self.state)


def field_list(fields: list[str], mark: str) -> str:
    """The format string (``--Format``, ``SQUEUE_FORMAT2``) that ends every field with the mark.

    :param mark: lower-case hexadecimal text; it is preceded by ``|`` so that it can
        never be read as a field's width.
    """
    return ",".join(f"{field}:|{mark}" for field in fields)


def records(text: str, mark: str, width: int) -> Iterator[list[str]]:
    """The records of an answer, each as its fields.

    :raises GarbledError: the last record is incomplete.
    """
    fields = text.split(f"|{mark}")
    tail = fields.pop()
    if len(fields) % width or (text and not tail.endswith("\n")):
        raise GarbledError(f"the answer stops in the middle of a record ({len(fields)} fields of {width} each)")
    for start in range(0, len(fields), width):
        record = fields[start : start + width]
        record[0] = record[0].rpartition("\n")[2]  # what stands before it carries no mark
        yield [field.strip() for field in record[:-1]] + [record[-1]]


def jobs(text: str, mark: str) -> tuple[Job, ...]:
    """The jobs in squeue's answer to :data:`JOB_FIELDS`, by job id.

    :raises GarbledError: see :func:`records`; or a job without a number.
    """
    found: dict[int, Job] = {}
    for record in records(text, mark, len(JOB_FIELDS)):
        number, user, account, partition, qos, state, reason, host, submit, start, end, limit, code, tres = record[:14]
        array, reservation, name = record[14:]
        array_id, tasks = array_of(array)
        if not number.isdigit():
            raise GarbledError(f"a job's number reads {number!r}")
        status, signal = exit_of(code) if state not in ("PENDING", "RUNNING") else (None, None)
        found[int(number)] = Job(
            job_id=int(number),
            array_id=array_id,
            array_tasks=tasks,
            name=name[:_NAME_LIMIT],
            user=user,
            account=text_of(account),
            partition=text_of(partition),
            qos=text_of(qos),
            reservation=text_of(reservation)[:_NAME_LIMIT],
            state=state,
            reason=text_of(reason),
            node=text_of(host),
            submitted_at=time_of(submit),
            started_at=time_of(start),
            ends_at=time_of(end),
            limit_s=duration_s(limit),
            exit_status=status,
            exit_signal=signal,
            tres=text_of(tres),
        )
    return tuple(found[number] for number in sorted(found))


def details(text: str, mark: str) -> tuple[JobDetail, ...]:
    """The jobs in squeue's answer to :data:`DETAIL_FIELDS`, oldest first.

    :raises GarbledError: see :func:`records`; or a job without a number.
    """
    found = []
    for number, user, state, nodes, comment, name in records(text, mark, len(DETAIL_FIELDS)):
        if not number.isdigit():
            raise GarbledError(f"a job's number reads {number!r}")
        found.append(JobDetail(int(number), name[:_NAME_LIMIT], user, state, text_of(nodes), comment))
    return tuple(sorted(found, key=lambda detail: detail.job_id))


def reservations(text: str) -> tuple[Reservation, ...]:
    """``scontrol --oneliner show reservation`` with times as Unix seconds.

    :raises GarbledError: a reservation without its name, times and nodes.
    """
    found = []
    for line in text.split("\n"):
        if not line.startswith("ReservationName="):
            continue
        told = _RESERVATION.match(line)
        if told is None:
            raise GarbledError(f"a reservation reads {line[:_NAME_LIMIT]!r}")
        found.append(
            Reservation(
                name=told["name"][:_NAME_LIMIT],
                starts_at=float(told["starts"]),
                ends_at=float(told["ends"]),
                nodes=told["nodes"],
                flexible="FLEX" in (told["flags"] or "").split(","),
            )
        )
    return tuple(found)


def array_of(text: str) -> tuple[int | None, str]:
    """(array, tasks) from ``123_4`` or ``123_[4,6-9%2]``; (None, "") of a job that is no array's.

    Tasks that stand at equal distances, which Slurm writes as ``0-8:2``, are given one by one.
    """
    match = re.fullmatch(r"(\d+)_\[?([\d,:-]+)(?:%\d+)?\]?", text)
    return (int(match.group(1)), re.sub(r"(\d+)-(\d+):(\d+)", _one_by_one, match.group(2))) if match else (None, "")


def _one_by_one(steps: re.Match[str]) -> str:
    first, last, step = map(int, steps.groups())
    return ",".join(map(str, range(first, last + 1, max(1, step))))


def ended(text: str) -> dict[int, tuple[str, int | None, int | None, float | None]]:
    """sacct's answer to :data:`ENDED_FIELDS`: job id -> (state, exit status, signal, end)."""
    found = {}
    for line in text.splitlines():
        fields = line.split("|")
        if len(fields) == len(ENDED_FIELDS) and fields[0].isdigit() and fields[1]:
            number, state, code, end = fields
            found[int(number)] = (state.split()[0], *exit_of(code), time_of(end))
    return found


def exit_of(code: str) -> tuple[int | None, int | None]:
    """(exit status, signal) from ``3:9`` or from a raw wait status; None where it says nothing.

    A raw code with both a status and a signal is no wait status: slurmctld keeps
    an error number in that field when a job could not be launched.
    """
    if re.fullmatch(r"\d+:\d+", code):
        status, signal = (int(part) for part in code.split(":"))
        return status & 0xFF, signal or None
    if not code.isdigit() or int(code) > 0xFFFF:
        return None, None
    raw = int(code)
    status, signal = raw >> 8, raw & 0x7F
    if status and signal:
        return None, None
    return (None, signal) if signal else (status, None)


def duration_s(text: str) -> int | None:
    """Seconds in Slurm's notation ``[days-]hours:minutes:seconds``, ``minutes:seconds``; None without a limit."""
    match = re.fullmatch(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)", text)
    if not match:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def nodes(text: str, mark: str) -> tuple[Node, ...]:
    """The nodes in sinfo's answer to :data:`NODE_FIELDS`, one per node whatever its partitions.

    :raises GarbledError: see :func:`records`.
    """
    found: dict[str, Node] = {}
    for record in records(text, mark, len(NODE_FIELDS)):
        name, address, partition, state, cpus, memory, allocated, gres, used, why, since = map(str.strip, record)
        if name in found:
            known = found[name]
            found[name] = known.model_copy(update={"partitions": (*known.partitions, partition)})
            continue
        node = _node(name, address, partition, state, cpus, (memory, allocated), (gres, used))
        reason = {} if why == "none" else {"reason": text_of(why), "reason_since": time_of(since)}
        found[name] = node.model_copy(update=reason)
    return tuple(found[name] for name in sorted(found))


def _node(
    name: str, address: str, partition: str, state: str, cpus: str, memory: tuple[str, str], gres: tuple[str, str]
) -> Node:
    usable = is_usable(state)
    counts = [int(part) if part.isdigit() else 0 for part in cpus.split("/")]  # allocated/idle/other/total
    cpus_free, cpus_total = (counts[1], counts[3]) if len(counts) == 4 else (0, 0)
    memory_total, memory_used = (_count(part) for part in memory)
    total, used = gres_counts(gres[0]), gres_counts(gres[1])
    gpus, shards = total.get("gpu", {}), sum(total.get("shard", {}).values())
    gpus_free, shards_free = free_shared(gpus, used.get("gpu", {}), shards, sum(used.get("shard", {}).values()))
    if not usable:
        gpus_free, shards_free = dict.fromkeys(gpus, 0), 0
    return Node(
        name=name,
        address=address,
        partitions=(partition,),
        state=state,
        usable=usable,
        cpus=cpus_total,
        cpus_free=cpus_free if usable else 0,
        memory_mb=memory_total,
        memory_free_mb=max(0, memory_total - memory_used) if usable else 0,
        gpus=gpus,
        gpus_free=gpus_free,
        shards=shards,
        shards_free=shards_free,
    )


def free_shared(
    gpus: dict[str, int], gpus_used: dict[str, int], shards: int, shards_used: int
) -> tuple[dict[str, int], int]:
    """Free GPUs by type and free shards of a node whose GPUs are given whole or in shards, never both.

    Slurm spreads a node's shards evenly over its GPUs and fills a shared GPU before it takes
    another (https://slurm.schedmd.com/gres.html#Sharding); which GPU it was does not matter here.
    """
    free = free_by_type(gpus, gpus_used)
    per_gpu = shards // sum(gpus.values()) if gpus else 0
    if not per_gpu:
        return free, max(0, shards - shards_used)
    shards_free = max(0, sum(free.values()) * per_gpu - shards_used)
    for _ in range(-(-shards_used // per_gpu)):
        roomiest = max(free, key=lambda kind: free[kind])
        free[roomiest] = max(0, free[roomiest] - 1)
    return free, shards_free


def is_usable(state: str) -> bool:
    """Whether jobs can be placed on a node in this long state, now or when it is free.

    A powered-down node (``idle~``) is: Slurm wakes it. A node that does not
    respond, drains, reboots or is under maintenance is not.
    """
    base = state.rstrip(_STATE_FLAGS)
    return base in _USABLE_STATES and not _UNUSABLE_FLAGS & set(state[len(base) :])


def gres_counts(text: str) -> dict[str, dict[str, int]]:
    """Generic resources by name and type: ``gpu:h200:2(S:0),gpu:4`` is ``{"gpu": {"h200": 2, "": 4}}``.

    Handles sockets and indexes in parentheses (which may hold commas), ``(null)``
    for no type, several types and several lines of one type on a node, MIG names,
    a name without a count (one) and counts such as ``4K``.
    """
    counts: dict[str, dict[str, int]] = {}
    # those at an item's end: a type may have some of its own (intel(r)_data_center_gpu_max_1550)
    plain = re.sub(r"\([^()]*\)(?=\s*(?:,|$))", "", text.replace(":(null)", ":"))
    for item in plain.split(","):
        name, *rest = item.strip().split(":")
        if not name or name in _NOTHING:
            continue
        count = _scaled(rest[-1]) if rest else None
        kind = rest[0] if rest and (len(rest) > 1 or count is None) else ""
        by_type = counts.setdefault(name, {})
        by_type[kind] = by_type.get(kind, 0) + (1 if count is None else count)
    return counts


def free_by_type(total: dict[str, int], used: dict[str, int]) -> dict[str, int]:
    """What is left of each type.

    Use of a type that the node does not list (it counts untyped and reports
    typed, or the other way round) is taken off where most is left: never a GPU too many.
    """
    free = {kind: max(0, count - used.get(kind, 0)) for kind, count in total.items()}
    for _ in range(sum(count for kind, count in used.items() if kind not in total)):
        most = max(free, key=lambda kind: free[kind], default=None)
        if most is None or not free[most]:
            break
        free[most] -= 1
    return free


def _scaled(text: str) -> int | None:
    match = re.fullmatch(r"(\d+)([KkMmGg]?)", text)
    if not match:
        return None
    return int(match[1]) * {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}[match[2].lower()]


def _count(text: str) -> int:
    match = re.match(r"\d+", text)
    return int(match[0]) if match else 0


def fields_of(line: str) -> dict[str, str]:
    """``Name=value Name=value`` of scontrol's; the first of a name counts."""
    found: dict[str, str] = {}
    for name, value in _FIELD.findall(line):
        found.setdefault(name, value)
    return found


def text_of(field: str) -> str:
    return "" if field in _NOTHING else field


def time_of(field: str) -> float | None:
    """Unix seconds, as SLURM_TIME_FORMAT=%s gives them."""
    return float(field) if field.isdigit() and int(field) else None
