"""The start form: what this user may start, and what would happen now."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ..accounts import runs_local_sessions
from ..clock import clock
from ..projects.offer import offer

TEMPLATES = Path(__file__).parent / "templates"


async def render_form(spawner: Any) -> str:
    """The form's HTML for a FabricSpawner's user; every text in it is escaped."""
    shared = spawner.shared
    snapshot = await shared.current_snapshot() if shared.settings.slurm else None
    today = datetime.now().astimezone().date()
    local = runs_local_sessions(shared.settings.users)
    data = offer(shared.settings, spawner.user.name, snapshot, today, local=local).model_dump()
    since = data["silent_since"]
    silent = f"Slurm has not answered since {clock(since)}. {data['problem']}" if since else ""
    base = urlsplit(shared.settings.hub.bind_url).path.rstrip("/")
    return render({**data, "base": base, "server_name": spawner.name, "silent": silent})


def render(data: dict[str, Any]) -> str:
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("start_form.html").render(data)
