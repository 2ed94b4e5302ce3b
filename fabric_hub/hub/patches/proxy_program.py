"""The proxy's program (configurable-http-proxy): what it loads first, and the socket that it is started with.

JupyterHub starts it by ``subprocess.Popen`` and lets one configure its command and arguments only.
"""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jupyterhub.proxy

from fabric_hub.hub.proxy_unit import LOG_FORMAT

from .replace import replace

HELD_PORT, WHOLE_REQUESTS, LOG_LINES = (
    Path(__file__).with_name(name) for name in ("held_port.cjs", "whole_requests.cjs", "log_lines.cjs")
)


def apply(public: socket.socket | None, port: int, address: str, log_format: str = "text") -> None:
    """Let JupyterHub's next proxy be started so.

    :param public: where it listens, at this port and address; None where it makes a Unix socket of its own.
    :param log_format: as ``log.format`` in the site's file.
    """
    replace(jupyterhub.proxy, "Popen", lambda _theirs: _Starter(public, port, address, log_format))


def hand_over(start: Callable[[Sequence[str], dict[str, str]], Any], log_format: str = "text") -> None:
    """Let JupyterHub's next proxy be started by somebody else, who gives it its listening socket.

    :param log_format: as ``log.format`` in the site's file.
    :param start: takes the command and what is added to its environment; returns what behaves as a process.
    """

    def starter(argv: Sequence[str], *, env: Mapping[str, str], **_options: Any) -> Any:
        told = {name: value for name, value in env.items() if name.startswith(("CONFIGPROXY_", "NODE_"))}
        options = _node_options(env, LOG_LINES, WHOLE_REQUESTS, HELD_PORT)
        return start(argv, {**told, "NODE_OPTIONS": options, LOG_FORMAT: log_format})

    replace(jupyterhub.proxy, "Popen", lambda _theirs: starter)


def _node_options(env: Mapping[str, str], *preloads: Path) -> str:
    return " ".join(filter(None, (env.get("NODE_OPTIONS"), *(f'--require "{path}"' for path in preloads))))


class _Starter:
    """subprocess.Popen for the proxy alone: with what it is to load first, and its listening socket.

    :param public: None where it listens on a Unix socket, which it makes itself.
    """

    def __init__(self, public: socket.socket | None, port: int, address: str, log_format: str = "text") -> None:
        self._public = public
        self._preloads, self._told = [LOG_LINES, WHOLE_REQUESTS], {LOG_FORMAT: log_format}
        if public is not None:
            self._preloads.append(HELD_PORT)
            # the proxy, too, takes * for every address
            told = json.dumps([public.fileno(), port, "" if address == "*" else address])
            self._told["FABRIC_HELD_PORT"] = told

    def __call__(self, argv: list[str], *, env: dict[str, str], **options: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            argv,
            env={**env, "NODE_OPTIONS": _node_options(env, *self._preloads), **self._told},
            pass_fds=() if self._public is None else (self._public.fileno(),),
            **options,
        )
