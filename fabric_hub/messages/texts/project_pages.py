"""The pages of projects: how long one lasts, what is shown of whom, and what became of a change."""

from __future__ import annotations

from fabric_hub.messages.text import P_, Reason, Who
from fabric_hub.messages.translation import N_

# the end of a project, before it comes

ENDS_SOON = Reason(
    "project-ends-soon",
    P_(
        "Project {project} ends on {day:day}, in {n} day. Nothing starts in it afterwards; its files stay. Ask {whom} "
        "to extend it.",
        "Project {project} ends on {day:day}, in {n} days. Nothing starts in it afterwards; its files stay. Ask {whom} "
        "to extend it.",
    ),
    who=Who.OWNER,
)
ENDS_TODAY = Reason(
    "project-ends-today",
    N_("Project {project} ends today. Nothing starts in it from tomorrow; its files stay. Ask {whom} to extend it."),
    who=Who.OWNER,
)

# a day, as seen from today

DAY_TODAY = Reason("project-day-today", N_("today"), who=Who.NOBODY)
DAY_TO_COME = Reason("project-day-to-come", P_("in {n} day", "in {n} days"), who=Who.NOBODY)
DAY_PAST = Reason("project-day-past", P_("{n} day ago", "{n} days ago"), who=Who.NOBODY)

# the state of a project

ACTIVE = Reason("project-active", N_("Active"), who=Who.NOBODY)
PAUSED = Reason("project-state-paused", N_("Paused"), who=Who.NOBODY)
NOT_YET = Reason("project-not-yet", N_("Not started"), who=Who.NOBODY)
ENDED = Reason("project-ended", N_("Ended"), who=Who.NOBODY)

# roles

ROLE_OWNER = Reason("role-owner", N_("Owner"), who=Who.NOBODY)
ROLE_MEMBER = Reason("role-member", N_("Member"), who=Who.NOBODY)
ROLE_TRAINER = Reason("role-trainer", N_("Trainer"), who=Who.NOBODY)
ROLE_STEWARD = Reason("role-steward", N_("Data steward"), who=Who.NOBODY)
ROLE_VISITOR = Reason("role-visitor", N_("Visitor"), who=Who.NOBODY)

OWNERS = Reason("role-owners", P_("{n} owner", "{n} owners"), who=Who.NOBODY)
MEMBERS = Reason("role-members", P_("{n} member", "{n} members"), who=Who.NOBODY)
TRAINERS = Reason("role-trainers", P_("{n} trainer", "{n} trainers"), who=Who.NOBODY)
STEWARDS = Reason("role-stewards", P_("{n} data steward", "{n} data stewards"), who=Who.NOBODY)
VISITORS = Reason("role-visitors", P_("{n} visitor", "{n} visitors"), who=Who.NOBODY)

# what is shown of a person to the others of a project

SHOWN_OFF = Reason(
    "project-shown-off",
    N_(
        "Of you, people of this project see nothing: only the project's totals are shown. Its owners and operators see "
        "your name and role, and how many of your sessions run."
    ),
    who=Who.NOBODY,
)
SHOWN_AGGREGATED = Reason(
    "project-shown-aggregated",
    N_(
        "People of this project see totals, and how many people used GPUs, never who. Its owners and operators see "
        "your name and role, and how many of your sessions run."
    ),
    who=Who.NOBODY,
)
SHOWN_NAMED = Reason(
    "project-shown-named",
    N_("People of this project see your name, your role, your GPU-hours by day and your running sessions."),
    who=Who.NOBODY,
)

# what was done

PERSON_ADDED = Reason("project-done-added", N_("{user} was added. Role: {role}."), who=Who.NOBODY)
ROLE_CHANGED = Reason("project-done-role", N_("The role of {user} is now: {role}."), who=Who.NOBODY)
PERSON_REMOVED = Reason("project-done-removed", N_("{user} was removed from this project."), who=Who.NOBODY)
PAUSE_DONE = Reason("project-done-pause", N_("Paused. Nothing starts here until you resume it."), who=Who.NOBODY)
RESUME_DONE = Reason("project-done-resume", N_("Resumed. Sessions can start again."), who=Who.NOBODY)
DATES_SAVED = Reason("project-done-dates", N_("The dates are saved."), who=Who.NOBODY)
BUDGET_SAVED = Reason("project-done-budget", N_("The budget is saved."), who=Who.NOBODY)
CREATED = Reason("project-done-created", N_("Project {project} was created."), who=Who.NOBODY)

