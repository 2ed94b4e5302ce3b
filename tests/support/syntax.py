"""Python's own parser, in a process in which much was done before."""

from __future__ import annotations

import ast
import gc


def parse(source: str, feature_version: tuple[int, int] | None = None) -> ast.Module:
    """As :func:`ast.parse`, without the garbage collector.

    Python 3.11's parser ends with a SystemError where the collector, in the midst of it, clears something that logs a
    traceback, as a future whose exception nobody has asked for: to point at a place in a line, that parses, too.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        return ast.parse(source, feature_version=feature_version)
    finally:
        if was_on:
            gc.enable()
