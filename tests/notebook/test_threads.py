"""Numerical libraries start as many threads as the job has CPUs; a job that is submitted from it is free of that."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fabric_lab.common import threads

from tests.support.answering_hub import AnsweringHub
from tests.support.kernel import Kernel
from tests.support.running_session import RunningSession, session_environment

SBATCH = '#!/bin/sh\nprintf \'%s \' "OMP=${OMP_NUM_THREADS-}" "MKL=${MKL_NUM_THREADS-}" "${FABRIC_THREADS-none}"\n'


@pytest.mark.parametrize("told", [{"SLURM_CPUS_PER_TASK": "4"}, {"SLURM_CPUS_ON_NODE": "4"}])
def test_a_job_that_is_not_bound_to_its_cpus_has_as_many_threads(told: dict[str, str]) -> None:
    environment = {**told, "MKL_NUM_THREADS": "1"}
    threads.follow(environment, 128)
    assert {environment[name] for name in threads.NAMES if name != "MKL_NUM_THREADS"} == {"4"}
    assert environment["MKL_NUM_THREADS"] == "1", "its user's wish"


@pytest.mark.parametrize(
    ("told", "bound"),
    [
        ({"SLURM_CPUS_PER_TASK": "4"}, 4),
        ({}, 128),
        ({"SLURM_CPUS_PER_TASK": "²"}, 128),
        ({"SLURM_CPUS_PER_TASK": "0"}, 8),
    ],
)
def test_where_the_libraries_count_right_or_nothing_is_known_nothing_is_set(told: dict[str, str], bound: int) -> None:
    environment = dict(told)
    threads.follow(environment, bound)
    assert environment == told


@pytest.mark.image
@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="this machine has one CPU, as the job")
def test_cells_have_the_jobs_number_and_submitted_jobs_their_own(
    python: Path, hub: AnsweringHub, tmp_path: Path
) -> None:
    programs = tmp_path / "slurm"
    programs.mkdir()
    (programs / "sbatch").write_text(SBATCH)
    (programs / "sbatch").chmod(0o755)
    environment = session_environment(hub.url, PATH=f"{programs}:/usr/bin:/bin", SLURM_CPUS_PER_TASK="1")
    with RunningSession(python, tmp_path, environment) as session:
        session.announced_by(hub)
        kernel = Kernel(session)
        kernel.until("idle")
        assert kernel.run("import os; print(os.environ['OMP_NUM_THREADS'])").strip() == "1"
        assert kernel.run("!sbatch").split() == ["OMP=", "MKL=", "none"]
        assert kernel.run("!MKL_NUM_THREADS=3 sbatch").split() == ["OMP=", "MKL=3", "none"]
