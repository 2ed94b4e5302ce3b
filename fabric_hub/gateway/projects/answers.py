"""What the gateway says of Slurm's accounts and the projects, as types."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from fabric_hub.messages.text import NOTHING, Said, WithTexts
from fabric_hub.slurm.associations import Step
from fabric_hub.types import Frozen


class ProjectsPlan(WithTexts):
    """What is to be done in Slurm below the parent account, for the projects of this ``serial``.

    ``drift`` is what people changed by hand, which stays; ``problems`` what stands in the way; ``notes`` what must be
    known of budgets on this cluster. ``calls``: how often Slurm was asked for it.
    """

    parent: str
    owner: Literal["fabric", "outside"]
    serial: int
    steps: tuple[Step, ...] = ()
    drift: tuple[Said, ...] = ()
    problems: tuple[Said, ...] = ()
    notes: tuple[Said, ...] = ()
    calls: int = 0


class ApplyBody(Frozen):
    """``closings``: also close the accounts of projects that are gone, which wait for an operator's word."""

    closings: bool = False


class ProjectsApplied(WithTexts):
    """What was done: ``done`` are the steps that Slurm took, ``left`` those that it did not, or was not asked for.

    ``calls``: how often Slurm was asked and changed.
    """

    parent: str
    serial: int
    done: tuple[Step, ...] = ()
    left: tuple[Step, ...] = ()
    drift: tuple[Said, ...] = ()
    problems: tuple[Said, ...] = ()
    calls: int = 0


class ProjectsHealth(WithTexts):
    """How Slurm follows the projects, as of the last round that the gateway made by itself, or was asked for.

    ``at`` is its moment (Unix seconds), ``left`` how many steps are still to be done, ``notes`` what must be known of
    budgets on this cluster.
    """

    serial: int = 0
    at: float | None = None
    rounds: int = 0
    calls: int = Field(default=0, description="How often Slurm was asked and changed in that round.")
    left: int = 0
    drift: int = 0
    problem: Said = NOTHING
    notes: tuple[Said, ...] = ()
