"""sinfo: the nodes, with what is left on them, and why one is out of service. Arguments and answers as types. Pure."""

from __future__ import annotations

import re
from typing import Final

from fabric_hub.slurm.gpus import free_shared
from fabric_hub.slurm.model import Node
from fabric_hub.slurm.notation import gres_counts, text_of, time_of

from .parse import field_list, records

NODE_FIELDS: Final = [
    "NodeList", "NodeAddr", "PartitionName", "StateLong", "CPUsState", "Memory", "AllocMem", "Gres", "GresUsed",
    "Reason", "Timestamp",
]  # fmt: skip
REASON_FIELDS: Final = ["Reason", "Timestamp"]

# Flags that sinfo appends to a node's state (https://slurm.schedmd.com/sinfo.html#SECTION_NODE-STATE-CODES).
_STATE_FLAGS = "*~#!%$@^+-"
_UNUSABLE_FLAGS = frozenset("*!%$@^")  # not responding, powering down, maintenance, reboot
_USABLE_STATES = frozenset({"idle", "mixed", "allocated", "completing", "planned", "reserved"})


def argv(fields: list[str], mark: str, node: str = "") -> list[str]:
    """The arguments that ask for these fields of every node, or of one, in every partition.

    sinfo takes the long form from its arguments only; nothing in its answer is text of a user.
    """
    which = f"--nodes={node}" if node else "--exact"
    return ["--Node", "--noheader", "--all", "--local", which, f"--Format={field_list(fields, mark)}"]


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


def is_usable(state: str) -> bool:
    """Whether jobs can be placed on a node in this long state, now or when it is free.

    A powered-down node (``idle~``) is: Slurm wakes it. A node that does not
    respond, drains, reboots or is under maintenance is not.
    """
    base = state.rstrip(_STATE_FLAGS)
    return base in _USABLE_STATES and not _UNUSABLE_FLAGS & set(state[len(base) :])


def _count(text: str) -> int:
    match = re.match(r"\d+", text)
    return int(match[0]) if match else 0


def node_reason(text: str, mark: str) -> tuple[str, float | None]:
    """(why a node is out of service, since when), from sinfo's answer to :data:`REASON_FIELDS`; a line per partition.

    :raises GarbledError: the answer stops in the middle.
    """
    for reason, since in records(text, mark, len(REASON_FIELDS)):
        return ("", None) if reason == "none" else (text_of(reason), time_of(since.strip()))
    return "", None
