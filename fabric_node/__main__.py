"""``fabric-node [--config FILE] prolog | epilog | serve | status | check``: the node's command line."""

from __future__ import annotations

import argparse
import json
import logging
import os
import re
import signal
import sys
from types import FrameType
from typing import Any

from . import kernel, log_lines
from .agent import Agent
from .config import DEFAULT, Config, load
from .daemon import Daemon, ask
from .grants import NAME
from .trust import NodeError

_LOG = logging.getLogger("fabric-node")
_DAEMON_S, _ALONE_S = 10.0, 20
_COMMENT = re.compile(r"(?:^|[\s;])fabric-datasets=([a-z0-9,-]{1,2600})(?=$|[\s;])")


def asked_for(comment: str) -> list[str]:
    """The datasets that a job's comment asks for: "fabric-datasets=a,b". It is a request, never an authorisation."""
    found = _COMMENT.search(comment)
    names = found.group(1).split(",") if found else []
    return [name for name in dict.fromkeys(names) if NAME.fullmatch(name)][:64]


def _too_long(number: int, frame: FrameType | None) -> None:
    raise NodeError(f"This took more than {_ALONE_S} s; the next look at this node puts it right.")


def _reconcile(config: Config, agent: Agent) -> None:
    """Let the daemon look at everything; do it ourselves where there is none."""
    try:
        ask(config.socket, {"verb": "reconcile"}, _DAEMON_S)
    except (FileNotFoundError, ConnectionRefusedError):
        agent.reconcile()
    except OSError:
        raise NodeError("The daemon does not answer; it will see to this when it does.") from None


def prolog(config: Config, agent: Agent) -> None:
    """A job starts: register it, and open what its comment asks for."""
    job = agent.register(os.environ)
    names = asked_for(os.environ.get("SLURM_JOB_COMMENT", ""))
    if names:
        for refused in agent.open(job.job, job.uid, names, "comment").refused:
            _LOG.warning("Job %d: %s", job.job, refused["message"])


def epilog(config: Config, agent: Agent) -> None:
    """A job is over: close what it had open."""
    agent.finish(os.environ)
    _reconcile(config, agent)


def from_slurm(command: str, path: str) -> int:
    """Prolog or Epilog. Always 0: another status would drain the node, and without us nothing is open to anybody."""
    signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(_ALONE_S)
    try:
        config = load(path)
        log_lines.configure("node", config.log == "json")
        agent = Agent(config)
        agent.make_directories()
        (prolog if command == "prolog" else epilog)(config, agent)
    except NodeError as error:
        _LOG.error("%s: %s", command, error.message)
    except Exception:
        _LOG.exception("%s failed; the next look at this node puts it right", command)
    return 0


def status(config: Config, as_json: bool) -> int:
    """What is open on this node, for root."""
    agent = Agent(config)
    grants = agent.grants.current()
    ended = agent.jobs.ended()
    jobs = [job for job in agent.jobs.all() if job.stem not in ended]
    try:
        waiting = len(os.listdir(config.outbox))
    except FileNotFoundError:
        waiting = 0
    known: dict[str, Any] = {
        "serial": grants.serial if grants else None,
        "problem": agent.grants.problem,
        "mounts": sorted({mount.target for mount in kernel.mounts_below(config.run)}),
        "jobs": [
            {"node": job.node, "job": job.job, "uid": job.uid, "account": job.account, "open": sorted(job.opened)}
            for job in jobs
        ],
        "events_waiting": waiting,
    }
    if as_json:
        print(json.dumps(known, indent=2))
        return 0
    print(f"published grants: {known['problem'] or 'serial ' + str(known['serial'])}")
    print(f"events on their way: {waiting}")
    for job in known["jobs"]:
        print(f"job {job['job']} on {job['node']}, uid {job['uid']}: {', '.join(job['open']) or 'nothing open'}")
    print("\n".join(["mounts:", *known["mounts"]]))
    return 0


def check(config: Config) -> int:
    """Whether this node can do its work; every obstacle in words."""
    agent = Agent(config)
    wrong = []
    if agent.grants.current() is None:
        wrong.append(agent.grants.problem)
    release = tuple(int(part) for part in re.findall(r"\d+", os.uname().release)[:2])
    if release < (5, 8):
        wrong.append(f"Linux {os.uname().release} is older than 5.8.")
    with open("/proc/filesystems", encoding="ascii") as file:
        if "\tsquashfs\n" not in file.read():
            wrong.append("The kernel has no squashfs yet: modprobe squashfs.")
    if not os.path.exists("/dev/loop-control"):
        wrong.append("There is no /dev/loop-control: modprobe loop.")
    try:
        ask(config.socket, {"verb": "reconcile"}, _DAEMON_S)
    except OSError as error:
        wrong.append(f"The daemon does not answer on {config.socket}: {error}.")
    print("\n".join(wrong) if wrong else "All is well.")
    return 1 if wrong else 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    arguments = argparse.ArgumentParser(prog="fabric-node", description="Datasets on a compute node; runs as root.")
    arguments.add_argument(
        "--config", default=DEFAULT, metavar="FILE", help="the node's configuration (default: %(default)s)"
    )
    commands = arguments.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("prolog", help="from Slurm's Prolog: a job starts here")
    commands.add_parser("epilog", help="from Slurm's Epilog: a job is over here")
    commands.add_parser("serve", help="the daemon")
    shown = commands.add_parser("status", help="what is open on this node")
    shown.add_argument("--json", action="store_true", help="print JSON")
    commands.add_parser("check", help="whether this node can open datasets")
    return arguments


def main() -> int:
    """Run one command; 2 when the configuration is not to be trusted or has a mistake."""
    chosen = parser().parse_args()
    log_lines.configure("node")
    os.umask(0o022)
    if chosen.command in ("prolog", "epilog"):
        return from_slurm(chosen.command, chosen.config)
    try:
        config = load(chosen.config)
        log_lines.configure("node", config.log == "json")
        if chosen.command == "serve":
            Daemon(config).run()
            return 0
        return status(config, chosen.json) if chosen.command == "status" else check(config)
    except NodeError as error:
        print(f"fabric-node: {error.message}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
