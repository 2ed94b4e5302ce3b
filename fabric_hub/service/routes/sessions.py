"""Sessions: they announce that they listen, read what is known of them, and people read what they may start."""

import logging
import time
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.launch.choice import as_built
from fabric_hub.launch.offer import Offer, offer
from fabric_hub.messages.reader import current
from fabric_hub.messages.texts import service as texts
from fabric_hub.notices.model import DAY_S, Kept
from fabric_hub.service.budget_service import finite
from fabric_hub.service.deps import Context, SessionCaller, TokenCaller
from fabric_hub.sessions.announcements import Announcement, AnnouncementLevel
from fabric_hub.sessions.notify import notify, notify_path
from fabric_hub.sessions.status import standing
from fabric_hub.sessions.stops import Stop, soonest
from fabric_hub.sessions.store import Session
from fabric_hub.slurm.model import Snapshot
from fabric_hub.types import Frozen, WholeNumber

log = logging.getLogger(__name__)

PhaseSeconds = Annotated[float, Field(ge=0, le=86400, allow_inf_nan=False, strict=True)]

router = APIRouter()


class Ready(Frozen):
    """A session's announcement: it listens on this port of its own node.

    ``phases`` are seconds since its launcher began, by name.
    """

    port: WholeNumber = Field(ge=1024, le=65535)
    phases: dict[Annotated[str, Field(pattern=r"^[a-z]{1,20}$")], PhaseSeconds] = Field(
        default={}, max_length=10, json_schema_extra={"additionalProperties": False}
    )


class SessionSite(Frozen):
    """Whose hub a session is of, and where people find help; "" where the site names none.

    ``welcome``: a person's first session opens a notebook that shows around.
    """

    name: str
    help_url: str
    docs_url: str
    support_email: str
    welcome: bool


# So long a session shows what its person was told and has not read.
NEWS_S = DAY_S


class SessionAnnouncement(Frozen):
    """What an operator announces until ``ends_at``, in the reader's language where it was written in that; or what the
    session's person was told and has not read."""

    id: str
    level: AnnouncementLevel
    text: str
    ends_at: float


class SessionInfo(Frozen):
    """A session as its own server may know it. Times are Unix seconds; ``gpus`` is what was asked for.

    ``stop_at`` is when an operator ends it; null: nobody does.
    """

    session: str
    user: str
    project: str
    project_title: str
    project_kind: str
    account: str
    profile: str
    image: str
    hours: float
    phase: str
    job_id: int | None
    node: str | None
    started_at: float | None
    ends_at: float | None
    stop_at: float | None = None
    gpus: int
    snapshot_age_s: float | None
    slurm_unavailable_since: float | None
    site: SessionSite
    announcements: tuple[SessionAnnouncement, ...] = ()


@router.post("/session/ready", status_code=204)
async def ready(announcement: Ready, session: SessionCaller, context: Context) -> None:
    """A session says that its server listens. Only for itself, and only a port: the node is Slurm's word."""
    if not context.store.announce(session.id, announcement.port, dict(announcement.phases)):
        raise FabricError(texts.OTHER_PORT(session=session.id))
    await _tell_pair(session, context)
    heard = await notify(notify_path(context.settings), session.id)
    log.info("Session %s listens on port %s%s", session.id, announcement.port, "" if heard else " (no hub heard)")


@router.post("/session/begin", status_code=204)
async def begin(session: SessionCaller, context: Context) -> None:
    """The script of a session's job asks whether it may begin. Only for itself, before it runs anything of a person's.

    Of two sessions that wait for one place, the first that asks goes on; the other one is over with that. Asking again
    says the same.
    """
    if not context.store.begin(session.id):
        raise FabricError(texts.SESSION_OVER())
    await _tell_pair(session, context)
    log.info("Session %s begins", session.id)


async def _tell_pair(session: Session, context: Context) -> None:
    """The hub hears at once that the other session of a pair is over; it ends its job."""
    if session.paired_with is not None and session.began_at is None:
        await notify(notify_path(context.settings), session.paired_with)


@router.get("/session")
async def session_info(session: SessionCaller, context: Context) -> SessionInfo:
    """The caller's own session: project, job, node, and when it ends."""
    stop, now = context.stops.of([session.id]).get(session.id), time.time()
    told = describe(context.settings, session, await context.latest(), now, stop)
    shown = announced(context.announcements.standing(now, session.user))
    news = as_announced(context.notices.news(session.user, now - NEWS_S))
    return told.model_copy(update={"announcements": shown + news})


@router.get("/offer")
async def offered(who: TokenCaller, context: Context) -> Offer:
    """What the caller may start, as the start form shows it."""
    today = datetime.now().astimezone().date()
    built = as_built(context.settings)
    return offer(built, who["name"], await context.latest(), today, local=context.local)


def announced(standing: Iterable[Announcement]) -> tuple[SessionAnnouncement, ...]:
    """What stands, for whoever reads it. Pure."""
    language = current().language
    return tuple(
        SessionAnnouncement(id=one.id, level=one.level, text=one.said(language)[1], ends_at=one.ends_at)
        for one in standing
    )


def as_announced(news: Iterable[Kept]) -> tuple[SessionAnnouncement, ...]:
    """What a person was told and has not read, as their session shows it: for a day. Pure."""
    return tuple(
        SessionAnnouncement(
            id=f"notice-{one.key[:12]}",
            level=AnnouncementLevel.INFO,
            text=one.text.say(),
            ends_at=one.created_at + NEWS_S,
        )
        for one in news
    )


def describe(
    settings: Settings, session: Session, snapshot: Snapshot | None, now: float, stop: Stop | None = None
) -> SessionInfo:
    """A session with what the snapshot says of its job, and the operator's order that stands for it. Pure."""
    project = settings.project.get(session.project)
    job = standing(session, snapshot).job
    started = job.started_at if job and job.phase == "running" else None
    return SessionInfo(
        session=session.id,
        user=session.user,
        project=session.project,
        project_title=(project.title if project else "") or session.project,
        project_kind=project.kind if project else "research",
        account=session.account,
        profile=session.profile,
        image=session.image,
        hours=session.hours,
        phase=job.phase.value if job else ("running" if session.port else "queued"),
        job_id=session.job_id,
        node=(job.node if job else None) or session.node,
        started_at=started,
        ends_at=soonest(snapshot.end_of(job) if snapshot and job else None, stop),
        stop_at=stop.due_at if stop else None,
        gpus=session.gpus,
        snapshot_age_s=finite(snapshot.age_s) if snapshot else None,
        slurm_unavailable_since=snapshot.unavailable_since if snapshot else None,
        site=SessionSite.model_validate(settings.site.model_dump(include=set(SessionSite.model_fields))),
    )
