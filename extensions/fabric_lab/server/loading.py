"""A few files of an open dataset, and Python that loads them, for their formats.

The code uses only what the image ``base`` holds; a few files are enough to write it, however many there are. It is
English in every language, as its comments are: a notebook is passed on.
"""

from __future__ import annotations

import os
import stat
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import NamedTuple

from ..answers import File, Snippet
from ..common.translation import N_, _
from . import table

_PANDAS = "import pandas as pd"
_NUMPY = "import numpy as np"
# The first rows of a few columns: a plot is to be there at once, however large the table is.
_TABLE_PLOT = (
    'numbers = table.select_dtypes("number").iloc[:1000, :6]',
    "if len(numbers.columns):",
    '    numbers.plot(subplots=True, figsize=(10, 2 * len(numbers.columns)), xlabel="row");',
)
_ARRAY_PLOT = (
    "import matplotlib.pyplot as plt",
    "",
    'if array.dtype.kind in "biuf":',
    "    plt.plot(array.flat[:1000])",
    '    plt.xlabel("element");',
)
_SHOWN = ("image = plt.imread({first})", 'plt.imshow(image, cmap="gray")', 'plt.axis("off");')
_ABOUT = ("readme", "licence", "license", "croissant", "datapackage", "changelog")  # about the data, not the data
MOST_FILES = 200
MOST_LOOKED_AT = 5_000
LONGEST_S = 2.0
DEEPEST = 8


class _Way(NamedTuple):
    """``{first}`` is a path expression, ``{suffix}`` the format's. ``plot``: the cell after it."""

    label: str
    suffixes: tuple[str, ...]
    imports: tuple[str, ...]
    lines: tuple[str, ...]
    plot: tuple[str, ...] = ()


# In the order in which they are offered when a dataset has several.
_WAYS = (
    _Way(
        N_("Parquet with pandas"), ("parquet",), (_PANDAS,),
        ("table = pd.read_parquet({first})", "table.head()"), _TABLE_PLOT,
    ),
    _Way(
        N_("CSV with pandas"), ("csv", "csv.gz"), (_PANDAS,),
        ("table = pd.read_csv({first})", "table.head()"), _TABLE_PLOT,
    ),
    _Way(
        N_("TSV with pandas"), ("tsv", "tsv.gz", "tab"), (_PANDAS,),
        ('table = pd.read_csv({first}, sep="\\t")', "table.head()"),
    ),
    _Way(
        N_("JSON lines with pandas"), ("jsonl", "ndjson", "jsonl.gz"), (_PANDAS,),
        ("table = pd.read_json({first}, lines=True)", "table.head()"), _TABLE_PLOT,
    ),
    _Way(
        N_("GeoJSON with pandas"), ("geojson",), ("import json", _PANDAS),
        ('table = pd.json_normalize(json.loads(({first}).read_text())["features"])', "table.head()"), _TABLE_PLOT,
    ),
    _Way(
        N_("NumPy array"), ("npy",), (_NUMPY,),
        ('array = np.load({first}, mmap_mode="r")', "array.shape, array.dtype"), _ARRAY_PLOT,
    ),
    _Way(
        N_("NumPy arrays"), ("npz",), (_NUMPY,),
        ("arrays = np.load({first})", "{{name: arrays[name].shape for name in arrays}}"),
    ),
    _Way(
        N_("HDF5 with h5py"), ("h5", "hdf5", "he5"), ("import h5py  # where it is missing: %pip install h5py",),
        ("file = h5py.File({first})", "list(file)"),
    ),
    _Way(
        N_("NetCDF with SciPy"), ("nc", "cdf"),
        ("from scipy.io import netcdf_file  # NetCDF 3; for NetCDF 4: %pip install xarray h5netcdf",),
        ("file = netcdf_file({first}, mmap=False)", "{{name: file.variables[name].shape for name in file.variables}}"),
    ),
    _Way(
        N_("Pictures with Matplotlib"), ("png", "jpg", "jpeg", "tif", "tiff"), ("import matplotlib.pyplot as plt",),
        _SHOWN,
    ),
    _Way(N_("JSON"), ("json",), ("import json",), ("content = json.loads(({first}).read_text())", "content")),
    _Way(N_("Text"), ("txt", "md", "log"), (), ("text = ({first}).read_text()", "print(text[:1000])")),
)  # fmt: skip
_FILES = _Way(
    N_("List of files"), (), (), ('files = sorted(path for path in DATA.rglob("*") if path.is_file())', "files[:20]")
)


