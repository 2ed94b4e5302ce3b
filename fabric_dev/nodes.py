"""The node agent of an embedded run as root: one for all its nodes, since they share a kernel."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Callable
from pathlib import Path

from fabric_hub.errors import FabricError
from fabric_node import kernel
from fabric_node.trust import NodeError, open_path

from .cluster import Daemon, answers, base_environment
from .layout import Layout
from .processes import Account
from .runtime import CODE, Runtime

# job_container/tmpfs puts the job's own /tmp and /dev/shm over the machine's: a run below would vanish from its jobs.
_HIDDEN = (Path("/tmp"), Path("/dev/shm"))


def enforced(layout: Layout, say: Callable[[str], None]) -> bool:
    """Whether this run can let the kernel decide who reads a dataset: as root, where nobody else may write."""
    if os.geteuid() != 0:
        return False
    try:
        os.close(open_path(str(layout.etc), os.O_PATH | os.O_DIRECTORY, frozenset({0})))
    except NodeError as error:
        say(f"Datasets will not open: {error.message} Choose a --dir where only root may write.")
        return False
    return True


def contained(layout: Layout) -> bool:
    """Whether jobs get mount namespaces of their own."""
    return not any(layout.root.resolve().is_relative_to(hidden) for hidden in _HIDDEN)


def write(
    layout: Layout, runtime: Runtime, catalogue_service: Account, *, containers: bool, pool_uids: list[int]
) -> None:
    """Write node.json, and the programs that Slurm's Prolog and Epilog are.

    :param pool_uids: of the accounts that are lent.
    """
    layout.node.mkdir(mode=0o755, exist_ok=True)
    conf = {
        "grants": str(layout.published / "grants.json"),
        "events": str(layout.published / "events"),
        "store": str(layout.datasets),
        "directories": [str(layout.datasets)],
        "owners": [catalogue_service.uid],
        "run": str(layout.node / "run"),
        "state": str(layout.node / "state"),
        "data_dir": str(layout.data),
        "socket": str(layout.node_socket),
        "spool": f"{layout.spool}/%n",
        "slurm_conf": str(layout.slurm_conf),
        "containers": str(layout.containers) if containers else None,
        "pool_uids": pool_uids,
    }
    _write(layout.node_conf, json.dumps(conf, indent=2) + "\n", 0o644)
    for command, path in (("prolog", layout.prolog), ("epilog", layout.epilog)):
        exports = [f"export {name}={shlex.quote(value)}\n" for name, value in _environment(layout, runtime).items()]
        program = shlex.join([*_argv(layout, runtime), command])
        _write(path, f"#!/bin/sh\n{''.join(exports)}exec {program}\n", 0o755)


def _write(path: Path, text: str, mode: int) -> None:
    fresh = path.with_name(f".{path.name}")
    fresh.write_text(text)
    fresh.chmod(mode)
    fresh.replace(path)


def _argv(layout: Layout, runtime: Runtime) -> list[str]:
    # -S: the standard library alone
    return [str(runtime.python), "-S", "-m", "fabric_node", "--config", str(layout.node_conf)]


def _environment(layout: Layout, runtime: Runtime) -> dict[str, str]:
    return {**base_environment(layout), "PYTHONPATH": str(CODE), **runtime.environment, "PYTHONDONTWRITEBYTECODE": "1"}


def daemon(layout: Layout, runtime: Runtime) -> Daemon:
    """The agent's daemon."""
    return Daemon(
        "node",
        [*_argv(layout, runtime), "serve"],
        lambda: "" if answers(layout.node_socket) else f"nobody listens on {layout.node_socket}",
        _environment(layout, runtime),
        layout.root,
        restart=True,
    )


def unmount(layout: Layout) -> None:
    """Take off every mount of a run, whatever is left of it: its gates', and its jobs' namespaces'.

    :raises FabricError: one stays; nothing below it may be removed then.
    """
    if os.geteuid() != 0:
        return
    ours = [str(layout.root / name) for name in ("node", "data", "spool")]
    for directory in ours:
        for mount in reversed(kernel.mounts_below(directory)):
            try:
                kernel.unmount(mount.target)
            except OSError as error:
                raise FabricError(
                    f"{mount.target} cannot be unmounted: {error.strerror}.",
                    reason="mounts",
                    hint=f"Unmount it, then give this command again: umount -l {mount.target}",
                ) from error
