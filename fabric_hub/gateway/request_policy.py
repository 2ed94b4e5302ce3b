"""What the hub may ask for at all, by the gateway's own site file. Pure.

A hub that somebody has taken over is still the hub: it can start and end sessions of
its users, and it holds the tokens of those that run. What it can *not* do is reach an
account that is no user of the site, or choose what a session runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import gateway as texts
from fabric_hub.messages.texts.folders import SERVICE_ACCOUNT
from fabric_hub.messages.texts.launch import NO_PROJECT
from fabric_hub.messages.texts.projects import NOT_KNOWN
from fabric_hub.projects.folders import nobodys_accounts
from fabric_hub.projects.live import are_known
from fabric_hub.projects.membership import accounts, closed, has_no_projects, is_user, projects_of
from fabric_hub.slurm.model import Job, JobSpec, SubmitRequest
from fabric_hub.slurm.unavailable import SlurmUnavailableError
from fabric_hub.types import slurm_key
from fabric_hub.unix.accounts import unix_name

_PREFIXES = ("JUPYTERHUB_", "FABRIC_")
_NAMES = frozenset({"JPY_API_TOKEN", "MEM_LIMIT", "MEM_GUARANTEE", "CPU_LIMIT", "CPU_GUARANTEE"})
FILES = frozenset({"ssl.key", "ssl.crt", "ssl-ca.crt", "service-ca.crt"})


def is_paid(settings: Settings, job: Job) -> bool:
    """Whether an account of one of the site's projects pays for a job: nobody else can submit one there."""
    return job.account in accounts(settings)


def check_person(settings: Settings, user: str, session: str = "", jobs: Iterable[Job] = ()) -> None:
    """Refuse to do anything as somebody who is in no project.

    A session outlives its owner's membership, and must be ended and cleared away then, too: it is known by its job.

    :param session: which they are asked about, with its cluster.
    :param jobs: of the snapshot.
    :raises FabricError: (403) they are in no project, and no job of theirs that a project pays is of that session.
    :raises SlurmUnavailableError: as far as is known, and not all projects are known yet.
    """
    if is_user(settings, user):
        return
    shared = settings.users.shared_account
    name = unix_name(settings.users, user)
    for job in jobs:
        named = (job.session or job.cluster or ())[:2] == (settings.hub.id, session)
        if named and (shared or (job.user == name and is_paid(settings, job))):
            return
    raise _stranger(settings, user)


def check_account(settings: Settings, account: str) -> None:
    """Refuse to start anything of a person's as an account that owns a project's folder, or is lent.

    :raises FabricError: (403) it is one.
    """
    if account in nobodys_accounts(settings):
        raise FabricError(SERVICE_ACCOUNT(account=account))


def _stranger(settings: Settings, user: str) -> FabricError:
    check_known(settings)  # else the hub tries again, and ends nobody for it
    return FabricError(NO_PROJECT(user=user))


def check_known(settings: Settings) -> None:
    """Refuse to answer for all projects as long as some are not known.

    :raises SlurmUnavailableError: the catalogue service has not told yet which it keeps.
    """
    if not are_known(settings):
        raise SlurmUnavailableError(NOT_KNOWN())


def check_submission(settings: Settings, request: SubmitRequest, today: date) -> None:
    """Refuse what no hub has a reason to ask for.

    :raises FabricError: (403) a user of no project, an account that pays for none of theirs that is open today, a
        variable or a file that is no session's, datasets on a site without.
    :raises SlurmUnavailableError: such a user or account, while not all projects are known yet.
    """
    if not is_user(settings, request.user):
        raise _stranger(settings, request.user)
    _check_charged(settings, request.user, request.spec.account, today)
    allowed = _NAMES.union(settings.gateway.environment_from_hub)
    strange = sorted(name for name in request.environment if not name.startswith(_PREFIXES) and name not in allowed)
    if strange:
        raise FabricError(texts.STRANGE_VARIABLES(names=strange))
    unknown = sorted({file.name for file in request.files} - FILES)
    if unknown:
        raise FabricError(texts.STRANGE_FILES(names=unknown, known=sorted(FILES)))
    if request.datasets and settings.catalogue is None:
        raise FabricError(texts.NO_CATALOGUE())


def _check_charged(settings: Settings, user: str, account: str | None, today: date) -> None:
    """Refuse to let somebody's session be paid by what is no open project's of theirs.

    Slurm would take any account that they are in; without one it takes their default account.
    """
    if has_no_projects(settings):
        return
    theirs = {one.account for one in projects_of(settings, user).values() if not closed(one, today)}
    if account is None or slurm_key(account) not in theirs:
        check_known(settings)
        raise FabricError(texts.NOT_THEIR_ACCOUNT(user=user, account=account or texts.NONE(), accounts=sorted(theirs)))


def check_spec(settings: Settings, spec: JobSpec) -> None:
    """Refuse another cluster, and text for scripts unless the gateway's own site file takes it.

    :raises FabricError: what is not taken.
    """
    if spec.cluster:
        raise FabricError(texts.OTHER_CLUSTER(cluster=spec.cluster))
    extra = [name for name in ("options", "prologue", "epilogue") if getattr(spec, name)]
    if extra and not settings.gateway.script_text_from_hub:
        raise FabricError(texts.SCRIPT_TEXT(names=[f"req_{name}" for name in extra]))
