"""How this node's agent fares, told to the catalogue service: one small file, written anew every minute.

It says counts, a version and an obstacle in words; no user, no dataset, and no uid but those of pools.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from typing import Any

from . import __version__, kernel
from .agent import Agent
from .config import NODE_NAME, Config
from .jobs import alive, boot_id
from .trust import NodeError

EVERY_S = 60.0
DIRECTORY = "agents"  # below the configuration's ``events``; the catalogue service makes it
_LONGEST_PROBLEM = 400


def node_name() -> str:
    """The name under which this node reports: its host name without a domain."""
    name = re.sub(r"[^A-Za-z0-9._-]", "-", os.uname().nodename.partition(".")[0])[:63]
    return name if NODE_NAME.fullmatch(name) else f"n{name}"[:63]


def report(config: Config, agent: Agent, started: float, now: float) -> dict[str, Any]:
    """What the agent says of itself.

    :param started: when this daemon began, and ``now``: Unix seconds.
    """
    grants, counts = agent.grants.current(), agent.events.brought
    waiting = 0
    with contextlib.suppress(FileNotFoundError):
        waiting = sum(not name.startswith(".") for name in os.listdir(config.outbox))
    return {
        "format": 1,
        "node": node_name(),
        "time": now,
        "version": __version__,
        "started": started,
        "serial": grants.serial if grants else 0,
        "jobs": sum(1 for _ in alive(agent.jobs.all(), agent.jobs.ended(), boot_id())),
        "mounts": sum(1 for _ in kernel.mounts_below(config.run)),
        "events_waiting": waiting,
        "opened": counts["opened"],
        "refused": counts["refused"],
        "revoked": counts["revoked"],
        "troubles": agent.troubles,
        "problem": "" if grants else agent.grants.problem[:_LONGEST_PROBLEM],
    }


def tell(agent: Agent, told: dict[str, Any]) -> bool:
    """Write a report where the catalogue service reads; False where it (an older one) has no place for reports.

    :raises OSError, NodeError: it cannot be written.
    """
    try:
        agent.events.deliver(f"{told['node']}.json", json.dumps(told, sort_keys=True), below=DIRECTORY)
    except FileNotFoundError:
        return False
    except NodeError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return False
        raise
    return True
