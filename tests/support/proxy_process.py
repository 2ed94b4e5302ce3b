"""The proxy's own unit as a process: what fabric-proxy.service runs."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Self

from fabric_hub.errors import FabricError
from fabric_hub.hub import proxy_unit
from fabric_hub.hub.held_ports import PASSED
from tests.support.hub_process import children
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]


class ProxyProcess:
    """The unit of a hub with this state directory.

    :param listener: the port that people open, as systemd holds it.
    :param log: where it and the proxy write.
    """

    def __init__(self, state_dir: Path, listener: socket.socket, log: Path) -> None:
        self.run_dir = state_dir / "run"
        self._state_dir, self._listener, self._log = state_dir, listener, log
        self._process: subprocess.Popen[bytes] | None = None

    def up(self) -> Self:
        """Start it, unless it runs, and wait until it takes orders."""
        if self._process is None:
            with self._log.open("ab") as log:
                self._process = subprocess.Popen(
                    # whatever becomes of the tests, it ends with them
                    ["setpriv", "--pdeathsig", "TERM", sys.executable, "-m", "fabric_hub.hub.proxy_unit",
                     str(self._state_dir)],
                    env={**os.environ, "PYTHONPATH": str(ROOT), PASSED: str(self._listener.fileno())},
                    pass_fds=[self._listener.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )  # fmt: skip
            until(self._answers, "the proxy's unit takes orders", 60, every_s=0.05)
        return self

    def _answers(self) -> bool:
        assert self._process
        assert self._process.poll() is None, self._log.read_text()
        try:
            proxy_unit.ask(self.run_dir)
        except FabricError:
            return False
        return True

    @property
    def proxy(self) -> int:
        """The process of the proxy itself; 0 while there is none."""
        return proxy_unit.ask(self.run_dir)

    def kill(self) -> None:
        """``kill -9`` of the unit's own process: the proxy ends with it, at once."""
        assert self._process
        started = [os.pidfd_open(pid) for pid in children(self._process.pid)]
        self._process.kill()
        self._process.wait()
        self._process = None
        for handle in started:
            try:
                assert select.select([handle], [], [], 20)[0], "the proxy outlives its unit"
            finally:
                os.close(handle)

    def close(self) -> None:
        if self._process:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(30)
            finally:
                self._process.kill()
                self._process = None
