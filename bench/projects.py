"""``projects``: a thousand projects of five thousand people. How long their pages take, what it costs Slurm that
nothing has changed, and what a login costs beside that of a plain GenericOAuthenticator.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import pwd
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path

import httpx

from fabric_dev.instance import layout_of
from fabric_hub.budgets.history import History, UsageRow
from fabric_hub.catalogue.database import open_catalogue
from fabric_hub.catalogue.publish import publish_projects
from fabric_hub.catalogue.store import CatalogueStore
from fabric_hub.config.settings import Members, Project, Settings
from fabric_hub.gateway.api import Health
from fabric_hub.gateway.client import GatewayClient
from fabric_hub.gateway.projects.answers import ApplyBody
from fabric_hub.projects.document import FORMAT, as_json
from fabric_hub.projects.live import projects_file
from fabric_hub.projects.membership import people
from tests.support.catalogue_thread import settings_of
from tests.support.embedded_run import EmbeddedRun
from tests.support.person import Person
from tests.support.small_site import SmallSite
from tests.support.waiting import until, until_async

from . import logins, ours
from .figures import Result, Row, median_row, percentile

AIM_MS, AIM_CALLS, AIM_LOGIN = 100.0, 5.0, 1.3
OWNER, OPERATOR = "person01", "admin"  # who have a password on the small site
# Each page is opened so often, one after the other.
LOOKS = 200
_DAYS = 28
# How long the gateway may take to have read them.
_FOLLOWED_S = 300.0


def crowd(projects: int, persons: int) -> dict[str, Project]:
    """So many projects; everybody is in two of them, and ``OWNER`` owns two more. Pure."""
    each = max(1, 2 * persons // projects)
    made = {}
    for number in range(projects):
        first, *others = (f"p{(number * each + one) % persons:05}" for one in range(each))
        made[f"project-{number:04}"] = Project(
            title=f"Project number {number}",
            account=f"fh-project-{number:04}",
            members=Members(owner=(first, OWNER) if number in (1, 2) else (first,), member=tuple(others)),
            budget_gpu_hours=100 + number,
        )
    return made


def used(projects: dict[str, Project], today: date) -> dict[date, list[UsageRow]]:
    """What everybody used in each project on each of the last 28 days. Pure."""
    return {
        day: [
            UsageRow(
                day=day, project=name, account=project.account, user=user, profile="gpu-1", gpu_hours=0.1, cpu_hours=1,
                jobs=1,
            )
            for name, project in projects.items()
            for user in people(project)
        ]
        for day in (today - timedelta(days=age) for age in range(_DAYS))
    }  # fmt: skip


def keep(settings: Settings, projects: dict[str, Project]) -> None:
    """Have the catalogue service's database keep projects, and publish them."""
    assert settings.catalogue
    with closing(CatalogueStore(open_catalogue(settings.catalogue))) as store:
        for name, project in projects.items():
            store.projects.take_over(name, project, "bench", lambda _entries: None)
        publish_projects(settings.catalogue, store.projects)


def opened(person: Person, path: str, contains: str, times: int) -> list[float]:
    """Open a page so often; how long each took, in seconds.

    :raises RuntimeError: it is not that page.
    """
    took = []
    for _ in range(times):
        began = time.monotonic()
        answer = person.browser.get(path)
        took.append(time.monotonic() - began)
        if answer.status_code != httpx.codes.OK or contains not in answer.text:
            raise RuntimeError(f"{path}: {answer.status_code}, {answer.text[:300]}")
    return took


def looked_at(projects: dict[str, Project]) -> dict[str, list[float]]:
    """How long the pages of projects take on a hub that has all of them on record."""
    name = "project-0001"
    title = projects[name].title
    with tempfile.TemporaryDirectory(prefix="fabric-bench-", dir="/tmp") as place:
        directory = Path(place)
        account = pwd.getpwuid(os.getuid()).pw_name
        with SmallSite(
            directory / "site", catalogue={**settings_of(directory), "account": account},
            quotas={"shown_of_people": "named"},
        ) as site:  # fmt: skip
            keep(site.settings, projects)
            history = History(site.store.engine)
            for day, rows in used(projects, datetime.now().astimezone().date()).items():
                history.replace(day, rows, time.time())
            owner, operator = (site.person(who).log_in() for who in (OWNER, OPERATOR))
            paths = {
                "My projects": (owner, "/hub/projects", title),
                "a project's page": (owner, f"/hub/projects/{name}", title),
                "the operators' list": (operator, "/hub/operate/projects", title),
                "the operators' page of one": (operator, f"/hub/operate/projects/{name}", title),
            }
            until(lambda: title in operator.browser.get("/hub/operate/projects").text, "the hub knows the projects", 60)
            for who, path, contains in paths.values():
                opened(who, path, contains, 5)
            return {shown: opened(*asked, LOOKS) for shown, asked in paths.items()}


