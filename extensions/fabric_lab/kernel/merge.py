"""What the datasets panel shows: the hub's word on every dataset, and the node's on which are open. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from ..answers import Datasets, Here, KnownDataset, OpenDataset
from ..common import node


def text(fields: Mapping[str, object], key: str) -> str:
    """A text field of somebody else's object; "" when it is none."""
    value = fields.get(key)
    return value if isinstance(value, str) else ""


def combine(
    response: Mapping[str, Any] | None,
    problem: str,
    answer: node.NodeAnswer | None,
    node_problem: str,
    environment: Mapping[str, str],
) -> Datasets:
    """Join the two answers; either may be missing.

    :param response: the service's ``GET /session/datasets``, or None and ``problem`` says why.
    :param answer: the node's ``list``, or None and ``node_problem`` says why.
    :param environment: the session's, for where its hub is.
    """
    response = response or {}
    answer = answer or node.NodeAnswer()
    here = {one.dataset: Here(version=one.version, path=one.files) for one in answer.opened}
    listed = response.get("datasets")
    known = [
        entry
        for entry in (listed if isinstance(listed, list) else [])
        if isinstance(entry, dict) and isinstance(entry.get("name"), str)
    ]
    if answer.enforced is False and response:
        # everything can be read by everybody: what the project may use is still the hub's word
        usable = {entry["name"] for entry in known if entry.get("state") == "open"}
        here = {name: place for name, place in here.items() if name in usable}
    entries: list[KnownDataset | OpenDataset] = [
        cast("KnownDataset", {**entry, "here": here.pop(entry["name"], None)}) for entry in known
    ]
    # open, but not in the hub's list: it is silent, or has withdrawn the dataset since
    entries += [OpenDataset(name=name, state="open", here=place) for name, place in here.items()]
    said = [word for word in (response.get("enforced"), answer.enforced) if isinstance(word, bool)]
    return Datasets(
        project=text(response, "project") or environment.get("FABRIC_PROJECT", ""),
        enforced=all(said) if said else None,
        notice=text(response, "notice"),
        datasets_page=datasets_page(text(response, "datasets_page"), environment),
        datasets=entries,
        problem=problem or text(response, "problem"),
        node_problem=node_problem,
    )


def datasets_page(address: str, environment: Mapping[str, str]) -> str:
    """The hub's page of datasets, below which each has its own, as a link for a browser, never a script."""
    page = address
    if not page.startswith(("/", "http://", "https://")) or page.startswith("//"):
        page = f"{environment.get('JUPYTERHUB_BASE_URL') or '/'}hub/datasets"
    return f"{environment.get('JUPYTERHUB_HOST', '')}{page}" if page.startswith("/") else page


def formats(response: Mapping[str, Any] | None, name: str, version: str | None) -> dict[str, int]:
    """How many files of each suffix the catalogue says that a version of a dataset has."""
    for entry in (response or {}).get("datasets") or ():
        if entry.get("name") == name:
            for one in entry.get("versions") or ():
                if one.get("version") == (version or entry.get("latest")):
                    counted = one.get("formats") or {}
                    return {suffix: count for suffix, count in counted.items() if isinstance(count, int)}
    return {}
