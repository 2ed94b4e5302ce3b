"""``fabric-hub down``, and how a run ends: in order, and without a process that stays."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from fabric_hub.errors import FabricError

from . import accounts, cluster, instance, nodes, processes
from .layout import Layout
from .supervisor import Supervisor

Say = Callable[[str], None]


def end_daemons(layout: Layout, say: Say) -> None:
    """End the daemons of a run that was killed; its sessions live on, and the new daemons find them."""
    old = [pid for pid in processes.leftovers(layout.root) if not processes.of_session(pid, layout.root)]
    if old:
        say(f"An earlier run was killed; ending {len(old)} processes that it left.")
        _insist(layout, old)
    for stale in (layout.munge_socket, layout.database_socket, layout.gateway_socket, layout.catalogue_socket):
        stale.unlink(missing_ok=True)


def _insist(layout: Layout, pids: list[int]) -> None:
    stuck = processes.end(pids)
    if stuck:
        raise FabricError(
            f"Processes {', '.join(map(str, stuck))} of {layout.root} do not end.",
            reason="processes",
            hint="They hang in the kernel, on a file system for instance; see ps -o pid,stat,wchan,args.",
        )


def stop(layout: Layout, supervisor: Supervisor) -> None:
    """Hub and gateway first, then the jobs while Slurm can still end them in order, then Slurm, then the rest."""
    supervisor.stop(lambda name: name in ("hub", "gateway"))
    if layout.slurm_conf.exists():
        environment = cluster.slurm_environment(layout)
        code, jobs = cluster.ask(["/usr/bin/squeue", "-h", "-a", "-o", "%A"], environment, 5.0)
        if code == 0 and jobs:
            cluster.ask(["/usr/bin/scancel", *jobs.split()], environment)
    supervisor.stop()
    sweep(layout)
    nodes.unmount(layout)


def sweep(layout: Layout) -> None:
    """End every process of the run, sessions included."""
    uids = [entry.pw_uid for entry in accounts.ours(layout)] if os.geteuid() == 0 else []
    # twice: a process may have started another while the first ones ended
    for _ in range(2):
        _insist(layout, processes.leftovers(layout.root, uids))
    layout.processes.unlink(missing_ok=True)


def down(directory: Path, *, purge: bool, say: Say) -> None:
    """Stop a run, also one that was killed; with ``purge`` remove its accounts and its directory."""
    if not directory.exists():
        say(f"Nothing runs in {directory}; it does not exist.")
        return
    layout = Layout(directory, directory / "images")
    _check_is_ours(layout)
    layout = layout if purge else instance.layout_of(directory)
    if supervisor := instance.holder(layout):
        processes.end([supervisor], grace_s=60)
    with instance.locked(layout):
        sweep(layout)
        nodes.unmount(layout)
        if purge:
            removed = accounts.remove(layout) if os.geteuid() == 0 else []
            shutil.rmtree(layout.root)
            say(f"Removed {layout.root}" + (f" and the accounts {', '.join(removed)}." if removed else "."))
        else:
            say(f"Nothing runs in {directory} any more.")


def _check_is_ours(layout: Layout) -> None:
    """A mistyped --dir must never be emptied."""
    if not instance.is_ours(layout):
        raise FabricError(
            f"{layout.root} is not the directory of an embedded run of this account.",
            reason="directory",
            hint="Give the --dir that `fabric-hub up` was given, as the account that gave it.",
        )
