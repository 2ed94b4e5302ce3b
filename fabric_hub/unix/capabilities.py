"""What this process may do beyond its user (capabilities(7)), and how no child gets any of it."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import Any

CAP_SETGID, CAP_SETUID = 6, 7
_PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 38, 47, 4
_LINUX_CAPABILITY_VERSION_3 = 0x20080522


def capabilities(status: str | None = None) -> dict[str, int]:
    """This process's capability sets as bit masks (``CapEff`` ...), from ``/proc/self/status``."""
    text = Path("/proc/self/status").read_text() if status is None else status
    pairs = (line.split(":") for line in text.splitlines() if line.startswith("Cap"))
    return {name: int(mask, 16) for name, mask in pairs}


def can_become_others() -> bool:
    """Whether this process may take on another user's identity."""
    needed = (1 << CAP_SETUID) | (1 << CAP_SETGID)
    return capabilities()["CapEff"] & needed == needed


class _CapHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapData(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def drop_inheritance() -> None:
    """Keep our own capabilities, but let no program that we start inherit one.

    Clears the ambient and inheritable sets and sets no_new_privs, so that after
    exec a child of a process that is not root has empty capability sets, also
    when it runs a program with file capabilities or a set-user-ID bit. These are
    properties of a thread: call it before any other thread exists.

    :raises OSError: the kernel refused.
    """
    libc = ctypes.CDLL(None, use_errno=True)

    def call(name: str, *args: Any) -> None:
        if getattr(libc, name)(*args) != 0:
            error = ctypes.get_errno()
            raise OSError(error, f"{name}: {os.strerror(error)}")

    zero = ctypes.c_ulong(0)
    call("prctl", _PR_CAP_AMBIENT, ctypes.c_ulong(_PR_CAP_AMBIENT_CLEAR_ALL), zero, zero, zero)
    header = _CapHeader(_LINUX_CAPABILITY_VERSION_3, 0)
    data = (_CapData * 2)()
    call("capget", ctypes.byref(header), data)
    for part in data:
        part.inheritable = 0
    call("capset", ctypes.byref(header), data)
    call("prctl", _PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), zero, zero, zero)
