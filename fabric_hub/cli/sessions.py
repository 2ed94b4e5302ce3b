"""``fabric-hub sessions list | adopt | end``: what becomes of sessions that the hub does not know to be its own.

``stop`` and ``stops``, of sessions that it does know, are in :mod:`.stops`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.gateway.client import GatewayClient
from fabric_hub.logs.lines import escaped
from fabric_hub.messages.text import Text, sentences, whole
from fabric_hub.messages.texts import held as texts
from fabric_hub.messages.translation import gettext as _
from fabric_hub.sessions.adoption import row_of, why_not_openable
from fabric_hub.sessions.held import Held, HeldSessions, Why
from fabric_hub.sessions.notify import notify, notify_path
from fabric_hub.sessions.store import SessionStore
from fabric_hub.slurm.model import CancelRequest, Job, Phase, Snapshot
from fabric_hub.slurm.records import RecordStatement, Witness
from fabric_hub.unix.accounts import unix_name

from . import stops
from .record import opened
from .site import add_site_arguments

_WHY = {Why.OTHER_RECORD: texts.OTHER_RECORD, Why.NO_WITNESS: texts.NO_WITNESS, Why.MANY: texts.MANY}


def add_parser(commands: Any) -> None:
    """Add the command."""
    group = commands.add_parser(
        "sessions", help=_("end people's sessions; list, adopt, end those that the hub does not know to be its own")
    )
    verbs = group.add_subparsers(dest="verb", metavar=_("VERB"), required=True)
    listing = verbs.add_parser("list", help=_("what is left alone, and why"))
    listing.add_argument("--json", action="store_true", help=_("an object for each session"))
    listing.set_defaults(run=_list)
    add_site_arguments(listing)
    for name, work, what in (
        ("adopt", _adopt, _("put sessions on record again, so that their owners can open them")),
        ("end", _end, _("end sessions that nobody is to go on with")),
    ):
        verb = verbs.add_parser(name, help=what)
        verb.add_argument("session", nargs="*", metavar="SESSION", help=_("as `fabric-hub sessions list` shows it"))
        verb.add_argument("--all", action="store_true", help=_("all that are left alone"))
        verb.add_argument(
            "--yes", action="store_true", help=_("do it; without this it is only said what would be done")
        )
        verb.set_defaults(run=_doing(work))
        add_site_arguments(verb)
    stops.add_verbs(verbs)


@dataclass(frozen=True)
class _Work:
    """What there is to do, and to do it with."""

    site: Settings
    store: SessionStore
    gateway: GatewayClient
    held: tuple[Held, ...]
    jobs: dict[str, Job]
    witnesses: dict[str, Witness]
    yes: bool


def _list(arguments: argparse.Namespace) -> int:
    with opened(arguments) as (_site, store):
        found = HeldSessions(store.engine).all()
    if arguments.json:
        print(json.dumps([one.model_dump(mode="json") for one in found], indent=2))
        return 0
    for one in found:
        about = {"session": one.session, "user": one.user, "job": one.job_id, "profile": one.profile or ""}
        about["project"] = one.project or one.account
        told = texts.LISTED_ON(node=one.node, **about) if one.node else texts.LISTED(**about)
        print(escaped(told.say()).rstrip())  # names of Slurm's, of jobs whose makers nobody knows
        print(f"{'':14}{_WHY[one.why]().say()}")
        if one.ends_at is not None:
            print(f"{'':14}{texts.UNTIL(ends=one.ends_at).say()}")
        if not one.openable:
            print(f"{'':14}{(texts.ON_RECORD if one.why is Why.MANY else texts.NOT_KEPT)().say()}")
    print(_summary(found).say())
    return 0


def _summary(found: Sequence[Held]) -> Text:
    return texts.HELD(n=len(found)) if found else texts.NONE()


def _doing(work: Callable[[_Work], Coroutine[Any, Any, bool]]) -> Callable[[argparse.Namespace], int]:
    def run(arguments: argparse.Namespace) -> int:
        if bool(arguments.session) == bool(arguments.all):
            raise FabricError(texts.NAME_SOME())
        with opened(arguments) as (site, store):
            found = HeldSessions(store.engine).all()
            if not arguments.all:
                unknown = sorted(set(arguments.session) - {one.session for one in found})
                if unknown:
                    raise FabricError(texts.UNKNOWN_SESSIONS(names=unknown))
                found = tuple(one for one in found if one.session in arguments.session)
            return asyncio.run(_with_gateway(site, store, found, arguments.yes, work))

    return run


async def _with_gateway(
    site: Settings,
    store: SessionStore,
    found: tuple[Held, ...],
    yes: bool,
    work: Callable[[_Work], Coroutine[Any, Any, bool]],
) -> int:
    async with GatewayClient(site.gateway.socket) as gateway:
        told = await gateway.records(RecordStatement(sessions=tuple(one.session for one in found)))
        snapshot = await gateway.snapshot()
        witnesses = {one.session: one for one in told.sessions}
        jobs = _jobs_of(site, found, witnesses, snapshot)
        done = await work(_Work(site, store, gateway, found, jobs, witnesses, yes))
    if not yes and found:
        print(texts.DRY().say())
    return 0 if done else 1


def _jobs_of(
    site: Settings, found: Sequence[Held], witnesses: Mapping[str, Witness], snapshot: Snapshot
) -> dict[str, Job]:
    """The jobs of these sessions that are not over: those of the person who submitted the session, where that is known.

    A job's name is its owner's text: who goes to a session's address must not find somebody else there.
    """
    users, whose = site.users, set()
    for one in found:
        witness = None if users.shared_account else witnesses.get(one.session)
        whose.add((one.session, unix_name(users, witness.user) if witness else one.unix_account))
    alive = (job for job in snapshot.jobs if job.phase in (Phase.QUEUED, Phase.RUNNING))
    return {
        job.session[1]: job
        for job in alive
        if job.session and job.session[0] == site.hub.id and (job.session[1], job.user) in whose
    }


async def _adopt(work: _Work) -> bool:
    """Put each on record; whether all were."""
    done = True
    for one in work.held:
        who = {"session": one.session, "user": one.user}
        job, witness = work.jobs.get(one.session), work.witnesses.get(one.session)
        try:
            if work.store.get(one.session):
                raise FabricError(texts.ON_RECORD())
            why = why_not_openable(job, witness) if job else texts.IS_OVER()
            if why or job is None or witness is None:
                raise FabricError(why or texts.NOT_KEPT())
            if work.yes:
                work.store.adopt(row_of(job, witness))
                await notify(notify_path(work.site), one.session)  # the service finds it by itself, too
            print((texts.ADOPTED if work.yes else texts.WOULD_ADOPT)(**who).say())
        except FabricError as error:
            print(sentences(texts.NOT_ADOPTED(**who), whole(error)).say(), file=sys.stderr)
            done = False
    return done


async def _end(work: _Work) -> bool:
    """End each; whether all were."""
    done = True
    for one in work.held:
        who = {"session": one.session, "user": one.user}
        try:
            if work.yes:
                work.store.end(one.session, reason="operator", text=texts.ENDED_BY_OPERATOR())  # where it is on record
                await notify(notify_path(work.site), one.session)
                await work.gateway.cancel(CancelRequest(session=one.session, user=one.user, why="operator"))
                await work.gateway.remove(one.session, one.user)
            print((texts.ENDED if work.yes else texts.WOULD_END)(**who).say())
        except FabricError as error:
            print(sentences(texts.NOT_ENDED(**who), whole(error)).say(), file=sys.stderr)
            done = False
    return done