# what was not

NO_SUCH_CHANGE = Reason(
    "project-form-no-change", N_("This form changes nothing here."), N_("Use the page's buttons."), label="malformed"
)
ASK_AN_OWNER = Reason(
    "project-form-ask-an-owner",
    N_("Only an owner of this project changes it."),
    N_("Ask {whom} to do it."),
    who=Who.OWNER,
    label="project-role",
    status=403,
)
IN_PERSON = Reason(
    "project-form-in-person",
    N_("A project is changed here in person, by who has logged in."),
    N_("Open the page in a browser, without a token."),
    label="project-role",
    status=403,
)
IN_SITE_FILE = Reason(
    "project-form-in-site-file",
    N_("This project is kept in the site's file."),
    N_("Operators change it there."),
    who=Who.OPERATOR,
    label="project-read-only",
    status=403,
)
NO_CATALOGUE = Reason(
    "project-form-no-catalogue",
    N_("Without a catalogue service, this site keeps projects only in its file."),
    N_("Operators change them there."),
    who=Who.OPERATOR,
    label="project-read-only",
    status=403,
)
NO_USER = Reason(
    "project-form-no-user",
    N_('"{typed}" is no user name.'),
    N_("Use the name that the person logs in with: letters, digits and _ . @ + -, at most 64."),
)
NO_ROLE = Reason("project-form-no-role", N_('"{typed}" is no role.'), N_("Choose one of the list."))
NO_DAY = Reason("project-form-no-day", N_('"{typed}" is no day.'), N_("Write it like 2027-01-31, or leave it empty."))
DATES_CROSS = Reason(
    "project-form-dates-cross",
    N_("The last day ({end:day}) is before the first ({start:day})."),
    N_("Change one of them."),
)
NO_HOURS = Reason(
    "project-form-no-hours",
    N_('"{typed}" is no number of GPU-hours.'),
    N_("Write a number from 0, or leave it empty for no limit."),
)
NO_WHY = Reason(
    "project-form-no-why",
    N_("A pause needs a reason that people read."),
    N_("Write one line of at most 100 characters."),
)
NO_NAME = Reason(
    "project-form-no-name",
    N_('"{typed}" is no name of a project.'),
    N_("Use small letters, digits and hyphens between them, at most 40."),
)
NO_TITLE = Reason(
    "project-form-no-title", N_("A project needs a title."), N_("Write one line of at most 200 characters.")
)
NO_ACCOUNT = Reason(
    "project-form-no-account",
    N_('"{typed}" is no Slurm account.'),
    N_("Use letters, digits and _ . @ : + -, at most 64, or leave it empty."),
)
NO_LINE = Reason(
    "project-form-no-line", N_('"{typed}" is not one line.'), N_("Write at most 100 characters, or leave it empty.")
)
EXISTS = Reason(
    "project-form-exists", N_("There is a project {project} already."), N_("Choose another name."), status=409
)
HAS_ROLE = Reason(
    "project-form-has-role",
    N_("{user} has this role already: {role}."),
    N_("Choose another person or role."),
    status=409,
)
NOT_IN_IT = Reason("project-form-not-in-it", N_("{user} is not in this project."), N_("Reload the page."), status=409)

# the doors that stay open to who is removed, for a project's owners

SLURM_OUTSIDE = Reason(
    "project-slurm-outside",
    N_(
        "Another system makes Slurm's accounts here: who is removed can submit jobs from a login node until that "
        "system has followed. Their sessions end within a minute."
    ),
    who=Who.OPERATOR,
)
CLAIMS_FROZEN = Reason(
    "project-claims-frozen",
    P_(
        "Who is removed at their institution alone stays in this project until somebody removes them here; a login "
        "lasts at most {n} day.",
        "Who is removed at their institution alone stays in this project until somebody removes them here; a login "
        "lasts at most {n} days.",
    ),
    who=Who.OWNER,
)
