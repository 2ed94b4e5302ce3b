"""The way of a start, up to the session on record: options, a choice, its one job, and whether that may start."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fabric_hub.datasets.model import Acceptance
from fabric_hub.errors import FabricError
from fabric_hub.launch import choice as policy
from fabric_hub.launch.choice import Choice
from fabric_hub.launch.job_spec import gpus_of, job_spec
from fabric_hub.launch.options import UserOptions
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import sessions as texts
from fabric_hub.projects.assurance import Vouched, check
from fabric_hub.sessions.pairs import refuse_too_many
from fabric_hub.sessions.store import Session
from fabric_hub.slurm.model import JobSpec

from .child import SessionChild
from .limits import refuse_over_limit
from .local_child import FabricLocalSpawner
from .runtime import HubRuntime
from .session_tokens import hash_of
from .slurm_child import FabricSlurmSpawner

log = logging.getLogger(__name__)

# Which child runs a session: by the kind of its profile.
CHILDREN: dict[str, type[SessionChild]] = {"slurm": FabricSlurmSpawner, "local": FabricLocalSpawner}


async def choose(shared: HubRuntime, user: str, wish: UserOptions) -> tuple[Choice, tuple[Acceptance, ...]]:
    """The choice that a user's options make, and the agreements to record with its start.

    :raises FabricError: the user may not start that.
    """
    today = datetime.now().astimezone().date()
    known = await shared.datasets() if wish.datasets or wish.agreements else None
    choice = policy.choose(policy.as_built(shared.settings), user, wish, today, known)
    await check_login(shared, user, choice.project)
    return choice, policy.acceptances(user, choice.project, wish, today, known)


async def check_login(shared: HubRuntime, user: str, name: str) -> None:
    """Refuse who has logged in less well than a project asks.

    :raises FabricError: what their home institution did not send.
    """
    project = shared.settings.project[name]
    if project.asks is None or not project.asks.anything:
        return
    vouched = await shared.catalogue_service.vouched(user) if shared.catalogue_service else Vouched()
    check(shared.settings, project.asks, vouched, project.title or name, time.time())


async def judge(
    shared: HubRuntime, user: str, server: str, choice: Choice, req: Mapping[str, Any], alternative_to: str = ""
) -> tuple[JobSpec | None, Text]:
    """The one job of a start, None for one without; and what a limit does to it that does not prevent it, if anything.

    :param req: the site's ``req_*`` settings for this user and start.
    :param alternative_to: the session that it may start in place of; both together are one to limits of ours.
    :raises FabricError: no node can ever run it, or something lets it not start now.
    """
    settings = shared.settings
    spec = job_spec(settings, choice, req) if choice.kind == "slurm" else None
    live = shared.store.live(user, server)
    if live is None:  # a session on record has its job, whatever is seen now
        CHILDREN[choice.kind].refuse_if_impossible(settings, choice, spec, shared.follower.value)
    others = shared.store.counted_names(user, live.id if live else "", alternative_to)
    refuse_too_many(others, settings.users.max_sessions)
    return spec, await refuse_over_limit(shared, user, server, choice, spec, req)


async def open_session(
    shared: HubRuntime,
    user: str,
    server: str,
    choice: Choice,
    spec: JobSpec | None,
    token: str,
    log: Any,
    alternative_to: str = "",
) -> tuple[Session, bool]:
    """Find or make it; with it, whether it was there and is to be adopted, with the token that it has.

    One whose server is up has its token in its job alone; JupyterHub is told how to know it again
    (:func:`~fabric_hub.hub.spawner.session_tokens.restore`).

    A new one has on record what was chosen, which is chosen again where the session is continued, and the GPUs of its
    job.

    :param spec: the job that is submitted for it; None: it has none.
    :param token: of the new session's server.
    :param alternative_to: the session that it may start in place of: whichever begins first ends the other. It
        continues what that one continues.
    :raises FabricError: the user has too many, or the job of one that is to be replaced cannot be ended.
    """
    store = shared.store
    live = store.live(user, server)
    if live and (live.token or (live.token_hash and live.job_id)) and _same(live, choice):
        # A hub before this one got this far: its job, if there is one, holds this token.
        log.info("Adopting session %s of %s", live.id, _name(live))
        return live, True
    if live:
        await _replace(shared, live, log)
    made = {"user": user, "server_name": server, "token": token, **choice.model_dump(mode="json")}
    made["token_hash"] = hash_of(token)
    made["gpus"] = gpus_of(spec) if spec else 0
    first = store.get(alternative_to) if alternative_to else None
    if first is not None and first.follows is not None:
        made |= {"follows": first.follows, "reopen": list(first.reopen or ())}
    most = shared.settings.users.max_sessions
    session = await asyncio.to_thread(store.create, most=most, alternative_to=alternative_to or None, **made)
    if alternative_to:
        shared.ring(alternative_to)
    return session, False


async def remember(shared: HubRuntime, user: str, choice: Choice) -> None:
    """Keep a choice that somebody has made for themselves as their last, unless it is a rescue session."""
    if choice.profile == shared.settings.quotas.rescue_profile:
        return
    try:
        await asyncio.to_thread(shared.choices.remember, user, choice.options())
    except FabricError as error:  # a start does not fail for it
        log.warning("The choice of %s is not kept: %s", user, error)


async def _replace(shared: HubRuntime, live: Session, log: Any) -> None:
    """End a session on record that JupyterHub no longer knows; its job goes first."""
    log.warning("Session %s of %s is replaced by a new one", live.id, _name(live))
    await CHILDREN[live.kind].end_job(shared, live, "replaced")
    shared.store.end(live.id, reason="replaced", text=texts.REPLACED())


def _name(session: Session) -> str:
    return f"{session.user}:{session.server_name}" if session.server_name else session.user


def _same(session: Session, choice: Choice) -> bool:
    return all(
        getattr(session, field) == getattr(choice, field)
        for field in ("project", "account", "profile", "kind", "image", "hours", "datasets")
    )
