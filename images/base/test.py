"""Proves that this image can serve a session: its parts import, its kernel runs, and our front end is in it."""

import importlib.metadata
import sys
from pathlib import Path

import dask
import dask.array
import distributed
import fabric_lab
import ipywidgets
from jupyter_client.manager import start_new_kernel
from nbconvert.exporters.base import get_exporter

print("dask", dask.__version__, "distributed", distributed.__version__, "ipywidgets", ipywidgets.__version__)
print("jupyterhub", importlib.metadata.version("jupyterhub"), "fabric-lab", fabric_lab.__version__)

assert int(dask.array.ones((100, 100), chunks=10).sum().compute()) == 10_000

manager, client = start_new_kernel(kernel_name="python3")
try:
    assert manager.kernel_spec.argv[:3] == ["python", "-s", "-E"], manager.kernel_spec.argv
    reply = client.execute_interactive(
        "import sys; assert sys.flags.no_user_site and sys.flags.ignore_environment, 'it sees files of a home'\n"
        "import numpy, pip",
        timeout=60,
    )
    assert reply["content"]["status"] == "ok", reply["content"]
finally:
    client.stop_channels()
    manager.shutdown_kernel(now=True)

assert get_exporter("pdf").__module__ == "fabric_lab.pdf.exporter", "the export to PDF is the one that needs TeX"

front_end = Path(sys.prefix, "share/jupyter/labextensions/fabric-lab/package.json")
assert front_end.is_file(), f"{front_end} is missing: the status bar item would be too"
