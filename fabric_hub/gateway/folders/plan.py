"""Whom a project's folder is to let in. Pure.

The top of the folder is a gate: it lets in its owner, the project's service account, and one entry for each person of
the project; its group and everybody else have nothing. Inside, the default ACL lets everybody who got in read and
write, whatever a program's umask is.

All who may work in the project may write. Visitors have no entry: what is below the gate is open to whoever passes it.
The gate is ours whole: an entry that somebody else made is taken away.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import NamedTuple

from fabric_hub.unix.acl import ALL, GROUP_OBJ, MASK, NONE, OTHER, USER, USER_OBJ, Entry, encoded, users

# What is made inside: open to all who got in; a program's own mode, such as 0600, narrows it.
INSIDE = encoded((Entry(USER_OBJ, ALL), Entry(GROUP_OBJ, ALL), Entry(OTHER, ALL)))


class Seen(NamedTuple):
    """The top of a folder as it is: its owner's uid, and its ACLs as the kernel has them; None: it has none."""

    owner: int
    access: bytes | None = None
    default: bytes | None = None


class Decision(NamedTuple):
    """What is to be set.

    :ivar narrowed: the same without those who are not in yet: what fits where there is no room for more entries.
    :ivar let_in: uids that were not in; ``put_out``: uids that were, and go.
    """

    access: bytes
    narrowed: bytes
    let_in: frozenset[int]
    put_out: frozenset[int]


def gate(uids: Collection[int]) -> bytes:
    """The ACL of a folder's top that lets in its owner and these."""
    named = (Entry(USER, ALL, uid) for uid in uids)
    return encoded((Entry(USER_OBJ, ALL), *named, Entry(GROUP_OBJ, NONE), Entry(MASK, ALL), Entry(OTHER, NONE)))


def decide(
    seen: Seen, members: Collection[int], *, some_unknown: bool, has_name: Callable[[int], bool]
) -> Decision | None:
    """What is to be set; None: nothing.

    :param members: the uids of the project's people.
    :param some_unknown: the name service does not know the account of one of them now. It may have forgotten some for
        a moment: then an entry whose uid has no name stays.
    :param has_name: whether a uid has a name; asked of the few that are no member's.
    """
    found = frozenset(users(seen.access)) if seen.access is not None else frozenset()
    strangers = found - frozenset(members)
    kept = frozenset(uid for uid in strangers if some_unknown and not has_name(uid))
    wanted = (frozenset(members) | kept) - {seen.owner}
    access = gate(wanted)
    if access == seen.access and seen.default == INSIDE:
        return None
    return Decision(access, gate(wanted & found), wanted - found, found - wanted)
