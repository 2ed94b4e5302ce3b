"""The classes of batchspawner and wrapspawner that our spawners are made of; no other module imports those packages.

**batchspawner.** ``FabricSlurmSpawner`` is a ``SlurmSpawner`` for three things: a site's ``c.SlurmSpawner.req_*`` and
``c.BatchSpawnerBase.req_*`` keep their names, and are read by ``get_req_subvars()``; ``job_id`` is in JupyterHub's
state of a server, under the name that a site's own tools know; ``get_env()`` makes the session's environment, of which
our ``user_env()`` takes the part that looks the account up. Nothing else of it runs: its shell strings, its sudo, its
job script, its squeue for every server, and its ``start``, ``poll``, ``stop`` and ``progress`` are never called, since
the wrapper asks a child by the verbs of :class:`.child.SessionChild` only.

**wrapspawner.** ``FabricSpawner`` is a ``WrapSpawner`` for ``construct_child()``: a child that is made when its class
is known (by the choice, or by a state that an earlier hub left), that has the wrapper's user, database, hub and
server, follows the traits that both have, and whose state is kept inside the wrapper's. ``start``, ``poll``, ``stop``
and ``progress`` are ours.

Importing batchspawner has an effect: JupyterHub gets ``POST /hub/api/batchspawner``, which
:mod:`fabric_hub.hub.patches.handlers` takes away again.
"""

from __future__ import annotations

from typing import Any

from batchspawner import SlurmSpawner
from wrapspawner import WrapSpawner

__all__ = ["SlurmSpawner", "WrapSpawner", "configured"]


def configured(c: Any, spawner: Any, name: str) -> Any:
    """What a configuration says of one setting of a class, the most special of its sections first; None: nothing."""
    found = [c[section][name] for section in spawner.section_names() if section in c and name in c[section]]
    return found[-1] if found else None
