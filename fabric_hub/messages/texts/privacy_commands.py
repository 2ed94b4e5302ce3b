"""What ``fabric-hub privacy export`` and ``erase`` say, and what is written into an export."""

from __future__ import annotations

from fabric_hub.messages.text import P_, Reason, Who
from fabric_hub.messages.translation import N_

NO_NAME = Reason(
    "privacy-no-name",
    N_("{name} cannot be a person's name at the hub."),
    N_("Give the name as the page Operate shows it."),
    label="malformed",
)
PART_FAILED = Reason(
    "privacy-part-failed",
    N_("A part of what is kept of the person cannot be read or changed: {cause}"),
    N_("What was erased before stays erased; give the command again when the cause is gone."),
    who=Who.OPERATOR,
    status=503,
)
DIRECTORY_THERE = Reason(
    "privacy-directory-there",
    N_("{directory} is there already."),
    N_("Name a directory that does not exist, with --output."),
    who=Who.OPERATOR,
)
NOT_WRITTEN = Reason(
    "privacy-not-written",
    N_("The export cannot be written: {cause}"),
    N_("Name another directory with --output, in one that you may write."),
    who=Who.OPERATOR,
)
NOT_READ = Reason(
    "privacy-not-read",
    N_("Not read: {part}. Give the command as root, or also as the account {account}."),
    who=Who.OPERATOR,
)
NOT_MINE = Reason(
    "privacy-not-mine",
    N_("This account may not open {parts:list}, and an erasure is of all or nothing."),
    N_("Give the command as root."),
    who=Who.OPERATOR,
    status=403,
)
EXPORTED = Reason(
    "privacy-exported",
    P_("{n} record of {user} is in {directory}.", "{n} records of {user} are in {directory}."),
    who=Who.NOBODY,
)

# -- refusals of an erasure

IN_PROJECTS = Reason(
    "privacy-in-projects",
    N_("{user} is in {projects:list}."),
    N_("Take {user} out of them first, and then give the command again."),
    who=Who.OPERATOR,
    status=409,
)
PROJECTS_UNKNOWN = Reason(
    "privacy-projects-unknown",
    N_("It is not known in which projects {user} is: the catalogue service has published none yet."),
    N_("Start the catalogue service, and give the command again."),
    who=Who.OPERATOR,
    status=503,
)
HAS_ROLE = Reason(
    "privacy-has-role",
    N_("The site's file names {user} in {settings:list}."),
    N_("Take {user} out there, and then give the command again."),
    who=Who.OPERATOR,
    status=409,
)
HAS_SESSIONS = Reason(
    "privacy-has-sessions",
    P_("A session of {user} is not over: {sessions:list}.", "{n} sessions of {user} are not over: {sessions:list}."),
    N_("End them first (fabric-hub sessions stop), and then give the command again."),
    who=Who.OPERATOR,
    status=409,
)
HAS_JOBS = Reason(
    "privacy-has-jobs",
    P_(
        "A job of a session of {user} is not over in Slurm: {jobs:list}.",
        "{n} jobs of sessions of {user} are not over in Slurm: {jobs:list}.",
    ),
    N_("Wait until they are gone, or cancel them with scancel; then give the command again."),
    who=Who.OPERATOR,
    status=409,
)
JOBS_UNKNOWN = Reason(
    "privacy-jobs-unknown",
    N_("It is not known whether jobs of {user} run: {cause}"),
    N_("Give the command again when the gateway and Slurm answer."),
    who=Who.OPERATOR,
    status=503,
)
STILL_SUMMED = Reason(
    "privacy-still-summed",
    N_("What {user} used on {day} is still added up from Slurm's accounting, which has the name: it would come back."),
    N_("Give the command again after {until:clock}, when that day is final."),
    who=Who.OPERATOR,
    status=409,
)
NO_SNAPSHOT = Reason("privacy-no-snapshot", N_("Slurm was not asked for its jobs yet."), who=Who.NOBODY, status=503)
HUB_RUNS = Reason(
    "privacy-hub-runs",
    N_("JupyterHub has {user} as a user, and runs: it would write that again."),
    N_(
        "Delete the user in JupyterHub (DELETE /hub/api/users/NAME, or its own page for admins), or stop the hub for a "
        "moment: sessions go on. Then give the command again."
    ),
    who=Who.OPERATOR,
    status=409,
)
STILL_READ = Reason(
    "privacy-still-read",
    N_("The rows are erased, and their bytes still stand in {path}: somebody reads it all the time."),
    N_("Give the command again in a while."),
    who=Who.OPERATOR,
    status=503,
)

