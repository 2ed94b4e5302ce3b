"""A person's session directories, and their sessions' certificates: read and removed as the account that has them."""

from __future__ import annotations

import re
import shutil
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

from fabric_hub.types import SESSION_ID

from .rows import HIDDEN

_MOST_BYTES = 1 << 20  # of one file in an export
_SESSION = re.compile(SESSION_ID)
_SECRET = re.compile(r"env\.json|.*\.key|.*\.pem")


def directories(roots: Iterable[str], only: frozenset[str] | None) -> Iterator[Path]:
    """The private directories of sessions.

    :param only: of these sessions; None: of all, where the account is one person's.
    """
    for root in roots:
        try:
            names = sorted(path.name for path in Path(root).iterdir())
        except (FileNotFoundError, NotADirectoryError):
            continue
        for name in names:
            path = Path(root) / name
            if _SESSION.fullmatch(name) and (only is None or name in only) and stat.S_ISDIR(path.lstat().st_mode):
                yield path


def contents(roots: Iterable[str], only: frozenset[str] | None) -> dict[str, str]:
    """What is in them, by path; of a secret that it is there, of a long file its beginning."""
    found: dict[str, str] = {}
    for directory in directories(roots, only):
        for path in sorted(directory.rglob("*")):
            if not stat.S_ISREG(path.lstat().st_mode):
                continue
            if _SECRET.fullmatch(path.name):
                found[str(path)] = HIDDEN
                continue
            with path.open("rb") as file:
                found[str(path)] = file.read(_MOST_BYTES).decode("utf-8", "replace")
    return found


def remove(roots: Iterable[str], only: frozenset[str] | None) -> int:
    """Remove them; how many there were."""
    found = list(directories(roots, only))
    for directory in found:
        shutil.rmtree(directory)
    return len(found)


def certificates(state_dir: Path, user: str) -> list[Path]:
    """Where the certificates of a person's sessions are, as :func:`fabric_hub.hub.tls.pair_name` names them."""
    beginning = f"user-{quote(user, safe='@')}+"
    try:
        return sorted(path for path in (state_dir / "certs").iterdir() if path.name.startswith(beginning))
    except FileNotFoundError:
        return []


def remove_certificates(state_dir: Path, user: str) -> int:
    """Remove them; how many there were."""
    found = certificates(state_dir, user)
    for directory in found:
        shutil.rmtree(directory)
    return len(found)
