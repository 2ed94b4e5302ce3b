"""``fabric-hub certs show | renew``: the certificates of internal TLS between hub, proxy and sessions."""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

from fabric_hub.config import settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import backup as texts
from fabric_hub.messages.translation import gettext as _

from .site import add_site_arguments, site_to_look_at


def add_parser(commands: Any) -> None:
    """Add the command and its parts."""
    top = commands.add_parser("certs", help=_("the hub's internal certificates: until when they are valid; renew them"))
    parts = top.add_subparsers(dest="part", metavar="PART", required=True)
    show = parts.add_parser("show", help=_("until when each is valid; status 1 where one ends within 60 days"))
    show.add_argument("--json", action="store_true", help=_("print JSON"))
    show.set_defaults(run=_show)
    renew = parts.add_parser(
        "renew", help=_("five more years for all of them, while the hub is stopped; sessions go on")
    )
    renew.set_defaults(run=_renew)
    for part in (show, renew):
        add_site_arguments(part)


def _open(arguments: argparse.Namespace) -> tuple[Path, Path]:
    """The hub's state directory and the certificates in it, as the hub's account from here on."""
    site = settings.load(site_to_look_at(arguments) or settings.path_from_environment())
    state = site.hub.state_dir
    if os.geteuid() == 0:
        try:
            owner = state.stat()
        except OSError as error:
            raise FabricError(texts.STATE_UNWRITABLE(directory=str(state), cause=error.strerror or "")) from error
        os.setgroups([])
        os.setgid(owner.st_gid)
        os.setuid(owner.st_uid)
    store = state / "certs"
    try:
        there = site.hub.internal_ssl and (store / "certipy.json").exists()
    except OSError as error:
        raise FabricError(texts.STATE_UNWRITABLE(directory=str(state), cause=error.strerror or "")) from error
    if not there:
        raise FabricError(texts.NO_INTERNAL_TLS())
    return state, store


def _show(arguments: argparse.Namespace) -> int:
    from fabric_hub.unix import authorities  # with cryptography, which takes a moment

    _, store = _open(arguments)
    now, found = time.time(), authorities.certificates(store)
    if arguments.json:
        print(json.dumps([one.model_dump() for one in found], indent=2))
    else:
        for one in found:
            reason = texts.CERTIFICATE_ENDS if one.end > now else texts.CERTIFICATE_OVER
            print(reason(name=one.name, day=one.end, n=int((one.end - now) / 86400)).say())
    return 1 if authorities.ending(found, now) else 0


def _renew(arguments: argparse.Namespace) -> int:
    from fabric_hub.unix import authorities, state_lock

    state, store = _open(arguments)
    state_lock.take(state)
    for one in authorities.certificates(store):
        if not one.ours:
            print(texts.CERTIFICATE_OF_SITE(name=one.name).say())
    try:
        renewed = authorities.renew(store)
    except OSError as error:
        raise FabricError(texts.STATE_UNWRITABLE(directory=str(store), cause=error.strerror or str(error))) from error
    if renewed:
        print(texts.CERTIFICATES_RENEWED(day=min(one.end for one in renewed)).say())
    return 0
