"""How many workers become how many tasks of a job array. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Batch:
    """One submission: ``tasks`` tasks of ``per_task`` workers each."""

    tasks: int
    per_task: int

    @property
    def workers(self) -> int:
        return self.tasks * self.per_task


def arrange(workers: int, most: int) -> list[Batch]:
    """Batches that hold exactly this many workers, as few and as even as can be.

    Workers of one task share their imports, so fuller tasks are ready sooner; no task asks for what no
    worker uses. One batch when the workers divide evenly, else two.

    :param most: workers that one task may hold, at least 1.
    """
    if workers <= 0:
        return []
    tasks = -(-workers // max(1, most))
    fewer, larger = divmod(workers, tasks)
    batches = [Batch(larger, fewer + 1), Batch(tasks - larger, fewer)]
    return [batch for batch in batches if batch.tasks]


def task_ids(indices: list[int]) -> str:
    """Indices of an array as Slurm writes them: ``[0, 1, 2, 5]`` is ``0-2,5``."""
    runs: list[list[int]] = []
    for index in sorted(set(indices)):
        if runs and runs[-1][1] == index - 1:
            runs[-1][1] = index
        else:
            runs.append([index, index])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)