NAME_BEFORE = Reason(
    "privacy-name-before",
    N_("{user} is called {name} now."),
    N_("Erase {name} first, and then give the command again."),
    who=Who.OPERATOR,
    status=409,
)

# -- what an erasure does

WOULD = Reason(
    "privacy-would", N_("What would be done to what is kept of {user}; nothing is changed now:"), who=Who.NOBODY
)
WILL = Reason("privacy-will", N_("What is done to what is kept of {user}:"), who=Who.NOBODY)
ROWS_GO = Reason("privacy-rows-go", P_("{n} deleted", "{n} deleted"), who=Who.NOBODY)
ROWS_STAY = Reason(
    "privacy-rows-stay",
    P_("{n} stays for sums, without the person", "{n} stay for sums, without the person"),
    who=Who.NOBODY,
)
ROWS_NAMELESS = Reason(
    "privacy-rows-nameless",
    P_("{n} stays, without the name", "{n} stay, without the name"),
    who=Who.NOBODY,
)
OTHER_NAMES = Reason(
    "privacy-other-names",
    P_(
        "{user} had another name here: {names:list}. Erase that name, too, after this one.",
        "{user} had other names here: {names:list}. Erase those names, too, after this one.",
    ),
    who=Who.OPERATOR,
)
IN_PLACE = Reason("privacy-in-place", N_("  {place}: {what}"), who=Who.NOBODY)
NOTHING = Reason("privacy-nothing", N_("Nothing is kept of {user} but what stands below."), who=Who.NOBODY)
STAYS = Reason("privacy-stays", N_("What stays, and why:"), who=Who.NOBODY)
ERASED = Reason(
    "privacy-erased",
    N_("{user} is erased. Where sums are kept, {pseudonym} stands in their place; the audit log says so."),
    who=Who.NOBODY,
)
ERASED_WITHOUT_LOG = Reason(
    "privacy-erased-without-log",
    N_("{user} is erased. Where sums are kept, {pseudonym} stands in their place. This site has no audit log."),
    who=Who.NOBODY,
)

# -- the index of an export

INDEX = Reason("privacy-index", N_("What is kept of {user}"), who=Who.NOBODY)
INDEX_MADE = Reason("privacy-index-made", N_("Made on {at:clock} at {site}."), who=Who.NOBODY)
INDEX_FORM = Reason(
    "privacy-index-form",
    N_(
        "One file for each store, as JSON. Where other people are named in the same records, their names are left out; "
        "keys and tokens are left out, too. Times are in seconds since 1970 (UTC), where they are numbers."
    ),
    who=Who.NOBODY,
)
INDEX_PRIVACY = Reason("privacy-index-statement", N_("The site's privacy statement: {url}"), who=Who.NOBODY)
INDEX_FILE = Reason(
    "privacy-index-file", P_("{file}, {place}: {n} record", "{file}, {place}: {n} records"), who=Who.NOBODY
)
INDEX_EMPTY = Reason("privacy-index-empty", N_("Nothing of {user} stands in what was read."), who=Who.NOBODY)
INDEX_NOT_READ = Reason("privacy-index-not-read", N_("Not in this export:"), who=Who.NOBODY)
