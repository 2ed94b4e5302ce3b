"""Groups as identity providers write them: the grammar of AARC-G069, and when two of them are the same. Pure.

``urn:NAMESPACE:group:GROUP[:SUBGROUP…][:role=ROLE][#AUTHORITY]``. Whoever may name groups at one organisation may call
one of them as another organisation calls its own: only the whole, with namespace and authority, says whose it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import unquote

_URN = re.compile(r"urn:([a-z0-9][a-z0-9-]{0,30}[a-z0-9]):(.+)", re.IGNORECASE)
_GROUP, _ROLE = ":group:", "role="


class Entitlement(NamedTuple):
    """A group of people.

    :ivar namespace: who has defined it, with ``urn:`` and the namespace's id in small letters.
    :ivar groups: the group, and below it the subgroups.
    :ivar role: which of its people; "" is all.
    :ivar authority: who says so; "" is not said.
    """

    namespace: str
    groups: tuple[str, ...]
    role: str = ""
    authority: str = ""


def parsed(text: str) -> Entitlement | None:
    """An entitlement as it was sent; None: it names no group."""
    body, hash_, authority = text.partition("#")
    found = _URN.fullmatch(body)
    if not found or any(char.isspace() or not char.isprintable() for char in text) or (hash_ and not authority):
        return None
    space, group, rest = f"{found[2]}".partition(_GROUP)
    parts = rest.split(":")
    role = parts.pop()[len(_ROLE) :] if group and parts[-1].startswith(_ROLE) else None
    if not (space and group and parts and all(parts)) or role == "" or "#" in authority:
        return None
    names = tuple(unquote(part) for part in parts)
    return Entitlement(f"urn:{found[1].lower()}:{space}", names, unquote(role or ""), authority)


def has_one_of(sent: Iterable[str], wanted: Iterable[str]) -> bool:
    """Whether somebody with these entitlements has one of the wanted ones, compared whole.

    A subgroup is not its group, and who has a role in a group has not every role in it.
    """
    mine = {one for text in sent if (one := parsed(text))}
    return any(parsed(text) in mine for text in wanted)
