"""The start form: what this user may start, what it would cost, and what would happen now."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from fabric_hub.budgets.balance import balance
from fabric_hub.budgets.schemas import Balance
from fabric_hub.config.settings import Settings
from fabric_hub.hub.spawner.limits import fits_now
from fabric_hub.launch.choice import as_built, gpu_ways, no_project
from fabric_hub.launch.dataset_offer import for_form
from fabric_hub.launch.offer import Offer, offer
from fabric_hub.launch.options import UserOptions
from fabric_hub.launch.start_fit import StartFit, nearest
from fabric_hub.messages.text import NOTHING, Text, sentences
from fabric_hub.messages.texts import starts as texts
from fabric_hub.messages.texts.launch import NO_PROJECT
from fabric_hub.projects.membership import said_to
from fabric_hub.slurm.limits.model import Limits
from fabric_hub.slurm.model import Snapshot
from fabric_hub.slurm.reasons import silence
from fabric_hub.unix.accounts import runs_local_sessions

from . import machines, presets
from .sentences import Sentences
from .sessions import badge

TEMPLATES = Path(__file__).parent.parent / "templates"
_NOTHING_CHOSEN = UserOptions()
# A part of a budget that is left, below which its bar has another colour.
_LOW, _VERY_LOW = 0.2, 0.05


async def render_form(spawner: Any) -> str:
    """The form's HTML for a FabricSpawner's user; every text in it is escaped."""
    shared = spawner.shared
    settings = shared.settings
    snapshot = await shared.current_snapshot() if settings.slurm else None
    today = datetime.now().astimezone().date()
    local = runs_local_sessions(settings.users)
    user = spawner.user.name
    req = spawner.site_request()
    offered = offer(as_built(settings), user, snapshot, today, local=local, req=req)
    shared.limits.follow()
    limits = shared.limits.value
    fits = fits_now(settings, user, offered.projects, limits, snapshot, req)
    viewer = getattr(getattr(spawner.handler, "current_user", None), "name", user)
    last, again = presets.again(settings, user) if viewer == user else (UserOptions(), [])
    chosen = spawner.chosen if spawner.chosen != _NOTHING_CHOSEN else not_a_clients(settings, offered, last)
    data = for_people(settings, user, offered, fits, balances(settings, offered, limits, snapshot), local=local)
    found = machines.look(machines.offered(settings, user), snapshot, limits, req, hours=chosen.hours)
    for profile in data["profiles"]:
        profile["machine"] = found.get(profile["name"])
    projects = [project["name"] for project in data["projects"]]
    data["datasets"] = for_form(settings, await shared.datasets(), user, projects, today).model_dump()
    told = {
        "base": settings.hub.pages_url,
        "server_name": spawner.name,
        "silent": silence(snapshot).say(),
        "again": again,
        "own": viewer == user,
        "age": machines.age(snapshot) or "",
        "without": "" if offered.projects else _without(settings, user).say(),
    }
    return render({**data, **told, "chosen": chosen})


def _without(settings: Settings, user: str) -> Text:
    """Why somebody without a project reads an empty form; nothing where the form's own words say it."""
    why = no_project(settings, user)
    return NOTHING if why.code == NO_PROJECT.code else sentences(why, why.hint)


def not_a_clients(settings: Settings, offered: Offer, last: UserOptions) -> UserOptions:
    """What was chosen last, as the form may have it chosen already. A client's project is chosen anew each time by who
    has another: what is charged to it, and what data it has, nobody gets by not looking. Pure.
    """
    project = settings.project.get(last.project or "")
    others = [one for one in offered.projects if not one.closed and one.name != last.project]
    return UserOptions() if project is not None and project.kind == "client" and others else last


