"""What closes when somebody leaves a project, loses their logins, or is blocked: the one list.

Leaving is one verb. Each feature that opens something for a person has a line here: a kind of job, a token, a cookie,
a share, a grant, an account. A line says what it is, which tables or kinds of job it is kept in, and what closes it, in
the order in which it goes. The test tests/unit/service/test_leaving_register.py holds it to what there is: a table that
is in no line and not in :data:`OPENS_NOTHING`, and a kind of job that is in no line, fail.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple


class Step(IntEnum):
    """The order: first nothing new begins, then what runs ends, then what it was opened with is void."""

    SUBMIT = 1  # MaxSubmitJobs=0 of the association
    SESSIONS = 2  # documents saved, jobs cancelled with a notice
    GRANTS = 3  # grants and gates
    TOKENS = 4
    CODES = 5


class When(IntEnum):
    """What has happened to the person."""

    LEFT = 1  # is out of one project; the others stay
    ENDED = 2  # their logins end: an identity was unlinked, or they are blocked
    BLOCKED = 3  # is blocked, and so in no project


class Closing(NamedTuple):
    """A line: what is closed, where it is kept, what closes it (``module:object``), after how many seconds at most.

    :ivar tables: of the databases, as ``store.table``.
    :ivar jobs: kinds of job, by the property of :class:`fabric_hub.slurm.model.Job` that knows them.
    """

    step: Step
    what: str
    when: When
    by: str
    within_s: float
    tables: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ()


CLOSINGS: Final = (
    Closing(
        Step.SUBMIT,
        "the person's association in the project's Slurm account",
        When.LEFT,
        "fabric_hub.gateway.projects.plan:plan",
        15.0,
    ),
    Closing(
        Step.SESSIONS,
        "sessions, with every step and shell inside their jobs, and the jobs of their Dask clusters",
        When.LEFT,
        "fabric_hub.service.tasks.leaving:Leaving",
        60.0,
        tables=("sessions.sessions", "jupyterhub.servers", "jupyterhub.spawners"),
        jobs=("session", "cluster"),
    ),
    Closing(
        Step.SESSIONS,
        "a session that waits to follow one that ends",
        When.LEFT,
        "fabric_hub.service.tasks.leaving:Leaving",
        60.0,
        tables=("sessions.successors",),
    ),
    Closing(
        Step.GRANTS,
        "datasets that the project was granted, and those accepted in it",
        When.LEFT,
        "fabric_hub.catalogue.publish:publish",
        15.0,
        tables=("catalogue.grants", "catalogue.held_grants", "catalogue.acceptances", "catalogue.project_people"),
    ),
    Closing(
        Step.GRANTS,
        "the entry in the gate of the project's folder",
        When.LEFT,
        "fabric_hub.gateway.folders.reconciler:FolderReconciler",
        30.0,
    ),
    Closing(
        Step.TOKENS,
        "a session's own token, and its visitors' browsers",
        When.LEFT,
        "fabric_hub.hub.spawner.session_tokens:revoke",
        60.0,
        tables=("jupyterhub.oauth_clients",),
    ),
    Closing(
        Step.TOKENS,
        "the role member, and with it what tokens could do, of who is in no project any more",
        When.LEFT,
        "fabric_hub.hub.roles:follow",
        5.0,
        tables=("jupyterhub.user_role_map",),
    ),
    Closing(
        Step.TOKENS,
        "login cookies and tokens",
        When.ENDED,
        "fabric_hub.hub.login_ends:end_logins",
        5.0,
        tables=("jupyterhub.users", "jupyterhub.api_tokens", "catalogue.identities", "catalogue.login_ends"),
    ),
    Closing(
        Step.CODES,
        "codes of logins under way, servers shared with the person and by them, and codes for that",
        When.ENDED,
        "fabric_hub.hub.login_ends:end_logins",
        5.0,
        tables=("jupyterhub.oauth_codes", "jupyterhub.shares", "jupyterhub.share_codes"),
    ),
    Closing(
        Step.CODES,
        "links of the project's invitations, for the person, and the invitations that they made as an owner",
        When.LEFT,
        "fabric_hub.catalogue.invitation_rows:left",
        5.0,
        tables=("catalogue.invitations", "catalogue.invited"),
    ),
    Closing(
        Step.CODES,
        "the person's account: it stays theirs, and no login leads to it",
        When.BLOCKED,
        "fabric_hub.hub.patches.membership:block_check",
        5.0,
        tables=("catalogue.accounts", "catalogue.hub_names"),
    ),
)

# What lets nobody in, nor lets anything run: records, counts, texts, and what a site or a dataset itself is.
OPENS_NOTHING: Final = frozenset(
    {
        "jupyterhub.group_role_map",
        "jupyterhub.groups",
        "jupyterhub.roles",
        "jupyterhub.service_role_map",
        "jupyterhub.services",
        "jupyterhub.user_group_map",
        "sessions.announcements",
        "sessions.announcements_dismissed",
        "sessions.held_sessions",
        "sessions.idle_months",
        "sessions.month_days",
        "sessions.month_sheets",
        "sessions.notice_choices",
        "sessions.notice_dates",
        "sessions.notice_sends",
        "sessions.notices",
        "sessions.operator_visits",
        "sessions.problem_reports",
        "sessions.quota_warnings",
        "sessions.readers",
        "sessions.readiness_hours",
        "sessions.record_lines",
        "sessions.session_reports",
        "sessions.session_stops",
        "sessions.start_choices",
        "sessions.usage_charged",
        "sessions.usage_days",
        "sessions.usage_rolls",
        "catalogue.agreements",
        "catalogue.counter",
        "catalogue.datasets",
        "catalogue.declined",
        # nobody logs in with a lent account, and a project's own ends with the project: what lets people use one has a
        # line of its own
        "catalogue.leased_accounts",
        "catalogue.persons",
        "catalogue.project_requests",
        "catalogue.projects",
        "catalogue.requests",
        "catalogue.reviews",
        "catalogue.revocations",
        "catalogue.starters",
        "catalogue.versions",
    }
)
