"""What a Unix account has on this node, found and removed: processes, files, IPC, keys, timers. As root, one thread.

Nothing is removed by a path that somebody else could have turned elsewhere: directories are walked by descriptor, no
link is followed, no mount is entered, and only what belongs to the uid goes. Names that the account chose are not told.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import pwd
import secrets
import signal
import stat
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from . import kernel
from .trust import NodeError

_LIBC = ctypes.CDLL(None, use_errno=True)
# A uid that no process has. The killer's real one: whoever is killed may not signal it, as its real and its saved uid
# are neither theirs, and it may signal nobody but them.
_SHADOW = 2**32 - 3
KILL_S, LOOK_AGAIN_S = 10.0, 0.02
_DEEPEST = 100  # directories open at once; what lies deeper is moved up first
SPOOLS = ("/var/spool/cron", "/var/spool/at", "/var/mail", "/var/spool/mail")
BY_NAME = ("/var/lib/systemd/linger", "/var/spool/cron", "/var/spool/cron/crontabs", "/var/mail", "/var/spool/mail")
_IPC = {"shm": ("shmid", "shmctl"), "msg": ("msqid", "msgctl"), "sem": ("semid", "semctl")}
_IPC_RMID = 0
_CLONE_NEWNS = 0x20000
# https://man7.org/linux/man-pages/man2/keyctl.2.html
_KEYCTL = {"x86_64": 250, "aarch64": 219, "riscv64": 219, "ppc64le": 271}
_USER_KEYRING, _USER_SESSION, _PROCESS_KEYRING = -4, -5, -2
_GET_ID, _SET_PERMISSIONS, _CLEAR, _READ, _GET_PERSISTENT = 0, 5, 7, 11, 22
_ALL_FOR_OWNER = 0x3F3F0000
_NO_SUCH_CALL = 38  # ENOSYS


@dataclass
class Tally:
    """What was found, and what of it could not be removed, in words without names that the account chose."""

    found: int = 0
    problems: list[str] = field(default_factory=list)
    links: dict[tuple[int, int], int] = field(default_factory=dict)  # further names of files that had several
    until: float = float("inf")

    def in_time(self) -> None:
        """:raises NodeError: the time is over."""
        if time.monotonic() > self.until:
            raise NodeError("looking at it took too long", "busy")


def clean(uid: int, account: str, temporary: tuple[str, ...], within_s: float = 300.0) -> Tally:
    """Remove all that an account has here.

    :param temporary: directories in which everybody may write.
    """
    tally = Tally(until=time.monotonic() + within_s)
    try:
        # first what could start something again
        for directory in BY_NAME:
            _unlink(directory, account, tally)
        _spools(uid, tally)
        kill(uid, tally)
        for directory in (*temporary, f"/run/user/{uid}"):
            try:
                files(directory, uid, tally)
            except OSError as error:  # a mount that does not answer: the others are looked at all the same
                tally.problems.append(f"{directory}: {error.strerror or 'an error'}")
        ipc(uid, tally)
        _alone(lambda: _queues(uid, tally), tally)
        _alone(lambda: _keys(uid, tally), tally)
        elsewhere = sum(left > 0 for left in tally.links.values())
        if elsewhere:
            tally.problems.append(f"files: {elsewhere} have another name outside of the temporary directories")
        if processes(uid):
            tally.problems.append("processes began while it was cleaned")
    except (NodeError, OSError) as error:
        tally.problems.append(error.message if isinstance(error, NodeError) else error.strerror or "an error")
    return tally


# ---- processes


def processes(uid: int) -> list[int]:
    """The processes that act, or could act, as a uid; not those that only wait for their parent to see their end.

    One whose first thread has ended is shown as if it waited so, while its other threads go on.
    """
    found = []
    for name in os.listdir("/proc"):
        if not name.isdecimal():
            continue
        try:
            with open(f"/proc/{name}/status", encoding="utf-8", errors="replace") as file:
                lines = (line.rstrip("\n") for line in file if line.startswith(("State:", "Uid:", "Threads:")))
                said = dict(line.split(":\t", 1) for line in lines)
        except (FileNotFoundError, ProcessLookupError, ValueError):
            continue
        over = said.get("State", "")[:1] in ("Z", "X") and int(said.get("Threads", "1")) <= 1
        if not over and uid in map(int, said.get("Uid", "").split()[:3]):
            found.append(int(name))
    return found


def kill(uid: int, tally: Tally) -> None:
    """Kill every process of a uid, whatever it forks meanwhile.

    One call of kill(-1) reaches all of them while none can fork: the kernel holds its list of processes for it, and a
    fork that has a signal to take begins anew. Those in user namespaces that the uid owns are among them, which /proc
    may show under other uids: so it is called once in any case.
    """
    left = processes(uid)
    tally.found += len(left)
    until = time.monotonic() + KILL_S
    while True:
        _as_child(lambda: _kill_as(uid))
        left = processes(uid)
        if not left:
            return
        if time.monotonic() > until:
            tally.problems.append(f"processes: {len(left)} cannot be killed")
            return
        time.sleep(LOOK_AGAIN_S)


def _kill_as(uid: int) -> None:
    if _LIBC.setresuid(ctypes.c_uint(_SHADOW), ctypes.c_uint(uid), ctypes.c_uint(0)):
        raise OSError(ctypes.get_errno(), "setresuid")
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)


def _as_child(work: Callable[[], object]) -> int:
    """Do something in a child of ours, which has one thread; its status."""
    child = os.fork()
    if not child:
        try:
            work()
            os._exit(0)
        except BaseException:
            os._exit(1)
    return os.waitpid(child, 0)[1]


def _alone(work: Callable[[], object], tally: Tally) -> None:
    """Do something in a child that may become another, and take over what it counted."""
    reading, writing = os.pipe2(os.O_CLOEXEC)

    def told() -> None:
        before, told_before = tally.found, len(tally.problems)
        work()
        text = "\n".join([str(tally.found - before), *tally.problems[told_before:]])
        os.write(writing, text.encode()[:4000])

    try:
        status = _as_child(told)
    finally:
        os.close(writing)
    with open(reading, encoding="utf-8") as file:
        count, *problems = file.read().split("\n")
    if status or not count:
        tally.problems.append("IPC or keys cannot be looked at")
        return
    tally.found += int(count)
    tally.problems += problems


# ---- files


def files(directory: str, uid: int, tally: Tally) -> None:
    """Remove all of a uid in a directory and below it; the directory stays."""
    try:
        top = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return
    mounted = frozenset(mount.target for mount in kernel.mounts_below(directory)) - {directory}
    kept_before = len(tally.problems)
    try:
        walk = _Walk(uid, os.fstat(top).st_dev, mounted, _home(uid), tally)
        walk.into(top, directory, None, 0)
    finally:
        os.close(top)
    if walk.kept:
        tally.problems.append(f"{directory}: {walk.kept} directories of its hold what is not its own")
    if walk.unseen:
        tally.problems.append(f"{directory}: {walk.unseen} things cannot be looked at or removed")
    if walk.mounts and len(tally.problems) == kept_before:
        tally.problems.append(f"{directory}: something is mounted in a directory of its")


class _Walk:
    def __init__(self, uid: int, device: int, mounted: frozenset[str], home: str, tally: Tally) -> None:
        self._uid, self._device, self._mounted, self._home, self._tally = uid, device, mounted, home, tally
        self.kept = self.mounts = self.unseen = 0

    def into(self, handle: int, path: str, top: int | None, depth: int) -> bool:
        """Remove what is the uid's in an open directory; whether the directory is empty then.

        :param top: the uppermost directory of the uid's on the way here.
        """
        empty = True
        with os.scandir(handle) as entries:
            names = [entry.name for entry in entries]
        for name in names:
            self._tally.in_time()
            try:
                empty = self._one(handle, path, name, top, depth) and empty
            except FileNotFoundError:
                pass
            except OSError:  # it ends nothing else
                empty = False
                self.unseen += 1
        return empty

    def _one(self, handle: int, path: str, name: str, top: int | None, depth: int) -> bool:
        where = f"{path}/{name}"
        if where in self._mounted:  # not even looked at: what a user mounts can refuse that to root
            with contextlib.suppress(OSError):
                self.mounts += top is not None or os.lstat(name, dir_fd=handle).st_uid == self._uid
            return False
        status = os.lstat(name, dir_fd=handle)
        mine = status.st_uid == self._uid
        if not stat.S_ISDIR(status.st_mode):
            if mine:
                os.unlink(name, dir_fd=handle)
                self._tally.found += 1
                if (stat.S_ISREG(status.st_mode) and status.st_nlink > 1) or (
                    status.st_dev,
                    status.st_ino,
                ) in self._tally.links:
                    self._tally.links[status.st_dev, status.st_ino] = status.st_nlink - 1
            return mine
        if where == self._home:  # the gateway empties it, as the account
            return False
        if status.st_dev != self._device:
            self.mounts += mine
            return False
        if depth >= _DEEPEST:
            if mine and top is not None:  # a tree as deep as it likes: it goes up, and is walked from there
                os.rename(name, f".fabric-{secrets.token_hex(8)}", src_dir_fd=handle, dst_dir_fd=top)
            # another's is passed over: who digs in /tmp must not keep accounts from coming back
            return mine
        try:
            inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=handle)
        except NotADirectoryError:  # somebody put a link there: the next look sees it
            return False
        try:
            if not _same(os.fstat(inner), status):
                return False
            outermost = inner if mine and top is None else top
            empty = self.into(inner, where, outermost if mine else None, depth + 1)
            while mine and empty and os.listdir(inner):  # what came up from below
                empty = self.into(inner, where, outermost, depth + 1)
        finally:
            os.close(inner)
        if not mine:
            return False
        self._tally.found += 1
        if not empty:
            self.kept += 1
            return False
        os.rmdir(name, dir_fd=handle)
        return True


def _home(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_dir
    except KeyError:
        return ""


def _same(one: os.stat_result, other: os.stat_result) -> bool:
    return (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)


def _spools(uid: int, tally: Tally) -> None:
    for directory in SPOOLS:
        files(directory, uid, tally)


def _unlink(directory: str, name: str, tally: Tally) -> None:
    """Remove a file of root's that is named after the account."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
        os.unlink(os.path.join(directory, name))
        tally.found += 1


