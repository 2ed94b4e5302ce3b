"""Names of sessions: the one that is proposed, and what a name that somebody typed is made of. Pure.

The rule is JupyterHub's for the names of servers: lower-case letters, digits and single hyphens, at most 30 characters.
A person's first session, the server without a name, is called "default" on pages.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

LONGEST_NAME = 30
FIRST_NAME = "session"
DEFAULT = "default"
# Letters that Unicode does not take apart into one of a to z and an accent.
_LETTERS = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "þ": "th"})


def next_name(name: str, taken: Collection[str]) -> str:
    """The name that follows another one and is free: ``work`` is followed by ``work-2``, that by ``work-3``."""
    counted = re.fullmatch(r"(.+)-([0-9]{1,4})", name)
    base, number = (counted.group(1), int(counted.group(2))) if counted else (name or FIRST_NAME, 1)
    while True:
        number += 1
        ending = f"-{number}"
        found = base[: LONGEST_NAME - len(ending)].rstrip("-") + ending
        if found not in taken:
            return found


def made_valid(typed: str) -> str:
    """What a name that somebody typed becomes: ``Träning run 2`` is ``traning-run-2``; "" where nothing is left."""
    lower = unicodedata.normalize("NFKD", typed[: 10 * LONGEST_NAME].casefold().translate(_LETTERS))
    plain = "".join(letter for letter in lower if not unicodedata.combining(letter))
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:LONGEST_NAME].rstrip("-")


def free_name(typed: str, taken: Collection[str]) -> str:
    """The server of a new session with a name that somebody typed: valid, and not one of those taken.

    :param taken: the names of servers that have a session; "" is the one that pages call default.
    :returns: "" for the server without a name.
    """
    name = made_valid(typed)
    if name in ("", DEFAULT):
        return "" if "" not in taken else next_name("", taken)
    return name if name not in taken else next_name(name, taken)
