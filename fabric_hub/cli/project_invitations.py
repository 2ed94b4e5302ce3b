"""What ``fabric-hub projects`` does with invitations: make one, list them, withdraw one, turn somebody away.

Each command takes the site, its file and its arguments, and returns the exit status. A code is printed once, and is in
no argument: those are seen by everybody on the machine.
"""

from __future__ import annotations

import argparse
import json
from datetime import datetime
from pathlib import Path

from fabric_hub.catalogue.admin import CatalogueAdmin, opened
from fabric_hub.catalogue.invitation_store import InvitationStore
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.logs.lines import escaped
from fabric_hub.messages.texts import project_changes as texts
from fabric_hub.messages.translation import gettext as _
from fabric_hub.projects.changes import Change, Invite, TurnAway, Withdraw
from fabric_hub.projects.invitations import digest_of, id_of, new_code

from .dataset_listing import table


def invite(settings: Settings, _path: Path, arguments: argparse.Namespace) -> int:
    """Make an invitation, and say its link."""
    code = new_code()
    change = Invite(
        project=arguments.name,
        digest=digest_of(code),
        role=arguments.role,
        uses=arguments.uses,
        until=arguments.until,
        domain=arguments.domain,
    )
    with opened(settings) as at:
        _make(at, change)
    link = f"{(settings.hub.public_url or settings.hub.bind_url).rstrip('/')}/hub/invitations/{code}"
    if arguments.json:
        facts = change.model_dump(mode="json", exclude={"do", "digest"})
        print(json.dumps({"invitation": id_of(change.digest), **facts, "code": code, "link": link}, indent=2))
        return 0
    print(_("Made: invitation {invitation} to project {project}.").format(
        invitation=id_of(change.digest), project=change.project
    ))  # fmt: skip
    print(_("Send this link to whom you invite: it is shown only now."))
    print(link)
    return 0


def withdraw(settings: Settings, _path: Path, arguments: argparse.Namespace) -> int:
    """Let nobody in by an invitation any more."""
    change = Withdraw(project=arguments.name, invitation=arguments.invitation)
    return _change(settings, arguments, change, _("Withdrawn: invitation {about} to project {project}."))


def turn_away(settings: Settings, _path: Path, arguments: argparse.Namespace) -> int:
    """Do not let somebody in who waits."""
    change = TurnAway(project=arguments.name, user=arguments.user)
    return _change(settings, arguments, change, _("{about} does not come into project {project}."))


def show(settings: Settings, _path: Path, arguments: argparse.Namespace) -> int:
    """The open invitations of a project, and who waits."""
    with opened(settings) as at:
        if at.store.projects.kept(arguments.name) is None:
            raise FabricError(texts.NO_SUCH_PROJECT(project=arguments.name))
        found = InvitationStore(at.store.engine).of(arguments.name)
    if arguments.json:
        print(json.dumps(found.model_dump(mode="json", exclude={"sources"}), indent=2), flush=True)
        return 0
    lines: list[str] = []
    if found.open:
        head = (_("invitation"), _("role"), _("accepted"), _("until"), _("mail domain"), _("made by"))
        rows = [
            (one.id, one.role, f"{one.used}/{one.uses}", one.until.isoformat(), one.domain or "-", one.by)
            for one in found.open
        ]
        lines += table([head, *rows])
    if found.waiting:
        head = (_("waits"), _("role"), _("since"), _("name, as claimed"), _("organisation"), _("mail domain"))
        rows = [
            (one.user, one.role, _moment(one.at), one.name or "-", one.organisation or "-", one.mail_domain or "-")
            for one in found.waiting
        ]
        lines += ["", *table([head, *rows])] if lines else table([head, *rows])
        told = _("Confirm somebody: fabric-hub projects add {project} USER --role ROLE")
        lines.append(told.format(project=arguments.name))
    lines = lines or [_("Project {project} has no open invitations, and nobody waits.").format(project=arguments.name)]
    print("\n".join(escaped(line) for line in lines))  # with words of their institutions
    return 0


def _change(settings: Settings, arguments: argparse.Namespace, change: Withdraw | TurnAway, said: str) -> int:
    with opened(settings) as at:
        done = _make(at, change)
    about = change.invitation if isinstance(change, Withdraw) else change.user
    if arguments.json:
        print(json.dumps({"project": change.project, "about": about, "changed": done}, indent=2))
    else:
        words = said if done else _("Nothing new for project {project}.")
        print(words.format(project=change.project, about=about))
    return 0


def _make(at: CatalogueAdmin, change: Change) -> bool:
    return at.change_project(change)


def _moment(at: float) -> str:
    return f"{datetime.fromtimestamp(at).astimezone():%Y-%m-%d %H:%M}"


WORK = {"invite": invite, "invitations": show, "withdraw": withdraw, "turn-away": turn_away}