def balances(
    settings: Settings, offered: Offer, limits: Limits | None, snapshot: Snapshot | None
) -> dict[str, Balance]:
    """The GPU-hours of the projects that have a limit of them, by name."""
    found = {}
    for one in offered.projects:
        project = settings.project.get(one.name)
        if project is None:  # it went a moment ago
            continue
        ways = gpu_ways(settings, project)
        told = balance(limits, snapshot, project.account, now=time.time(), ways=ways) if ways else None
        if told is not None and told.left is not None:
            found[one.name] = told
    return found


def for_people(
    settings: Settings,
    user: str,
    offered: Offer,
    fits: Mapping[str, Mapping[str, StartFit]],
    left: Mapping[str, Balance],
    *,
    local: bool,
) -> dict[str, Any]:
    """An offer as the form's data, without profiles that this hub can offer to nobody. Pure.

    :param fits: what may start, and for how long, by project and profile.
    :param left: the GPU-hours of projects.
    :param local: whether this hub can run sessions on its own machine.
    """
    data = offered.model_dump()
    for project in data["projects"]:
        project["badge"] = badge(project["kind"])
        project["budget"] = _budget(left.get(project["name"]))
        project["fits"] = json.dumps(
            {
                name: _fit(settings, user, project["name"], name, fit, fits[project["name"]])
                for name, fit in fits.get(project["name"], {}).items()
            }
        )
    for profile in data["profiles"]:
        profile["rescue"] = profile["name"] == settings.quotas.rescue_profile
        of_profile = [one[profile["name"]] for one in fits.values() if profile["name"] in one]
        profile["per_hour"] = dict(of_profile[0].per_hour) if of_profile else {}
        profile["refused"] = ""
        if not profile["never"] and of_profile and not any(one.minutes for one in of_profile):
            profile["refused"] = _refused(of_profile[0]).say()
    if not local:
        here = {name for name, profile in settings.profile.items() if profile.kind == "local"}
        data["profiles"] = [profile for profile in data["profiles"] if profile["name"] not in here]
        for project in data["projects"]:
            project["profiles"] = [name for name in project["profiles"] if name not in here]
    return data


def _refused(fit: StartFit) -> Text:
    """Why not even the shortest session with a profile can start, in short."""
    assert fit.refused is not None
    return texts.NOT_NOW_BUDGET() if fit.refused.reason == "budget" else texts.NOT_NOW(why=fit.refused.message)


def _fit(
    settings: Settings, user: str, project: str, profile: str, fit: StartFit, others: Mapping[str, StartFit]
) -> dict[str, Any]:
    """What the form's script knows of a profile in a project: for how long, and what there is to say of it."""
    if fit.refused is None:
        return {"hours": fit.hours}
    if fit.minutes:
        budget = fit.refused.reason == "budget"
        return {"hours": fit.hours, "why": (texts.BUDGET_LASTS_SO_LONG() if budget else fit.refused.message).say()}
    message = said_to(user, settings.project.get(project), fit.refused.message)
    hint = nearest(settings, project, profile, settings.profile[profile].default_hours, others)
    return {"hours": 0, "why": message.say(), "nearest": hint.say()}


def _budget(found: Balance | None) -> dict[str, Any] | None:
    """The bar of a project's card; None where nothing limits its GPU-hours."""
    if found is None or found.left is None:
        return None
    whole = found.left + found.used if found.limit is None else found.limit
    part = min(1.0, found.left / whole) if whole > 0 else 0.0
    level = "danger" if part <= _VERY_LOW else "warning" if part <= _LOW else ""
    return {"left": round(found.left, 1), "of": found.limit, "part": round(part, 3), "level": level}


def render(data: dict[str, Any]) -> str:
    data = {"chosen": UserOptions(), "again": [], "own": True, "age": "", "without": "", **data}
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, extensions=[Sentences]
    )
    return environment.get_template("start_form.html").render(data)


def pages() -> list[tuple[Any, ...]]:
    """What the start page asks for beside itself, for JupyterHub's list of pages."""
    presets.forget_with_the_person()
    return [(machines.PATH, machines.Machines), (presets.PATH, presets.Presets)]
