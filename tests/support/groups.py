"""Which tests run one after another on one worker of pytest-xdist, and in which order groups begin. Pure.

A group is a file, unless several files share a cluster or a hub that is expensive to start: those are named here.
A worker has clusters, hubs, ports and accounts of its own, so groups on different workers never meet. The longest
group begins first, so that no worker is left alone with one at the end.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

# Name of a group: how the paths of its files begin, below tests/. The first that fits counts.
SHARED: dict[str, tuple[str, ...]] = {
    "dask-losses": ("dask/test_losses.py", "notebook/test_first_day.py"),
    "dask-many": ("dask/test_m", "dask/test_pools.py"),
    "dask": ("dask/",),
    "faults-reservation": ("faults/test_reservation.py", "faults/test_ends.py"),
    "faults-outages": ("faults/test_o", "faults/test_hub_dies.py", "faults/test_queue.py"),
    "faults": ("faults/",),
    "browser-time": ("browser/test_time.py", "browser/test_failures.py", "browser/test_accessibility.py"),
    "browser-usage": ("browser/test_usage_panel.py", "browser/test_session.py", "browser/test_datasets_panel.py"),
    "browser": ("browser/",),
    "bare": ("slurm/", "hub/test_internal_tls.py", "hub/test_other_host.py"),
    "hub": ("hub/",),
    "contract": ("contract/",),
    "node": ("node/",),
}


def group_of(test: str) -> str:
    """The group of a test, given as pytest names it (``tests/hub/test_start.py::test_…``).

    It is the first group that names its file, else the file itself.
    """
    path = test.partition("::")[0].removeprefix("tests/")
    return next((name for name, files in SHARED.items() if path.startswith(files)), path)


def in_order(tests: Sequence[str], files: Mapping[str, float]) -> list[str]:
    """The tests, the longest group first; one with a file that nobody has timed before all. Else the order is kept.

    :param files: seconds by file of tests.
    """
    known = {test.partition("::")[0] for test in tests}
    seconds: dict[str, float] = defaultdict(float)
    for file in known:
        seconds[group_of(file)] += files.get(file, float("inf"))
    return sorted(tests, key=lambda test: -seconds[group_of(test)])
