"""Whom an export or an erasure is about: by which names the stores know them. Pure."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from fabric_hub.catalogue.audit.log import UNIX
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import privacy_commands as texts
from fabric_hub.types import HubUser
from fabric_hub.unix.accounts import unix_name

_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
# How a record says who decided: a person of the hub's pages, or an account at a command line.
_ROLES = ("operator", "steward", "owner", "trainer", "member", "visitor", "user")
_AUTHORS = ("{}", *(f"{role} {{}}" for role in _ROLES), "{} (command line)")
_OF_ACCOUNTS = ("{}", "{} (command line)")
_USER: TypeAdapter[str] = TypeAdapter(HubUser)


@dataclass(frozen=True)
class Person:
    """A person: ``name`` at the hub, ``unix`` their account's; "" where all share one."""

    name: str
    unix: str = ""

    @property
    def authors(self) -> tuple[str, ...]:
        """What stands where the author of a decision does."""
        told = [form.format(self.name) for form in _AUTHORS]
        told += [form.format(self.unix) for form in _OF_ACCOUNTS if self.unix]
        return tuple(dict.fromkeys(told))

    @property
    def known(self) -> tuple[str, ...]:
        """The names by which the catalogue service has numbers of theirs: at the hub, and at a command line."""
        return (self.name, f"{UNIX}{self.unix}") if self.unix else (self.name,)

    def is_subject(self, subject: str) -> bool:
        """Whether a warning is about them: their storage, or their part of a project's budget."""
        kind, _, rest = subject.partition(":")
        if kind == "storage":
            return rest == self.name or rest.startswith(f"{self.name}:")
        return kind == "user" and rest.partition("/")[2].partition(":")[0] == self.name


def person_of(settings: Settings, name: str) -> Person:
    """A person by the name that the hub gives them.

    :raises FabricError: no person of the hub can have that name.
    """
    try:
        _USER.validate_python(name)
    except ValidationError:
        raise FabricError(texts.NO_NAME(name=name[:64])) from None
    return Person(name, "" if settings.users.shared_account else unix_name(settings.users, name))


def pseudonym() -> str:
    """What stands in a person's place after an erasure: random, so that nobody finds the name by trying names."""
    return "erased-" + "".join(secrets.choice(_LETTERS) for _ in range(10))
