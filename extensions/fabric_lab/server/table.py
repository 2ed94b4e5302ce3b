"""The first rows of a table file and its columns, read in a process of its own.

``python -I -m fabric_lab.server.table SUFFIX`` reads the file that it is given as its standard input and writes one
JSON object. What a file can do to its reader (a header that asks for all memory, columns without end) ends this process
and not the session's server; :mod:`.preview` starts it and bounds its time.
"""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import itertools
import json
import re
import resource
import sys
from collections.abc import Sequence
from typing import Any, BinaryIO

ROWS, COLUMNS = 20, 50
LONGEST_CELL, LONGEST_NAME = 200, 100
MOST_BYTES = 1 << 20  # of the text of a table
MEMORY, CPU_S = 4 << 30, 10
TEXT = {"csv": "", "csv.gz": "", "tsv": "\t", "tsv.gz": "\t", "tab": "\t"}
PARQUET = "parquet"
SUFFIXES = (*TEXT, PARQUET)
_WHOLE, _NUMBER = re.compile(r"[+-]?\d{1,18}"), re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")


def of_text(file: BinaryIO, suffix: str) -> dict[str, Any]:
    """A table of separated values; its first line names the columns, and what is in them is told from the rows."""
    if suffix.endswith(".gz"):
        file = gzip.GzipFile(fileobj=file)  # type: ignore[assignment]
    content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        content = content[:MOST_BYTES].rpartition(b"\n")[0]  # no half a line
    text = content.decode("utf-8-sig", errors="replace")
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=TEXT[suffix] or separator(text.partition("\n")[0]))
    found = list(itertools.islice(lines, ROWS + 2))
    names, rows = (found[0] if found else []), found[1 : ROWS + 1]
    kinds = [kind_of([row[column] for row in rows if column < len(row)]) for column in range(min(len(names), COLUMNS))]
    return told(names, kinds, rows, more=len(found) > ROWS + 1, total=None)


def separator(line: str) -> str:
    """What parts the columns of a table, by its first line."""
    return max(",;\t|", key=line.count)


def kind_of(values: Sequence[str]) -> str:
    """What a column holds: integer, number or text; "" where it holds nothing."""
    filled = [value.strip() for value in values if value.strip()]
    if not filled:
        return ""
    if all(_WHOLE.fullmatch(value) for value in filled):
        return "integer"
    return "number" if all(_NUMBER.fullmatch(value) for value in filled) else "text"


def of_parquet(file: BinaryIO) -> dict[str, Any]:
    """A Parquet table, with its own types.

    :raises ImportError: the image has no reader.
    """
    import pyarrow.parquet as parquet  # type: ignore[import-untyped]

    table = parquet.ParquetFile(file)
    schema, total = table.schema_arrow, table.metadata.num_rows
    shown = schema.names[:COLUMNS]
    rows: list[tuple[object, ...]] = []
    for batch in table.iter_batches(batch_size=ROWS, columns=shown, use_threads=False):
        rows += zip(*(column.to_pylist() for column in batch.columns), strict=True)
        if len(rows) >= ROWS:
            break
    kinds = [str(schema.field(index).type) for index in range(len(shown))]
    return told(schema.names, kinds, rows, more=total > ROWS, total=total)


def told(
    names: Sequence[object],
    kinds: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    more: bool,
    total: int | None,
) -> dict[str, Any]:
    """A table in the shape of :class:`fabric_lab.answers.Table`, within the limits. A cell without a value is None."""
    return {
        "columns": [
            {"name": short(name, LONGEST_NAME), "kind": short(kind, LONGEST_NAME)}
            for name, kind in zip(names, kinds, strict=False)
        ],
        "rows": [
            [None if cell is None else short(cell, LONGEST_CELL) for cell in row[: min(len(names), COLUMNS)]]
            for row in rows[:ROWS]
        ],
        "more": more,
        "total": total,
        "more_columns": max(0, len(names) - COLUMNS),
    }


def short(value: object, most: int) -> str:
    """A value as text of at most so many characters."""
    text = str(value)
    return text if len(text) <= most else text[: most - 1] + "…"


def main(suffix: str) -> int:
    """Read standard input; write the table, or ``{"wrong": "reader" or "file"}``."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as mine:
        mine.write("1000")  # where the job's memory ends this ends, and no kernel
    try:
        found = of_parquet(sys.stdin.buffer) if suffix == PARQUET else of_text(sys.stdin.buffer, suffix)
    except ImportError:
        found = {"wrong": "reader"}
    except Exception:  # a reader may fail in any way on what is no such file
        found = {"wrong": "file"}
    json.dump(found, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
