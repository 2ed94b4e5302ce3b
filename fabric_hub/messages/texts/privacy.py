"""What is kept of people, what for, for how long, and how it is erased; export and erasure."""

from __future__ import annotations

from fabric_hub.messages.text import P_, Reason, Who
from fabric_hub.messages.translation import N_

_NOBODY = Who.NOBODY

# -- what it is of a person

NAME = Reason("privacy-name", N_("name at the hub"), who=_NOBODY)
UNIX = Reason("privacy-unix", N_("Unix account or its number"), who=_NOBODY)
CONTACT = Reason("privacy-contact", N_("name and address of a contact"), who=_NOBODY)
WHEN = Reason("privacy-when", N_("when it was done or happened"), who=_NOBODY)
CHOICE = Reason("privacy-choice", N_("what was chosen for a session"), who=_NOBODY)
PLACE = Reason("privacy-place", N_("where a session runs: job, node, port"), who=_NOBODY)
SESSION = Reason("privacy-session", N_("which session it was"), who=_NOBODY)
GIVEN = Reason("privacy-given", N_("a name that the person gave"), who=_NOBODY)
WORDS = Reason("privacy-words", N_("what the person wrote"), who=_NOBODY)
DECISION = Reason("privacy-decision", N_("what was decided about the person, or by them, and why"), who=_NOBODY)
OUTPUT = Reason("privacy-output", N_("lines of a session's log"), who=_NOBODY)
OPEN_FILES = Reason("privacy-open-files", N_("names of files that were open"), who=_NOBODY)
SECRET = Reason("privacy-secret", N_("a key or token, or what is made of one"), who=_NOBODY)
PERSON_NUMBER = Reason("privacy-person-number", N_("number in the audit log"), who=_NOBODY)
IDENTITY = Reason("privacy-identity", N_("identity at a provider, and what it said at a login"), who=_NOBODY)
IDENTITY_DIGEST = Reason("privacy-identity-digest", N_("digest of a name or an identity"), who=_NOBODY)
CLAIMED = Reason(
    "privacy-claimed", N_("what an institution claims of who is invited, until it is confirmed"), who=_NOBODY
)
ROLE = Reason("privacy-role", N_("role or membership"), who=_NOBODY)
USE = Reason("privacy-use", N_("use of GPUs, CPUs or storage"), who=_NOBODY)
TOLD = Reason("privacy-told", N_("what the person was told"), who=_NOBODY)
LANGUAGE = Reason("privacy-language", N_("language"), who=_NOBODY)
DATASET = Reason("privacy-dataset", N_("datasets that are used or asked for, and what for"), who=_NOBODY)
ACTIVITY = Reason("privacy-activity", N_("whether a session is in use"), who=_NOBODY)
OUTCOME = Reason("privacy-outcome", N_("how a start or a session went, and how it ended"), who=_NOBODY)
BROWSER = Reason("privacy-browser", N_("network address, browser, page"), who=_NOBODY)
EVERYTHING = Reason("privacy-everything", N_("everything that the stores had at that moment"), who=_NOBODY)

# -- what for

LOGIN = Reason("privacy-for-login", N_("let the person in, and know them again"), who=_NOBODY)
SESSIONS = Reason("privacy-for-sessions", N_("start, show and end sessions"), who=_NOBODY)
USAGE = Reason("privacy-for-usage", N_("add up what is used, and show it"), who=_NOBODY)
SUPPORT = Reason("privacy-for-support", N_("help where something does not work"), who=_NOBODY)
ACCESS = Reason("privacy-for-access", N_("open data and projects to those who may use them"), who=_NOBODY)
PROOF = Reason("privacy-for-proof", N_("prove later who used which data, and who decided"), who=_NOBODY)
COMFORT = Reason("privacy-for-comfort", N_("spare the person saying it again"), who=_NOBODY)
NOTICES = Reason("privacy-for-notices", N_("tell people what concerns them"), who=_NOBODY)
OPERATION = Reason("privacy-for-operation", N_("run the service, and find faults"), who=_NOBODY)
SAFETY = Reason("privacy-for-safety", N_("bring everything back after a loss"), who=_NOBODY)

# -- on what basis

BASIS_OF_SITE = Reason("privacy-basis-of-site", N_("as the site's privacy statement says"), who=Who.OPERATOR)

# -- for how long

