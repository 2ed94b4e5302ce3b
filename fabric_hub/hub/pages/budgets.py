"""Time and budgets on the hub's pages. Reads memory and our own record only; what fails is left off a page.

As in :mod:`.sessions`: JupyterHub calls each once per page with the user who looks at it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from fabric_hub.budgets.balance import balance
from fabric_hub.budgets.schemas import Balance, Warned
from fabric_hub.budgets.warnings import WarningBook, subjects_of
from fabric_hub.errors import FabricError
from fabric_hub.hub.spawner.runtime import runtime
from fabric_hub.launch.choice import gpu_ways
from fabric_hub.projects.membership import projects_of, warned_to
from fabric_hub.sessions.status import standing
from fabric_hub.sessions.store import Session

from .sessions import called

log = logging.getLogger(__name__)


def warnings(viewer: Any) -> tuple[Warned, ...]:
    """The warnings in force that concern who has logged in."""
    if viewer is None:
        return ()
    shared = runtime()
    projects = projects_of(shared.settings, viewer.name)
    try:
        found = WarningBook(shared.store.engine).in_force(time.time(), subjects_of(viewer.name, projects), viewer.name)
    except FabricError as error:
        log.warning("No warnings on a page: %s", error)
        return ()
    return tuple(
        one.model_copy(update={"text": warned_to(viewer.name, shared.settings, one.subject, one.text)}) for one in found
    )


def ends(_viewer: Any) -> Callable[[Session | None], float | None]:
    """The template's function (session) -> when it ends."""
    return when_it_ends


def when_it_ends(session: Session | None) -> float | None:
    """When a running session ends by itself, in Unix seconds; None when that is not known."""
    if session is None:
        return None
    shared = runtime()
    shared.interest()
    snapshot = shared.follower.value
    job = standing(session, snapshot).alive
    end = snapshot.end_of(job) if snapshot and job else None
    if job is None or job.started_at is None or end is None or job.phase != "running":
        return None
    return end


def budgets(viewer: Any) -> list[tuple[str, Balance]]:
    """The GPU-hours of the projects of who has logged in: (title, balance) of each that Slurm keeps a limit of."""
    if viewer is None:
        return []
    shared = runtime()
    if shared.settings.slurm is None:
        return []
    shared.limits.follow()
    limits, snapshot, now = shared.limits.value, shared.follower.value, time.time()
    found = []
    for name, project in projects_of(shared.settings, viewer.name).items():
        ways = gpu_ways(shared.settings, project)
        told = balance(limits, snapshot, project.account, now=now, ways=ways)
        if told is not None and told.left is not None:
            found.append((called(name, shared.settings.project), told))
    return found
