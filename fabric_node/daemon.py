"""The node's daemon: answers sessions on a Unix socket, follows the published grants, and keeps house.

Anybody on the node may connect. The kernel says which uid is at the other end (SO_PEERCRED); of what it sends, only a
verb, a job's number and the names of datasets are taken, and a job must be one that Prolog registered for that uid.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import selectors
import signal
import socket
import struct
import threading
import time
from collections import Counter
from dataclasses import asdict
from typing import Any

from . import report
from .agent import Agent, Reply
from .cleaning import AGAIN_S, Cleaner, Cleanings
from .config import Config
from .grants import NAME
from .trust import NodeError

_LOG = logging.getLogger(__name__)
WATCH_S = 1.0  # how often the published grants are looked at
_HOUSE_S, _LEAST_S = 20.0, 0.2
_EVENTS_AGAIN_S = 5.0
LARGEST_REQUEST = 16384  # bytes
MOST_NAMES = 64  # datasets of one request
_TIMEOUT_S = 10.0  # for a caller to say what it wants, and to read the answer
_AT_ONCE, _AT_ONCE_PER_UID = 64, 4
# Of these so many are for anybody: one user may have 65536 uids (subuid(5)), but jobs under their own only.
_STRANGERS = _AT_ONCE // 2
_BACKLOG = 1024  # who cannot wait for a place in the queue fails at once
# What one uid may ask for: so many datasets at once, and then so often; each one is an entry in the audit log.
_BURST, _PER_S = 200, 2.0
_CREDENTIALS = struct.Struct("3i")


def parse_request(line: bytes) -> tuple[str, int, list[str]]:
    """(verb, job, names) of one request.

    :raises NodeError: it is not one; reason "request".
    """
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        raise NodeError("A request is one line of JSON.", "request") from None
    if not isinstance(data, dict) or not set(data) <= {"verb", "job", "datasets"}:
        raise NodeError("A request has the fields verb, job and datasets, and no others.", "request")
    verb, job, names = data.get("verb"), data.get("job", 0), data.get("datasets", [])
    if verb not in ("open", "close", "list", "reconcile"):
        raise NodeError("The verb is open, close or list.", "request")
    if not isinstance(job, int) or isinstance(job, bool) or not 0 <= job < 2**32:
        raise NodeError("The job is a number.", "request")
    if not isinstance(names, list) or len(names) > MOST_NAMES:
        raise NodeError(f"The datasets are a list of at most {MOST_NAMES} names.", "request")
    if not all(isinstance(name, str) and NAME.fullmatch(name) for name in names):
        raise NodeError("A dataset's name has 1 to 40 small letters, digits and hyphens.", "request")
    return verb, job, names


class Allowance:
    """How many changes each uid may ask for."""

    def __init__(self) -> None:
        self._spent: dict[int, tuple[float, float]] = {}  # uid -> (how much at that moment, the moment)

    def take(self, uid: int, now: float, count: int = 1) -> bool:
        """Whether this uid may ask for so many more now (seconds of a clock that never goes back)."""
        kept = {other: (spent - (now - at) * _PER_S, now) for other, (spent, at) in self._spent.items()}
        self._spent = {other: entry for other, entry in kept.items() if entry[0] > 0}
        spent, _ = self._spent.get(uid, (0.0, now))
        if spent + count > _BURST:
            return False
        self._spent[uid] = (spent + count, now)
        return True


def tell_service_manager() -> None:
    """Say to systemd, where it started us and asks, that callers are answered from now on (sd_notify(3))."""
    name = os.environ.pop("NOTIFY_SOCKET", "")
    if not name.startswith(("/", "@")):
        return
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as manager:
            manager.connect("\0" + name[1:] if name.startswith("@") else name)
            manager.sendall(b"READY=1")
    except OSError as error:
        _LOG.warning("systemd cannot be told that the agent is ready: %s", error)


class Daemon:
    """Serves until SIGTERM or SIGINT. Gates and mounts stay: sessions go on, and the next daemon takes over."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._agent = Agent(config)
        self._callers: Counter[int] = Counter()
        self._allowance = Allowance()
        self._guard = threading.Lock()
        self._house = threading.Event()  # look at everything again
        self._mail = threading.Event()  # an event waits
        self._stop = threading.Event()
        self._to_clean = threading.Event()  # the grants are others
        self._news = threading.Event()  # there is something to report
        self._cleaner = Cleaner(config) if config.pool_uids else None  # before there is any thread
        self._cleanings = Cleanings(config, self._cleaner.clean) if self._cleaner else None

    def run(self) -> None:
        """Make everything as it should be, then serve."""
        self._agent.make_directories()
        waker, wake = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop.set())
        signal.set_wakeup_fd(wake)
        self._agent.reconcile()
        with self._listen() as server:
            for work in (self._watch, self._keep_house, self._bring_events, self._report, self._clean):
                threading.Thread(target=self._forever, args=(work,), name=work.__name__, daemon=True).start()
            _LOG.info("Ready: %s", self._config.socket)
            tell_service_manager()
            with selectors.DefaultSelector() as selector:
                selector.register(server, selectors.EVENT_READ)
                selector.register(waker, selectors.EVENT_READ)
                while not self._stop.is_set():
                    if any(key.fileobj is server for key, _ in selector.select()):
                        self._accept(server)

    def _listen(self) -> socket.socket:
        """The socket, under a name of its own until it listens: who connects is heard."""
        fresh = f"{self._config.socket}.new"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(fresh)
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
        server.bind(fresh)
        os.chmod(fresh, 0o666)  # everybody may ask; who may have what is decided by uid
        server.listen(_BACKLOG)
        os.rename(fresh, self._config.socket)
        return server

    # ---- threads that never end

    def _forever(self, work: Any) -> None:
        while True:
            try:
                work()
            except Exception:
                _LOG.exception("%s failed; it goes on", work.__name__)
                self._stop.wait(WATCH_S)

    def _watch(self) -> None:
        """A shared file system that hangs stops this thread and no other."""
        before: tuple[int, int, int] | None = (0, 0, 0)
        while True:
            signature = self._agent.grants.signature()
            if signature != before:
                before = signature
                self._house.set()
                self._to_clean.set()
            self._stop.wait(WATCH_S)

    def _keep_house(self) -> None:
        while True:
            ends = self._agent.next_end()
            # an end that could not be recorded stays in the past: it is tried again, but not without a pause
            left = _HOUSE_S if ends is None else min(_HOUSE_S, max(_LEAST_S, ends - time.time()))
            self._house.wait(left)
            self._house.clear()
            self._agent.reconcile()
            self._agent.look_after()
            self._mail.set()

    def _bring_events(self) -> None:
        left = self._agent.events.move()
        self._mail.wait(_EVENTS_AGAIN_S if left else None)
        self._mail.clear()

    def _clean(self) -> None:
        """Clean accounts that were given back; see :mod:`.cleaning`."""
        if self._cleanings is None:
            self._stop.wait()
            return
        while True:
            grants = self._agent.grants.current()
            try:
                news = grants is not None and self._cleanings.look(grants.cleaning, self._agent.has_job)
            except BrokenPipeError as error:  # a daemon that begins anew has another
                _LOG.critical("The daemon ends: %s", error)
                os.kill(os.getpid(), signal.SIGTERM)
                return
            if news:
                self._news.set()
            self._to_clean.wait(AGAIN_S if self._cleanings.unfinished else _HOUSE_S)
            self._to_clean.clear()

    def _report(self) -> None:
        """In a thread of its own: a shared file system that hangs stops nothing else."""
        started, problem = time.time(), ""
        while True:
            wrong = ""
            try:
                told = report.report(self._config, self._agent, started, time.time())
                if self._cleanings is not None:
                    told["cleaned"] = self._cleanings.told()
                report.tell(self._agent, told)
            except (OSError, NodeError) as error:
                wrong = str(error)
                if wrong != problem:
                    _LOG.warning("The catalogue service cannot be told how this agent fares: %s", wrong)
            problem = wrong
            self._news.wait(report.EVERY_S)
            self._news.clear()

    # ---- callers

    def _accept(self, server: socket.socket) -> None:
        try:
            caller, _ = server.accept()
        except OSError as error:  # it is gone again, or we have no file descriptor left
            _LOG.warning("A caller was not heard: %s", error)
            return
        _, uid, _ = _CREDENTIALS.unpack(caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
        # root is Prolog and Epilog: nobody may keep those out
        welcome = uid == 0 or self._has_room(uid)
        with self._guard:
            if welcome:
                self._callers[uid] += 1
        if not welcome:
            caller.close()
            return
        threading.Thread(target=self._talk, args=(caller, uid), name="caller", daemon=True).start()

    def _has_room(self, uid: int) -> bool:
        with self._guard:
            mine, all_together = self._callers[uid], sum(self._callers.values())
        if mine >= _AT_ONCE_PER_UID or all_together >= _AT_ONCE:
            return False
        try:
            return all_together < _STRANGERS or self._agent.has_job(uid)
        except OSError as error:
            _LOG.warning("The jobs on this node cannot be read: %s", error)
            return False

    def _talk(self, caller: socket.socket, uid: int) -> None:
        try:
            with caller:
                answer = self._answer(caller, uid)
                caller.settimeout(_TIMEOUT_S)
                caller.sendall(json.dumps(answer).encode() + b"\n")
        except OSError:
            pass  # it is gone, or took too long
        finally:
            with self._guard:
                self._callers[uid] -= 1
                if not self._callers[uid]:
                    del self._callers[uid]

    def _answer(self, caller: socket.socket, uid: int) -> dict[str, Any]:
        try:
            verb, job, names = parse_request(_line(caller))
            return asdict(self._do(verb, job, names, uid))
        except NodeError as error:
            return {"opened": [], "refused": [], "error": error.reason, "message": error.message}
        except OSError as error:
            _LOG.warning("A request of uid %d failed: %s", uid, error)
            return {"opened": [], "refused": [], "error": "failed", "message": "The node failed; see its log."}
        except Exception:
            _LOG.exception("A request of uid %d failed", uid)
            return {"opened": [], "refused": [], "error": "failed", "message": "The node failed; see its log."}
        finally:
            self._mail.set()

    def _do(self, verb: str, job: int, names: list[str], uid: int) -> Reply:
        if verb == "reconcile":
            if uid != 0:
                raise NodeError("The verb is open, close or list.", "request")
            self._agent.reconcile()
            return Reply()
        if verb == "list":
            return self._agent.listed(job, uid)
        with self._guard:
            if not self._allowance.take(uid, time.monotonic(), max(1, len(names))):
                raise NodeError("You ask too often; wait a minute.", "busy")
        if verb == "close":
            return self._agent.close(job, uid, names)
        reply = self._agent.open(job, uid, names)
        if self._agent.next_end() is not None:
            self._house.set()  # it has a new end to wait for
        return reply


def _line(caller: socket.socket) -> bytes:
    """What the caller sends, up to the end of the line.

    :raises NodeError: it is too long.
    :raises OSError: it is not there in time.
    """
    deadline, received = time.monotonic() + _TIMEOUT_S, b""
    while b"\n" not in received:
        caller.settimeout(max(0.001, deadline - time.monotonic()))
        more = caller.recv(4096)
        received += more
        if len(received) > LARGEST_REQUEST:
            raise NodeError(f"A request has at most {LARGEST_REQUEST} bytes.", "request")
        if not more:
            break
    return received.partition(b"\n")[0]


def ask(path: str, request: dict[str, Any], timeout_s: float) -> dict[str, Any]:
    """One request to the daemon, and its answer.

    :raises OSError: nobody answers, or not in time.
    """
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(timeout_s)
        client.connect(path)
        client.sendall(json.dumps(request).encode() + b"\n")
        with client.makefile("rb") as answer:
            line = answer.readline(1 << 20)
    if not line:
        raise ConnectionError("the daemon hung up")
    found: dict[str, Any] = json.loads(line)
    return found
