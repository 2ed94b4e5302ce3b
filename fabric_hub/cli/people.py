"""``fabric-hub people list | show | link | unlink | account | block | unblock | forget``: who is who, for operators.

Given as root or as the catalogue service's account; root becomes the catalogue service before it opens a file.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import Any

from pydantic import TypeAdapter, ValidationError

from fabric_hub.catalogue.people.admin import PeopleAdmin, opened
from fabric_hub.catalogue.people.store import Person
from fabric_hub.config.settings import load
from fabric_hub.errors import FabricError
from fabric_hub.logs.lines import escaped
from fabric_hub.messages.text import Reason, Text
from fabric_hub.messages.texts import dataset_files
from fabric_hub.messages.texts import people as texts
from fabric_hub.messages.translation import gettext as _
from fabric_hub.projects.live import with_live_projects
from fabric_hub.types import HubUser

from .datasets import site_of
from .site import add_site_arguments

Work = Callable[[PeopleAdmin, argparse.Namespace], int]

LONGEST_WHY = 100  # characters
_NAME: TypeAdapter[str] = TypeAdapter(HubUser)


def add_parser(commands: Any) -> None:
    """Add the command and its parts."""
    top = commands.add_parser("people", help=_("who logs in here, and with which account: list, link, forget"))
    parts = top.add_subparsers(dest="part", metavar=_("PART"), required=True)

    def part(name: str, work: Work, about: str, *, number: bool = True, identity: bool = False) -> Any:
        parser = parts.add_parser(name, help=about)
        if number:
            parser.add_argument(
                "number", metavar=_("NUMBER"), type=int, help=_("the person, as `fabric-hub people list` shows them")
            )
        if identity:
            parser.add_argument("issuer", metavar=_("ISSUER"), help=_("the provider's address, as it writes it (iss)"))
            parser.add_argument("subject", metavar=_("SUBJECT"), help=_("who it is to the provider (sub)"))
        parser.add_argument("--json", action="store_true", help=_("print JSON"))
        add_site_arguments(parser)
        parser.set_defaults(run=_doing(work))
        return parser

    part("list", _list, _("everybody, by number"), number=False)
    part("show", _show, _("one person: names, account, and identities with what was claimed"))
    linking = part("link", _link, _("make an identity a person's, as of who changed institution"), identity=True)
    linking.add_argument("--move", action="store_true", help=_("also when it is another person's"))
    part("unlink", _unlink, _("let an identity be nobody's"), identity=True)
    giving = part("account", _account, _("give a person another name at the hub, and the account that it leads to"))
    giving.add_argument("name", metavar=_("NAME"), help=_("the name; nobody had it before"))
    blocking = part("block", _block, _("let somebody not log in, and end all that they have open"), number=False)
    blocking.add_argument("name", metavar=_("NAME"), type=_name, help=_("their name at the hub"))
    blocking.add_argument("--why", metavar=_("TEXT"), type=_why, required=True, help=_("they read it: one line"))
    lifting = part("unblock", _unblock, _("let somebody log in again"), number=False)
    lifting.add_argument("name", metavar=_("NAME"), type=_name, help=_("their name at the hub"))
    part("forget", _forget, _("erase who a number is, once catalogue.keep_names_days have passed"))


def _doing(work: Work) -> Callable[[argparse.Namespace], int]:
    def run(arguments: argparse.Namespace) -> int:
        path = site_of(arguments.site, arguments.dir)
        found = load(path)
        if found.catalogue is None:
            raise FabricError(dataset_files.SITE_WITHOUT(path=str(path)))
        with opened(with_live_projects(found)) as people:
            return work(people, arguments)

    return run


def _say(text: Text, indent: str = "") -> None:
    print(indent + escaped(text.say()))  # with names that providers and people chose


def _list(people: PeopleAdmin, arguments: argparse.Namespace) -> int:
    found = people.store.people()
    if arguments.json:
        print(json.dumps([one.model_dump(mode="json") for one in found], indent=2))
    elif not found:
        _say(texts.NO_PEOPLE())
    else:
        for one in found:
            _say(_line(one))
    return 0


def _line(one: Person) -> Text:
    if one.account:
        account = one.account
        return texts.LISTED(
            number=one.number, name=account.name, account=account.unix_account, mapped_by=account.mapped_by
        )
    if one.names:
        return texts.LISTED_BARE(number=one.number, name=one.names[0])
    return texts.LISTED_GONE(number=one.number)


def _show(people: PeopleAdmin, arguments: argparse.Namespace) -> int:
    one = people.person(arguments.number)
    if arguments.json:
        print(json.dumps(one.model_dump(mode="json"), indent=2))
        return 0
    _say(_line(one))
    if one.names:
        _say(texts.NAMES(names=one.names), "    ")
    for known in one.identities:
        fields = {"subject": known.subject, "issuer": known.issuer, "provider": known.provider}
        _say(texts.IDENTITY(first=known.first_at, last=known.last_at, **fields), "    ")
        claimed = tuple(word for word in (known.display_name, known.mail, known.organisation, known.acr) if word)
        if claimed + known.assurance:
            _say(texts.CLAIMED(what=claimed + known.assurance), "        ")
    return 0


def _done(text: Text, arguments: argparse.Namespace, people: PeopleAdmin) -> int:
    if arguments.json:
        print(json.dumps(people.person(arguments.number).model_dump(mode="json"), indent=2))
    else:
        _say(text)
    return 0


def _link(people: PeopleAdmin, arguments: argparse.Namespace) -> int:
    number, issuer, subject = arguments.number, arguments.issuer, arguments.subject
    done = people.link(number, issuer, subject, move=arguments.move)
    said = texts.LINKED(number=number, issuer=issuer, subject=subject) if done else texts.LINKED_ALREADY(number=number)
    return _done(said, arguments, people)


def _unlink(people: PeopleAdmin, arguments: argparse.Namespace) -> int:
    number, issuer, subject = arguments.number, arguments.issuer, arguments.subject
    people.unlink(number, issuer, subject)
    return _done(texts.UNLINKED(number=number, issuer=issuer, subject=subject), arguments, people)


def _account(people: PeopleAdmin, arguments: argparse.Namespace) -> int:
    account = people.account(arguments.number, arguments.name)
    said = texts.ACCOUNT_SET(number=arguments.number, name=account.name, account=account.unix_account)
    return _done(said, arguments, people)


def _name(typed: str) -> str:
    try:
        return _NAME.validate_python(typed)
    except ValidationError:
        raise argparse.ArgumentTypeError(_("{typed} is no name at the hub").format(typed=repr(typed))) from None


def _why(typed: str) -> str:
    why = " ".join(typed.split())
    if not why or len(why) > LONGEST_WHY or not why.isprintable():
        raise argparse.ArgumentTypeError(_("one line of at most {n} characters").format(n=LONGEST_WHY))
    return why


def _block(people: PeopleAdmin, arguments: argparse.Namespace) -> int:
    done = people.block(arguments.name, arguments.why)
    return _of_block(arguments, texts.BLOCK_SET if done else texts.BLOCK_STOOD, arguments.why)


def _unblock(people: PeopleAdmin, arguments: argparse.Namespace) -> int:
    people.unblock(arguments.name)
    return _of_block(arguments, texts.BLOCK_LIFTED, None)


def _of_block(arguments: argparse.Namespace, said: Reason, why: str | None) -> int:
    if arguments.json:
        print(json.dumps({"name": arguments.name, "blocked": why}))
    else:
        _say(said(name=arguments.name))
    return 0


def _forget(people: PeopleAdmin, arguments: argparse.Namespace) -> int:
    done = people.forget(arguments.number)
    return _done((texts.FORGOTTEN if done else texts.FORGOTTEN_ALREADY)(number=arguments.number), arguments, people)
