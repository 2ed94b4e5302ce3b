"""The session's token: its server hands it to who runs as its user on its node, and it stands in no environment.

Whatever a cell or a terminal starts inherits its environment, and sbatch writes that into Slurm's records: a token
there is known to more than its user. So the server takes it out of its own environment once it has it, and answers on
a Unix socket in a directory that only the user can enter; that the other end is the user's is the kernel's word
(SO_PEERCRED). ``python -m fabric_lab.access`` prints the token. Standard library only, cheap to import.
"""

from __future__ import annotations

import hashlib
import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from pathlib import Path

TOKEN = "JUPYTERHUB_API_TOKEN"
# All names under which JupyterHub hands the token to a server.
TOKENS = (TOKEN, "JPY_API_TOKEN")
SOCKET = "FABRIC_ACCESS"
LIMIT_S = 5.0
PAUSE_S = 0.5
_PEER = struct.Struct("3i")  # pid, uid, gid: struct ucred of unix(7)


def known(environment: Mapping[str, str]) -> bool:
    """Whether this is a session's, or was made in one."""
    return bool(environment.get(TOKEN) or environment.get(SOCKET))


def token(environment: Mapping[str, str] = os.environ) -> str:
    """The session's token; "" where there is no session, or it has ended."""
    if environment.get(TOKEN) or not environment.get(SOCKET):
        return environment.get(TOKEN, "")
    with suppress(OSError, UnicodeDecodeError), socket.socket(socket.AF_UNIX) as line:
        line.settimeout(LIMIT_S)
        line.connect(environment[SOCKET])
        if _peer(line) != os.geteuid():  # on another node, or after the session, the path is whose who takes it
            return ""
        with line.makefile("rb") as answer:
            return answer.read().decode()
    return ""


def end_ticket(session_token: str) -> str:
    """What lets JupyterLab's page read at the hub how its session ended, also when nothing of the session is left.

    The hub makes the same of what it knows: ``fabric_hub.sessions.store.end_ticket``. No token can be had from it.
    """
    digest = hashlib.sha256(session_token.encode("utf-8", "surrogateescape")).hexdigest()
    return hashlib.sha256(f"fabric-end:{digest}".encode()).hexdigest()


def hand_over(environment: MutableMapping[str, str], directory: Path) -> None:
    """Take the token out of an environment and answer with it on a socket, which the environment names instead.

    :param directory: one that only the user can enter.
    """
    kept = environment.get(TOKEN, "").encode()
    path = directory / "access"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    threading.Thread(target=_serve, args=(listener, kept), name="fabric-access", daemon=True).start()
    environment[SOCKET] = str(path)
    for name in TOKENS:
        environment.pop(name, None)


def _serve(listener: socket.socket, kept: bytes) -> None:
    while True:
        try:
            line, _ = listener.accept()
        except OSError:  # no descriptors are left: who waits is answered when there are
            time.sleep(PAUSE_S)
            continue
        with suppress(OSError), line:
            if _peer(line) == os.geteuid():
                line.sendall(kept)


def _peer(line: socket.socket) -> int:
    """The uid at the other end, by the kernel's word."""
    uid: int = _PEER.unpack(line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))[1]
    return uid


if __name__ == "__main__":
    from .common.translation import _

    found = token()
    print(found or _("There is no session here: its server has ended, or this is another node."))
    sys.exit(not found)
