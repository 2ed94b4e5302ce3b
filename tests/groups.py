"""Which tests run one after another on one worker of pytest-xdist, and in which order groups begin. Pure.

A group is a file, unless several files share a cluster or a hub that is expensive to start: those are named here.
The longest begin first, so that no worker is left alone with one at the end. A worker keeps its own clusters, hubs,
ports and accounts; groups of several workers therefore never meet.
"""

from __future__ import annotations

# Name of a group: the files (below tests/) that are in it. In the order in which they begin.
SHARED: dict[str, tuple[str, ...]] = {
    "dask-losses": ("dask/test_losses.py",),
    "faults-reservation": ("faults/test_reservation.py", "faults/test_ends.py"),
    "bare": ("slurm/", "quotas/", "hosts/"),
    "hub": ("hub/",),
    "browser-time": ("browser/test_time.py", "browser/test_failures.py", "browser/test_accessibility.py"),
    "faults-outages": (
        "faults/test_outages.py",
        "faults/test_hub_dies.py",
        "faults/test_queue.py",
        "faults/test_one_job.py",
    ),
    "dask-rest": ("dask/test_c", "dask/test_d", "dask/test_gpus.py", "dask/test_without_slurm.py"),
    "browser-usage": ("browser/test_usage_panel.py", "browser/test_session.py", "browser/test_datasets_panel.py"),
    "faults-rest": ("faults/",),
    "dask-many": ("dask/",),
    "browser-rest": ("browser/",),
    "contract": ("contract/",),
    "datasets": ("datasets/",),
    "notebook-usage": ("notebook/test_usage_panel.py",),
    "notebook-endpoints": ("notebook/test_usage_endpoints.py",),
}


def group_of(test: str) -> str:
    """The group of a test, given as pytest names it (``tests/hub/test_start.py::test_…``).

    It is the first group that names its file, else the file itself.
    """
    path = test.partition("::")[0].removeprefix("tests/")
    return next((name for name, files in SHARED.items() if path.startswith(files)), path)


def order_of(group: str) -> int:
    """Where a group stands: the named ones in their order, then the files."""
    return list(SHARED).index(group) if group in SHARED else len(SHARED)
