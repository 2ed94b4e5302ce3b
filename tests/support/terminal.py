"""A terminal of a running session, as New → Terminal opens one."""

from __future__ import annotations

import json
import time
from contextlib import suppress

import websocket

from .answering_hub import TOKEN
from .running_session import RunningSession

SAID_S = 180.0


class Terminal:
    """A terminal at an address that the session's server has given it."""

    def __init__(self, address: str, token: str) -> None:
        self._line = websocket.create_connection(address, header={"Authorization": f"token {token}"}, timeout=SAID_S)
        self._line.settimeout(1.0)  # what a command says comes in parts
        self._number = 0

    @classmethod
    def of(cls, session: RunningSession) -> Terminal:
        """A new one of a session that runs without a hub."""
        status, text = session.get("api/terminals", method="POST")
        assert status == 200, text
        place = f"127.0.0.1:{session.port}/user/ann/terminals/websocket/{json.loads(text)['name']}"
        return cls(f"ws://{place}", TOKEN)

    def run(self, command: str) -> str:
        """Type a command; returns what it said."""
        self._number += 1
        begins, ends = f"begins-{self._number}.", f"ends-{self._number}."
        # what the terminal shows of the typed line itself has quotes in these words
        marks = [mark.replace("-", "'-'") for mark in (begins, ends)]
        self._line.send(json.dumps(["stdin", f"echo {marks[0]}; {command}; echo {marks[1]}\r"]))
        said, until = "", time.monotonic() + SAID_S
        while ends not in said:
            assert time.monotonic() < until, said
            with suppress(websocket.WebSocketTimeoutException):
                kind, text = json.loads(self._line.recv())[:2]
                said += text if kind == "stdout" else ""
        return said.partition(begins)[2].partition(ends)[0].replace("\r\n", "\n").strip()

    def close(self) -> None:
        self._line.close()
