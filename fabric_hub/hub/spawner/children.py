"""Which child runs a session: by the kind of its profile."""

from __future__ import annotations

from .child import SessionChild
from .local_child import FabricLocalSpawner
from .slurm_child import FabricSlurmSpawner

CHILDREN: dict[str, type[SessionChild]] = {"slurm": FabricSlurmSpawner, "local": FabricLocalSpawner}
