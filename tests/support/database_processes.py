"""What the store's tests do in other processes: race for one server, and meet a disk that is full.

``python -m tests.support.database_processes full DIRECTORY`` prints what happened as one JSON object.
"""

from __future__ import annotations

import errno
import json
import os
import resource
import sqlite3
import sys
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from pathlib import Path

from fabric_hub.errors import FabricError
from fabric_hub.messages.text import verbatim
from fabric_hub.sessions.store import SessionStore, new_session_id

from .builders import fields_of_a_session


def race(path: str, together: Barrier) -> str:
    """Open the database and start a session of jan's, at the same moment as others; how that ended."""
    together.wait(60)
    try:
        store = SessionStore(f"sqlite:///{path}")
    except FabricError as error:
        return error.text
    together.wait(60)
    try:
        store.create(**fields_of_a_session())
    except FabricError as error:
        return error.reason
    finally:
        store.close()
    return "created"


def fill(directory: Path) -> Path:
    """Leave no room at all in the file system of a directory; the file that takes it."""
    filler = directory / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (4096, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
    return filler


def refusal(action: Callable[[], object]) -> dict[str, object] | None:
    """What a FabricError says, or None when the action went through."""
    try:
        action()
    except FabricError as error:
        return {"reason": error.reason, "status": error.status, "text": error.text}
    return None


def meet_limit(directory: Path, limit: Callable[[], Callable[[], None]]) -> dict[str, object]:
    """Use a store until there is no more room; then read it again with room.

    :param limit: takes the room away; returns what gives it back.
    """
    path = directory / "sessions.sqlite"
    store = SessionStore(f"sqlite:///{path}")
    kept = [store.create(**fields_of_a_session(server_name="first")).id]
    give_back = limit()
    refused = None
    for number in range(2000):  # what SQLite has already reserved may still be used
        try:
            kept.append(store.create(**fields_of_a_session(server_name=f"s{number}")).id)
        except FabricError as error:
            refused = {"reason": error.reason, "status": error.status, "text": error.text}
            break
    first = kept[0]
    long_text = "x" * 100_000
    others = {
        "update": refusal(lambda: store.update(first, end_text=verbatim(long_text))),
        "end": refusal(lambda: store.end(first, reason="stopped", text=verbatim(long_text))),
        "announce": refusal(lambda: store.announce(first, 4000, {long_text: 1.0})),
    }
    readable = len(store.live_all())
    store.close()
    give_back()
    again = SessionStore(f"sqlite:///{path}")
    live = again.live_all()
    after = again.create(**fields_of_a_session(server_name="after")).server_name
    again.close()
    (integrity,) = sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone()
    return {
        "refused": refused,
        "others": others,
        "readable": readable,
        "kept": sorted(kept),
        "found": sorted(session.id for session in live),
        "first_is_whole": next(session for session in live if session.id == first).end_text is None,
        "integrity": integrity,
        "after": after,
    }


def full_disk(directory: Path) -> dict[str, object]:
    def limit() -> Callable[[], None]:
        return fill(directory).unlink

    return meet_limit(directory, limit)


def file_limit(directory: Path) -> dict[str, object]:
    def limit() -> Callable[[], None]:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        size = max(file.stat().st_size for file in directory.iterdir())
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 8192, before[1]))
        return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return meet_limit(directory, limit)


def no_room_to_open(directory: Path) -> dict[str, object]:
    """A first start on a disk that is already full."""
    filler = fill(directory)
    url = f"sqlite:///{directory / 'new.sqlite'}"
    refused = refusal(lambda: SessionStore(url))
    filler.unlink()
    return {"refused": refused, "afterwards": refusal(lambda: SessionStore(url))}


def add(path: Path) -> dict[str, object]:
    """Put one more session on a record that others use."""
    store = SessionStore(f"sqlite:///{path}")
    try:
        return {"id": store.create(**fields_of_a_session(server_name=new_session_id())).id}
    finally:
        store.close()


if __name__ == "__main__":
    os.umask(0o022)
    scenario = {"full": full_disk, "limit": file_limit, "open": no_room_to_open, "add": add}[sys.argv[1]]
    print(json.dumps(scenario(Path(sys.argv[2]))))
