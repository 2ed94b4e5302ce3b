"""Mounts, loop devices, mount namespaces and ACLs: thin calls into Linux, nothing decided here."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import re
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from .trust import as_uid

_LIBC = ctypes.CDLL(None, use_errno=True)
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND = 1, 2, 4, 8, 32, 4096
MS_REC, MS_PRIVATE, MS_SLAVE = 16384, 1 << 18, 1 << 19
SAFE = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC
SAFE_OPTIONS = frozenset({"ro", "nosuid", "nodev", "noexec"})
_MNT_DETACH, _UMOUNT_NOFOLLOW = 2, 8
_CLONE_FS, _CLONE_NEWNS = 0x200, 0x20000
# syscall numbers from 424 on are the same on every architecture
_MOVE_MOUNT, _OPEN_TREE = 429, 428
_OPEN_TREE_CLONE, _MOVE_MOUNT_F_EMPTY_PATH = 1, 4
# https://man7.org/linux/man-pages/man4/loop.4.html
_LOOP_CTL_GET_FREE, _LOOP_CONFIGURE, _LOOP_CHANGE_FD = 0x4C82, 0x4C0A, 0x4C06
_BLKFLSBUF = 0x1261
# What a loop device reads of whose image was taken away, and by which that is seen.
_NOTHING = "fabric-nothing"
_LO_READ_ONLY, _LO_AUTOCLEAR = 1, 4
_ACL = "system.posix_acl_access"
# linux/posix_acl_xattr.h: tags of entries, and the id of those that have none
_USER_OBJ, _USER, _GROUP_OBJ, _MASK, _OTHER, _NO_ID = 1, 2, 4, 16, 32, 0xFFFFFFFF
_NSFS_MAGIC = 0x6E736673
_OCTAL = re.compile(r"\\([0-7]{3})")

_T = TypeVar("_T")


@dataclass(frozen=True)
class Mounted:
    """One line of mountinfo(5): what of which device is mounted where, how."""

    device: str
    root: str
    target: str
    options: frozenset[str]
    fs_type: str
    source: str

    @property
    def identity(self) -> tuple[str, str]:
        """The same for every mount of the same directory of the same file system."""
        return self.device, self.root

    @property
    def safe(self) -> bool:
        return self.options >= SAFE_OPTIONS


def _fail(path: str) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number), path)


def mounts_below(directory: str) -> list[Mounted]:
    """The mounts at and below a directory, in this thread's mount namespace, oldest first."""
    with open("/proc/thread-self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        lines = file.read().split("\n")[:-1]
    below = ((_plain(line.split(" ", 5)[4]), line) for line in lines)
    return [parse_mount(line) for target, line in below if target == directory or target.startswith(directory + "/")]


def parse_mount(line: str) -> Mounted:
    """One line of /proc/PID/mountinfo; spaces and such are octal in it."""
    first, _, second = line.partition(" - ")
    fields, last = first.split(" "), second.split(" ")
    options = frozenset(fields[5].split(","))
    return Mounted(fields[2], _plain(fields[3]), _plain(fields[4]), options, last[0], _plain(last[1]))


def _plain(text: str) -> str:
    return _OCTAL.sub(lambda match: chr(int(match.group(1), 8)), text) if "\\" in text else text


def mount(source: str, target: str, fs_type: str | None, flags: int, data: str = "") -> None:
    """mount(2)."""
    encoded = [None if text is None else os.fsencode(text) for text in (source, target, fs_type)]
    if _LIBC.mount(*encoded, ctypes.c_ulong(flags), os.fsencode(data)):
        raise _fail(target)


def unmount(target: str) -> None:
    """Take every mount off a directory; open files stay open, nothing new can be opened. No mount is no error."""
    while _LIBC.umount2(os.fsencode(target), _MNT_DETACH | _UMOUNT_NOFOLLOW) == 0:
        pass
    if ctypes.get_errno() not in (errno.EINVAL, errno.ENOENT):
        raise _fail(target)


def mount_image(image: int, target: str) -> None:
    """Mount the SquashFS image behind a file descriptor; the loop device goes with the last mount of it."""
    control = os.open("/dev/loop-control", os.O_RDWR | os.O_CLOEXEC)
    image = _nameless(image)
    try:
        for _ in range(64):  # another process may take the free device before us
            name = f"/dev/loop{fcntl.ioctl(control, _LOOP_CTL_GET_FREE)}"
            device = os.open(name, os.O_RDONLY | os.O_CLOEXEC)
            try:
                try:
                    fcntl.ioctl(device, _LOOP_CONFIGURE, _loop_config(image))
                except OSError as error:
                    if error.errno != errno.EBUSY:
                        raise
                    continue
                mount(name, target, "squashfs", SAFE)
                return
            finally:
                os.close(device)
    finally:
        os.close(image)
        os.close(control)
    raise OSError(errno.EBUSY, "no free loop device", target)


def _nameless(image: int) -> int:
    """The same file, opened where nobody can name it.

    The kernel tells everybody the path of a loop device's file (/sys/block/loop0/loop/backing_file), and ours has the
    dataset's name in it. A file that was opened through a mount that is nowhere has no path.
    """
    copy = clone_mount(f"/proc/self/fd/{image}")
    try:
        try:
            return os.open(f"/proc/self/fd/{copy}", os.O_RDONLY | os.O_CLOEXEC)
        except PermissionError:  # root is nobody to this file server (root_squash)
            with as_uid(os.fstat(image).st_uid):
                return os.open(f"/proc/self/fd/{copy}", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        os.close(copy)


def device_of(mounted: Mounted) -> int | None:
    """A file descriptor of the loop device of a mounted image; None of a directory.

    As long as it is open the device is no other image's.
    """
    if not mounted.source.startswith("/dev/loop"):
        return None
    device = os.open(mounted.source, os.O_RDONLY | os.O_CLOEXEC)
    status = os.fstat(device)
    if mounted.device != f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}":
        os.close(device)
        raise OSError(errno.ENODEV, "is another device than what is mounted", mounted.source)
    return device


def cut_off(device: int) -> None:
    """Let nothing more be read of an image, through whatever is open of it and wherever it is mounted.

    What is read from now on fails (EIO), except what the node has in its memory.
    """
    nothing = os.memfd_create(_NOTHING, os.MFD_CLOEXEC)
    try:
        os.ftruncate(nothing, os.lseek(device, 0, os.SEEK_END))  # only a file of the same size is taken
        fcntl.ioctl(device, _LOOP_CHANGE_FD, nothing)
        os.ftruncate(nothing, 0)  # zeros would be taken for data
        fcntl.ioctl(device, _BLKFLSBUF, 0)
    finally:
        os.close(nothing)


def is_cut_off(mounted: Mounted) -> bool:
    """Whether :func:`cut_off` was done to what is mounted."""
    try:
        with open(f"/sys/dev/block/{mounted.device}/loop/backing_file", encoding="utf-8", errors="replace") as file:
            return file.read().startswith(f"/memfd:{_NOTHING}")
    except FileNotFoundError:
        return False


def _loop_config(image: int) -> bytes:
    """struct loop_config: fd, block size, loop_info64 (its flags after 40 + 12 bytes), reserved."""
    info = bytearray(232)
    struct.pack_into("<I", info, 52, _LO_READ_ONLY | _LO_AUTOCLEAR)
    return struct.pack("=II", image, 0) + bytes(info) + bytes(64)


def mount_directory(directory: int, target: str) -> None:
    """Bind the directory behind a file descriptor, read-only."""
    mount(f"/proc/self/fd/{directory}", target, None, MS_BIND)
    mount("none", target, None, MS_BIND | MS_REMOUNT | SAFE)


def clone_mount(path: str) -> int:
    """A file descriptor of a copy of the mount at ``path``, to be attached in any mount namespace."""
    handle: int = _LIBC.syscall(
        ctypes.c_long(_OPEN_TREE), -100, os.fsencode(path), ctypes.c_uint(_OPEN_TREE_CLONE | os.O_CLOEXEC)
    )
    if handle < 0:
        raise _fail(path)
    return handle


def attach_mount(handle: int, target: str) -> None:
    """Attach what :func:`clone_mount` gave."""
    flags = ctypes.c_uint(_MOVE_MOUNT_F_EMPTY_PATH)
    if _LIBC.syscall(ctypes.c_long(_MOVE_MOUNT), handle, b"", -100, os.fsencode(target), flags):
        raise _fail(target)


class _Statfs(ctypes.Structure):
    _fields_ = (("f_type", ctypes.c_long), ("rest", ctypes.c_char * 248))


def namespace_at(path: str) -> int | None:
    """A file descriptor of the mount namespace that root keeps at ``path``; None when there is none."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    told = _Statfs()
    if _LIBC.fstatfs(handle, ctypes.byref(told)) or told.f_type != _NSFS_MAGIC:
        os.close(handle)
        return None
    return handle


def inside(namespace: int | None, work: Callable[[], _T]) -> _T:
    """Do ``work`` in another mount namespace (None: ours), on a thread of its own: the rest of us stays here."""
    if namespace is None:
        return work()
    done: list[Any] = []

    def run() -> None:
        try:
            # a thread shares root and directory with the others until it says otherwise; then setns(2) lets it go
            if _LIBC.unshare(_CLONE_FS) or _LIBC.setns(namespace, _CLONE_NEWNS):
                raise _fail("mount namespace")
            done.extend((True, work()))
        except BaseException as error:
            done.extend((False, error))

    thread = threading.Thread(target=run, name="namespace")
    thread.start()
    thread.join()
    if not done[0]:
        raise done[1]
    result: _T = done[1]
    return result


def set_readers(directory: str, uids: frozenset[int]) -> None:
    """Let exactly root and these uids into a directory, in one step."""
    entries = [(_USER_OBJ, 7, _NO_ID)]
    entries += [(_USER, 5, uid) for uid in sorted(uids)]
    entries += [(_GROUP_OBJ, 0, _NO_ID), (_MASK, 5, _NO_ID), (_OTHER, 0, _NO_ID)]
    value = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    os.setxattr(directory, _ACL, value, follow_symlinks=False)


def readers(directory: str) -> frozenset[int] | None:
    """The uids that a directory lets in; None when its mode or ACL says anything else than :func:`set_readers`."""
    status = os.lstat(directory)
    if status.st_uid != 0 or status.st_mode & 0o007:
        return None
    try:
        value = os.getxattr(directory, _ACL, follow_symlinks=False)
    except OSError as error:
        if error.errno == errno.ENODATA:
            return frozenset() if not status.st_mode & 0o070 else None
        raise
    entries = [struct.unpack_from("<HHI", value, offset) for offset in range(4, len(value), 8)]
    if any(tag in (_GROUP_OBJ, _OTHER) and permission for tag, permission, _ in entries):
        return None
    if any(tag not in (_USER_OBJ, _USER, _GROUP_OBJ, _MASK, _OTHER) for tag, _, _ in entries):
        return None
    return frozenset(uid for tag, permission, uid in entries if tag == _USER and permission)


def remove_tree(directory: str) -> None:
    """Remove a directory of ours whose mounts are gone: empty directories and links only, so no data can go."""
    with contextlib.suppress(FileNotFoundError):
        for entry in os.scandir(directory):
            if entry.is_dir(follow_symlinks=False):
                os.rmdir(entry.path)
            else:
                os.unlink(entry.path)
        os.rmdir(directory)
