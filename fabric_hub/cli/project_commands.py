"""What the commands of ``fabric-hub projects`` do: each takes the site, its file and its arguments, and returns the
exit status.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fabric_hub.catalogue.admin import CatalogueAdmin, opened
from fabric_hub.catalogue.project_store import KeptProject
from fabric_hub.config.assurance import Asks
from fabric_hub.config.settings import Project, Settings
from fabric_hub.errors import FabricError
from fabric_hub.logs.lines import escaped
from fabric_hub.messages.formats import number
from fabric_hub.messages.texts import project_changes as texts
from fabric_hub.messages.texts.assurance import AGE_WITHOUT_ACR
from fabric_hub.messages.translation import gettext as _
from fabric_hub.messages.translation import ngettext
from fabric_hub.projects.changes import (
    AddPerson,
    Change,
    Create,
    Describe,
    Pause,
    RemovePerson,
    Resume,
    SetBudget,
    SetDates,
)
from fabric_hub.projects.membership import closed, people
from fabric_hub.types import login_name

from . import project_invitations
from .dataset_listing import labelled, table
from .project_templates import template_of

MOST_OWNERS = 20  # that a project is made with; the others are added

# -- changes


def create(settings: Settings, _path: Path, arguments: argparse.Namespace) -> int:
    """Make a project."""
    if len(arguments.owner) > MOST_OWNERS:
        raise FabricError(texts.TOO_MANY_OWNERS(most=MOST_OWNERS))
    template = template_of(settings, arguments.template) if arguments.template else None
    hours, end = arguments.budget, arguments.end
    if template is not None:
        hours = template.budget_gpu_hours if hours is None else hours
        today = date.today()  # noqa: DTZ011 - a project's days are days of this site
        last = (arguments.start or today) + timedelta(days=template.days) if template.days else None
        end = end or last
    change = Create(
        project=arguments.name,
        title=arguments.title,
        kind=arguments.kind or (template.kind if template else "research"),
        organisation=arguments.organisation,
        sector=arguments.sector,
        data=arguments.data,
        account=arguments.account,
        owners=tuple(arguments.owner),
        budget_gpu_hours=hours,
        profiles=tuple(arguments.profile) or (template.profiles if template else ()),
        images=tuple(arguments.image) or (template.images if template else ()),
        start=arguments.start,
        end=end,
    )
    return _change(settings, arguments, change, _("Made: project {project}, with the Slurm account {account}."))


def describe(settings: Settings, _path: Path, arguments: argparse.Namespace) -> int:
    """Change what a project is called, and whose it is."""
    change = Describe(
        project=arguments.name,
        title=arguments.title,
        organisation=arguments.organisation,
        sector=arguments.sector,
        data=arguments.data,
        asks=_asks(arguments),
    )
    return _change(settings, arguments, change, _("Changed: project {project}."))


def _asks(arguments: argparse.Namespace) -> Asks | None:
    """What a project is to ask of a login; None: as it does."""
    if arguments.asks_nothing:
        return Asks()
    if not (arguments.assurance or arguments.acr or arguments.max_age):
        return None
    try:
        return Asks(assurance=tuple(arguments.assurance), acr=tuple(arguments.acr), max_age_minutes=arguments.max_age)
    except ValidationError as error:
        raise FabricError(AGE_WITHOUT_ACR()) from error


def add(settings: Settings, _path: Path, arguments: argparse.Namespace) -> int:
    """Give somebody a role."""
    change = AddPerson(project=arguments.name, user=arguments.user, role=arguments.role)
    return _change(settings, arguments, change, _("{user} is in project {project} now, in the role {role}."))


def remove(settings: Settings, _path: Path, arguments: argparse.Namespace) -> int:
    """Take a role from somebody, or all of them."""
    change = RemovePerson(project=arguments.name, user=arguments.user, role=arguments.role)
    said = (
        _("{user} has no longer the role {role} in project {project}.")
        if arguments.role
        else _("{user} is no longer in project {project}.")
    )
    return _change(settings, arguments, change, said)


def budget(settings: Settings, _path: Path, arguments: argparse.Namespace) -> int:
    """Set the GPU-hours."""
    change = SetBudget(project=arguments.name, gpu_hours=arguments.hours)
    said = (
        _("Project {project} has no budget of its own.")
        if arguments.hours is None
        else _("The budget of project {project} is {budget} GPU-hours.")
    )
    return _change(settings, arguments, change, said)


def dates(settings: Settings, _path: Path, arguments: argparse.Namespace) -> int:
    """Set the first and the last day."""
    with opened(settings) as at:
        project = _known(at, settings, arguments.name)
        start = project.start if arguments.start is ... else arguments.start
        end = project.end if arguments.end is ... else arguments.end
        change = SetDates(project=arguments.name, start=start, end=end)
        return _changed(at, settings, arguments, change, _("Sessions start in project {project} {days}."))


def pause(settings: Settings, _path: Path, arguments: argparse.Namespace) -> int:
    """Start nothing for now."""
    change = Pause(project=arguments.name, why=arguments.why)
    return _change(settings, arguments, change, _("Project {project} is paused: nothing starts in it."))


def resume(settings: Settings, _path: Path, arguments: argparse.Namespace) -> int:
    """Let it go on."""
    return _change(settings, arguments, Resume(project=arguments.name), _("Project {project} goes on."))


def _change(settings: Settings, arguments: argparse.Namespace, change: Change, said: str) -> int:
    with opened(settings) as at:
        return _changed(at, settings, arguments, change, said)


def _changed(at: CatalogueAdmin, settings: Settings, arguments: argparse.Namespace, change: Change, said: str) -> int:
    done = at.change_project(change)
    kept = at.store.projects.kept(change.project)
    assert kept is not None
    if arguments.json:
        _print_json(_of_kept(kept))
        return 0
    project = kept.project
    about = {
        "project": kept.name,
        "account": project.account,
        "budget": _hours(project.budget_gpu_hours),
        "days": _days(project),
        "user": login_name(getattr(change, "user", ""), settings.login.keep_case),
        "role": getattr(change, "role", ""),
    }
    print(said.format(**about) if done else _("Nothing new for project {project}.").format(**about))
    return 0


def take_over(settings: Settings, path: Path, arguments: argparse.Namespace) -> int:
    """Keep projects of the site's file, and say which lines of it are to be removed then."""
    names = arguments.names or tuple(settings.project)
    if not names:
        raise FabricError(texts.NONE_IN_FILE())
    text = path.read_text(encoding="utf-8")
    places = {name: lines_of(text, name) for name in names}
    with opened(settings) as at:
        taken = [name for name in names if arguments.names or at.store.projects.kept(name) is None]
        for name in taken:
            at.import_project(name)
    if arguments.json:
        _print_json([{"name": name, "file": str(path), "lines": places[name]} for name in taken])
        return 0
    n = len(taken)
    print(ngettext("{n} project is kept from now on.", "{n} projects are kept from now on.", n).format(n=n))
    print(_("What {path} says of a project wins until it is removed there. Lines to remove:").format(path=path))
    print("\n".join(table([(name, _ranges(places[name])) for name in names])))
    return 0


