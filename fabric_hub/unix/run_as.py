"""Start a program, perhaps as another account, without ever waiting for that account on the event loop.

Between the change of identity and exec a child already belongs to the user, who may
stop it there; whoever waits for its exec then waits as long as the user likes. So
each start has a thread of its own and a time limit, and an account whose starts hang
gets no more of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

# How long a killed program may take to disappear before we stop waiting for it, in seconds.
_KILL_GRACE_S = 2.0
# So many starts of one account may hang at the same time; of our own, whom no user can stop, many begin at once.
_HANGING_AT_MOST, _OURS_AT_MOST = 3, 32
_OURS = -1


class _Starts:
    """How many starts of each account are under way; threads count here, too."""

    def __init__(self) -> None:
        self._lock, self._count = threading.Lock(), Counter[int]()

    def begin(self, uid: int) -> bool:
        """Count one more; False: too many hang already."""
        with self._lock:
            if self._count[uid] >= (_OURS_AT_MOST if uid == _OURS else _HANGING_AT_MOST):
                return False
            self._count[uid] += 1
            return True

    def end(self, uid: int) -> None:
        """One has begun, or never will."""
        with self._lock:
            self._count[uid] -= 1

    def any(self) -> bool:
        """Whether some are under way."""
        with self._lock:
            return any(self._count.values())


_starts = _Starts()


class TimedOutError(Exception):
    """The program did not end within its limit and was killed.

    Whatever it asked Slurm to do may have happened.
    """

    def __init__(self, program: str, limit_s: float) -> None:
        super().__init__(f"{program} did not answer within {limit_s:g} s")
        self.program = program
        self.limit_s = limit_s


class Process:
    """A started program: its pipes as streams, its end, and how to end it."""

    def __init__(self, popen: subprocess.Popen[bytes], identity: Mapping[str, Any]) -> None:
        self._popen = popen
        self._identity = identity
        self._ended = asyncio.Event()
        self._transports: list[asyncio.BaseTransport] = []
        self._pidfd = os.pidfd_open(popen.pid)
        asyncio.get_running_loop().add_reader(self._pidfd, self._reap)

    async def connect(self) -> None:
        """Make streams of the pipes."""
        loop = asyncio.get_running_loop()
        popen = self._popen
        assert popen.stdin is not None
        assert popen.stdout is not None
        assert popen.stderr is not None
        transport, protocol = await loop.connect_write_pipe(
            lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader()), popen.stdin
        )
        self.stdin = asyncio.StreamWriter(transport, protocol, None, loop)
        self._transports.append(transport)
        self.stdout = await self._reader(popen.stdout)
        self.stderr = await self._reader(popen.stderr)

    async def _reader(self, pipe: IO[bytes]) -> asyncio.StreamReader:
        reader = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), pipe
        )
        self._transports.append(transport)
        return reader

    def _reap(self) -> None:
        self._popen.poll()
        asyncio.get_running_loop().remove_reader(self._pidfd)
        self._ended.set()

    async def wait(self) -> int:
        """The exit status; negative: killed by that signal."""
        await self._ended.wait()
        assert self._popen.returncode is not None
        return int(self._popen.returncode)

    async def kill(self) -> None:
        """Kill its process group, and wait a moment for its end."""
        if not self._ended.is_set():
            await asyncio.to_thread(_kill_group, self._popen.pid, self._identity)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_KILL_GRACE_S):
                await self._ended.wait()

    def close(self) -> None:
        """Let go of its pipes."""
        for transport in self._transports:
            transport.close()
        asyncio.get_running_loop().remove_reader(self._pidfd)
        os.close(self._pidfd)


# What programs write for us is the user's alone. A job's log is opened with what sbatch had; its script then takes
# the site's umask (users.umask).
PRIVATE = 0o077


async def spawn(argv: Sequence[str], env: Mapping[str, str], identity: Mapping[str, Any], timeout_s: float) -> Process:
    """Start a program in a session of its own.

    :param identity: ``user``, ``group`` and ``extra_groups`` as subprocess takes them, or empty.
    :raises TimedOutError: it was not started in time; should it start later, it is killed.
    :raises OSError: it could not be started.
    """
    uid = int(identity.get("user", _OURS))
    if not _starts.begin(uid):
        raise TimedOutError(Path(argv[0]).name, timeout_s)
    loop = asyncio.get_running_loop()
    started: asyncio.Future[subprocess.Popen[bytes]] = loop.create_future()

    def work() -> None:
        popen: subprocess.Popen[bytes] | None = None
        problem: BaseException | None = None
        try:
            popen = subprocess.Popen(
                argv,
                env=env,
                cwd="/",
                umask=PRIVATE,
                start_new_session=True,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                **identity,
            )
        except BaseException as error:
            problem = error
        _starts.end(uid)  # before it is told: who is told starts the next one, and would find this one hanging
        _tell(loop, started, popen, problem, identity)

    try:
        threading.Thread(target=work, name="start", daemon=True).start()
    except RuntimeError as error:  # no thread can be had
        _starts.end(uid)
        raise OSError(errno.EAGAIN, str(error)) from error
    try:
        async with asyncio.timeout(timeout_s):
            popen = await started
    except TimeoutError:
        raise TimedOutError(Path(argv[0]).name, timeout_s) from None
    process = Process(popen, identity)
    try:
        await process.connect()
    except BaseException:
        await asyncio.shield(process.kill())
        raise
    return process


def _tell(
    loop: asyncio.AbstractEventLoop,
    started: asyncio.Future[subprocess.Popen[bytes]],
    popen: subprocess.Popen[bytes] | None,
    error: BaseException | None,
    identity: Mapping[str, Any],
) -> None:
    """Hand over what a start came to; a program that nobody waits for any more is killed."""

    def deliver() -> None:
        if started.done():
            _discard(popen, identity)
        elif popen is not None:
            started.set_result(popen)
        elif error is not None:
            started.set_exception(error)

    try:
        loop.call_soon_threadsafe(deliver)
    except RuntimeError:  # the loop is closed
        _discard(popen, identity)


def _discard(popen: subprocess.Popen[bytes] | None, identity: Mapping[str, Any]) -> None:
    if popen is None:
        return

    def end() -> None:
        _kill_group(popen.pid, identity)
        with popen:  # closes the pipes and reaps it
            pass

    threading.Thread(target=end, name="discard", daemon=True).start()


def _kill_group(pid: int, identity: Mapping[str, Any]) -> None:
    """Kill a process group; as its own user when we may not (we hold no CAP_KILL)."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    except PermissionError:
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(
                ["/bin/kill", "-KILL", "--", f"-{pid}"],
                env={},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=_KILL_GRACE_S,
                check=False,
                **identity,
            )
