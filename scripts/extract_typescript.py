"""Find the sentences of TypeScript, ``trans.__("…")`` and ``trans._n("…", "…", n)``: an extraction method of Babel's.

Babel's own for JavaScript loses calls within template strings and after some operators. This one needs no grammar: a
linter holds that both take literals, and both are always called by these names.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping
from typing import IO, Any

_CALL = re.compile(r"\btrans\.(__|_n)\(\s*")
_LITERAL = re.compile(r"""'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`[^`$\\]*`""")
_NEXT = re.compile(r"\s*,\s*")


def extract(
    file: IO[bytes], keywords: Mapping[str, Any], comment_tags: Collection[str], options: Mapping[str, Any]
) -> Iterator[tuple[int, str, str | tuple[str, ...], list[str]]]:
    """Line, function, text or texts, and no comments, of each call.

    :raises ValueError: a call whose text is no literal.
    """
    source = file.read().decode("utf-8")
    for call in _CALL.finditer(source):
        line = source.count("\n", 0, call.start()) + 1
        texts = list(_literals(source, call.end(), 2 if call[1] == "_n" else 1))
        if len(texts) < (2 if call[1] == "_n" else 1):
            raise ValueError(f"line {line}: trans.{call[1]}() without a literal")
        yield line, call[1], tuple(texts) if call[1] == "_n" else texts[0], []


def _literals(source: str, at: int, most: int) -> Iterator[str]:
    while most and (found := _LITERAL.match(source, at)):
        yield _value(found[0])
        after = _NEXT.match(source, found.end())
        most, at = (most - 1, after.end()) if after else (0, at)


def _value(literal: str) -> str:
    if literal.startswith("`"):
        return literal[1:-1]
    # escapes of the two languages are the same as far as sentences need them
    value: str = ast.literal_eval(literal)
    return value
