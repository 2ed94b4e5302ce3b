"""What a person does on the first day, as one list in a real session of every image: from a module to the PDF.

What an image promises is in its recipe (``modules``). Of what others have it has nothing: a list that is not whole
would be noticed here.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import pwd
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pypdfium2
import pytest

from fabric_hub.images import recipe
from fabric_hub.images.build import build
from tests.conftest import new_prefix
from tests.support.dask_notebook import CellError, Notebook, Session
from tests.support.embedded_run import ROOT, EmbeddedRun
from tests.support.terminal import Terminal

from .test_beginners import write_wheel

pytestmark = [pytest.mark.hub, pytest.mark.slurm, pytest.mark.image, pytest.mark.timeout(900)]

# pytorch is over 1 GB; see tests/notebook/test_pytorch_image.py
LARGE = pytest.mark.skipif(os.environ.get("FABRIC_TEST_PYTORCH") != "1", reason="set FABRIC_TEST_PYTORCH=1 to run it")
IMAGES = ("base", "science", pytest.param("pytorch", marks=LARGE))
USER = "student2"
# srun gives a step up whose node does not take it within Slurm's MessageTimeout (10 s), as where slurmd is starved.
NODE_TOO_BUSY = "Socket timed out on send/recv operation"
TRIES = 3
LAID_OUT_S = 180.0  # a second or two on a machine that does nothing else

# Module to a first use of it; `ok` is true in the end.
FIRST_USES = {
    "sklearn": "from sklearn.linear_model import LinearRegression\n"
    "ok = abs(LinearRegression().fit([[0], [1]], [1, 3]).predict([[2]])[0] - 5) < 1e-9",
    "h5py": "import h5py, numpy\nwith h5py.File('wind.h5', 'w') as f: f['speed'] = numpy.arange(5)\n"
    "with h5py.File('wind.h5') as f: ok = int(f['speed'][:].sum()) == 10",
    "pyarrow": "import pandas, dask.dataframe\npandas.DataFrame({'speed': [1, 2, 3]}).to_parquet('wind.parquet')\n"
    "ok = int(dask.dataframe.read_parquet('wind.parquet').speed.sum().compute()) == 6",
    "tqdm": "from tqdm.notebook import tqdm\nok = sum(tqdm(range(4))) == 6",
    "ipywidgets": "from ipywidgets import interact\nseen = []\n@interact(x=3)\ndef show(x): seen.append(x)\n"
    "show.widget.children[0].value = 7\nok = seen == [3, 7]",
    "ipympl": "%matplotlib widget\nimport matplotlib.pyplot as plt\nfig, ax = plt.subplots(); line = ax.plot([1, 2])\n"
    "plt.show()\nok = True",
    "plotly": "import plotly.express as px\npx.line(x=[1, 2], y=[3, 4]).show()\nok = True",
    "xarray": "import xarray\nxarray.Dataset({'speed': ('turbine', [1.0, 2.0])}).to_netcdf('wind.nc')\n"
    "ok = float(xarray.load_dataset('wind.nc').speed.sum()) == 3",
    "graphviz": "import graphviz\nok = '<svg' in graphviz.Digraph(body=['a -> b']).pipe('svg', encoding='utf-8')",
    "jupyterlab_git": "import jupyterlab_git\nok = True",
    "torch": "import torch\nok = float(torch.ones(3).sum()) == 3",
}
# What a cell of a module shows in the browser, and the front end's part that draws it.
SHOWN = {
    "tqdm": "application/vnd.jupyter.widget-view+json",
    "ipywidgets": "application/vnd.jupyter.widget-view+json",
    "ipympl": "application/vnd.jupyter.widget-view+json",
    "plotly": "application/vnd.plotly.v1+json",
}
FRONT_END = {
    "ipywidgets": "@jupyter-widgets/jupyterlab-manager",
    "ipympl": "jupyter-matplotlib",
    "plotly": "jupyterlab-plotly",
    "jupyterlab_git": "@jupyterlab/git",
}
RUN_ALL = (
    "from fabric_lab import DaskCluster",
    "cluster = DaskCluster(1, cores=1, memory='500MB', queue='cpu')",
    "client = cluster.get_client()",
    "print(client.submit(sum, [1, 2, 3]).result())",
)
TO_EXPORT = (
    ("markdown", "# Wind at sea\n\nPower is $P = \\frac{1}{2}\\rho A v^3$.\n\n![beside](dot.png) ![gone](https://gone.example/x.png)"),
    ("code", "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 4, 9]); plt.savefig('dot.png')"),
    ("code", "%config InlineBackend.figure_formats = ['svg']\nplt.plot([9, 4, 1]);"),
    ("code", "import pandas\npandas.DataFrame({'turbine': ['north'], 'megawatt': [12.5]})"),
)  # fmt: skip


@pytest.fixture(params=IMAGES)
def hub_session(request: pytest.FixtureRequest, sandbox: Path, images: Path, tmp_path: Path) -> Iterator[Session]:
    """A CPU session of a student in an image."""
    build(request.param, images, print)
    with contextlib.ExitStack() as stack:
        if request.param == "pytorch":  # the demo does not offer it
            more = tmp_path / "more.toml"
            more.write_text("[image.pytorch]\n")
            options = ("--prefix", new_prefix(), "--images", str(images), "--settings", str(more))
            run = EmbeddedRun.start(sandbox / "pytorch", *options)
            stack.callback(run.remove)
        else:
            run = request.getfixturevalue("embedded_hub")
        started = Session(run, USER, project="ml-course", image=request.param)
        stack.callback(started.stop)
        yield started


def test_what_a_person_does_on_the_first_day_works(hub_session: Session, images: Path, tmp_path: Path) -> None:
    image = hub_session.server()["user_options"]["image"]
    if ROOT:
        assert (images / image / "current").stat().st_uid != pwd.getpwnam(hub_session.run.unix_name(USER)).pw_uid
    notebook = hub_session.notebook()
    _own_modules(hub_session, notebook)
    terminal = hub_session.terminal()
    _packages(hub_session, notebook, terminal, tmp_path)
    _jobs(notebook, terminal)
    _first_uses(hub_session, notebook, image)
    _restart_and_run_all(notebook)
    _export(hub_session, notebook, terminal)
    _own_kernel(hub_session, terminal)
    terminal.close()
    notebook.close()


def _own_modules(session: Session, notebook: Notebook) -> None:
    notebook.run(
        "from pathlib import Path\nPath('course/week 1').mkdir(parents=True, exist_ok=True)\n"
        "Path('first_steps.py').write_text('answer = 42\\n')\n"
        "Path('course/week 1/second_steps.py').write_text('answer = 43\\n')"
    )
    assert notebook.value("__import__('first_steps').answer") == 42
    below = session.notebook(path="course/week 1/first.ipynb")
    assert below.value("__import__('second_steps').answer") == 43
    below.close()


def _packages(session: Session, notebook: Notebook, terminal: Terminal, directory: Path) -> None:
    wheel = write_wheel(directory)
    content = base64.b64encode(wheel.read_bytes()).decode()
    _upload(session, wheel.name, {"type": "file", "format": "base64", "content": content})
    assert "Successfully installed weather-1.0" in notebook.run(f"%pip install --no-index {wheel.name}")
    assert notebook.value("__import__('weather').today()") == "rain"
    assert terminal.run("python -c 'import weather; print(weather.today())'") == "rain"
    assert "weather" in terminal.run("pip list --format=freeze")


def _jobs(notebook: Notebook, terminal: Terminal) -> None:
    """Slurm's own commands, without a word about account or partition: as on a login node."""
    here = os.uname().nodename
    for say, name in ((lambda line: notebook.run(f"!{line}"), "cell"), (terminal.run, "terminal")):
        for order in (
            f"sbatch --wait --output={name}.txt --wrap 'srun hostname' && echo in order; cat {name}.txt",
            "salloc --ntasks=1 srun hostname && echo in order",
        ):
            said = [say(order)]
            while NODE_TOO_BUSY in said[-1] and len(said) < TRIES:
                said.append(say(order))
            assert here in said[-1].split(), f"{order} in a {name}: {said}"
            assert "in order" in said[-1], f"{order} in a {name}: {said}"


