"""The session's datasets on the nodes of its workers, also those that are added or dropped while a cluster runs.

The cluster's daemon knows what the session has open, by asking the session's own node (:class:`SessionDatasets`). Each
job of its workers is told all of that whenever it changes, and makes it so on its own node (:class:`JobDatasets`): who
missed a change, or failed with one, makes up for it the next time.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Mapping, Sequence

from ..common import data, node

# A job asks its node twice at most, within these seconds each; the daemon waits a little longer than for both.
ASK_S = 6.0
JOBS_S = 2 * ASK_S + 2


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

    async def refresh(self) -> str:
        """Ask the node again; returns why it did not answer, "" when it did: what was known before then stays.

        Where datasets are plain directories, all are always there, and nobody is asked.
        """
        if not self._environment.get(node.SOCKET) or not self._environment["SLURM_JOB_ID"]:
            return ""
        try:
            answer = await node.ask_async(self._environment, "list", timeout_s=ASK_S)
        except node.NodeError as error:
            return str(error)
        self.names = [one.dataset for one in answer.opened]
        return ""


class JobDatasets:
    """What one job of workers has open on its node: made to be what the session has.

    Workers without a job of their own are in the session's, and need nothing.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment
        self._held: list[str] = []
        self._lock = asyncio.Lock()

    async def match(self, names: list[str]) -> list[str]:
        """Have the node open these, and close what the session has dropped; returns what could not be opened and why.

        The job's log has a line for each dataset that is asked for.
        """
        if not self._environment.get(node.SOCKET) or not self._environment.get("SLURM_JOB_ID"):
            return []
        async with self._lock:
            add = [name for name in names if name not in self._held]
            drop = [name for name in self._held if name not in names]
            return await asyncio.to_thread(self._change, add, drop)

    def _change(self, add: Sequence[str], drop: Sequence[str]) -> list[str]:
        problems: list[str] = []
        try:
            if add:
                answer = node.ask(self._environment, "open", add, timeout_s=ASK_S)
                print("\n".join(data.lines([*add], answer)), flush=True)
                there = {one.dataset for one in answer.opened}
                why = {one.dataset: one.message for one in answer.refused}
                problems = [f"{name}: {why.get(name, 'the node did not say why')}" for name in add if name not in there]
                self._held += [name for name in add if name in there]
            if drop:
                node.ask(self._environment, "close", drop, timeout_s=ASK_S)
                self._held = [name for name in self._held if name not in drop]
        except node.NodeError as error:
            problems = [f"{name}: {error}" for name in (*add, *drop)]
            print("\n".join(problems), flush=True)
        return problems
