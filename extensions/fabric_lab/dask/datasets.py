"""The session's datasets on the nodes of its workers, also those that are added or dropped while a cluster runs."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from .. import data, node

LIMIT_S = 10.0


class SessionDatasets:
    """What the session has open, as its own node says; in the cluster's daemon.

    :param names: what is known at the start.
    :param job: the session's own job: the node knows what it has open.
    """

    def __init__(self, names: Iterable[str], job: str, environment: Mapping[str, str] = os.environ) -> None:
        self.names = [*names]
        wanted = (node.SOCKET, node.DATA)
        self._environment = {name: environment[name] for name in wanted if environment.get(name)}
        self._environment["SLURM_JOB_ID"] = job
        self._lock = asyncio.Lock()

    async def refresh(self) -> tuple[list[str], list[str]]:
        """Ask the node again; returns what has been added and what has been dropped since.

        Where the node does not answer, or datasets are plain directories that are always there, nothing has.
        """
        async with self._lock:
            if not self._environment.get(node.SOCKET) or not self._environment["SLURM_JOB_ID"]:
                return [], []
            with suppress(node.NodeError):
                answer = await node.ask_async(self._environment, "list", timeout_s=LIMIT_S)
                before, self.names = self.names, [one.dataset for one in answer.opened]
                return (
                    [name for name in self.names if name not in before],
                    [name for name in before if name not in self.names],
                )
            return [], []


def change(add: Sequence[str], drop: Sequence[str]) -> list[str]:
    """In a worker's job: have its node open and close datasets; returns what was not opened and why, in sentences.

    The job's log has a line for each dataset. Workers without a job of their own are in the session's.
    """
    if not os.environ.get(node.SOCKET) or not os.environ.get("SLURM_JOB_ID"):
        return []
    problems: list[str] = []
    try:
        if add:
            answer = node.ask(os.environ, "open", add, timeout_s=LIMIT_S)
            print("\n".join(data.lines([*add], answer)), flush=True)
            there = {one.dataset for one in answer.opened}
            why = {one.dataset: one.message for one in answer.refused}
            problems = [f"{name}: {why.get(name, 'the node did not say why')}" for name in add if name not in there]
        if drop:
            node.ask(os.environ, "close", drop, timeout_s=LIMIT_S)
    except node.NodeError as error:
        problems = [f"{name}: {error}" for name in (*add, *drop)]
        print("\n".join(problems), flush=True)
    return problems


async def change_here(add: list[str], drop: list[str]) -> list[str]:
    """As :func:`change`, beside the work of a nanny."""
    return await asyncio.to_thread(change, add, drop)