def in_slurm(projects: dict[str, Project], users: list[str]) -> dict[str, Project]:
    """The same projects, each of five of the run's users, who have accounts on the machine. Pure."""
    made = {}
    for number, (name, project) in enumerate(projects.items()):
        owner, *others = (users[(number + one) % len(users)] for one in range(min(5, len(users))))
        made[name] = project.model_copy(update={"members": Members(owner=(owner,), member=tuple(others))})
    return made


def dump(cluster: str, parent: str, projects: dict[str, Project], unix_name: Callable[[str], str]) -> str:
    """What ``sacctmgr load`` makes accounts and associations of. Pure."""
    lines = [f"Cluster - '{cluster}'", "Parent - 'root'", f"Account - '{parent}'", f"Parent - '{parent}'"]
    for project in projects.values():
        minutes = round((project.budget_gpu_hours or 0) * 60)
        lines.append(f"Account - '{project.account}':Description='bench':GrpTRESMins=gres/gpu={minutes}")
    for project in projects.values():
        lines.append(f"Parent - '{project.account}'")
        lines += [f"User - '{unix_name(user)}'" for user in people(project)]
    return "\n".join([*lines, ""])


async def reconciled(run: EmbeddedRun, projects: dict[str, Project]) -> tuple[Health, list[float]]:
    """Publish projects whose accounts Slurm has already; have the gateway look a few times whether there is anything to
    be done.

    :returns: its word of its last round; how long each took, the site's own rate of questions included.
    """
    assert run.settings.catalogue
    parent = run.settings.slurm.parent_account if run.settings.slurm else None
    assert parent
    projects = in_slurm(projects, list(ours.people()))
    listed = layout_of(run.directory).root / "accounts.cfg"
    listed.write_text(dump("fabric", parent, projects, run.unix_name))
    await asyncio.to_thread(run.slurm, "sacctmgr", "--immediate", "--quiet", "load", f"file={listed}")
    path = projects_file(run.settings.catalogue)
    serial = json.loads(path.read_text())["serial"] + 1000
    draft = path.with_suffix(".draft")
    kept = {name: as_json(project) for name, project in projects.items()}
    draft.write_text(json.dumps({"format": FORMAT, "serial": serial, "projects": kept}))
    owner = path.parent.stat()
    os.chown(draft, owner.st_uid, owner.st_gid)
    draft.chmod(0o640)
    draft.replace(path)
    async with GatewayClient(run.settings.gateway.socket) as gateway:

        async def followed() -> bool:
            told = (await gateway.health()).projects
            return told is not None and told.serial == serial

        await until_async(followed, "the gateway has read the projects", _FOLLOWED_S, 0.5)
        later = []
        for _ in range(5):
            began = time.monotonic()
            done = await gateway.projects_apply(ApplyBody())
            later.append(time.monotonic() - began)
            if done.done or done.left or done.problems:
                raise RuntimeError(f"something was to be done: {(done.done + done.left)[:3]}, {done.problems[:3]}")
        return await gateway.health(), later


async def run(arguments: argparse.Namespace, images: Path, _environment: Path) -> Result:
    """Run the benchmark.

    :param arguments: ``projects``, ``people`` and ``logins``.
    """
    projects = crowd(arguments.projects, arguments.people)
    pages = await asyncio.to_thread(looked_at, projects)
    print("  pages opened", flush=True)
    login = await asyncio.to_thread(logins.compared, arguments.logins)
    print("  logged in", flush=True)
    async with ours.running(images) as embedded:
        with embedded.silent("catalogue"):  # this publishes in its place
            health, later = await reconciled(embedded, projects)
    assert health.projects is not None
    calls = float(health.projects.calls)
    rows = [median_row("a login, the hub's part", "ms", login.ours_ms, login.peer_ms, AIM_LOGIN)]
    for name, took in pages.items():
        rows += [
            Row(f"{name}, p99", "ms", percentile(took, 99) * 1000, None, aim=AIM_MS, of="ours"),
            Row("  p50", "ms", percentile(took, 50) * 1000, None),
        ]
    rows += [
        Row("calls to Slurm of a round without a change", "", calls, None, aim=AIM_CALLS, of="ours"),
        median_row("  how long it takes", "s", later, ()),
    ]
    return Result(
        "projects",
        tuple(rows),
        (
            f"{len(projects)} projects, {arguments.people} people, use of {_DAYS} days on record.",
            f"Each page is opened {LOOKS} times, one after the other, by one person.",
            f"{len(login.ours_ms)} first logins each, in turns, at one provider; its own pages are not in the time.",
        ),
    )