SETTING_DAYS = Reason("privacy-setting-days", N_("as {setting} says (by default {days} days)"), who=_NOBODY)
DAYS = Reason("privacy-days", P_("{n} day", "{n} days"), who=_NOBODY)
WHILE_USER = Reason("privacy-while-user", N_("as long as the person is a user of the hub"), who=_NOBODY)
WHILE_SESSION = Reason("privacy-while-session", N_("as long as the session lives"), who=_NOBODY)
WHILE_MEMBER = Reason(
    "privacy-while-member", N_("as long as the person is in the project or has the role"), who=_NOBODY
)
WHILE_VALID = Reason("privacy-while-valid", N_("until it expires or is revoked"), who=_NOBODY)
UNTIL_ERASED = Reason("privacy-until-erased", N_("until an operator erases the person"), who=Who.OPERATOR)
UNTIL_OWNER = Reason("privacy-until-owner", N_("until the person removes it"), who=_NOBODY)
UNTIL_STEWARD = Reason("privacy-until-steward", N_("until who answers for the dataset changes it"), who=_NOBODY)
WHILE_LOGS = Reason(
    "privacy-while-logs", N_("as long as the site keeps its logs (journald, log files)"), who=Who.OPERATOR
)
UNTIL_DATABASE = Reason("privacy-until-database", N_("as long as the catalogue is kept"), who=Who.OPERATOR)
WHILE_AUDIT = Reason("privacy-while-audit", N_("as long as the site keeps the audit log"), who=Who.OPERATOR)
WHILE_BACKUPS = Reason(
    "privacy-while-backups", N_("as long as the site keeps backups (fabric-hub backup --keep)"), who=Who.OPERATOR
)
WHILE_SLURM = Reason(
    "privacy-while-slurm", N_("as long as Slurm's accounting keeps it (slurmdbd's Purge settings)"), who=Who.OPERATOR
)
WHILE_FOLLOWED = Reason(
    "privacy-while-followed", N_("as long as Slurm follows the projects (slurm.parent_account)"), who=Who.OPERATOR
)

# -- what an erasure does

GOES = Reason("privacy-goes", N_("deleted"), who=_NOBODY)
EMPTIED = Reason("privacy-emptied", N_("emptied"), who=_NOBODY)
NUMBERED = Reason("privacy-numbered", N_("replaced by a random number"), who=_NOBODY)
ONLY_CODE = Reason("privacy-only-code", N_("only the code of the reason stays"), who=_NOBODY)
ONLY_ROLE = Reason("privacy-only-role", N_("only the role stays, without the name"), who=_NOBODY)
ONLY_DIGEST = Reason(
    "privacy-only-digest", N_("only a digest stays, so that nobody else is given the name"), who=_NOBODY
)
WITHOUT_NAME = Reason("privacy-without-name", N_("stays for sums, without the person"), who=_NOBODY)
FOLLOWS = Reason("privacy-follows", N_("written anew by itself, without the person"), who=_NOBODY)
KEPT_AUDIT = Reason(
    "privacy-kept-audit",
    N_("kept: the audit log is proof; it has people as numbers, and names only in records of earlier releases"),
    who=_NOBODY,
)
KEPT_NUMBER = Reason(
    "privacy-kept-number", N_("kept: a number is never another person's, and leads to nobody any more"), who=_NOBODY
)
KEPT_SLURM = Reason("privacy-kept-slurm", N_("kept: Slurm and its accounting are the site's"), who=Who.OPERATOR)
KEPT_LIMITS = Reason(
    "privacy-kept-limits",
    N_("kept: it tells a limit that the gateway set in Slurm from one that was set by hand"),
    who=Who.OPERATOR,
)
KEPT_SESSION = Reason(
    "privacy-kept-session",
    N_("kept: without the person's name only Slurm's accounting tells whose it was"),
    who=_NOBODY,
)
KEPT_STARTER = Reason(
    "privacy-kept-starter",
    N_("kept: a digest that leads to nobody, so that nobody is given a second starter project"),
    who=_NOBODY,
)
KEPT_LOGS = Reason("privacy-kept-logs", N_("kept: logs go when their time is over"), who=Who.OPERATOR)
KEPT_BACKUPS = Reason(
    "privacy-kept-backups",
    N_("kept: backups go when their time is over; erase again after a restore"),
    who=Who.OPERATOR,
)
KEPT_SITE_FILE = Reason(
    "privacy-kept-site-file", N_("kept until an operator takes the person out of the site's file"), who=Who.OPERATOR
)
KEPT_STEWARD = Reason("privacy-kept-steward", N_("kept: who answers for the dataset names its contact"), who=_NOBODY)
KEPT_OTHERS = Reason("privacy-kept-others", N_("kept where it was sent: the site's support has it"), who=Who.OPERATOR)
