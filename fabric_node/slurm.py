"""What this node knows of Slurm's jobs without Prolog and Epilog. Questions are rare and fixed."""

from __future__ import annotations

import os
import re
import stat
import subprocess

from .config import Config
from .jobs import Job

_TIMEOUT_S = 20.0
_STATE = re.compile(r"\bJobState=([A-Z_]+)")
# https://slurm.schedmd.com/squeue.html#SECTION_JOB-STATE-CODES
_LIVE = frozenset(
    ["RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "CONFIGURING", "RESIZING", "SIGNALING", "STAGE_OUT"]
)


def parse_job(code: int, said: str) -> bool | None:
    """Whether ``scontrol show job`` says that a job lives: True, False, or None when Slurm did not answer."""
    states = _STATE.findall(said)
    if code == 0 and states:
        return any(state in _LIVE for state in states)
    return False if "Invalid job id specified" in said else None


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.lstat(path).st_mode)
    except OSError:
        return False


class Slurm:
    """Slurm as seen from this node."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def with_steps(self, jobs: list[Job]) -> frozenset[str]:
        """The stems of the jobs that have a slurmstepd here: it listens on SPOOL/NODE_JOB.STEP.

        Where somebody listens is the listener's own word, also from a mount namespace of a user's making: the socket
        must be in the real spool, where only root makes one.
        """
        with open("/proc/net/unix", encoding="utf-8", errors="surrogateescape") as file:
            paths = [line.rpartition(" ")[2].rstrip("\n") for line in file if "/" in line]
        starts = {self._socket(job): job.stem for job in jobs}
        found = ((path, starts.get(path.rpartition(".")[0])) for path in paths)
        return frozenset(stem for path, stem in found if stem is not None and _is_socket(path))

    def _socket(self, job: Job) -> str:
        host = os.uname().nodename.split(".")[0]
        spool = self._config.spool.replace("%n", job.node).replace("%h", host)
        return f"{spool}/{job.node}_{job.job}"

    def lives(self, job: Job) -> bool | None:
        """Ask Slurm whether a job lives; None when it does not answer."""
        return parse_job(*self._run("scontrol", "-o", "show", "job", str(job.job)))

    def cancel(self, job: Job) -> bool:
        """Ask Slurm to end a job; whether it took the order."""
        return self._run("scancel", str(job.job))[0] == 0

    def _run(self, program: str, *arguments: str) -> tuple[int, str]:
        environment = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
        if self._config.slurm_conf:
            environment["SLURM_CONF"] = self._config.slurm_conf
        try:
            done = subprocess.run(
                [os.path.join(self._config.slurm_bin, program), *arguments],
                env=environment,
                cwd="/",
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_TIMEOUT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return 124, str(error)
        return done.returncode, done.stdout + done.stderr
