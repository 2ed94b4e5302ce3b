"""A process of its own for each account's part of a state: it becomes that account for good before it opens a file.

Root never opens what the hub's or the catalogue service's account could have put in place of a database. Helper and
parent talk in lines of JSON over a pair of sockets; whoever finds the other gone ends, and so lets go of its locks.
"""

from __future__ import annotations

import json
import os
import pwd
import socket
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Reason, Text, message_of, text_of


@dataclass(frozen=True)
class Owner:
    """The Unix account of a part of a state."""

    uid: int
    gid: int

    @classmethod
    def of(cls, directory: Path) -> Owner:
        """Whose a state directory is.

        :raises OSError: it cannot be seen.
        """
        found = directory.stat()
        return cls(found.st_uid, found.st_gid)

    @classmethod
    def named(cls, account: str) -> Owner:
        """:raises KeyError: there is no such account."""
        entry = pwd.getpwnam(account)
        return cls(entry.pw_uid, entry.pw_gid)


class Line:
    """One end of the line between helper and parent."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._file = end.makefile("rwb")

    def say(self, **facts: Any) -> None:
        """Send facts that JSON can hold."""
        self._file.write(json.dumps(facts).encode() + b"\n")
        self._file.flush()

    def hear(self) -> dict[str, Any]:
        """The next facts; waits for them.

        :raises EOFError: the other end is gone.
        """
        said = self._file.readline()
        if not said:
            raise EOFError
        facts: dict[str, Any] = json.loads(said)
        return facts

    def close(self) -> None:
        self._file.close()
        self._end.close()


class Helper:
    """A helper, as its parent sees it. Leaving the context ends it.

    :param work: what it does; it hears and says over its line. A FabricError of its is raised in the parent.
    :param owner: whom it becomes, where this process is root.
    :param failed: how it is said that it failed of something that has no words of its own (``cause``).
    """

    def __init__(self, work: Callable[[Line], None], owner: Owner, failed: Reason) -> None:
        ours, theirs = socket.socketpair()
        sys.stdout.flush()
        sys.stderr.flush()
        self._pid = os.fork()
        if self._pid == 0:
            ours.close()
            _run(work, owner, failed, Line(theirs))
        theirs.close()
        self._line = Line(ours)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._line.close()
        os.waitpid(self._pid, 0)

    def say(self, **facts: Any) -> None:
        """Send it facts."""
        try:
            self._line.say(**facts)
        except OSError as error:
            raise ChildProcessError("a process that this command had started was killed") from error

    def hear(self) -> dict[str, Any]:
        """What it says next.

        :raises FabricError: what it failed of.
        :raises ChildProcessError: it was killed.
        """
        try:
            facts = self._line.hear()
        except (EOFError, OSError) as error:
            raise ChildProcessError("a process that this command had started was killed") from error
        if "failed" in facts:
            failed = facts["failed"]
            message, hint = (Text.model_validate(failed[part]) for part in ("message", "hint"))
            raise FabricError(message, reason=failed["reason"], hint=hint, status=failed["status"])
        return facts


def _run(work: Callable[[Line], None], owner: Owner, failed: Reason, line: Line) -> None:
    status = 1
    try:
        os.umask(0o077)
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(owner.gid)
            os.setuid(owner.uid)
        elif os.geteuid() != owner.uid:
            raise PermissionError(1, "give the command as root, or as the account that the state belongs to")
        os.environ["HOME"] = pwd.getpwuid(owner.uid).pw_dir if _has_entry(owner.uid) else "/nonexistent"
        os.chdir("/")
        work(line)
        status = 0
    except EOFError:
        pass
    except FabricError as error:
        _say_failure(line, error)
    except OSError as error:
        cause = f"{error.filename or ''} {error.strerror or error}".strip()
        _say_failure(line, FabricError(failed(cause=cause)))
    except BaseException as error:
        _say_failure(line, FabricError(failed(cause=f"{type(error).__name__}: {error}")))
        traceback.print_exc()  # a fault of ours: what follows would hide it
    finally:
        os._exit(status)


def _has_entry(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _say_failure(line: Line, error: FabricError) -> None:
    message, hint = (text.model_dump(mode="json") for text in (message_of(error), text_of(error.advice)))
    with suppress(OSError):  # the parent is gone
        line.say(failed={"message": message, "hint": hint, "reason": error.reason, "status": error.status})
