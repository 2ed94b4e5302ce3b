"""``fabric-hub datasets export`` and ``import``: the catalogue in the words of DCAT-AP-NL and Croissant, and back."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from fabric_hub.config.settings import Settings
from fabric_hub.datasets.model import Access


def add_parser(subparsers: Any) -> None:
    """Add ``export`` and ``import``; each parser's ``work`` takes the settings and the arguments."""
    one = subparsers.add_parser("export", help="write the catalogue as DCAT-AP-NL 3.0, or a dataset as Croissant 1.1")
    one.add_argument("name", metavar="NAME", nargs="?", help="only this dataset; default: the whole catalogue")
    one.add_argument("--croissant", action="store_true", help="Croissant 1.1 instead of DCAT; needs NAME")
    one.add_argument("--version", metavar="VERSION", help="of a Croissant export; default: the latest")
    one.add_argument(
        "--format", choices=("turtle", "json-ld"), help="default: by the ending of FILE (.ttl, .jsonld), else turtle"
    )
    one.add_argument("--output", metavar="FILE", type=Path, help="write to a file; default: standard output")
    one.add_argument(
        "--only",
        metavar="ACCESS",
        action="append",
        type=Access,
        choices=tuple(Access),
        help="only datasets that are public, restricted or non-public; may be given again",
    )
    one.add_argument(
        "--check",
        action="store_true",
        help="check against the SHACL shapes in catalogue.shapes; a violation is status 1",
    )
    one.set_defaults(work=_export)
    two = subparsers.add_parser("import", help="make drafts of the datasets that a DCAT document describes")
    two.add_argument("file", metavar="FILE", type=Path, help="Turtle (.ttl) or JSON-LD (.jsonld, .json)")
    two.add_argument("--replace", action="store_true", help="describe entries that exist already anew")
    two.set_defaults(work=_import)


def _export(settings: Settings, arguments: argparse.Namespace) -> int:
    from fabric_hub.catalogue.exchange import (
        documents as exchange,  # with rdflib, which takes a moment that no other command needs
    )

    return exchange.export(settings, arguments)


def _import(settings: Settings, arguments: argparse.Namespace) -> int:
    from fabric_hub.catalogue.exchange import documents as exchange

    return exchange.import_(settings, arguments)
