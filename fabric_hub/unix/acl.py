"""POSIX ACLs as the kernel takes and gives them in extended attributes (acl(5), <linux/posix_acl_xattr.h>). Pure.

Written by hand: setfacl(1) names its file by path, and what is checked must be the directory that is open.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

ACCESS, DEFAULT = "system.posix_acl_access", "system.posix_acl_default"
USER_OBJ, USER, GROUP_OBJ, GROUP, MASK, OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
ALL, NONE = 0o7, 0
# The id of an entry that names nobody.
_NOBODY = 0xFFFFFFFF
_VERSION = 2
_HEAD, _ENTRY = struct.Struct("<I"), struct.Struct("<HHI")


class Entry(NamedTuple):
    """What one entry allows: ``rights`` are bits as in a mode (4 read, 2 write, 1 pass)."""

    tag: int
    rights: int
    id: int = _NOBODY


def encoded(entries: Iterable[Entry]) -> bytes:
    """An ACL as an extended attribute's value; the kernel wants its entries in this order."""
    ordered = sorted(entries, key=lambda entry: (entry.tag, entry.id))
    return _HEAD.pack(_VERSION) + b"".join(_ENTRY.pack(*entry) for entry in ordered)


def decoded(value: bytes) -> tuple[Entry, ...]:
    """The entries of an ACL.

    :raises ValueError: it is none of this version.
    """
    if len(value) < _HEAD.size or (len(value) - _HEAD.size) % _ENTRY.size or _HEAD.unpack_from(value)[0] != _VERSION:
        raise ValueError("this is no ACL of version 2")
    return tuple(Entry(*fields) for fields in _ENTRY.iter_unpack(value[_HEAD.size :]))


def users(value: bytes) -> Iterator[int]:
    """The uids that an ACL names."""
    return (entry.id for entry in decoded(value) if entry.tag == USER)