def lines_of(text: str, name: str) -> list[tuple[int, int]]:
    """The first and last lines of the tables of a project in a site's file. Pure."""
    found: list[tuple[int, int]] = []
    begun = 0
    header = re.compile(rf"""\s*\[\s*project\s*\.\s*["']?{re.escape(name)}["']?\s*[\].]""")
    lines = text.splitlines()
    for at, line in enumerate([*lines, "["], 1):
        if not line.lstrip().startswith("["):
            continue
        if begun:
            last = at - 1
            while not lines[last - 1].strip() or lines[last - 1].lstrip().startswith("#"):
                last -= 1  # what stands above the next table is that one's
            found.append((begun, last))
        begun = at if header.match(line) else 0
    return found


def _ranges(places: Iterable[tuple[int, int]]) -> str:
    found = [str(first) if first == last else f"{first}-{last}" for first, last in places]
    return ", ".join(found) or _("look for project.NAME")


# -- looking


def show_all(settings: Settings, _path: Path, arguments: argparse.Namespace) -> int:
    """All projects."""
    with opened(settings) as at:
        found = at.store.projects.over(settings).project
    if arguments.json:
        _print_json([_plain(name, project, kept=name not in settings.project) for name, project in found.items()])
    elif not found:
        print(_("There are no projects. Start with: fabric-hub projects create NAME --title TEXT --owner USER"))
    else:
        head = (_("name"), _("kept by"), _("state"), _("people"), _("budget"), _("last day"), _("title"))
        rows = [
            (
                name,
                _("site's file") if name in settings.project else _("catalogue"),
                _state(project),
                str(len(people(project)) + len(set(project.members.visitor) - set(people(project)))),
                _hours(project.budget_gpu_hours),
                str(project.end or "-"),
                project.title,
            )
            for name, project in found.items()
        ]
        print("\n".join(escaped(line) for line in table([head, *rows])))
    return 0


