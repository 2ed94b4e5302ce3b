"""Dask's configuration as the notebook has it: ``dask.config.set`` counts for its cluster, too.

A cluster's scheduler and workers are processes of their own, which read the same files and variables; what the notebook
has set besides goes to them with the cluster's plan.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

SLURM = "slurm"


class SettingError(Exception):
    """Something is set that a cluster cannot be given; the message names it."""


def said() -> dict[str, Any]:
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
                raise SettingError(
                    f"dask.config: {path}={value!r} cannot be given to a cluster, whose processes are others. "
                    "Set it to text, numbers, lists or mappings, or leave it out."
                ) from None
    return found


def take(told: Mapping[str, Any]) -> None:
    """Have what a notebook has set in force in this process."""
    import dask

    dask.config.update(dask.config.config, told)


def own_words(section: str) -> dict[str, Any]:
    """Words that say what a worker is, where a person's own section does: then it is like no profile."""
    import dask

    said = {} if section == SLURM else dask.config.get(f"jobqueue.{section}")
    return {word: said[word] for word in ("cores", "memory") if said.get("cores") and said.get(word)}


def section(name: str | None) -> str:
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
        raise SettingError(
            f"config_name={name!r}: dask's configuration has no section jobqueue.{name}; there is {there}. "
            f"Write one in ~/.config/dask/jobqueue.yaml, or dask.config.set({{'jobqueue.{name}': {{...}}}})."
        )
    dask.config.set({f"jobqueue.{name}": {**known[SLURM], **known[name]}})
    return name
