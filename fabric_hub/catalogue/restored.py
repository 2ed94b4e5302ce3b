"""What the catalogue's store is given and gives back beside the words of the catalogue itself."""

from __future__ import annotations

from fabric_hub.datasets.model import Acceptance, Grant
from fabric_hub.types import Frozen, Slug


class Revocation(Frozen):
    """A project's grant was taken away at ``at``, and its jobs that had the dataset open by then must end."""

    dataset: Slug
    project: Slug
    at: float


class Restored(Frozen):
    """What newer sources say of a catalogue that came from a backup: see :mod:`fabric_hub.backup.grants`.

    :ivar grants: all that are in force; ``held`` those that are shut. ``serial``: the highest that was published.
    """

    serial: int
    at: float
    grants: tuple[Grant, ...]
    held: tuple[Grant, ...]
    retired: tuple[Slug, ...] = ()
    accepted: tuple[Acceptance, ...] = ()
    ends: tuple[Revocation, ...] = ()
