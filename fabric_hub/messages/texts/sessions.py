"""Sessions on record: what is refused there, and why one is over that nobody's job or program ended."""

from __future__ import annotations

from fabric_hub.messages.text import P_, Reason, Who
from fabric_hub.messages.translation import N_

BEING_STARTED = Reason(
    "session-being-started",
    N_("This session is already being started."),
    N_("Wait for it, or stop it first."),
    label="busy",
    status=409,
)
TOO_MANY_SESSIONS = Reason(
    "too-many-sessions",
    P_(
        "You have {n} session, and nobody may have more than {most} at once here (users.max_sessions).",
        "You have {n} sessions, and nobody may have more than {most} at once here (users.max_sessions).",
    ),
    N_("Stop one of them first: {names}."),
    status=409,
)
# TRANSLATORS: the session that has no name of its own
DEFAULT_NAME = Reason("session-default-name", N_("default"), who=Who.NOBODY)

NAME_TAKEN = Reason(
    "session-name-taken",
    N_("{user} has another session of the name {name} on record, or this one is there already."),
    N_("Stop that one first, or end this one."),
    who=Who.OPERATOR,
    label="busy",
    status=409,
)

STOPPED = Reason("stopped-at-hub", N_("The session was stopped at the hub."))
REPLACED = Reason("session-replaced", N_("Replaced by a new start."))
OTHER_STARTED = Reason("other-started", N_("Cancelled: {name} started first."), who=Who.NOBODY, status=409)
NOT_WAITING = Reason(
    "no-waiting-session", N_("You have no such session that waits for its start."), N_("Reload the page."), status=404
)
HAS_BEGUN = Reason(
    "session-has-begun", N_("This session is starting already, so nothing is started in its place."), status=409
)
ALREADY_PAIRED = Reason(
    "session-has-alternative",
    N_("This session waits together with another one already, and nobody may add a third."),
    N_("Cancel one of the two first, then choose again."),
    status=409,
)
OTHER_KIND = Reason(
    "alternative-of-other-kind", N_("Profile {profile} is not run by Slurm, so it cannot wait beside this session.")
)
NO_USER = Reason("session-no-user", N_("The hub has no user {user} any more."), who=Who.OPERATOR)

SESSIONS_UNUSABLE = Reason(
    "sessions-database-unusable",
    N_("The sessions database cannot be used: {cause}."),
    N_("Nothing was started or changed. Tell the operator: the disk may be full."),
    who=Who.OPERATOR,
    label="database",
    status=503,
)
MIGRATION_FAILED = Reason(
    "migration-failed",
    N_("The {name} could not be brought to another release's schema: {cause}."),
    N_("Nothing in it was changed. Start the release that was here before, and report this."),
    who=Who.OPERATOR,
    label="database",
    status=503,
)
CATALOGUE_UNUSABLE = Reason(
    "catalogue-database-unusable",
    N_("The catalogue's database cannot be used: {cause}."),
    N_("Nothing was changed. Tell the operator: the disk may be full, or the database server down."),
    who=Who.OPERATOR,
    label="database",
    status=503,
)
