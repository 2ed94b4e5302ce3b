"""What the demo datasets are written with: CSV tables, GeoJSON, PNG pictures; the same input makes the same bytes."""

from __future__ import annotations

import csv
import json
import struct
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table as CSV (RFC 4180, but with single newlines): one line of column names, then the rows."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def write_geojson(path: Path, features: Sequence[dict[str, Any]]) -> None:
    """Features as a GeoJSON collection (RFC 7946: WGS 84, longitude first)."""
    lines = ",\n".join(json.dumps(feature, sort_keys=True) for feature in features)
    path.write_text(f'{{"type": "FeatureCollection", "features": [\n{lines}\n]}}\n', encoding="utf-8")


def write_png(path: Path, pixels: Sequence[Sequence[int]]) -> None:
    """A grey picture as PNG.

    :param pixels: rows from the top, each of values from 0 (black) to 255 (white).
    """
    header = struct.pack(">IIBBBBB", len(pixels[0]), len(pixels), 8, 0, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + bytes(row) for row in pixels), 9)
    chunks = ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in chunks))


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
