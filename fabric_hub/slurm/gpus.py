"""What is left of a node's GPUs and shards. Pure."""

from __future__ import annotations

from collections.abc import Mapping


def free_shared(
    gpus: Mapping[str, int], gpus_used: Mapping[str, int], shards: int, shards_used: int
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


def free_by_type(total: Mapping[str, int], used: Mapping[str, int]) -> dict[str, int]:
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
