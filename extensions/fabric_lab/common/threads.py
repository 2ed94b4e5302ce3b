"""Threads of numerical libraries: as many as the job has CPUs, and not as many as the node has.

Where Slurm binds a job to its CPUs (task/affinity, task/cgroup) the libraries count those by themselves, and nothing
is set: Dask would take a set number for the user's wish, and give it to every worker of a cluster on this node.
Elsewhere a cell on 4 of 128 CPUs would start 128 threads.
"""

from __future__ import annotations

from collections.abc import MutableMapping

# OpenMP (PyTorch, scikit-learn), OpenBLAS and MKL (NumPy, SciPy), BLIS, numexpr (pandas), Numba, Rayon and Polars, R's
# parallel package, Julia.
NAMES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "NUMEXPR_MAX_THREADS",
    "NUMBA_NUM_THREADS",
    "RAYON_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "MC_CORES",
    "JULIA_NUM_THREADS",
)
# The number that was set here: what a job submitted from the session has otherwise is its user's own wish.
SET = "FABRIC_THREADS"


def follow(environment: MutableMapping[str, str], bound: int) -> None:
    """Set the names that are not set, where this process may run on more CPUs than its job has.

    :param bound: the CPUs that this process may run on, ``len(os.sched_getaffinity(0))``.
    """
    told = environment.get("SLURM_CPUS_PER_TASK") or environment.get("SLURM_CPUS_ON_NODE") or ""
    if not told.isascii() or not told.isdigit() or not 0 < int(told) < bound:
        return
    environment[SET] = told
    for name in NAMES:
        environment.setdefault(name, told)
