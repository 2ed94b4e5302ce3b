"""The start form: what this user may start, and what would happen now."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ..accounts import runs_local_sessions
from ..clock import clock
from ..projects.dataset_offer import for_form
from ..projects.offer import offer

TEMPLATES = Path(__file__).parent / "templates"


async def render_form(spawner: Any) -> str:
    """The form's HTML for a FabricSpawner's user; every text in it is escaped."""
    shared = spawner.shared
    snapshot = await shared.current_snapshot() if shared.settings.slurm else None
    today = datetime.now().astimezone().date()
    local = runs_local_sessions(shared.settings.users)
    user = spawner.user.name
    data = offer(shared.settings, user, snapshot, today, local=local).model_dump()
    projects = [project["name"] for project in data["projects"]]
    data["datasets"] = for_form(shared.settings, await shared.datasets(), user, projects, today).model_dump()
    since = data["silent_since"]
    silent = f"Slurm has not answered since {clock(since)}. {data['problem']}" if since else ""
    return render({**data, "base": shared.settings.hub.pages_url, "server_name": spawner.name, "silent": silent})


def render(data: dict[str, Any]) -> str:
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("start_form.html").render(data)
