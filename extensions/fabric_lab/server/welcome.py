"""The notebook that shows a person around, written into the home once.

It is never written over anything, and never a second time: what says so is a file of its own in the home, made first
and by one session alone. What a cell does is plain Python that the image ``base`` can run.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ..common.translation import _

NAME = "Welcome.ipynb"
# Says that a person has been shown around, whatever became of the notebook.
MARK = ".local/share/fabric-hub/welcomed"


def written(home: Path, root: str, content: dict[str, Any]) -> str:
    """Write the notebook, once for each home; its path below the server's root, or "" where nothing was written.

    :param root: the directory whose files the server shows.
    """
    below = os.path.relpath(home / NAME, root) if root else ""
    if not below or below.startswith(".."):
        return ""
    try:
        (home / MARK).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        (home / MARK).touch(exist_ok=False)
        with open(home / NAME, "x", encoding="utf-8") as file:
            json.dump(content, file, ensure_ascii=False, indent=1)
    except OSError:  # it was shown before, a file of that name is there, or the home is full or read-only
        return ""
    return below


def notebook(site: str, *, datasets: bool) -> dict[str, Any]:
    """The notebook in the person's language.

    :param site: the site's name.
    :param datasets: whether the session has a place for datasets.
    """
    text, code = _text, _code
    cells = [
        text(
            "# " + _("Welcome to {site}").format(site=site),
            _("This notebook is yours: change it or delete it. It is shown once."),
            _("Click into a cell and press Shift+Enter to run it."),
        ),
        code(
            "import os",
            "import platform",
            "",
            'print("Python", platform.python_version(), "on", platform.node())',
            'print("GPUs:", os.environ.get("CUDA_VISIBLE_DEVICES") or "none")',
        ),
        text(
            "## " + _("A first plot"),
            _("NumPy, pandas and Matplotlib are here. Install more with %pip install in a cell."),
        ),
        code(
            "import numpy as np",
            "import pandas as pd",
            "",
            "steps = np.random.default_rng(1).normal(size=(500, 3))",
            'pd.DataFrame(steps, columns=["a", "b", "c"]).cumsum().plot();',
        ),
    ]
    if datasets:
        cells += [
            text(
                "## " + _("Data"),
                _("The Datasets panel on the left adds a dataset to this session. Here is what there is:"),
            ),
            code("from fabric_lab import datasets", "", "datasets.list()"),
        ]
    cells.append(
        text(
            "## " + _("Before you go"),
            "- " + _("The session ends at its time limit; the bar at the bottom counts down. Saved files are kept."),
            "- " + _("Variables are not kept: restart and run all cells in the next session."),
            "- " + _("Stop the session when you are done (File, Hub Control Panel): it counts while it runs."),
        )
    )
    return {
        "cells": [{**cell, "id": f"welcome-{number}"} for number, cell in enumerate(cells)],
        "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _text(*paragraphs: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": "\n\n".join(paragraphs)}


def _code(*lines: str) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": "\n".join(lines),
    }