def _first_uses(session: Session, notebook: Notebook, image: str) -> None:
    promised = recipe.load(image, recipe.source_root()).recipe.modules
    page = session.get("lab").text
    for module, cell in FIRST_USES.items():
        if module not in promised:
            with pytest.raises(CellError, match="No module named"):
                notebook.run(f"import {module}")
            assert FRONT_END.get(module, "nothing of it") not in page
            continue
        notebook.run(cell)
        shown = {kind for data in notebook.shown for kind in data}
        assert notebook.value("bool(ok)"), module
        assert module not in SHOWN or SHOWN[module] in shown, f"{module} has shown {shown}"
        assert module not in FRONT_END or FRONT_END[module] in page, module


def _restart_and_run_all(notebook: Notebook) -> None:
    for _ in range(2):
        assert [notebook.run(cell) for cell in RUN_ALL][-1].split()[-1] == "6"
        notebook.restart()
    notebook.run("from fabric_lab import DaskCluster, clusters\nfor n in clusters(): DaskCluster.connect(n).close()")


def _export(session: Session, notebook: Notebook, terminal: Terminal) -> None:
    """A notebook as PDF by the menu and by the command, with what is in it."""
    cells: list[dict[str, Any]] = [
        {"cell_type": kind, "metadata": {}, "source": source, "id": f"cell-{number}"}
        | ({"outputs": [], "execution_count": None} if kind == "code" else {})
        for number, (kind, source) in enumerate(TO_EXPORT)
    ]
    content = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    _upload(session, "course/wind.ipynb", {"type": "notebook", "format": "json", "content": content})
    said = terminal.run("cd ~/course && jupyter nbconvert --to notebook --execute --inplace wind.ipynb && echo done")
    assert said.endswith("done"), said
    answer = session.api.get(f"/user/{USER}/nbconvert/pdf/course/wind.ipynb?download=true", timeout=LAID_OUT_S)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("application/pdf")
    _look_at(answer.content)
    said = terminal.run("jupyter nbconvert --to pdf wind.ipynb && cd && echo done")
    assert said.endswith("done"), said
    printed = notebook.value("__import__('base64').b64encode(open('course/wind.pdf', 'rb').read()).decode()")
    _look_at(base64.b64decode(printed))
    offered = json.loads(session.get("api/nbconvert").text)
    assert offered["pdf"] == {"output_mimetype": "application/pdf"}
    assert not {"webpdf", "qtpdf", "qtpng"} & set(offered), "they need what no image has"


