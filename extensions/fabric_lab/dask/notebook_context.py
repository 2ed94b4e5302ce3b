"""What a notebook has that its cluster's processes shall have, too: settings of dask, modules, the session's datasets.

A cluster's scheduler and workers are processes of their own, which read the same files and variables as the notebook.
What it has set besides (``dask.config.set``), and the directory that its own modules are in, go to them with the
cluster's plan. Datasets are also added and dropped while a cluster runs: its daemon asks the session's own node what
is open (:class:`SessionDatasets`), and each job of its workers is told all of that whenever it changes, and makes it so
on its own node (:class:`JobDatasets`): who missed a change, or failed with one, makes up for it the next time.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..common import node
from ..common.translation import _

SLURM = "slurm"
PACKAGES = ("site-packages", "dist-packages")
# A job asks its node twice at most, within these seconds each; the daemon waits a little longer than for both.
ASK_S = 6.0
JOBS_S = 2 * ASK_S + 2


class SettingError(Exception):
    """Something is set that a cluster cannot be given; the message names it."""


def own_settings() -> dict[str, Any]:
    """What this process has set above files and variables.

    :raises SettingError: one of these is no value that can be sent.
    """
    import dask

    before: dict[str, Any] = {}
    dask.config.refresh(config=before)
    return changed(dask.config.config, before)


def changed(now: Mapping[str, Any], before: Mapping[str, Any], within: str = "") -> dict[str, Any]:
    """What of a nested configuration is not as it was before. Pure.

    :raises SettingError: one of these is no value that can be sent.
    """
    found: dict[str, Any] = {}
    for name, value in now.items():
        old, path = before.get(name), f"{within}{name}"
        if isinstance(value, Mapping) and (isinstance(old, Mapping) or name not in before):
            inner = changed(value, old or {}, f"{path}.")
            if inner or name not in before:
                found[name] = inner
        elif name not in before or value != old:
            try:
                found[name] = json.loads(json.dumps(value))
            except (TypeError, ValueError):
                said = _(
                    "dask.config: {setting} cannot be given to a cluster, whose processes are others. "
                    "Set it to text, numbers, lists or mappings, or leave it out."
                )
                raise SettingError(said.format(setting=f"{path}={value!r}")) from None
    return found


def take_settings(config: Mapping[str, Any]) -> None:
    """Have what a notebook has set in force in this process."""
    import dask

    dask.config.update(dask.config.config, config)


def own_words(section: str) -> dict[str, Any]:
    """Words that say what a worker is, where a person's own section does: then it is like no profile."""
    import dask

    said = {} if section == SLURM else dask.config.get(f"jobqueue.{section}")
    return {word: said[word] for word in ("cores", "memory") if said.get("cores") and said.get(word)}


def jobqueue_section(name: str | None) -> str:
    """The section of jobqueue.yaml that a cluster's words come from, complete: what is not said there is as in "slurm".

    :param name: as ``config_name=`` says it.
    :raises SettingError: there is no such section.
    """
    import dask

    if not name or name == SLURM:
        return SLURM
    known = dask.config.get("jobqueue", {})
    if name not in known:
        there = ", ".join(sorted(known))
        said = _(
            "config_name={name}: dask's configuration has no section {section}; there is {others}. "
            "Write one in ~/.config/dask/jobqueue.yaml, or {code}."
        )
        section = f"jobqueue.{name}"
        code = f"dask.config.set({{{section!r}: {{...}}}})"
        raise SettingError(said.format(name=repr(name), section=section, others=there, code=code))
    dask.config.set({f"jobqueue.{name}": {**known[SLURM], **known[name]}})
    return name


def own_directories(path: Sequence[str] | None = None) -> list[str]:
    """The directory that this process imports a person's modules from: the notebook's, or a script's own.

    :param path: default: ``sys.path``.
    """
    path = sys.path if path is None else path
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    with suppress(OSError):  # a directory that is gone has no modules
        if "" in path:
            return [os.getcwd()]
        if script and path and path[0] == str(Path(script).absolute().parent):
            return [path[0]]
    return []


def import_from(directories: Iterable[str]) -> None:
    """Import from these directories, too: before installed packages, after the standard library, as IPython does."""
    for directory in directories:
        if directory not in sys.path:
            at = next((n for n, known in enumerate(sys.path) if Path(known).name in PACKAGES), len(sys.path))
            sys.path.insert(at, directory)


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
                print("\n".join(node.lines([*add], answer)), flush=True)
                there = {one.dataset for one in answer.opened}
                why = {one.dataset: one.message for one in answer.refused}
                unsaid = _("the node did not say why")
                problems = [f"{name}: {why.get(name) or unsaid}" for name in add if name not in there]
                self._held += [name for name in add if name in there]
            if drop:
                node.ask(self._environment, "close", drop, timeout_s=ASK_S)
                self._held = [name for name in self._held if name not in drop]
        except node.NodeError as error:
            problems = [f"{name}: {error}" for name in (*add, *drop)]
            print("\n".join(problems), flush=True)
        return problems
