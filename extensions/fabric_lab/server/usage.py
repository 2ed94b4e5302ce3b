"""``<base>/fabric/quota``, ``readings``, ``continue``, ``extend``, ``active``, ``unsaved``: use and time, for tabs.

The hub's service is asked once for all tabs; GPUs and the job's memory are read on this node.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from typing import TYPE_CHECKING, Any, cast

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado.web import HTTPError, authenticated

from .. import access, answers
from ..client import Answer, AsyncHubClient
from ..common import facts, job_usage
from ..common.gpu import Gpus
from ..schema import SessionQuota
from .activity import Activity
from .base import FabricHandler, Kept
from .ending import Ending
from .kernel_deaths import KernelDeaths
from .readings import JobMeter, Readout, here
from .reporter import Reporter
from .unsaved import Unsaved, told

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

KEEP_S = 30.0
# The person's first page and first kernel come before anything of this.
AFTER_READY_S = 5.0
MOST_REOPENED = 50
# How often the hub is asked when this session ends: a time of grace is seldom less than a minute.
END_LOOK_S = 20.0
# How long it may take until the hub has heard from Slurm of a new end; it asks every few seconds.
HEARD_S, LOOK_S = 60.0, 1.0
# Slurm counts in whole minutes.
SAME_S = 60.0


def session_end(answer: Answer) -> float | None:
    """When the session ends, as the service says."""
    time_left = (answer.body or {}).get("time")
    ends_at = time_left.get("ends_at") if isinstance(time_left, dict) else None
    return float(ends_at) if isinstance(ends_at, int | float) else None


def urgent(body: dict[str, Any]) -> tuple[object, object]:
    """What tabs hear of at once, of what the service says of the session: an operator's order, and announcements."""
    return body.get("stop_at"), body.get("announcements") or []


class Usage:
    """What the handlers share; ``facts`` is what they are told of the session itself."""

    def __init__(self, service: AsyncHubClient, say: Any, facts: Kept) -> None:
        self.service, self.facts = service, facts
        self.quota = Kept(service, "/quota", KEEP_S)
        self.gpus = Gpus(os.environ)
        self.ending = Ending(say)
        self.activity = Activity(changed=self._news)
        self.unsaved = Unsaved(self._news)
        self.reporter = Reporter(
            service, self.activity, self.gpus, self.ending.notify, unsaved=lambda: self.unsaved.count
        )
        self.meter = JobMeter(os.environ, here(os.environ))
        self.readout = Readout(self.gpus, self.meter)
        self.deaths = KernelDeaths(self.meter.where, self._memory_limit, self.ending.notify)

    def _memory_limit(self) -> int | None:
        return job_usage.memory(self.meter.where)[1] or self.meter.asked.memory

    def _news(self) -> None:
        self.reporter.news()

    def extended(self, ends_at: object) -> None:
        """The session has more time: tell the tabs as soon as the hub knows of it too."""
        self.ending.since = None
        if isinstance(ends_at, int | float):
            self._hearing = asyncio.get_running_loop().create_task(self._until_heard(float(ends_at)))
        else:
            self.ending.notify()

    async def _until_heard(self, ends_at: float) -> None:
        until = time.monotonic() + HEARD_S
        while time.monotonic() < until:
            self.quota.forget()
            known_end = session_end(await self.quota.get())
            if known_end is not None and known_end > ends_at - SAME_S:
                break
            await asyncio.sleep(LOOK_S)
        self.ending.notify()

    def begin(self, server: ServerApp) -> None:
        """Once the server is ready: follow what happens in it, and report."""
        terminals = server.web_app.settings.get("terminal_manager")
        self.activity.watch(server.kernel_manager, terminals, server.event_logger)
        loop = asyncio.get_running_loop()
        self._task = loop.create_task(self.reporter.run())
        self._end_task = loop.create_task(self._follow_end())
        self._readings_task = loop.create_task(self.readout.run())
        self._deaths_task = loop.create_task(self.deaths.run())

    async def _follow_end(self) -> None:
        """An end that comes nearer, also while nobody looks: a preemption that Slurm has announced, or an operator's
        order, of which tabs hear at once, as of what operators announce."""
        known = urgent({})
        while True:
            body = (await self.service.ask()).body
            ends_at = facts.combine(os.environ, body)["ends_at"]
            if body is not None:
                self.quota.forget()  # tabs that are told now ask for what is so now
                if (now := urgent(body)) != known:
                    known = now
                    self.facts.forget()
                    self.ending.notify()
                self.ending.known(ends_at, time.time())
            await asyncio.sleep(END_LOOK_S)


class UsageHandler(FabricHandler):
    """What the handlers below share."""

    def initialize(self, usage: Usage) -> None:
        self.usage = usage


class QuotaHandler(UsageHandler):
    """GET: :class:`..answers.Usage`."""

    @authenticated
    @authorized
    async def get(self) -> None:
        answer = await self.usage.quota.get()
        time_left = (self.usage.quota.last or {}).get("time")
        self.respond(
            answers.Usage(
                quota=cast("SessionQuota | None", answer.body),
                problem=answer.problem,
                ends_at=facts.combine(os.environ, time_left if isinstance(time_left, dict) else None)["ends_at"],
                ending_since=self.usage.ending.since,
                idle=self.usage.reporter.decision,
                killed=[*self.usage.deaths.known],
            )
        )


