"""The first rows of a table file: what is told of them, and which files are opened for them."""

from __future__ import annotations

import asyncio
import gzip
import io
import os
from pathlib import Path
from typing import Any

import pytest
from fabric_lab.server import preview, table


def rows_of(text: str, suffix: str = "csv") -> dict[str, Any]:
    content = text.encode()
    return table.of_text(io.BytesIO(gzip.compress(content) if suffix.endswith("gz") else content), suffix)


@pytest.mark.parametrize("suffix", ["csv", "csv.gz"])
def test_the_first_line_names_the_columns_and_the_rows_tell_their_kind(suffix: str) -> None:
    told = rows_of('\ufeffhour;power;place;empty\n0;1.5;"a; b";\n-1;2e3;c;\n', suffix)
    assert [(one["name"], one["kind"]) for one in told["columns"]] == [
        ("hour", "integer"),
        ("power", "number"),
        ("place", "text"),
        ("empty", ""),
    ]
    assert told["rows"] == [["0", "1.5", "a; b", ""], ["-1", "2e3", "c", ""]]
    assert (told["more"], told["total"], told["more_columns"]) == (False, None, 0)


def test_rows_columns_and_cells_are_bounded_and_said_to_be_more() -> None:
    head, line = ",".join(f"c{n}" for n in range(60)), ",".join(["x" * 300] * 60)
    told = rows_of("\n".join([head, *[line] * 30]))
    assert (len(told["rows"]), len(told["columns"]), told["more"], told["more_columns"]) == (20, 50, True, 10)
    assert {len(cell) for row in told["rows"] for cell in row} == {200}
    assert len(told["rows"][0]) == 50


def test_a_file_without_end_is_read_to_a_bound_and_its_last_whole_line() -> None:
    told = rows_of("a,b\n" + "1,2\n" + "3," + "4" * (2 << 20))
    assert told["rows"] == [["1", "2"]]
    assert rows_of("")["columns"] == []


@pytest.mark.parametrize(
    "name", ["", "..", "../secret.csv", "a/../../secret.csv", "/etc/passwd", "a//b.csv", "x\0.csv"]
)
def test_a_name_that_leads_out_of_the_dataset_opens_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.csv").write_text("a,b\n")
    (tmp_path / "data" / "a").mkdir(parents=True)
    with pytest.raises(preview.PreviewError, match="is no file of this dataset"):
        preview.open_below(str(tmp_path / "data"), name)


def test_no_link_is_followed_and_nothing_but_a_plain_file_is_opened(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "real").mkdir(parents=True)
    (data / "real" / "one.csv").write_text("a,b\n")
    (tmp_path / "secret.csv").write_text("a,b\n")
    (data / "link.csv").symlink_to(tmp_path / "secret.csv")
    (data / "linked").symlink_to(data / "real")
    os.mkfifo(data / "pipe.csv")
    before = len(os.listdir("/proc/self/fd"))
    for name in ("link.csv", "linked/one.csv", "pipe.csv", "real", "gone.csv"):
        with pytest.raises(preview.PreviewError):
            preview.open_below(str(data), name)
    assert len(os.listdir("/proc/self/fd")) == before, "nothing is left open"
    opened = preview.open_below(str(data), "real/one.csv")
    assert os.read(opened, 10) == b"a,b\n"
    os.close(opened)


def test_only_files_with_rows_are_looked_into(tmp_path: Path) -> None:
    assert [preview.is_table(name) for name in ("a.csv", "b/C.PARQUET", "d.tsv.gz", "notes.txt", "csv")] == [
        True,
        True,
        True,
        False,
        False,
    ]
    with pytest.raises(preview.PreviewError, match=r"notes.txt cannot be shown") as refused:
        asyncio.run(preview.Previews().of(str(tmp_path), "notes.txt"))
    assert refused.value.reason == "kind"
