"""sbatch and scancel for a cluster's workers: argument lists only, in a clean environment, within a time limit."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

LIMIT_S = 60.0

# What the notebook's own job and the hub put in the environment is not the workers': Slurm's variables would
# change what sbatch asks for, and the hub's hold the session's token.
_NOT_FOR_WORKERS = re.compile(r"(?:SLURM|SLURMD|SBATCH|SALLOC|SRUN|JUPYTER|JUPYTERHUB|JPY|PMI|PMIX)_?.*|FABRIC_.*|CUDA_VISIBLE_DEVICES|GPU_DEVICE_ORDINAL|ROCR_VISIBLE_DEVICES|ZE_AFFINITY_MASK")  # fmt: skip  # noqa: E501
_KEPT = frozenset({"SLURM_CONF", "FABRIC_NODE_SOCKET", "FABRIC_DATA_DIR", "FABRIC_DATASETS"})


class SlurmError(Exception):
    """Slurm's client refused or did not answer; the message is its own words."""


def clean(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without Slurm's, Jupyter's and the hub's variables: no token, nothing of the notebook's job."""
    return {name: value for name, value in environment.items() if name in _KEPT or not _NOT_FOR_WORKERS.fullmatch(name)}


class Submitted(NamedTuple):
    """An accepted job: its id, and what the site says to it."""

    job: int
    words: str = ""


async def submit(options: Sequence[str], script: str) -> Submitted:
    """Submit a batch script.

    :param options: sbatch's, each one word; they count above the script's own #SBATCH lines.
    :param script: its text, given on standard input.
    :raises SlurmError: it was refused, or nothing was heard in time (it may have been submitted).
    """
    out, error = await _call(["sbatch", "--parsable", *options], script)
    return answer(out, error)


def answer(out: str, error: str) -> Submitted:
    """What an sbatch that succeeded said: a wrapper around it, and the site's job_submit plugin, may say more.

    :param out: the id is its last line of the form NUMBER or NUMBER;CLUSTER.
    :param error: what was written to standard error.
    :raises SlurmError: there is no id.
    """
    lines = [line for line in map(str.strip, out.splitlines()) if line]
    ids = [n for n, line in enumerate(lines) if re.fullmatch(r"\d+(?:;\S+)?", line)]
    if not ids:
        raise SlurmError(f"sbatch answered {' '.join(lines)[:200]!r}, which is no job id.")
    words = [*lines[: ids[-1]], *lines[ids[-1] + 1 :], *_plain(error)]
    return Submitted(int(lines[ids[-1]].partition(";")[0]), " ".join(words))


def _plain(error: str) -> list[str]:
    """Lines that a client wrote to standard error, without its name."""
    lines = (re.sub(r"^(?:sbatch|scancel)\S*: (?:error: |fatal: )?", "", line.strip()) for line in error.splitlines())
    return [line for line in lines if line]


async def cancel(jobs: Sequence[str]) -> None:
    """Cancel jobs or tasks of arrays (``123_[0-3,7]``), all in one call; what is over already is no error."""
    if jobs:
        await _call(["scancel", "--quiet", *jobs], "")


async def _call(argv: Sequence[str], text: str) -> tuple[str, str]:
    environment = clean(os.environ)
    program = _program(argv[0], environment)
    process = await asyncio.create_subprocess_exec(
        program,
        *argv[1:],
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, error = await asyncio.wait_for(process.communicate(text.encode()), LIMIT_S)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise SlurmError(f"{argv[0]} did not answer within {LIMIT_S:g} s.") from None
    printed, said = out.decode(errors="replace"), error.decode(errors="replace")
    if process.returncode:
        words = " ".join([*_plain(printed), *_plain(said)])
        raise SlurmError(words or f"{argv[0]} ended with {process.returncode}.")
    return printed, said


def _program(name: str, environment: Mapping[str, str]) -> str:
    for directory in environment.get("PATH", os.defpath).split(os.pathsep):
        if directory and os.access(Path(directory) / name, os.X_OK):
            return str(Path(directory) / name)
    raise SlurmError(f"There is no {name} on this node's PATH, so no worker can be started from here.")
