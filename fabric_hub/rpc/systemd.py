"""What a daemon tells the service manager that started it (sd_notify(3)): one datagram, and no library for it."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import MutableMapping

log = logging.getLogger(__name__)

_SOCKET = "NOTIFY_SOCKET"


def ready(environment: MutableMapping[str, str] = os.environ) -> None:
    """Say that this daemon answers now: units that are ordered after it start then. Where nobody asks nothing is said.

    :param environment: names the socket, and loses that name: no program that is started later can say it for us.
    """
    name = environment.pop(_SOCKET, "")
    if not name.startswith(("/", "@")):
        return
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as manager:
            manager.connect(f"\0{name[1:]}" if name.startswith("@") else name)
            manager.sendall(b"READY=1")
    except OSError as error:  # it answers all the same; the service manager says in its log what it waits for
        log.warning("The service manager cannot be told that this is ready (%s): %s", name, error)
