"""Proves what test.py of base does, and that files and pictures of this image's packages can be written and read."""

import runpy
import tempfile
from importlib.util import find_spec
from pathlib import Path

import graphviz
import networkx as nx
import numpy as np
import openpyxl
import seaborn as sns
import sympy
import xarray

runpy.run_path("../base/test.py")

with tempfile.TemporaryDirectory() as directory:
    wind = xarray.DataArray(np.arange(6.0).reshape(2, 3), dims=("hour", "turbine"), name="wind")
    wind.to_netcdf(Path(directory, "wind.nc"))
    with xarray.open_dataarray(Path(directory, "wind.nc")) as again:
        assert float(again.sum()) == 15
    wind.to_dataset().to_zarr(Path(directory, "wind.zarr"))
    assert float(xarray.open_zarr(Path(directory, "wind.zarr")).wind.sum()) == 15
    openpyxl.Workbook().save(Path(directory, "table.xlsx"))

assert nx.shortest_path_length(nx.path_graph(4), 0, 3) == 3
assert "a -> b" in graphviz.Digraph(body=["a -> b"]).source
assert sympy.integrate("2*x") == sympy.Symbol("x") ** 2
assert sns.heatmap(wind.values) is not None
assert find_spec("jupyterlab_git"), "without it the panel of versions is missing"
