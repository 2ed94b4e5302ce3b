"""What a run remembers between its starts: ports, account prefix, images directory."""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from ..errors import FabricError
from ..model import Frozen
from .layout import Layout

# Below the range from which Linux takes the ports of outgoing connections (32768 and up), so that a
# remembered port is not lost to a passing client between two starts.
_FIRST, _LAST = 20000, 32000
DEFAULT_PREFIX = "fabric-"


class Ports(Frozen):
    """Loopback ports of one run."""

    public: int
    hub: int
    proxy_api: int
    service: int
    slurmctld: int
    slurmdbd: int
    slurmd: tuple[int, int, int]

    def all(self) -> tuple[int, ...]:
        return (self.public, self.hub, self.proxy_api, self.service, self.slurmctld, self.slurmdbd, *self.slurmd)


class Instance(Frozen):
    """The memory of one run, in its instance.json."""

    prefix: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,15}$")] = DEFAULT_PREFIX
    ports: Ports
    local: bool = False
    images: Path
    loaded: str = ""  # digest of the accounts and budgets that Slurm's database was given


def free(port: int) -> bool:
    """Whether a loopback port can be listened on now."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: TIME_WAIT is no obstacle
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def choose_ports(public: int | None, remembered: Ports | None) -> Ports:
    """The ports of this start: the remembered ones while they are free, others where they are not.

    :param public: what ``--port`` asked for; None is the remembered one, else 8000 or the next free one.
    :raises FabricError: the port that was asked for is taken.
    """
    if public is not None and not free(public):
        raise FabricError(
            f"Port {public} on 127.0.0.1 is in use by another program.",
            reason="port",
            hint="Choose another with --port, or leave it out to get a free one.",
        )
    start = random.SystemRandom().randrange(_FIRST, _LAST)
    candidates = (port for step in range(_LAST - _FIRST) if free(port := _FIRST + (start + step) % (_LAST - _FIRST)))

    def keep(old: int | None) -> int:
        return old if old is not None and free(old) else next(candidates)

    old = remembered
    if public is None:
        if old and free(old.public):
            public = old.public
        else:
            public = next((port for port in range(8000, 8100) if free(port)), None) or next(candidates)
    return Ports(
        public=public,
        hub=keep(old and old.hub),
        proxy_api=keep(old and old.proxy_api),
        service=keep(old and old.service),
        slurmctld=keep(old and old.slurmctld),
        slurmdbd=keep(old and old.slurmdbd),
        slurmd=(keep(old and old.slurmd[0]), keep(old and old.slurmd[1]), keep(old and old.slurmd[2])),
    )


def read(layout: Layout) -> Instance | None:
    """What earlier starts remembered; None before the first."""
    try:
        return Instance.model_validate_json(layout.instance.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise FabricError(
            f"{layout.instance} cannot be used: {error}.",
            reason="instance",
            hint=f"Start afresh: fabric-hub down --purge --dir {layout.root}",
        ) from error


def write_private(path: Path, text: str, owner: tuple[int, int] | None = None) -> None:
    """Replace a file that only its owner may read, in one step."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        if owner:
            os.fchown(file.fileno(), *owner)
    fresh.replace(path)


@contextlib.contextmanager
def locked(layout: Layout) -> Iterator[None]:
    """Hold the run's lock: one supervisor per directory.

    :raises FabricError: another one holds it.
    """
    layout.run.mkdir(parents=True, exist_ok=True)
    with layout.lock.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FabricError(
                f"Fabric Hub already runs in {layout.root}.",
                reason="already-running",
                hint=f"See it with: fabric-hub status --dir {layout.root}; end it with: "
                f"fabric-hub down --dir {layout.root}",
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def holder(layout: Layout) -> int | None:
    """The process that holds the run's lock; None when nobody does."""
    try:
        with layout.lock.open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(lock.read())
    except FileNotFoundError:
        pass
    return None
