"""The catalogue of a site written as DCAT-AP-NL or Croissant, and drafts made of what others wrote."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from fabric_hub.catalogue import admin, switch_user
from fabric_hub.catalogue.database import open_catalogue
from fabric_hub.catalogue.store import CatalogueStore
from fabric_hub.config.settings import Settings
from fabric_hub.datasets.model import Access, Agent, Contact, Dataset
from fabric_hub.errors import FabricError

from . import dcat, shapes
from .croissant import croissant, text
from .dcat_import import entries_of
from .rdf_reading import LARGEST, SUFFIXES, read_graph


def about(settings: Settings) -> dcat.About:
    """What an export says of this site's catalogue.

    :raises FabricError: the site's file does not say who publishes it.
    """
    assert settings.catalogue is not None
    said, hub = settings.catalogue.export, (settings.hub.public_url or settings.hub.bind_url).rstrip("/")
    if not said.publisher:
        raise FabricError(
            "The site's file does not say who publishes the catalogue, which DCAT-AP-NL requires.",
            reason="export",
            hint='Add it to the section [catalogue.export]: publisher = "Our organisation".',
        )
    base = said.url.rstrip("/") or hub
    return dcat.About(
        title=said.title,
        description=said.description,
        base=base,
        hub=hub,
        publisher=Agent(name=said.publisher, uri=said.publisher_uri or None),
        contact=Contact(name=said.contact or said.publisher, email=said.contact_email or None, url=f"{base}/"),
        languages=said.languages,
        licence=said.licence or None,
        data_dir=str(settings.catalogue.data_dir),
    )


def export(settings: Settings, arguments: argparse.Namespace) -> int:
    """Write what was published, retired datasets included, and say what the shapes find in it."""
    assert settings.catalogue is not None
    if arguments.croissant and not arguments.name:
        raise FabricError(
            "Croissant describes one dataset.", reason="usage", hint="Name it: datasets export NAME --croissant"
        )
    if arguments.croissant and arguments.check:
        raise FabricError(
            "Shapes are for DCAT, not for Croissant.",
            reason="usage",
            hint="Croissant has a validator of its own: mlcroissant validate --jsonld FILE",
        )
    if arguments.check and not settings.catalogue.shapes:
        raise FabricError(
            "The site's file names no directory of shapes (catalogue.shapes).", reason="check", hint=shapes.WHERE
        )
    said = about(settings)
    chosen = _chosen(_published(settings), arguments)
    if arguments.croissant:
        _write(text(croissant(chosen[0], said, arguments.version)), arguments.output)
        return 0
    graph = dcat.dataset_graph(chosen[0], said) if arguments.name else dcat.catalogue_graph(chosen, said)
    form = arguments.format or (SUFFIXES.get(arguments.output.suffix, "turtle") if arguments.output else "turtle")
    _write(dcat.json_ld(graph) if form == "json-ld" else dcat.turtle(graph), arguments.output)
    if not arguments.check:
        return 0
    assert settings.catalogue.shapes is not None
    found = shapes.findings(graph, settings.catalogue.shapes)
    wrong = [one for one in found if one.severity == "Violation"]
    for finding in found:
        print(finding, file=sys.stderr)
    print(f"{len(wrong)} violations, {len(found) - len(wrong)} other remarks.", file=sys.stderr)
    return 1 if wrong else 0


def _published(settings: Settings) -> Sequence[Dataset]:
    """Read as the catalogue service; the file is written as the caller again."""
    assert settings.catalogue is not None
    with switch_user.for_a_moment(switch_user.catalogue_account(settings.catalogue)):
        store = CatalogueStore(open_catalogue(settings.catalogue))
        try:
            return store.catalogue().datasets
        finally:
            store.close()


def _chosen(datasets: Sequence[Dataset], arguments: argparse.Namespace) -> Sequence[Dataset]:
    only = set(arguments.only or Access)
    chosen = [one for one in datasets if arguments.name in (None, one.name) and one.access in only]
    if not chosen:
        what = f"no published dataset {arguments.name}" if arguments.name else "nothing published"
        raise FabricError(
            f"There is {what} in the catalogue{' with that access' if arguments.only else ''}.",
            reason="unknown-dataset",
            hint="See what there is: fabric-hub datasets list",
            status=404,
        )
    return chosen


def _write(content: str, path: Path | None) -> None:
    if path is None:
        sys.stdout.write(content)
        return
    try:
        path.write_text(content, encoding="utf-8")
    except OSError as error:
        raise FabricError(f"{path} cannot be written: {error.strerror}.", reason="export") from error


def import_(settings: Settings, arguments: argparse.Namespace) -> int:
    """Make drafts; everything that the document says and a draft does not is printed."""
    file: Path = arguments.file
    form = SUFFIXES.get(file.suffix.lower())
    if form is None:
        raise FabricError(
            f"{file} is neither Turtle (.ttl) nor JSON-LD (.jsonld, .json) by its name.",
            reason="import",
            hint="Convert it first; RDF/XML for instance with rdfpipe, which comes with rdflib.",
        )
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST + 1)
    except OSError as error:
        raise FabricError(f"{file} cannot be read: {error.strerror}.", reason="import") from error
    # from here as the catalogue service's account: what others wrote is not parsed as root
    with admin.opened(settings) as at:
        imported = entries_of(read_graph(content, form, str(file)))
        there = {entry.name for entry in at.store.datasets()}
        skipped = 0
        for entry in imported.entries:
            if entry.name in there and not arguments.replace:
                print(f"{entry.name}: it exists already and stays as it is (--replace describes it anew).")
                skipped += 1
                continue
            at.add(entry, new=entry.name not in there)
            print(f"{entry.name}: {'described anew' if entry.name in there else 'a draft'}.")
    print("".join(f"Not taken over: {line}\n" for line in imported.left_out), end="")
    print("What a draft lacks: fabric-hub datasets show NAME; files: fabric-hub datasets pack NAME.")
    return 1 if skipped else 0
