"""The start form: what this user may start, and what would happen now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from fabric_hub.config.settings import Settings
from fabric_hub.hub.spawner.limits import refused_now
from fabric_hub.launch.choice import as_built
from fabric_hub.launch.dataset_offer import for_form
from fabric_hub.launch.job_spec import gpu_name
from fabric_hub.launch.offer import Offer, offer
from fabric_hub.launch.options import UserOptions
from fabric_hub.messages.text import Text
from fabric_hub.slurm.reasons import silence
from fabric_hub.unix.accounts import runs_local_sessions

from .sentences import Sentences
from .sessions import badge

TEMPLATES = Path(__file__).parent.parent / "templates"


async def render_form(spawner: Any) -> str:
    """The form's HTML for a FabricSpawner's user; every text in it is escaped."""
    shared = spawner.shared
    snapshot = await shared.current_snapshot() if shared.settings.slurm else None
    today = datetime.now().astimezone().date()
    local = runs_local_sessions(shared.settings.users)
    user = spawner.user.name
    req = spawner.site_request()
    offered = offer(as_built(shared.settings), user, snapshot, today, local=local, req=req)
    shared.limits.follow()
    refused = refused_now(shared.settings, user, offered.projects, shared.limits.value, snapshot, req)
    data = for_people(shared.settings, offered, refused, local=local)
    projects = [project["name"] for project in data["projects"]]
    data["datasets"] = for_form(shared.settings, await shared.datasets(), user, projects, today).model_dump()
    told = {"base": shared.settings.hub.pages_url, "server_name": spawner.name, "silent": silence(snapshot).say()}
    return render({**data, **told, "chosen": spawner.chosen})


def for_people(settings: Settings, offered: Offer, refused: Mapping[str, Text], *, local: bool) -> dict[str, Any]:
    """An offer as the form's data, without profiles that this hub can offer to nobody. Pure.

    :param refused: why a profile would be refused now, by profile; it can be chosen all the same, and tells more then.
    :param local: whether this hub can run sessions on its own machine.
    """
    data = offered.model_dump()
    for project in data["projects"]:
        project["badge"] = badge(project["kind"])
    for gpu in data["gpus"]:
        gpu["name"] = gpu_name(gpu["type"])
    for profile in data["profiles"]:
        if not profile["never"]:
            why = refused.get(profile["name"])
            profile["state"] = why.say() if why else profile["state"]
    if not local:
        here = {name for name, profile in settings.profile.items() if profile.kind == "local"}
        data["profiles"] = [profile for profile in data["profiles"] if profile["name"] not in here]
        for project in data["projects"]:
            project["profiles"] = [name for name in project["profiles"] if name not in here]
    return data


def render(data: dict[str, Any]) -> str:
    data = {"chosen": UserOptions(), **data}
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, extensions=[Sentences]
    )
    return environment.get_template("start_form.html").render(data)