def show_one(settings: Settings, _path: Path, arguments: argparse.Namespace) -> int:
    """One project."""
    with opened(settings) as at:
        project = _known(at, settings, arguments.name)
        kept = None if arguments.name in settings.project else at.store.projects.kept(arguments.name)
    if arguments.json:
        _print_json(_of_kept(kept) if kept else _plain(arguments.name, project, kept=False))
        return 0
    source = _("the catalogue service keeps it") if kept else _("of the site's file")
    lines = [
        (_("name"), f"{arguments.name} ({_state(project)}, {source})"),
        (_("title"), project.title),
        (_("kind"), project.kind),
        (_("data"), project.data),
        (_("organisation"), project.organisation),
        (_("sector"), project.sector),
        (_("account"), project.account),
        (_("budget"), _hours(project.budget_gpu_hours)),
        (_("days"), _days(project)),
        (_("profiles"), ", ".join(project.profiles)),
        (_("images"), ", ".join(project.images)),
    ]
    if kept:
        made = _("{when}, by {by}").format(when=_moment(kept.created_at), by=kept.created_by)
        lines += [(_("made"), made)]
        lines += [
            (one.role, _("{user}, since {when}, by {by}").format(user=one.user, when=_moment(one.since), by=one.by))
            for one in kept.people
        ]
    else:
        lines += [(role, ", ".join(users)) for role, users in project.members]
    print("\n".join(escaped(labelled(label, text)) for label, text in lines if text))  # with words of its people
    return 0


def _known(at: CatalogueAdmin, settings: Settings, name: str) -> Project:
    found = at.store.projects.over(settings).project.get(name)
    if found is None:
        raise FabricError(texts.NO_SUCH_PROJECT(project=name))
    return found


def _plain(name: str, project: Project, *, kept: bool) -> dict[str, Any]:
    return {"name": name, "kept": kept, **project.model_dump(mode="json")}


def _of_kept(kept: KeptProject) -> dict[str, Any]:
    beside = kept.model_dump(mode="json", exclude={"name", "project"})
    return {**_plain(kept.name, kept.project, kept=True), **beside}


def _state(project: Project) -> str:
    told = closed(project, date.today())  # noqa: DTZ011 - a project's days are days of this site
    return told.say() if told else _("open")


def _hours(hours: float | None) -> str:
    return "-" if hours is None else number(hours)


def _days(project: Project) -> str:
    if project.start and project.end:
        return _("from {start} to {end}").format(start=project.start, end=project.end)
    if project.start:
        return _("from {start} on").format(start=project.start)
    return _("until {end}").format(end=project.end) if project.end else _("on any day")


def _moment(at: float) -> str:
    return f"{datetime.fromtimestamp(at).astimezone():%Y-%m-%d %H:%M}"


def _print_json(content: object) -> None:
    print(json.dumps(content, indent=2), flush=True)


WORK = {
    "create": create,
    "list": show_all,
    "show": show_one,
    "describe": describe,
    "add": add,
    "remove": remove,
    "budget": budget,
    "dates": dates,
    "pause": pause,
    "resume": resume,
    "import": take_over,
    **project_invitations.WORK,
}