# ---- IPC and keys


def shared(kind: str, uid: int) -> Iterator[int]:
    """The numbers of a uid's System V objects of a kind (shm, msg, sem): its own, and those that it made for others."""
    try:
        with open(f"/proc/sysvipc/{kind}", encoding="ascii") as file:
            head, *lines = [line.split() for line in file]
    except (FileNotFoundError, ValueError):
        return
    at = {name: head.index(name) for name in (_IPC[kind][0], "uid", "cuid")}
    for line in lines:
        if str(uid) in (line[at["uid"]], line[at["cuid"]]):
            yield int(line[at[_IPC[kind][0]]])


def ipc(uid: int, tally: Tally) -> None:
    """Remove a uid's System V shared memory, message queues and semaphores."""
    for kind, (_, call) in _IPC.items():
        for number in list(shared(kind, uid)):
            tally.found += 1
            arguments = (number, 0, _IPC_RMID) if kind == "sem" else (number, _IPC_RMID, None)
            if getattr(_LIBC, call)(*arguments):
                tally.problems.append(f"IPC: {kind} cannot be removed")


def _queues(uid: int, tally: Tally) -> None:
    """POSIX message queues: the file system of them is mounted for us alone. In a child."""
    if _LIBC.unshare(_CLONE_NEWNS):
        raise OSError(ctypes.get_errno(), "unshare")
    kernel.mount("none", "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    try:
        kernel.mount("mqueue", "/tmp", "mqueue", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
    except OSError as error:
        if error.errno != 19:  # ENODEV: this kernel has no such queues
            raise
        return
    for name in os.listdir("/tmp"):
        path = os.path.join("/tmp", name)
        if os.lstat(path).st_uid == uid:
            os.unlink(path)
            tally.found += 1


def _keys(uid: int, tally: Tally) -> None:
    """Empty the keyrings of a uid, as it: those of its processes went with them. In a child."""
    number = _KEYCTL.get(platform.machine())
    if number is None:
        if os.path.exists("/proc/keys"):
            tally.problems.append(f"keys: not known on {platform.machine()}")
        return

    def keyctl(*arguments: int) -> int:
        ctypes.set_errno(0)
        return int(_LIBC.syscall(ctypes.c_long(number), *(ctypes.c_long(one) for one in arguments)))

    if _LIBC.setresuid(ctypes.c_uint(uid), ctypes.c_uint(uid), ctypes.c_uint(uid)):
        raise OSError(ctypes.get_errno(), "setresuid")
    user = keyctl(_GET_ID, _USER_KEYRING, 1)
    if user < 0:
        if ctypes.get_errno() != _NO_SUCH_CALL:
            tally.problems.append("keys: they cannot be looked at")
        return
    rings = [user, keyctl(_GET_ID, _USER_SESSION, 1), keyctl(_GET_PERSISTENT, uid, _PROCESS_KEYRING)]
    for ring in rings:
        if ring <= 0:
            continue  # persistent keyrings are a kernel's choice
        keyctl(_SET_PERMISSIONS, ring, _ALL_FOR_OWNER)
        buffer = ctypes.create_string_buffer(4 * 4096)
        size = int(_LIBC.syscall(ctypes.c_long(number), ctypes.c_long(_READ), ctypes.c_long(ring), buffer, len(buffer)))
        keys = struct.unpack(
            f"={max(0, min(size, len(buffer))) // 4}i", buffer.raw[: max(0, min(size, len(buffer))) // 4 * 4]
        )
        tally.found += sum(key not in rings for key in keys)
        if keyctl(_CLEAR, ring):
            tally.problems.append("keys: a keyring cannot be emptied")
