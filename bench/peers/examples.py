"""The subjects of Dask's example notebooks, as notebooks of our own, each run in a session and compared.

A notebook starts its cluster and leaves two values: ``found``, what the cluster computed, and ``expected``, the same
without it. Its metadata say which of Dask's notebooks it covers, and what of them it leaves out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.dask_notebook import CellError, Notebook, Session

from .table import PEERS_EXAMPLES
from .verdict import Outcome, differences

NOTEBOOKS = Path(__file__).with_name("notebooks")
# What a notebook that has failed may have left.
_CLOSE = "from fabric_lab import DaskCluster, clusters\nfor name in clusters(): DaskCluster.connect(name).close()"


@dataclass(frozen=True)
class Example:
    """A notebook of ours. ``covers``: names of Dask's; ``without``: what of those is left out, and why."""

    name: str
    document: dict[str, Any]
    covers: tuple[str, ...]
    without: str

    @property
    def cells(self) -> Iterator[str]:
        """Its code."""
        return ("".join(cell["source"]) for cell in self.document["cells"] if cell["cell_type"] == "code")


def load(directory: Path = NOTEBOOKS) -> list[Example]:
    """All notebooks of a directory.

    :raises KeyError: one does not say what it covers.
    """
    found = []
    for path in sorted(directory.glob("*.ipynb")):
        document = json.loads(path.read_text())
        told = document["metadata"]["fabric_bench"]
        found.append(Example(path.name, document, tuple(told["covers"]), told.get("without", "")))
    return found


def run(session: Session, examples: list[Example]) -> list[Outcome]:
    """An outcome for each of Dask's notebooks; one that no notebook of ours covers is not run."""
    outcomes = []
    for example in examples:
        problem = _run(session, example)
        print(f"  {example.name}: {problem or 'as expected'}", flush=True)
        outcomes += [Outcome(name, "failed" if problem else "passed", problem) for name in example.covers]
    return [*outcomes, *uncovered(examples)]


def uncovered(examples: list[Example]) -> list[Outcome]:
    """Outcomes of what no notebook covers, and of what covers a notebook that Dask does not have. Pure."""
    covers = [name for example in examples for name in example.covers]
    unknown = [Outcome(name, "failed", "Dask has no such example") for name in covers if name not in PEERS_EXAMPLES]
    twice = [Outcome(name, "failed", "two notebooks cover it") for name in {*covers} if covers.count(name) > 1]
    empty = [Outcome(example.name, "failed", "it covers none") for example in examples if not example.covers]
    return [*unknown, *twice, *empty, *(Outcome(name, "not run") for name in PEERS_EXAMPLES if name not in covers)]


def _run(session: Session, example: Example) -> str:
    """What is wrong with it; "" when it found what was expected."""
    base = f"/user/{session.user}/api"
    put = session.api.put(
        f"{base}/contents/{example.name}", json={"type": "notebook", "format": "json", "content": example.document}
    )
    if not put.is_success:
        return f"it cannot be uploaded: HTTP {put.status_code} {put.text[:500]}"
    opened = session.api.post(
        f"{base}/sessions",
        json={"path": example.name, "name": example.name, "type": "notebook", "kernel": {"name": "python3"}},
    )
    if not opened.is_success:
        return f"it cannot be opened: HTTP {opened.status_code} {opened.text[:500]}"
    try:
        notebook = Notebook(session, opened.json()["kernel"]["id"])
        try:
            for cell in example.cells:
                notebook.run(cell)
            found, expected = notebook.value("found"), notebook.value("expected")
        finally:
            notebook.run(_CLOSE)
    except (CellError, OSError) as error:
        return f"{type(error).__name__}: {str(error)[-1500:]}"
    finally:
        session.api.delete(f"{base}/sessions/{opened.json()['id']}")
    if not found:
        return "it has found nothing"
    return "; ".join(differences(found, expected))
