"""A kernel of a running session: cells that run in it, also those that do not end."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

import websocket

from .answering_hub import TOKEN
from .running_session import RunningSession
from .waiting import until

PRINTED_S = 120.0


class Kernel:
    """A kernel, started by the session's server as a notebook would have it started.

    :param path: of the notebook's directory.
    """

    def __init__(self, session: RunningSession, name: str = "python3", path: str = "") -> None:
        status, text = session.get("api/kernels", method="POST", body={"name": name, "path": path})
        assert status == 201, text
        self._session, self._id, self._debugged = session, json.loads(text)["id"], 0
        self._line = websocket.create_connection(
            f"ws://127.0.0.1:{session.port}/user/ann/api/kernels/{self._id}/channels",
            header={"Authorization": f"token {TOKEN}"},
            timeout=PRINTED_S,
        )

    def send(self, cell: str) -> None:
        """Run a cell; whether it ends is its own affair."""
        content = {"code": cell, "silent": False, "store_history": False, "allow_stdin": False}
        self._ask("execute_request", "shell", content)

    def debug(self, command: str, arguments: dict[str, Any]) -> None:
        """Ask the kernel's debugger for something."""
        self._debugged += 1
        told = {"type": "request", "seq": self._debugged, "command": command, "arguments": arguments}
        self._ask("debug_request", "control", told)

    def subshell(self) -> None:
        """Ask for a subshell, as JupyterLab does; returns when the kernel has told that this is done."""
        self._ask("create_subshell_request", "control", {})
        done = ("status", "create_subshell_request", "idle")
        told: tuple[object, ...] = ()
        while told != done:
            message = json.loads(self._line.recv())
            asked = (message["parent_header"] or {}).get("msg_type")
            told = (message["msg_type"], asked, message["content"].get("execution_state"))

    @property
    def state(self) -> str:
        """What the session's server calls the kernel now: "idle", "busy" …"""
        state: str = json.loads(self._session.get(f"api/kernels/{self._id}")[1])["execution_state"]
        return state

    def _ask(self, kind: str, channel: str, content: dict[str, Any]) -> None:
        header = {"msg_id": uuid.uuid4().hex, "msg_type": kind, "username": "", "version": "5.4"}
        message = {
            "header": {**header, "session": uuid.uuid4().hex},
            "parent_header": {},
            "metadata": {},
            "channel": channel,
            "content": content,
        }
        self._line.send(json.dumps(message))

    def run(self, cell: str) -> str:
        """Run a cell to its end; returns what it printed."""
        end = uuid.uuid4().hex
        self.send(f"{cell}\nprint({end!r})")
        return self.until_printed(end).partition(end)[0]

    def until_printed(self, text: str) -> str:
        """Wait until a cell has printed this; returns all that was printed until then."""
        printed, end = "", time.monotonic() + PRINTED_S
        while text not in printed:
            assert time.monotonic() < end, printed
            message = json.loads(self._line.recv())
            if message["msg_type"] == "stream":
                printed += message["content"]["text"]
            assert message["msg_type"] != "error", "\n".join(message["content"]["traceback"])
        return printed

    def until(self, state: str) -> None:
        """Wait until the session's server calls the kernel "idle", or "busy"."""

        def told() -> Any:
            return json.loads(self._session.get(f"api/kernels/{self._id}")[1])

        until(lambda: told()["execution_state"] == state, f"the kernel is {state}", PRINTED_S, every_s=0.05, seen=told)

    def interrupt(self) -> None:
        """The menu's "Interrupt kernel"."""
        status, text = self._session.get(f"api/kernels/{self._id}/interrupt", method="POST", body={})
        assert status == 204, text

    def close(self) -> None:
        self._line.close()
