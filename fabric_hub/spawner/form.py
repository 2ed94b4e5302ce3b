"""The start form: what this user may start, and what would happen now."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ..accounts import runs_local_sessions
from ..clock import clock
from ..projects.dataset_offer import for_form
from ..projects.offer import Offer, offer
from ..settings import Settings

TEMPLATES = Path(__file__).parent / "templates"


async def render_form(spawner: Any) -> str:
    """The form's HTML for a FabricSpawner's user; every text in it is escaped."""
    shared = spawner.shared
    snapshot = await shared.current_snapshot() if shared.settings.slurm else None
    today = datetime.now().astimezone().date()
    local = runs_local_sessions(shared.settings.users)
    user = spawner.user.name
    data = for_people(shared.settings, offer(shared.settings, user, snapshot, today, local=local), local=local)
    projects = [project["name"] for project in data["projects"]]
    data["datasets"] = for_form(shared.settings, await shared.datasets(), user, projects, today).model_dump()
    since = data["silent_since"]
    silent = f"Slurm has not answered since {clock(since)}. {data['problem']}" if since else ""
    return render({**data, "base": shared.settings.hub.pages_url, "server_name": spawner.name, "silent": silent})


def for_people(settings: Settings, offered: Offer, *, local: bool) -> dict[str, Any]:
    """An offer as the form's data, without profiles that this hub can offer to nobody. Pure.

    :param local: whether this hub can run sessions on its own machine.
    """
    data = offered.model_dump()
    if not local:
        here = {name for name, profile in settings.profile.items() if profile.kind == "local"}
        data["profiles"] = [profile for profile in data["profiles"] if profile["name"] not in here]
        for project in data["projects"]:
            project["profiles"] = [name for name in project["profiles"] if name not in here]
    return data


def render(data: dict[str, Any]) -> str:
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("start_form.html").render(data)
