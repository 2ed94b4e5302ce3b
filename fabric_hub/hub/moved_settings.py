"""Settings that a site wrote for batchspawner's classes reach the spawner that JupyterHub has now.

JupyterHub sees :class:`~.spawner.wrapper.FabricSpawner`, and hooks, timeouts and the environment are the wrapper's:
what is set for ``SlurmSpawner`` or ``BatchSpawnerBase`` would reach its child alone, where nobody asks for it.
"""

from __future__ import annotations

from typing import Any

from jupyterhub.spawner import Spawner

from .spawner.bases import SlurmSpawner
from .spawner.wrapper import FabricSpawner

# Not carried over: how a server starts and where it listens is ours, and the form is the hub's own.
OURS = frozenset(
    {"start_timeout", "ip", "port", "cmd", "args", "env_keep", "options_form", "options_from_form"}
    | {"server_token_scopes", "oauth_client_allowed_scopes", "poll_interval"}
)


def carry_over(c: Any) -> None:
    """Let a site's settings for batchspawner's classes count for ours, unless it sets them for ours itself.

    A ``start_timeout`` of all spawners stays without effect: it would throw people out of Slurm's queue.

    :param c: JupyterHub's configuration, after the site's own was read; changed in place.
    """
    wanted = set(Spawner.class_trait_names(config=True)) - OURS
    found: dict[str, Any] = {}
    for section in SlurmSpawner.section_names():
        if section in c and section not in Spawner.section_names():
            found |= {name: value for name, value in c[section].items() if name in wanted}
    if "start_timeout" in c.Spawner:
        found["start_timeout"] = FabricSpawner.start_timeout.default_value
    for name, value in found.items():
        c[FabricSpawner.__name__].setdefault(name, value)
