"""A node's dataset service, as far as a session sees it: one line of JSON each way on a Unix socket."""

from __future__ import annotations

import json
import os
import socket
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self


@dataclass
class AnsweringNode:
    """Opens what is in ``granted`` (name to version) below ``data``, and remembers what it was asked.

    ``says`` is sent instead of an answer; b"" closes the connection at once. While ``silent`` is set nothing is sent.
    """

    socket: Path
    data: Path
    granted: dict[str, str] = field(default_factory=dict)
    enforced: bool | None = None
    says: bytes | None = None
    silent: bool = False
    opened: set[str] = field(default_factory=set)
    asked: list[dict[str, Any]] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._server.bind(str(self.socket))
        self._server.listen()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as last:
            last.connect(str(self.socket))
        self._thread.join()
        self._server.close()
        self.socket.unlink()

    def _serve(self) -> None:
        kept = []
        while True:
            caller, _ = self._server.accept()
            if self._over.is_set():
                break
            if self.silent:
                kept.append(caller)
                continue
            with caller, caller.makefile("rwb") as line:
                asked = json.loads(line.readline())
                self.asked.append({**asked, "uid": _uid(caller)})
                line.write(self.answer(asked) if self.says is None else self.says)
        for one in [*kept, caller]:
            one.close()

    def answer(self, asked: dict[str, Any]) -> bytes:
        wanted = set(asked["datasets"])
        if asked["verb"] == "close":
            self.opened -= wanted
        if asked["verb"] == "open":
            self.opened |= wanted & set(self.granted)
        told = wanted if asked["verb"] == "open" else self.opened
        body: dict[str, Any] = {
            "opened": [
                {"dataset": name, "version": self.granted[name], "path": str(self.data / name)}
                for name in sorted(told & self.opened)
            ],
            "refused": [
                {"dataset": name, "reason": "not-granted", "message": f"Project twin has no grant for {name}."}
                for name in sorted(wanted - set(self.granted))
                if asked["verb"] == "open"
            ],
        }
        if self.enforced is not None:
            body["enforced"] = self.enforced
        return json.dumps(body).encode() + b"\n"


def _uid(caller: socket.socket) -> int:
    """Who the kernel says is at the other end."""
    told = caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    assert os.getpid() or told
    return int.from_bytes(told[4:8], "little")
