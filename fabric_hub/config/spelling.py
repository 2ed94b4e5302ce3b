"""Names that people write in one way and Slurm or JupyterHub in another. Pure.

The one place that says when two of them are the same. Slurm keeps accounts and QOS in small letters and asks for them
without regard to case; partitions, reservations, features and types of GPU it compares letter by letter. JupyterHub's
authenticators write the names of people in small letters unless a site's own keeps them (``login.keep_case``). Unix
accounts are the kernel's, and compared letter by letter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import site_file as texts
from fabric_hub.types import login_name, slurm_key

# The roles of people in a project, as settings.Members has them.
ROLES = ("owner", "member", "trainer", "steward", "visitor")


class Differing(NamedTuple):
    """A name in the site's file that is read in another way than it is written, and how that is told."""

    key: str
    written: str
    read: str
    told: Text


def as_compared(data: Any) -> Any:
    """The tables of a site's file, with the names of people as JupyterHub has them; whatever is no table stays."""
    login = _table(_table(data).get("login"))
    if not isinstance(data, Mapping) or login.get("keep_case") is True:
        return data
    made = dict(data)
    if login:
        made["login"] = {**login, "admins": _people(login.get("admins"))} if "admins" in login else login
    if isinstance(projects := data.get("project"), Mapping):
        made["project"] = {name: _project(project) for name, project in projects.items()}
    catalogue = _table(data.get("catalogue"))
    if isinstance(stewards := catalogue.get("stewards"), Mapping):
        made["catalogue"] = {**catalogue, "stewards": {name: _people(people) for name, people in stewards.items()}}
    return made


def differing(data: Mapping[str, Any]) -> Iterator[Differing]:
    """Names in the tables of a site's file that are read in another way than they are written."""
    login = _table(data.get("login"))
    profiles, projects = _table(data.get("profile")), _table(data.get("project"))
    names = [(f"profile.{name}.qos", _table(profile).get("qos")) for name, profile in profiles.items()]
    names += [(f"project.{name}.account", _table(project).get("account")) for name, project in projects.items()]
    for key, name in names:
        if isinstance(name, str) and slurm_key(name) != name:
            read = slurm_key(name)
            yield Differing(key, name, read, texts.READ_AS_SLURM(written=name, read=read))
    people = [("login.admins", login.get("admins"))]
    for name, project in projects.items():
        members = _table(project).get("members")
        people.append((f"project.{name}.members", members))  # where it is a plain list
        members = _table(members)
        people += [(f"project.{name}.members.{role}", members.get(role)) for role in ROLES]
    for dataset, stewards in _table(_table(data.get("catalogue")).get("stewards")).items():
        people.append((f"catalogue.stewards.{dataset}", stewards))
    for key, found in people:
        for name in found if isinstance(found, list | tuple) else ():
            if isinstance(name, str) and login_name(name, login.get("keep_case") is True) != name:
                read = login_name(name)
                yield Differing(key, name, read, texts.READ_AS_HUB(written=name, read=read))


def _project(project: Any) -> Any:
    members = _table(project).get("members")
    if isinstance(members, list | tuple):  # a plain list is one of members
        return {**project, "members": _people(members)}
    if not isinstance(members, Mapping):
        return project
    return {**project, "members": {role: _people(people) for role, people in members.items()}}


def _people(people: Any) -> Any:
    if not isinstance(people, list | tuple):
        return people
    # what no person's name can be is told as it is written (DOMAIN\\anna)
    return type(people)(login_name(name) if isinstance(name, str) and "\\" not in name else name for name in people)


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
