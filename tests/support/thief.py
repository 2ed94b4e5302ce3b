"""Somebody with an account on the hub's host who waits for its ports."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

STRANGER = 4711 if os.geteuid() == 0 else os.geteuid()
# Tries to bind a thousand times a second, in every way that the kernel has, and says what it got.
_THIEF = """
import itertools, socket, sys, time
ports = [int(port) for port in sys.argv[1:]]
print("looks", flush=True)
for port, address, option in itertools.cycle(itertools.product(
    ports, ("127.0.0.1", "0.0.0.0"), (socket.SO_REUSEADDR, socket.SO_REUSEPORT)
)):
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, option, 1)
        try:
            one.bind((address, port))
        except OSError:
            time.sleep(0.001)
            continue
        print("got", address, port, flush=True)
        break
"""


def as_stranger(*argv: str) -> list[str]:
    """A command as another account, where we may become one."""
    become = ["setpriv", f"--reuid={STRANGER}", f"--regid={STRANGER}", "--clear-groups"] if os.geteuid() == 0 else []
    return [*become, *argv]


@contextmanager
def getting_none_of(*ports: int) -> Iterator[None]:
    """Another account tries to get these ports until the block ends, and must not get one."""
    command = as_stranger("/usr/bin/python3", "-I", "-c", _THIEF, *map(str, ports))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd="/") as thief:
        assert thief.stdout
        try:
            assert thief.stdout.readline() == "looks\n"
            yield
            assert thief.poll() is None, f"the stranger {thief.stdout.read()}"
        finally:
            thief.kill()