def snippets(
    name: str, version: str | None, root: str, files: Iterable[File], formats: Mapping[str, int]
) -> list[Snippet]:
    """One cell per way in which a dataset's files can be loaded; the last always lists the files.

    :param root: the directory of the version that is open.
    :param files: some of its files, nearest first.
    :param formats: how many files of each suffix the catalogue says there are.
    """
    data = [file for file in files if not file.name.rpartition("/")[2].lower().startswith(_ABOUT)]
    seen = Counter(suffix_of(file.name) for file in data)
    found = []
    for way in _WAYS:
        for suffix in way.suffixes:
            if suffix in seen:
                first = next(file.name for file in data if suffix_of(file.name) == suffix)
                count = max(seen[suffix], formats.get(suffix, 0))
                cell = _cell(way, name, version, root, first, suffix, count)
                found.append(Snippet(_label(way, suffix), cell, "\n".join(way.plot)))
    return [*found, Snippet(_(_FILES.label), _cell(_FILES, name, version, root, "", "", 0), "")]


def _label(way: _Way, suffix: str) -> str:
    label = _(way.label)
    return label if suffix == way.suffixes[0] else f"{label} (.{suffix})"


def suffix_of(name: str) -> str:
    """A file's format as the catalogue names it: "csv", "csv.gz"; "" for none."""
    parts = name.rpartition("/")[2].lower().split(".")
    if len(parts) > 2 and parts[-1] in ("gz", "zst", "bz2", "xz"):
        return ".".join(parts[-2:])
    return parts[-1] if len(parts) > 1 else ""


def _cell(way: _Way, name: str, version: str | None, root: str, first: str, suffix: str, count: int) -> str:
    # names of files come from outside: they are only ever Python literals
    body = [line.format(first=f"DATA / {first!r}") for line in way.lines]
    if count > 1:
        body[0] += f"  # one of {count}: sorted(DATA.rglob({f'*.{suffix}'!r}))"
    about = f"{name}, version {version}" if version else name
    imports = ["from pathlib import Path", *([""] if way.imports else []), *way.imports]
    return "\n".join([*imports, "", f"DATA = Path({root!r})  # {about}", *body])


class Found(NamedTuple):
    """``more``: there are files that were not looked at, or not told."""

    files: tuple[File, ...]
    more: bool


def below(root: str) -> Found:
    """The first files below a directory, nearest first.

    No link is followed, so nothing outside of the directory is told; number, depth and time are bounded.

    :raises OSError: the directory itself cannot be read.
    """
    until = time.monotonic() + LONGEST_S
    found: list[File] = []
    left = MOST_LOOKED_AT
    directories = [root]
    os.stat(root)
    for directory in directories:  # grows while it is walked: nearest first
        try:
            with os.scandir(directory) as entries:
                inside = sorted(islice(entries, left + 1), key=lambda entry: entry.name)
        except OSError:
            continue  # it went away, or is not ours to read: the others are still told
        for entry in inside:
            if not left or len(found) >= MOST_FILES or time.monotonic() > until:
                return Found(tuple(found), True)
            left -= 1
            name = os.path.relpath(entry.path, root)
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            if stat.S_ISREG(status.st_mode):
                found.append(File(name, status.st_size, suffix_of(name) in table.SUFFIXES))
            elif stat.S_ISDIR(status.st_mode) and name.count("/") < DEEPEST:
                directories.append(entry.path)
    return Found(tuple(found), False)
