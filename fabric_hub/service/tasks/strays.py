"""Jobs of this hub's that no session on record has: which are to end, and which wait for a person's word. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import TypeAdapter, ValidationError

from fabric_hub.config.settings import Settings
from fabric_hub.gateway.request_policy import is_paid
from fabric_hub.projects.membership import is_user
from fabric_hub.sessions.adoption import why_not_openable
from fabric_hub.sessions.held import Held, Why
from fabric_hub.sessions.store import Session
from fabric_hub.slurm.model import Job, Phase
from fabric_hub.slurm.records import RecordMark, Witness, Witnessed, may_end
from fabric_hub.types import Frozen, HubUser
from fabric_hub.unix.accounts import hub_name, unix_name

# A job may be seen before its row says so only if someone else made it: rows come first. A session
# that has just ended is given this long, in seconds, for its own cancel to take effect.
GRACE_S = 20.0
# So many may end at once without a person's word, or this part of what runs if that is more.
HANDFUL, SHARE = 5, 0.1

_HUB_USER: TypeAdapter[str] = TypeAdapter(HubUser)


class Orphan(Frozen):
    """A job without an owner: whose it is to the hub, and its session; ``on_record``: that is over, and says so."""

    job_id: int
    session: str
    user: str
    on_record: bool = False


def orphans(settings: Settings, jobs: tuple[Job, ...], known: dict[str, Session], now: float) -> list[Orphan]:
    """Jobs of this hub that nobody owns: sessions, and the workers of sessions' Dask clusters. Pure.

    A job's name is text that its owner chose: one that names a session of another
    Unix account is not that session's job, and is left alone; so is one of somebody
    who is in no project, in an account that is no project's.
    """
    found = []
    for job in jobs:
        identity = job.session or job.cluster
        if identity is None or identity[0] != settings.hub.id or job.phase in (Phase.ENDED, Phase.ENDING):
            continue
        session = known.get(identity[1])
        if session is None:
            shared = settings.users.shared_account
            user = "orphan" if shared else hub_name(settings.users, job.user)
            if user and _is_hub_user(user) and (shared or is_user(settings, user) or is_paid(settings, job)):
                found.append(Orphan(job_id=job.job_id, session=identity[1], user=user))
            continue
        if not settings.users.shared_account and job.user != unix_name(settings.users, session.user):
            continue
        if session.ended_at is not None and now - session.ended_at > GRACE_S:
            found.append(Orphan(job_id=job.job_id, session=session.id, user=session.user, on_record=True))
    return found


def _is_hub_user(name: str) -> bool:
    # Unix accounts have names that no hub user can have (DOMAIN\jan): their jobs are not ours
    try:
        _HUB_USER.validate_python(name)
    except ValidationError:
        return False
    return True


def too_many(ending: int, running: int) -> bool:
    """Whether so many ends at once need a person's word.

    :param running: the sessions that run, all of them.
    """
    return ending > max(HANDFUL, SHARE * running)


def running_of(settings: Settings, jobs: Iterable[Job]) -> int:
    """How many jobs of sessions of this hub are not over."""
    return sum(job.session is not None and job.session[0] == settings.hub.id and _alive(job) for job in jobs)


def _alive(job: Job) -> bool:
    return job.phase in (Phase.QUEUED, Phase.RUNNING)


def sort(
    settings: Settings,
    strays: Sequence[Orphan],
    jobs: Sequence[Job],
    lines: Sequence[RecordMark],
    told: Witnessed,
    held: dict[str, Held],
    now: float,
) -> tuple[list[Orphan], list[Held]]:
    """Which strays may end, and which sessions are left alone, with what is known of them; of two rows of one session
    the later one counts.

    :param strays: those of :func:`orphans` that are on no record.
    :param jobs: of the snapshot.
    :param lines: of this hub's record.
    :param told: the gateway's answer to a question about their sessions.
    :param held: what has been left alone before, by session: what waits for a person goes on to wait.
    """
    shared = settings.users.shared_account
    kept = {one.session: one for one in told.sessions}
    numbered = {job.job_id: job for job in jobs}
    mine: dict[tuple[str, str], list[Orphan]] = {}  # by session and user: a name may be forged
    for orphan in strays:
        mine.setdefault((orphan.session, orphan.user), []).append(orphan)
    # of somebody else's job with a session's name nothing is known
    witnesses = {key: kept[key[0]] for key in mine if key[0] in kept and (shared or kept[key[0]].user == key[1])}
    ending: list[tuple[Orphan, ...]] = []
    left: list[Held] = []
    counted: set[str] = set()
    for (session, user), found in mine.items():
        witness = witnesses.get((session, user))
        whose = [numbered[orphan.job_id] for orphan in found]
        before = held.get(session)
        if not all(may_end(lines, witness, job.submitted_at, told.began_at) for job in whose):
            why = Why.OTHER_RECORD if witness is not None and witness.mark is not None else Why.NO_WITNESS
            left.append(_held(whose, user, witness, why, before, now))
        elif before is not None and before.why is Why.MANY:
            left.append(_held(whose, user, witness, Why.MANY, before, now))
            counted.add(session)
        else:
            ending.append(tuple(found))
            # whatever somebody calls their own jobs, they are one person
            counted.add(session if witness is not None or shared else f"{user} by name")
    if too_many(len(counted), running_of(settings, jobs)):
        for group in ending:
            whose = [numbered[orphan.job_id] for orphan in group]
            session, user = group[0].session, group[0].user
            left.append(_held(whose, user, witnesses.get((session, user)), Why.MANY, held.get(session), now))
        ending = []
    # each is shown once, and what a session's own person has before what only bears its name
    left.sort(key=lambda one: (one.session, one.user) in witnesses)
    return [orphan for group in ending for orphan in group], left


def _held(jobs: Sequence[Job], user: str, witness: Witness | None, why: Why, before: Held | None, now: float) -> Held:
    job = next((job for job in jobs if job.session), jobs[0])
    identity = job.session or job.cluster
    assert identity is not None
    facts = witness.facts if witness else None
    return Held(
        session=identity[1],
        user=witness.user if witness else user,
        unix_account=job.user,
        job_id=job.job_id,
        account=job.account,
        node=job.node,
        started_at=job.started_at if job.phase is Phase.RUNNING else None,
        ends_at=job.ends_at,
        server_name=facts.server_name if facts else None,
        project=facts.project if facts else None,
        profile=facts.profile if facts else None,
        why=why,
        openable=job.session is not None and why_not_openable(job, witness) is None,
        since=before.since if before else now,
    )
