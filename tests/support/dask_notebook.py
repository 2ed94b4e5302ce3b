"""A notebook in a session of a real hub: cells run in a real kernel, as its user."""

from __future__ import annotations

import json
import os
import signal
import uuid
from pathlib import Path
from typing import Any

import httpx
import websocket

from .embedded_run import EmbeddedRun
from .terminal import Terminal
from .waiting import until

READY_S = 90.0
CELL_S = 120.0


class CellError(AssertionError):
    """A cell raised; the text is its traceback."""


class Session:
    """A session of a demo user, started through the REST API."""

    def __init__(self, run: EmbeddedRun, user: str, **options: Any) -> None:
        self.run, self.user = run, user
        self._token = run.token(user)
        self._headers = {"Authorization": f"token {self._token}"}
        self.api = httpx.Client(base_url=run.address, headers=self._headers, timeout=30)
        answer = self.api.post(f"/hub/api/users/{user}/server", json={"profile": "cpu", **options})
        assert answer.status_code in (201, 202), answer.text
        until(lambda: self.server().get("ready"), "the session is ready", READY_S, every_s=0.2, seen=run.logs)

    def server(self) -> dict[str, Any]:
        """What the hub says of it; empty when it is gone."""
        found: dict[str, Any] = self.api.get(f"/hub/api/users/{self.user}").json()["servers"].get("", {})
        return found

    def get(self, path: str) -> httpx.Response:
        return self.api.get(f"/user/{self.user}/{path}")

    def notebook(self, kernel: str = "python3", path: str = "") -> Notebook:
        """Open one more notebook, with a kernel of its own.

        :param path: of the notebook, below the home directory.
        """
        answer = self.api.post(f"/user/{self.user}/api/kernels", json={"name": kernel, "path": path})
        assert answer.status_code == 201, answer.text
        return Notebook(self, answer.json()["id"])

    def terminal(self) -> Terminal:
        """Open one more terminal."""
        answer = self.api.post(f"/user/{self.user}/api/terminals")
        assert answer.status_code == 200, answer.text
        base = self.run.address.replace("http", "ws", 1)
        return Terminal(f"{base}/user/{self.user}/terminals/websocket/{answer.json()['name']}", self._token)

    def stop(self) -> None:
        self.api.delete(f"/hub/api/users/{self.user}/server")
        until(lambda: not self.server(), "the session stops", READY_S, every_s=0.2, seen=self.server)
        self.api.close()

    def jobs(self) -> list[str]:
        """Array jobs of this session's clusters that Slurm still has to run or runs."""
        listed = self.run.slurm("squeue", "-h", "-r", "-u", self.run.unix_name(self.user), "-o", "%i %T %j")
        return [line for line in listed.splitlines() if "-dask-" in line and "COMPLETING" not in line]

    def until_no_jobs(self, limit_s: float = 60.0) -> None:
        """Wait until Slurm has ended the jobs of its clusters."""
        until(lambda: not self.jobs(), "no job of the session's clusters is left", limit_s, every_s=0.5, seen=self.jobs)

    @property
    def processes(self) -> list[tuple[int, str]]:
        """(pid, command line) of all processes of the session's user."""
        uid = Path("/proc/self").stat().st_uid if os.geteuid() else None
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                owner = entry.stat().st_uid
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if uid is None and owner != _uid(self.run.unix_name(self.user)):
                continue
            if str(self.run.directory) in command or "fabric_lab" in command or "ipykernel" in command:
                found.append((int(entry.name), command))
        return found

    def kill(self, part: str) -> None:
        """SIGKILL to the processes whose command line has this in it."""
        pids = [pid for pid, command in self.processes if part in command]
        assert pids, f"no process has {part!r} in its command line: {self.processes}"
        for pid in pids:
            os.kill(pid, signal.SIGKILL)


class Notebook:
    """A kernel of a session. ``run(cell)`` gives what the cell printed."""

    def __init__(self, session: Session, kernel: str) -> None:
        self.session, self.kernel = session, kernel
        self.shown: list[dict[str, Any]] = []  # what the last cell has shown besides: media type to content
        self._socket = self._connect()

    def _connect(self) -> websocket.WebSocket:
        url = self.session.run.address.replace("http", "ws", 1)
        return websocket.create_connection(
            f"{url}/user/{self.session.user}/api/kernels/{self.kernel}/channels",
            header=[f"Authorization: token {self.session._token}"],
            timeout=CELL_S,
        )

    def run(self, cell: str) -> str:
        """Run a cell to its end.

        :raises CellError: it raised.
        """
        identity = uuid.uuid4().hex
        self.shown = []
        self._socket.send(
            json.dumps(
                {
                    "header": {
                        "msg_id": identity,
                        "msg_type": "execute_request",
                        "username": "",
                        "session": uuid.uuid4().hex,
                        "version": "5.4",
                    },
                    "parent_header": {},
                    "metadata": {},
                    "channel": "shell",
                    "content": {
                        "code": cell,
                        "silent": False,
                        "store_history": False,
                        "allow_stdin": False,
                        "stop_on_error": False,
                    },
                }
            )
        )
        printed = ""
        while True:
            message = json.loads(self._socket.recv())
            if message.get("parent_header", {}).get("msg_id") != identity:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "stream":
                printed += content["text"]
            elif kind in ("display_data", "execute_result"):
                self.shown.append(content["data"])
            elif kind == "error":
                raise CellError("\n".join(content["traceback"]))
            elif kind == "status" and content["execution_state"] == "idle":
                return printed

    def value(self, expression: str) -> Any:
        """An expression's value, through JSON."""
        marked = self.run(f"import json as _j; print('\\n=>' + _j.dumps({expression}))")
        return json.loads(marked.rpartition("=>")[2])

    def until(self, expression: str, why: str, limit_s: float = 90.0) -> None:
        """Ask until an expression is true."""
        until(lambda: self.value(f"bool({expression})"), why, limit_s, every_s=0.3)

    def close(self) -> None:
        """Close its page; the kernel goes on."""
        self._socket.close()

    def restart(self) -> None:
        """The menu's "Restart kernel"."""
        answer = self.session.api.post(f"/user/{self.session.user}/api/kernels/{self.kernel}/restart")
        assert answer.status_code == 200, answer.text
        self._socket.close()
        self._socket = self._connect()


def _uid(name: str) -> int:
    import pwd

    return pwd.getpwnam(name).pw_uid
