"""Accounts that were given back, cleaned on this node: which ones may be, and how far each is.

Three must agree before anything is removed: the published grants, which say that a uid is being cleaned; this node's
own configuration, whose ``pool_uids`` alone may be; and the name service, which must not know the uid as anybody
else's. A process of its own does the work, forked before there is any thread: it becomes others, and what hangs hangs
there.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import logging
import os
import pwd
import signal
import socket
from collections.abc import Callable, Iterable
from typing import NamedTuple

from . import remains
from .config import Config
from .grants import Cleaning
from .trust import NodeError

_LOG = logging.getLogger(__name__)
AGAIN_S = 3.0  # between two tries at an account that is not clean yet
_PR_SET_PDEATHSIG = 1
_LONGEST_WHY = 400
_LONGEST_LINE = 1 << 16


class Outcome(NamedTuple):
    """How far an account is on this node: what was removed in a round, and why it is not clean ("": it is)."""

    round: int
    found: int
    why: str


def refusal(
    entry: Cleaning, config: Config, name_of: Callable[[int], str | None], uid_of: Callable[[str], int | None]
) -> str:
    """Why nothing of an account is removed here; "" where it may be. Pure.

    :param name_of: the name of a uid by this node's name service, ``uid_of`` the uid of a name; None: it has none.
    """
    if entry.uid not in config.pool_uids:
        return f"uid {entry.uid} is not one of pool_uids in {config.path}"
    name, uid = name_of(entry.uid), uid_of(entry.account)
    if name not in (None, entry.account):
        return f"uid {entry.uid} is not {entry.account}'s here, but another account's"
    if uid not in (None, entry.uid):
        return f"{entry.account} has another uid here than {entry.uid}"
    return ""


def name_of(uid: int) -> str | None:
    """The name of a uid."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None


def uid_of(name: str) -> int | None:
    """The uid of a name."""
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return None


class Cleaner:
    """The process that cleans. Make it while this process has one thread."""

    def __init__(self, config: Config) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket, parent = ours, os.getpid()
        self.pid = os.fork()
        if not self.pid:
            ours.close()
            try:
                ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
                if os.getppid() == parent:
                    _serve(theirs, config.temporary)
            finally:
                os._exit(0)
        theirs.close()

    def clean(self, entry: Cleaning) -> tuple[int, str]:
        """Remove what an account has: how much there was, and why it is not clean. One call at a time.

        :raises OSError: that process is gone.
        """
        self._socket.sendall(json.dumps({"uid": entry.uid, "account": entry.account}).encode())
        answer = self._socket.recv(_LONGEST_LINE)
        if not answer:
            raise BrokenPipeError("the process that cleans is gone")
        told = json.loads(answer)
        return int(told["found"]), str(told["why"])

    def close(self) -> None:
        """End it."""
        self._socket.close()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)


def _serve(asked: socket.socket, temporary: tuple[str, ...]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # it ends with its parent, and not in the midst of something
    while request := asked.recv(_LONGEST_LINE):
        told = json.loads(request)
        try:
            tally = remains.clean(told["uid"], told["account"], temporary)
            found, why = tally.found, "; ".join(dict.fromkeys(tally.problems))
        except Exception:
            _LOG.exception("Uid %d cannot be cleaned", told["uid"])
            found, why = 0, "this node failed; see its log"
        asked.sendall(json.dumps({"found": found, "why": why[:_LONGEST_WHY]}).encode())


class Cleanings:
    """What was done for each account; only one thread calls :meth:`look`."""

    def __init__(self, config: Config, clean: Callable[[Cleaning], tuple[int, str]]) -> None:
        self._config, self._clean = config, clean
        self._done: dict[int, Outcome] = {}

    def look(self, entries: Iterable[Cleaning], with_jobs: Callable[[int], bool]) -> bool:
        """Clean what is to be cleaned and is not yet. True: there is something new to tell.

        :param with_jobs: whether a job of a uid is registered on this node.
        """
        entries, before = list(entries), dict(self._done)
        self._done = {entry.uid: before[entry.uid] for entry in entries if entry.uid in before}
        for entry in entries:
            known = before.get(entry.uid)
            if known and known.round == entry.round and not known.why:
                continue
            found = known.found if known and known.round == entry.round else 0
            why = refusal(entry, self._config, name_of, uid_of)
            if not why and with_jobs(entry.uid):
                why = "a job of its runs here"
            if not why:
                try:
                    more, why = self._clean(entry)
                except NodeError as error:
                    more, why = 0, error.message
                found += more
            if why and (known is None or known.why != why):
                _LOG.warning("The account %s is not clean here: %s", entry.account, why)
            elif not why:
                _LOG.info("The account %s is clean here: %d things of its were removed", entry.account, found)
            self._done[entry.uid] = Outcome(entry.round, found, why)
        return self._done != before

    @property
    def unfinished(self) -> bool:
        """Whether some are not clean yet."""
        return any(outcome.why for outcome in self._done.values())

    def told(self) -> list[dict[str, object]]:
        """What the catalogue service is told."""
        return [{"uid": uid, **outcome._asdict()} for uid, outcome in sorted(self._done.items())]
