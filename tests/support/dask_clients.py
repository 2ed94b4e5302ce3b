"""Slurm's clients as a notebook's clusters call them: each call is written down, and can be held at a chosen moment."""

from __future__ import annotations

import shutil
from pathlib import Path

from .dask_notebook import Notebook
from .waiting import until

# Stands before the real one on the PATH of the notebook, and so of its clusters. A hold is a file that someone removes.
CLIENT = """#!/bin/sh
here={directory}
echo "$$ {name} $*" >> $here/calls
while [ -e $here/before-{name} ]; do sleep 0.02; done
{program} "$@"
code=$?
echo "$$ {name}=$code" >> $here/calls
while [ -e $here/after-{name} ]; do sleep 0.02; done
exit $code
"""


class Clients:
    """sbatch and scancel of the clusters that a notebook starts from now on."""

    def __init__(self, notebook: Notebook) -> None:
        session = notebook.session
        self.directory = Path(session.run.home(session.user)) / f"clients-{notebook.kernel[:8]}"
        scripts = {}
        for name in ("sbatch", "scancel"):
            program = shutil.which(name)
            assert program, f"there is no {name} here"
            scripts[name] = CLIENT.format(directory=self.directory, name=name, program=program)
        notebook.run(
            "import os, pathlib\n"
            f"_clients = pathlib.Path({str(self.directory)!r}); _clients.mkdir()\n"
            f"for _name, _text in {scripts!r}.items():\n"
            "    (_clients / _name).write_text(_text); (_clients / _name).chmod(0o700)\n"
            "os.environ['PATH'] = f'{_clients}:{os.environ[\"PATH\"]}'"
        )

    def calls(self, name: str) -> list[str]:
        """The arguments of every call of a client so far, as one line each."""
        return [line.split(maxsplit=2)[2] for line in self._lines() if line.split()[1:2] == [name]]

    def _lines(self) -> list[str]:
        path = self.directory / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def hold(self, moment: str) -> None:
        """Hold calls: ``before-sbatch``: Slurm has not heard of it; ``after-sbatch``: the cluster has not."""
        (self.directory / moment).touch()

    def until_held(self, moment: str, calls: int = 1) -> None:
        """Wait until the last of so many calls of that client is held."""
        when, _, name = moment.partition("-")
        mark = f" {name} " if when == "before" else f" {name}="
        until(
            lambda: sum(mark in line for line in self._lines()) >= calls,
            f"{name} is called {calls} times",
            every_s=0.05,
            seen=self._lines,
        )

    def let_go(self, moment: str) -> None:
        (self.directory / moment).unlink()