class ReadingsHandler(UsageHandler):
    """GET: :class:`..answers.Readings`, read now."""

    @authenticated
    @authorized
    async def get(self) -> None:
        self.respond(await self.usage.readout.answer())


class ContinueHandler(UsageHandler):
    """POST ``{"reopen": [paths], "end_this": bool}``: start the session that follows this one. GET: how that fares."""

    @authenticated
    @authorized
    async def get(self) -> None:
        self.pass_on(await self.usage.service.ask("/continue"))

    @authenticated
    @authorized
    async def post(self) -> None:
        body = self.body(optional=True)
        wish = {"reopen": plain_paths(body.get("reopen")), "end_this": body.get("end_this") is True}
        self.pass_on(await self.usage.service.ask("/continue", "POST", wish))


class EndContinuedHandler(UsageHandler):
    """POST: end this session, whose successor is ready."""

    @authenticated
    @authorized
    async def post(self) -> None:
        self.pass_on(await self.usage.service.ask("/continue/end", "POST", {}))


class ExtendHandler(UsageHandler):
    """POST ``{"minutes": N}``: ask for more time."""

    @authenticated
    @authorized
    async def post(self) -> None:
        answer = await self.usage.service.ask("/extend", "POST", {"minutes": self.body(optional=True).get("minutes")})
        self.usage.quota.forget()  # also refused: then what was told here is not what the service knows
        if answer.body is not None:
            self.usage.extended(answer.body.get("ends_at"))
        self.pass_on(answer)


class ActiveHandler(UsageHandler):
    """POST: somebody is here; the hub hears of it at once."""

    @authenticated
    @authorized
    async def post(self) -> None:
        self.usage.activity.touch()
        await self.usage.reporter.report()
        self.respond(answers.Active(idle=self.usage.reporter.decision))


class UnsavedHandler(UsageHandler):
    """POST ``{"tab": NAME, "unsaved": [PATH, ...]}``; ``null`` in place of the paths: the tab is closed."""

    @authenticated
    @authorized
    async def post(self) -> None:
        try:
            tab, paths = told(self.body())
        except ValueError as error:
            raise HTTPError(400, str(error)) from error
        self.usage.unsaved.tell(tab, paths)
        self.respond({})


def reopened(environment: dict[str, str] | os._Environ[str]) -> list[str]:
    """The files that this session's predecessor had open: paths below where the server began, nothing else."""
    try:
        paths = json.loads(environment.get("FABRIC_REOPEN") or "[]")
    except ValueError:
        return []
    return plain_paths(paths)


def plain_paths(listed: object) -> list[str]:
    """The paths in a list that lead nowhere but below where the server began, as the service takes them."""
    paths = [path for path in listed if isinstance(path, str)] if isinstance(listed, list) else []
    plain = [path for path in paths if path.isprintable() and "\\" not in path]
    return [path for path in plain if not {"", ".", ".."} & {*path.split("/")}][:MOST_REOPENED]


def install(
    server: ServerApp, base: str, service: AsyncHubClient, facts: Kept
) -> list[tuple[str, type[APIHandler], dict[str, Any]]]:
    """Tell the page what there is, catch Slurm's signal, begin to report once the server runs.

    :param facts: what tabs are told of the session itself.
    :returns: the handlers with their addresses below ``<base>``.
    """
    usage = Usage(service, server.log.warning, facts)
    # before the first tab listens: Jupyter tells a listener of the schemas alone that were there when it came
    usage.ending.speak_through(server.event_logger)
    usage.deaths.watch(server.kernel_manager, server.session_manager, server.event_logger)
    if os.environ.get("FABRIC_SESSION_DIR"):  # a job of Slurm's; others share the process with more than a session
        usage.ending.listen(server.io_loop.asyncio_loop)  # type: ignore[attr-defined]
    server.io_loop.call_later(AFTER_READY_S, usage.begin, server)
    page = server.web_app.settings.setdefault("page_config_data", {})
    page["fabricUsage"] = "true"
    page["fabricSession"] = os.environ.get("FABRIC_SESSION", "")
    page["fabricHub"] = f"{os.environ.get('JUPYTERHUB_HOST', '')}{os.environ.get('JUPYTERHUB_BASE_URL') or '/'}hub/home"
    mine = access.token()
    if mine and page["fabricSession"]:
        ticket = access.end_ticket(mine)
        page["fabricEnded"] = f"{page['fabricHub'].removesuffix('home')}ended/{page['fabricSession']}/{ticket}"
    page["fabricReopen"] = json.dumps(reopened(os.environ) if os.environ.get("FABRIC_FOLLOWS") else [])
    shared = {"usage": usage}
    return [
        (url_path_join(base, "quota"), QuotaHandler, shared),
        (url_path_join(base, "readings"), ReadingsHandler, shared),
        (url_path_join(base, "continue"), ContinueHandler, shared),
        (url_path_join(base, "continue", "end"), EndContinuedHandler, shared),
        (url_path_join(base, "extend"), ExtendHandler, shared),
        (url_path_join(base, "active"), ActiveHandler, shared),
        (url_path_join(base, "unsaved"), UnsavedHandler, shared),
    ]
