"""Starts daemons in order, watches them, and stops them again in reverse."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable
from types import FrameType

from fabric_hub.errors import FabricError

from . import processes
from .cluster import Daemon
from .layout import Layout

_FIRST_DELAY_S, _LONGEST_DELAY_S = 1.0, 30.0
# A daemon that ran this long before it died starts over with the short delay.
_SETTLED_S = 60.0
# What one daemon may have written before its log begins anew, and how often that is looked at.
LARGEST_LOG, LOG_LOOK_S = 50 << 20, 5.0


class Stopped(Exception):  # noqa: N818 - not an error: someone asked us to stop
    """A signal asked the run to end."""


class Supervisor:
    """The daemons of one run.

    :param say: prints one line of progress.
    """

    def __init__(self, layout: Layout, say: Callable[[str], None]) -> None:
        self._layout = layout
        self._say = say
        self._daemons: dict[str, Daemon] = {}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._started: dict[str, float] = {}
        self._delay: dict[str, float] = {}
        self._beside: dict[subprocess.Popen[bytes], Callable[[int], None]] = {}
        self._again: dict[str, float] = {}  # when to start a dead daemon again (monotonic)

    def start(self, daemon: Daemon) -> None:
        """Start a daemon and wait until it is ready.

        :raises FabricError: it ended, or was not ready in time; with the last lines of its log.
        """
        began = time.monotonic()
        self._daemons[daemon.name] = daemon
        daemon.prepare()
        process = self._launch(daemon)
        while problem := daemon.missing():
            try:
                process.wait(daemon.check_every_s)
            except subprocess.TimeoutExpired:
                if time.monotonic() - began < daemon.within_s:
                    continue
                raise self._failure(daemon, f"was not ready within {daemon.within_s:g} s: {problem}") from None
            raise self._failure(daemon, f"ended with status {process.returncode} while it started")
        self._say(f"  {daemon.name} is ready ({time.monotonic() - began:.1f} s)")

    def beside(self, process: subprocess.Popen[bytes], ended: Callable[[int], None]) -> None:
        """Watch a process that is no daemon: it ends by itself.

        :param ended: called with its exit status.
        """
        self._beside[process] = ended

    def _launch(self, daemon: Daemon) -> subprocess.Popen[bytes]:
        process = processes.start(
            daemon.argv,
            log=self._layout.log / f"{daemon.name}.log",
            environment=daemon.environment,
            cwd=daemon.cwd,
            account=daemon.account,
            sockets=daemon.sockets,
        )
        self._running[daemon.name] = process
        self._started[daemon.name] = time.monotonic()
        self._record()
        return process

    def _record(self) -> None:
        """For people, `status` and tests; what to end is found by the processes' own marks."""
        pids = {name: process.pid for name, process in self._running.items()}
        fresh = self._layout.processes.with_suffix(".new")
        fresh.write_text(json.dumps({"supervisor": os.getpid(), **pids}))
        fresh.replace(self._layout.processes)

    def _failure(self, daemon: Daemon, what: str) -> FabricError:
        log = self._layout.log / f"{daemon.name}.log"
        return FabricError(
            f"{daemon.name} {what}. The end of {log}:\n{processes.tail(log)}",
            reason="daemon",
            hint="\n`fabric-hub doctor` looks for what is wrong with this machine.",
        )

    def watch(self) -> None:
        """Wait for a signal; report a daemon that dies, and start ours again, ever slower.

        :raises Stopped: SIGINT, SIGTERM or SIGHUP arrived.
        """
        while True:
            due = [name for name, when in self._again.items() if when <= time.monotonic()]
            for name in due:
                del self._again[name]
                self._end_orphans()
                self._launch(self._daemons[name])
            with selectors.DefaultSelector() as selector:
                for name, process in self._running.items():
                    selector.register(os.pidfd_open(process.pid), selectors.EVENT_READ, name)
                for process in self._beside:
                    selector.register(os.pidfd_open(process.pid), selectors.EVENT_READ)
                try:
                    next_start = min(self._again.values(), default=None)
                    left = LOG_LOOK_S if next_start is None else max(0.0, next_start - time.monotonic())
                    ready = [key.data for key, _ in selector.select(left) if key.data]
                finally:
                    for key in list(selector.get_map().values()):
                        os.close(key.fd)
            for name in ready:
                self._died(name)
            for process in [one for one in self._beside if one.poll() is not None]:
                self._beside.pop(process)(process.returncode)
            for name in self._daemons:
                processes.cut(self._layout.log / f"{name}.log", LARGEST_LOG)

    def _died(self, name: str) -> None:
        process, daemon = self._running.pop(name), self._daemons[name]
        status = process.wait()
        self._record()
        log = self._layout.log / f"{name}.log"
        self._say(f"{name} ended with status {status}. The end of {log}:\n{processes.tail(log)}")
        if not daemon.restart:
            self._say(f"Slurm needs {name}; stop this run and start it again. Sessions keep running until then.")
            return
        lived = time.monotonic() - self._started[name]
        delay = _FIRST_DELAY_S if lived > _SETTLED_S else min(_LONGEST_DELAY_S, self._delay.get(name, 0.5) * 2)
        self._delay[name] = delay
        self._again[name] = time.monotonic() + delay
        self._say(f"{name} starts again in {delay:g} s.")

    def _end_orphans(self) -> None:
        """What a dead daemon had started (the hub its proxy and service) still holds the ports; sessions live on."""
        alive = {process.pid for process in (*self._running.values(), *self._beside)}
        processes.end(
            pid
            for pid in processes.leftovers(self._layout.root)
            if not processes.of_session(pid, self._layout.root) and not alive & processes.ancestors(pid)
        )

    def stop(self, names: Callable[[str], bool] = lambda _: True) -> None:
        """Stop the daemons whose name is wanted, last started first, each with what it started."""
        self._again.clear()
        for name in reversed([name for name in self._running if names(name)]):
            process = self._running.pop(name)
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(15)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def stop_on_signals() -> None:
    """Let SIGINT, SIGTERM and SIGHUP raise :class:`Stopped`, once; the stop itself is not interrupted."""

    def stopped(number: int, frame: FrameType | None) -> None:
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(name, signal.SIG_IGN)
        raise Stopped

    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, stopped)
