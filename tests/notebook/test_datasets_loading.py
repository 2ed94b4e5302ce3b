"""The code that the panel inserts runs in the image as it is, on real files of each format."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from fabric_lab.answers import File
from fabric_lab.server import loading

pytestmark = pytest.mark.image

# what the image itself writes, one file for each format that it can load
WRITE = """
import sys, json, gzip
from pathlib import Path
import numpy as np, pandas as pd, matplotlib.pyplot as plt
from scipy.io import netcdf_file
place = Path(sys.argv[1])
table = pd.DataFrame({"hour": [0, 1], "megawatt": [1.5, 2.5]})
table.to_parquet(place / "it's {a} table.parquet")
table.to_csv(place / "table.csv"); table.to_csv(place / "zipped.csv.gz"); table.to_csv(place / "table.tsv", sep="\\t")
table.to_json(place / "lines.jsonl", orient="records", lines=True)
point = {"type": "Feature", "properties": {"name": "here"}, "geometry": {"type": "Point", "coordinates": [5.2, 52.1]}}
(place / "map.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [point]}))
(place / "any.json").write_text('{"a": 1}'); (place / "notes.txt").write_text("Some words.")
np.save(place / "array.npy", np.eye(3)); np.savez(place / "arrays.npz", a=np.eye(3))
plt.imsave(place / "PICTURE.PNG", np.eye(8))
with netcdf_file(place / "sea.nc", "w") as file:
    file.createDimension("time", 2)
    file.createVariable("level", "d", ("time",))[:] = [1.0, 2.0]
"""
EXPECTED = {
    "Parquet with pandas": "megawatt",
    "CSV with pandas": "megawatt",
    "CSV with pandas (.csv.gz)": "megawatt",
    "TSV with pandas": "megawatt",
    "JSON lines with pandas": "megawatt",
    "GeoJSON with pandas": "properties.name",
    "NumPy array": "(3, 3)",
    "NumPy arrays": "{'a': (3, 3)}",
    "NetCDF with SciPy": "{'level': (2,)}",
    "Pictures with Matplotlib": "",
    "JSON": "{'a': 1}",
    "Text": "Some words.",
    "List of files": "PosixPath(",
}
RUN = """
import ast, json, sys
import matplotlib; matplotlib.use("agg")
import matplotlib.pyplot as plt
for label, code, plot in json.loads(sys.stdin.read()):
    names = {}
    *body, last = ast.parse(code).body
    exec(compile(ast.Module(body, []), label, "exec"), names)
    shown = str(eval(compile(ast.Expression(last.value), label, "eval"), names))
    exec(compile(plot, label, "exec"), names)
    lines = [len(line.get_xdata()) for axes in plt.gcf().axes for line in axes.get_lines()]
    plt.close("all")
    print(json.dumps([label, shown, lines]))
"""


def test_every_format_is_loaded_as_the_panel_says(python: Path, tmp_path: Path) -> None:
    place = tmp_path / 'a "quoted" place'
    place.mkdir()
    subprocess.run([python, "-I", "-c", WRITE, str(place)], check=True)
    ways = loading.snippets("wind-farm", "1", str(place), loading.below(str(place)).files, {"csv": 12})
    assert [way.label for way in ways] == [*EXPECTED]
    assert "one of 12: sorted(DATA.rglob('*.csv'))" in ways[1].code
    done = subprocess.run(
        [python, "-I", "-c", RUN], input=json.dumps(ways), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    printed = [line for line in done.stdout.splitlines() if line.startswith("[")]
    results = {label: (shown, lines) for label, shown, lines in map(json.loads, printed)}
    assert [label for label, shown in EXPECTED.items() if shown not in results[label][0] + done.stdout] == []
    # two columns of two rows; a table without numbers, and what is no table or array, has nothing to draw
    drawn = {label: lines for label, (_, lines) in results.items()}
    assert drawn["Parquet with pandas"] == [2, 2]
    assert (drawn["GeoJSON with pandas"], drawn["NumPy array"], drawn["Text"]) == ([], [9], [])


def test_what_is_about_the_data_is_not_taken_for_the_data() -> None:
    found = [File(name, 1, False) for name in ("README.md", "croissant.json", "LICENSE.txt", "deep/er/x.h5")]
    ways = loading.snippets("x", None, "/data/x/latest", found, {})
    assert [way.label for way in ways] == ["HDF5 with h5py", "List of files"]
    assert "DATA = Path('/data/x/latest')  # x\n" in ways[0].code
    assert "h5py.File(DATA / 'deep/er/x.h5')" in ways[0].code


def test_a_parquet_file_tells_its_own_types_and_how_many_rows_it_has(python: Path, tmp_path: Path) -> None:
    write = """
import sys
import pandas as pd
table = pd.DataFrame({"hour": range(30), "megawatt": [1.5] * 30, "note": [None] * 29 + ["x"]})
table.to_parquet(sys.argv[1], row_group_size=10)
"""
    file = tmp_path / "table.parquet"
    subprocess.run([python, "-c", write, file], check=True, timeout=120)
    with file.open("rb") as given:
        read = [str(python), "-I", "-m", "fabric_lab.server.table", "parquet"]
        done = subprocess.run(read, stdin=given, capture_output=True, text=True, check=True, timeout=120)
    told = json.loads(done.stdout)
    assert [one["name"] for one in told["columns"]] == ["hour", "megawatt", "note"]
    assert [one["kind"] for one in told["columns"]][:2] == ["int64", "double"]
    assert (len(told["rows"]), told["rows"][1], told["more"], told["total"]) == (20, ["1", "1.5", None], True, 30)
