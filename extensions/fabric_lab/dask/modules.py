"""Where a notebook's own modules are: beside it. A cluster's scheduler and workers import them as its kernel does."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

PACKAGES = ("site-packages", "dist-packages")


def own(path: Sequence[str] | None = None) -> list[str]:
    """The directory that this process imports a person's modules from: the notebook's, or a script's own.

    :param path: default: ``sys.path``.
    """
    path = sys.path if path is None else path
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    with suppress(OSError):  # a directory that is gone has no modules
        if "" in path:
            return [os.getcwd()]
        if script and path and path[0] == str(Path(script).absolute().parent):
            return [path[0]]
    return []


def find(directories: Iterable[str]) -> None:
    """Import from these directories, too: before installed packages, after the standard library, as IPython does."""
    for directory in directories:
        if directory not in sys.path:
            at = next((n for n, known in enumerate(sys.path) if Path(known).name in PACKAGES), len(sys.path))
            sys.path.insert(at, directory)