def _look_at(pdf: bytes) -> None:
    """Text, table and pictures are in it, and the formula is drawn; nothing was fetched."""
    document = pypdfium2.PdfDocument(pdf)
    pages = [document[number] for number in range(len(document))]
    text = " ".join(" ".join(page.get_textpage().get_text_range() for page in pages).split())
    for part in ("Wind at sea", "Power is", "north", "megawatt", "12.5", "nothing is fetched from other sites"):
        assert part in text, text
    assert "\\frac" not in text, "a formula is drawn"
    kinds = [one.type for page in pages for one in page.get_objects(max_depth=4)]
    assert kinds.count(pypdfium2.raw.FPDF_PAGEOBJ_IMAGE) == 2, "the plot, and the picture beside the notebook"
    assert kinds.count(pypdfium2.raw.FPDF_PAGEOBJ_PATH) > 20, "the plot in SVG, and the formula"


def _own_kernel(session: Session, terminal: Terminal) -> None:
    """As docs/how-to/work-in-a-session.md says, with the image's ipykernel: a test fetches nothing."""
    packages = "python3 -c 'import ipykernel, pathlib; print(pathlib.Path(ipykernel.__file__).parents[1])'"
    steps = (
        "python3 -m venv ~/envs/mine",
        f"{packages} > $(echo ~/envs/mine/lib/python3*/site-packages)/image.pth",
        "~/envs/mine/bin/pip install --quiet --no-index ~/weather-1.0-py3-none-any.whl",
        "~/envs/mine/bin/python -m ipykernel install --user --name mine",
        "echo done",
    )
    said = terminal.run(" && ".join(steps))
    assert said.endswith("done"), said
    own = session.notebook(kernel="mine")
    assert own.value("__import__('sys').prefix") == str(session.run.home(USER) / "envs/mine")
    assert own.value("__import__('weather').__file__").startswith(str(session.run.home(USER) / "envs/mine"))
    own.close()


def _upload(session: Session, name: str, model: dict[str, object]) -> None:
    answer = session.api.put(f"/user/{USER}/api/contents/{name}", json=model)
    assert answer.status_code in (200, 201), answer.text
