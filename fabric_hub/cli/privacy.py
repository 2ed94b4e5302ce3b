"""``fabric-hub privacy register | export | erase``: what is kept of people, and of one person."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from fabric_hub.catalogue.switch_user import caller
from fabric_hub.config import settings
from fabric_hub.errors import FabricError
from fabric_hub.logs.lines import escaped
from fabric_hub.messages.reader import Reader, current, languages, reading
from fabric_hub.messages.texts import privacy_commands as texts
from fabric_hub.messages.translation import gettext as _
from fabric_hub.privacy import register
from fabric_hub.privacy.model import Act
from fabric_hub.projects.live import with_live_projects

from .site import add_site_arguments, site_to_look_at


def add_parser(commands: Any) -> None:
    """Add the command and its three verbs."""
    privacy = commands.add_parser("privacy", help=_("what is kept of people: the register, an export, an erasure"))
    verbs = privacy.add_subparsers(dest="verb", metavar=_("VERB"), required=True)
    listing = verbs.add_parser("register", help=_("every personal field: what for, how long, and how it is erased"))
    listing.add_argument("--json", action="store_true", help=_("print JSON"))
    listing.add_argument("--language", choices=languages(), help=_("in which language; default: the terminal's"))
    listing.set_defaults(run=_register)
    export = verbs.add_parser("export", help=_("everything that is kept of a person, as a directory of JSON"))
    export.add_argument("user", metavar=_("USER"), help=_("the person's name at the hub"))
    export.add_argument("--output", type=Path, metavar="DIR", help=_("a directory that does not exist yet"))
    export.add_argument("--language", choices=languages(), help=_("the language of its index"))
    export.set_defaults(run=_export)
    erase = verbs.add_parser("erase", help=_("erase a person; says first what goes, what stays, and why"))
    erase.add_argument("user", metavar=_("USER"), help=_("the person's name at the hub"))
    erase.add_argument("--dry-run", action="store_true", help=_("only say it, and change nothing"))
    erase.set_defaults(run=_erase)
    for command in (listing, export, erase):
        add_site_arguments(command)


def _register(arguments: argparse.Namespace) -> int:
    path = site_to_look_at(arguments)
    stated = settings.load(path).privacy if path else None
    with reading(Reader(language=arguments.language, zone=current().zone) if arguments.language else current()):
        lines = register.as_json(stated)
        if arguments.json:
            print(json.dumps(lines, indent=2, ensure_ascii=False))
            return 0
        heads = (_("place"), _("field"), _("what"), _("what for"), _("basis"), _("kept for"), _("erasure"))
        keys = ("place", "field", "what", "purpose_said", "basis", "kept", "erasure_said")
        print("\t".join(heads))
        for line in lines:
            print("\t".join(escaped(line[key]).rstrip() for key in keys))
    return 0


_ROWS = {Act.DELETE: texts.ROWS_GO, Act.ROLE: texts.ROWS_NAMELESS, Act.DIGEST: texts.ROWS_NAMELESS}


def _site(arguments: argparse.Namespace) -> settings.Settings:
    return with_live_projects(settings.load(site_to_look_at(arguments)))


def _export(arguments: argparse.Namespace) -> int:
    from fabric_hub.privacy import export  # the stores take a moment that no other command needs
    from fabric_hub.privacy.person import person_of

    site = _site(arguments)
    person = person_of(site, arguments.user)
    directory = (arguments.output or Path(f"{person.name}-{time.strftime('%Y-%m-%d')}")).absolute()
    if directory.exists():
        raise FabricError(texts.DIRECTORY_THERE(directory=str(directory)))
    told = export.gathered(site, person)
    with reading(Reader(language=arguments.language, zone=current().zone) if arguments.language else current()):
        export.write(told, site, person, directory)
    print(texts.EXPORTED(n=told.n, user=person.name, directory=str(directory)).say())
    for missing in told.not_read:
        print(missing.say())
    return 1 if told.not_read else 0


def _erase(arguments: argparse.Namespace) -> int:
    from fabric_hub.privacy import erase
    from fabric_hub.privacy.person import person_of, pseudonym

    site = _site(arguments)
    person, by = person_of(site, arguments.user), caller()
    found = erase.plan(site, person)
    if found.counts:
        print((texts.WOULD if arguments.dry_run else texts.WILL)(user=person.name).say())
    else:
        print(texts.NOTHING(user=person.name).say())
    for place, act, n in found.counts:
        what = _ROWS.get(Act(act), texts.ROWS_STAY)(n=n)
        print(texts.IN_PLACE(place=place, what=what).say())
    if found.other_names:
        print(texts.OTHER_NAMES(user=person.name, names=found.other_names, n=len(found.other_names)).say())
    print(texts.STAYS().say())
    for place, _field, reason in erase.kept():
        print(texts.IN_PLACE(place=place, what=reason).say())
    if arguments.dry_run:
        return 0
    stands = pseudonym()
    erase.carry_out(site, found, by, stands)
    if found.counts:
        done = texts.ERASED if site.catalogue else texts.ERASED_WITHOUT_LOG
        print(done(user=person.name, pseudonym=stands).say())
    return 0
