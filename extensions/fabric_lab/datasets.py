"""Datasets of this session, in a notebook and in a terminal.

``from fabric_lab import datasets``, then ``datasets.list()``, ``datasets.add("NAME")``, ``datasets.path("NAME")``
and ``datasets.drop("NAME")``; in a terminal ``python -m fabric_lab.datasets list``. No import of this module is
heavier than the standard library.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from . import answers, client
from .common import node
from .common.translation import N_, _, sentences
from .kernel import merge


class DatasetError(Exception):
    """A dataset is not there; the text says why and what to do."""


class Dataset(NamedTuple):
    """One dataset as this session sees it; ``path`` is None while it is not open here."""

    name: str
    title: str
    state: str
    path: Path | None

    def __str__(self) -> str:
        where = self.path or (_(STATES[self.state]) if self.state in STATES else self.state)
        return f"{self.name:24} {where!s:40} {self.title}".rstrip()


class Datasets(tuple[Dataset, ...]):
    """What :func:`list` returns: a sequence that prints as a table, with what is wrong right now in words."""

    problems: tuple[str, ...] = ()

    def __repr__(self) -> str:
        rows = [str(one) for one in self] or [_("No datasets.")]
        return "\n".join([*rows, *self.problems])


STATES = {
    "open": N_("can be added"),
    "agreement": N_("accept its terms on the hub's page Datasets"),
    "not-granted": N_("not granted to this project"),
    "retired": N_("retired"),
}


def _known(body: Mapping[str, Any] | None, problem: str) -> answers.Datasets:
    answer, node_problem = None, ""
    try:
        answer = node.ask(os.environ, "list")
    except node.NodeError as error:
        node_problem = str(error)
    return merge.combine(body, problem, answer, node_problem, os.environ)


def list() -> Datasets:  # noqa: A001 - datasets.list() is what people look for
    """Every dataset that this session's project may know of, and where those are that are open."""
    known = _known(*client.call("/datasets"))
    found = Datasets(
        Dataset(
            entry["name"],
            merge.text(entry, "title"),
            merge.text(entry, "state"),
            Path(entry["here"]["path"]) if entry["here"] else None,
        )
        for entry in known["datasets"]
    )
    found.problems = tuple(filter(None, (known["problem"], known["node_problem"], known["notice"])))
    return found


def add(name: str) -> Path:
    """Open a dataset in this session, without restarting it, and on the nodes of its Dask workers.

    :returns: the directory with its files.
    :raises DatasetError: it may not be used, or the node does not answer.
    """
    opened, refused = _ask("open", name)
    if opened is None:
        said = _("{name} was not added.").format(name=name)
        raise DatasetError(sentences(said, refused or _("The node did not say why.")))
    _note(name, "POST")
    return Path(opened.files)


def drop(name: str) -> None:
    """Close a dataset in this session; files that are open stay readable until they are closed.

    :raises DatasetError: the node does not answer.
    """
    _ask("close", name)
    _note(name, "DELETE")


def path(name: str) -> Path:
    """Where the files of an open dataset are.

    :raises DatasetError: it is not open in this session.
    """
    opened = _ask("list", name)[0]
    if opened is None:
        raise DatasetError(
            _("{name} is not open in this session. Add it: {code}").format(
                name=name, code=f"fabric_lab.datasets.add({name!r})"
            )
        )
    return Path(opened.files)


def _ask(verb: node.Verb, name: str) -> tuple[node.Opened | None, str]:
    """What the node says of one dataset: where it is open, or why it is not."""
    if not node.NAME.fullmatch(name):
        raise DatasetError(
            _("{name} is no name of a dataset: small letters, digits and hyphens, at most 40.").format(name=repr(name))
        )
    try:
        answer = node.ask(os.environ, verb, () if verb == "list" else (name,), timeout_s=10)
    except node.NodeError as error:
        raise DatasetError(str(error)) from None
    opened = next((one for one in answer.opened if one.dataset == name), None)
    return opened, next((one.message for one in answer.refused if one.dataset == name), "")


def _note(name: str, method: str) -> None:
    """Tell the hub and the session's clusters what it uses now; that one does not answer keeps nobody from working."""
    from .dask import rendezvous

    answer, problem = client.call(f"/datasets/{name}", method=method)
    if answer is None:
        warnings.warn(_("The hub did not note this for the session: {problem}").format(problem=problem), stacklevel=3)
    if rendezvous.clusters():
        from .dask import dashboard_client  # loads an HTTP client, which most sessions do not need here

        for problem in dashboard_client.datasets_changed():
            warnings.warn(problem, stacklevel=3)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; exit status 1 and a sentence when something cannot be done."""
    parser = argparse.ArgumentParser(prog="python -m fabric_lab.datasets", description=_("Datasets of this session."))
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("list", help=_("what there is, and where it is open"))
    for verb, said in (
        ("add", _("open here a dataset")),
        ("drop", _("close here a dataset")),
        ("path", _("print the directory of a dataset")),
    ):
        verbs.add_parser(verb, help=said).add_argument("name", metavar="NAME", nargs="+")
    chosen = parser.parse_args(arguments)
    warnings.showwarning = lambda message, *others, **named: print(message, file=sys.stderr)
    if chosen.verb == "list":
        print(list())
        return 0
    try:
        for name in chosen.name:
            if chosen.verb == "drop":
                drop(name)
            else:
                print((add if chosen.verb == "add" else path)(name))
    except DatasetError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
