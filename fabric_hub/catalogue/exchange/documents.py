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
from fabric_hub.messages.texts import exchange as texts

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
        raise FabricError(texts.NO_PUBLISHER())
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
        raise FabricError(texts.CROISSANT_NEEDS_NAME())
    if arguments.croissant and arguments.check:
        raise FabricError(texts.CROISSANT_NO_SHAPES())
    if arguments.check and not settings.catalogue.shapes:
        raise FabricError(texts.NO_SHAPES_NAMED())
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
    print(texts.CHECKED(n=len(wrong), others=len(found) - len(wrong)).say(), file=sys.stderr)
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
        if arguments.name:
            reason = texts.NO_SUCH_WITH_ACCESS if arguments.only else texts.NO_SUCH_PUBLISHED
            raise FabricError(reason(dataset=arguments.name))
        raise FabricError(texts.NOTHING_WITH_ACCESS() if arguments.only else texts.NOTHING_PUBLISHED())
    return chosen


def _write(content: str, path: Path | None) -> None:
    if path is None:
        sys.stdout.write(content)
        return
    try:
        path.write_text(content, encoding="utf-8")
    except OSError as error:
        raise FabricError(texts.CANNOT_WRITE(path=str(path), why=error.strerror or "")) from error


def import_(settings: Settings, arguments: argparse.Namespace) -> int:
    """Make drafts; everything that the document says and a draft does not is printed."""
    file: Path = arguments.file
    form = SUFFIXES.get(file.suffix.lower())
    if form is None:
        raise FabricError(texts.NEITHER_FORM(path=str(file)))
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST + 1)
    except OSError as error:
        raise FabricError(texts.CANNOT_READ(path=str(file), why=error.strerror or "")) from error
    # from here as the catalogue service's account: what others wrote is not parsed as root
    with admin.opened(settings) as at:
        imported = entries_of(read_graph(content, form, str(file)))
        there = {entry.name for entry in at.store.datasets()}
        skipped = 0
        for entry in imported.entries:
            if entry.name in there and not arguments.replace:
                print(texts.EXISTS(dataset=entry.name).say())
                skipped += 1
                continue
            at.add(entry, new=entry.name not in there)
            print((texts.DESCRIBED_ANEW if entry.name in there else texts.A_DRAFT)(dataset=entry.name).say())
    for what in imported.left_out:
        print(texts.NOT_TAKEN_OVER(what=what).say())
    print(texts.WHAT_NEXT().say())
    return 1 if skipped else 0
