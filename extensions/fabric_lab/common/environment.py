"""The session's private environment: read once, then gone from disk."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Mapping, MutableMapping
from pathlib import Path

NAME = "env.json"
# Set where the session does without Jupyter's files in the home directory: to why it did not start with them.
ASIDE = "FABRIC_HOME_ASIDE"
# What Slurm tells the session's own job and its steps, which sbatch, srun and salloc take for their user's wishes.
OF_THE_JOB = re.compile(r"(?:SLURM|SLURMD|SBATCH|SALLOC|SRUN|PMI|PMI2|PMIX)_.+")
_KEPT = frozenset({"SLURM_CONF"})
# Where the session runs, under names that Slurm's clients do not read. Slurm 22.05 does not set SLURM_JOB_END_TIME.
OWN_NAMES = {
    "SLURM_JOB_ID": "FABRIC_JOB_ID",
    "SLURMD_NODENAME": "FABRIC_NODE",
    "SLURM_JOB_END_TIME": "FABRIC_JOB_END",
    "SLURM_CPUS_ON_NODE": "FABRIC_JOB_CPUS",
    "SLURM_MEM_PER_NODE": "FABRIC_JOB_MEMORY_MB",
    "SLURM_MEM_PER_CPU": "FABRIC_JOB_MEMORY_PER_CPU_MB",
}


class LaunchError(Exception):
    """The session cannot start; the text says why and what to do, for the job's log.

    Here it is English: the person's language is in what cannot be read.
    """


def take(session_dir: Path) -> dict[str, str]:
    """Read ``env.json`` of a session's private directory and remove it.

    :returns: names and values for the process's environment; they hold secrets.
    :raises LaunchError: the file is missing, not a plain file, not ours, open to others, or malformed.
        A file that others could read is removed too: its tokens are burnt anyway.
    """
    path = session_dir / NAME
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise LaunchError(
            f"{path} is not there: a session starts once from it. Start a new session from the hub's page."
        ) from None
    except OSError as error:
        raise LaunchError(f"{path} cannot be read: {error.strerror}.") from error
    with open(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise LaunchError(f"{path} is not a plain file.")
        if status.st_uid != os.geteuid():
            raise LaunchError(
                f"{path} belongs to uid {status.st_uid}, not to uid {os.geteuid()} who runs this session."
            )
        os.unlink(path)
        if status.st_mode & 0o077:
            raise LaunchError(
                f"{path} was open to others (mode {stat.S_IMODE(status.st_mode):04o}, must be 0600); it is removed. "
                "Start a new session from the hub's page."
            )
        return parse(file.read(), str(path))


def parse(content: bytes, name: str = NAME) -> dict[str, str]:
    """The environment in ``{"environment": {NAME: VALUE}}``. Errors name the key, never a value."""
    try:
        data = json.loads(content)
    except ValueError:
        raise LaunchError(f"{name} is not JSON.") from None
    environment = data.get("environment") if isinstance(data, dict) else None
    if not isinstance(environment, dict):
        raise LaunchError(f'{name} has no "environment" object.')
    for key, value in environment.items():
        if not key or "=" in key or "\0" in key:
            raise LaunchError(f"{name}: {key!r} is not the name of a variable.")
        if not isinstance(value, str) or "\0" in value:
            raise LaunchError(f"{name}: {key} is not text.")
    return environment


def leave_job(environment: MutableMapping[str, str]) -> None:
    """Make an environment that of a login node: in cells and terminals sbatch, srun and salloc work as there."""
    for slurms, own in OWN_NAMES.items():
        if environment.get(slurms):
            environment[own] = environment[slurms]
    for name in [*environment]:
        if OF_THE_JOB.fullmatch(name) and name not in _KEPT:
            del environment[name]


def of_job(environment: Mapping[str, str], name: str) -> str:
    """What Slurm says under a name: in a job that a cell has submitted, its own; else the session's."""
    return environment.get(name) or environment.get(OWN_NAMES[name], "")
