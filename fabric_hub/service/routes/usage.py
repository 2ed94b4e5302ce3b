"""Usage, budgets and time: what a session and a person are told of them, and what a session can do about its end."""

import time
from typing import Annotated

from fastapi import APIRouter
from pydantic import BeforeValidator, Field

from fabric_hub.budgets.idle import Report
from fabric_hub.budgets.schemas import MOST_REOPENED, PersonQuota, RelativePath, SessionQuota
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import service as texts
from fabric_hub.service.budget_service import Extended
from fabric_hub.service.deps import Budgets, Context, PersonCaller, SessionCaller
from fabric_hub.service.tasks.continuation import Continued
from fabric_hub.service.tasks.idle import IdleAnswer
from fabric_hub.sessions.reports import SessionReport
from fabric_hub.types import Frozen, WholeNumber, whole

Seconds = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False, strict=True)]
Count = Annotated[int, Field(ge=0, le=10_000, strict=True), BeforeValidator(whole)]
Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False, strict=True)]

router = APIRouter()


class ContinueRequest(Frozen):
    """Which files the successor opens again: paths relative to where the session's server begins.

    ``end_this``: the caller's session ends as soon as its successor is ready. It does so by itself two minutes after
    that; whoever has saved what is open asks for it before (``/session/continue/end``).
    """

    reopen: tuple[RelativePath, ...] = Field(default=(), max_length=MOST_REOPENED)
    end_this: bool = Field(default=False, strict=True)


class ExtensionRequest(Frozen):
    minutes: WholeNumber = Field(ge=1, le=60 * 24 * 366)


class IdleReport(Frozen):
    """A session's own word: seconds since anybody did anything, whether a kernel or terminal is at work, and the
    highest use of each of its GPUs since its last report (null: it cannot be read).

    ``kernels_busy`` are the kernels that run a cell now, ``others_busy`` says whether a terminal printed or a Dask
    cluster worked since the last report, and ``unsaved`` are the documents with changes that are in no file, in all
    open tabs; null: it does not know. Its person is told before they stop it.
    """

    idle_s: Seconds
    busy: bool = Field(strict=True)
    gpu_percent: tuple[Percent, ...] | None = Field(default=None, max_length=64)
    kernels_busy: Count | None = None
    others_busy: bool | None = Field(default=None, strict=True)
    unsaved: Count | None = None


@router.get("/session/quota")
async def session_quota(session: SessionCaller, budgets: Budgets, context: Context) -> SessionQuota:
    """What the caller's project, user and file systems have left, and how long the session has. From memory."""
    return budgets.of_session(session, await context.latest(), time.time())


@router.get("/quota")
async def person_quota(user: PersonCaller, budgets: Budgets) -> PersonQuota:
    """What all projects of the caller have left."""
    return budgets.of_person(user, time.time())


@router.post("/session/continue", status_code=202)
async def continue_session(
    wish: ContinueRequest, session: SessionCaller, budgets: Budgets, context: Context
) -> Continued:
    """Start the successor of the caller's session with the same choices; asked again, tell how it fares."""
    return await budgets.continuation.start(session, wish.reopen, await context.latest(), end_this=wish.end_this)


@router.get("/session/continue")
async def continued(session: SessionCaller, budgets: Budgets, context: Context) -> Continued:
    """How the successor of the caller's session fares; 404 when it has none."""
    successor = budgets.continuation.find(session)
    if successor is None:
        raise FabricError(texts.NO_SUCCESSOR())
    return budgets.continuation.describe(successor, await context.latest())


@router.post("/session/continue/end", status_code=202)
async def end_continued(session: SessionCaller, budgets: Budgets, context: Context) -> Continued:
    """End the caller's session, whose successor is ready; 404 when it has none, 409 when that is not ready yet."""
    return budgets.continuation.end(session, await context.latest())


@router.post("/session/extend")
async def extend_session(
    wish: ExtensionRequest, session: SessionCaller, budgets: Budgets, context: Context
) -> Extended:
    """Ask Slurm for more time for the caller's own session, where the site lets it."""
    return await budgets.extend(session, wish.minutes, await context.latest())


@router.post("/session/idle")
async def report_idle(report: IdleReport, session: SessionCaller, budgets: Budgets, context: Context) -> IdleAnswer:
    """Take the session's word on how idle it is; the answer says what the profile's policy makes of it."""
    now = time.time()
    budgets.idle.keep(session, kept_of(report, now))
    said = Report(idle_s=report.idle_s, busy=report.busy, gpu_percent=report.gpu_percent)
    return budgets.idle.report(session, said, await context.latest(), now)


def kept_of(report: IdleReport, now: float) -> SessionReport:
    """What of a report is shown to the session's person. Pure."""
    return SessionReport(
        at=now,
        kernels_busy=report.kernels_busy,
        others_busy=report.others_busy,
        unsaved=report.unsaved,
        gpu_percent=report.gpu_percent or None,
    )
