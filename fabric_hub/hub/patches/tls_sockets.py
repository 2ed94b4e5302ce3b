"""A TLS connection that breaks takes no other one with it.

OpenSSL keeps the errors of a thread in one queue, and takes whatever is in it for the outcome of the thread's next
call. Python's ssl (3.13.2 and later, at least) leaves some there when it raises an OSError for them, such as the
BrokenPipeError of a connection whose other end is gone: the next connection of the thread that has nothing to read yet
is then said to be broken as well, and is closed. docs/explanation/tls-errors.md tells it all.

This file is the same in fabric_hub and in fabric_lab, which share no code.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)


def forget_errors() -> None:
    """Empty OpenSSL's queue of errors of this thread: Python does so whenever it makes a connection's object."""
    _context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_side=True)


def _leaving_none(method: Callable[P, R]) -> Callable[P, R]:
    @wraps(method)
    def called(*args: P.args, **named: P.kwargs) -> R:
        try:
            return method(*args, **named)
        except ssl.SSLError:  # has emptied the queue; "nothing to read yet" is one, and comes often
            raise
        except BaseException:
            forget_errors()
            raise

    return called


class Socket(ssl.SSLSocket):
    """An ``ssl.SSLSocket`` that leaves no error behind when it fails."""

    read = _leaving_none(ssl.SSLSocket.read)
    write = _leaving_none(ssl.SSLSocket.write)
    send = _leaving_none(ssl.SSLSocket.send)
    do_handshake = _leaving_none(ssl.SSLSocket.do_handshake)
    unwrap = _leaving_none(ssl.SSLSocket.unwrap)


def mend() -> None:
    """Let all TLS sockets that this process makes from now on be such ones."""
    if ssl.SSLContext.sslsocket_class is ssl.SSLSocket:
        ssl.SSLContext.sslsocket_class = Socket
