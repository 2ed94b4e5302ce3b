"""What keeps a change of a project that the catalogue service keeps from being made."""

from __future__ import annotations

from fabric_hub.messages.text import Reason, Who
from fabric_hub.messages.translation import N_

NO_SUCH_PROJECT = Reason(
    "project-unknown",
    N_("There is no project {project}."),
    N_("Check its name."),
    label="project-unknown",
    status=404,
)
IN_FILE = Reason(
    "project-in-file",
    N_("Project {project} stands in the site's file, and is changed there."),
    N_("Or let the catalogue service keep it from now on: fabric-hub projects import {project}"),
    who=Who.OPERATOR,
    status=409,
)
EXISTS = Reason(
    "project-exists",
    N_("There is a project {project} already."),
    N_("Choose another name."),
    who=Who.OPERATOR,
    status=409,
)
ACCOUNT_TAKEN = Reason(
    "project-account-taken",
    N_("The Slurm account {account} is the one of project {other}."),
    N_("Give project {project} an account of its own."),
    who=Who.OPERATOR,
    status=409,
)
NO_PROFILE = Reason(
    "project-no-profile",
    N_("The site's file has no profile {profile}."),
    N_("Its profiles: {profiles}."),
    who=Who.OPERATOR,
    label="project-unknown-reference",
    status=422,
)
NO_IMAGE = Reason(
    "project-no-image",
    N_("The site's file has no image {image}."),
    N_("Its images: {images}."),
    who=Who.OPERATOR,
    label="project-unknown-reference",
    status=422,
)
NOT_IN_IT = Reason(
    "project-person-unknown",
    N_("{user} is not in project {project}."),
    N_("Check the name."),
    status=404,
)
NOT_IN_ROLE = Reason(
    "project-person-other-role",
    N_("{user} does not have the role {role} in project {project}."),
    N_("Their roles: {roles}."),
    label="project-person-unknown",
    status=404,
)
LAST_OWNER = Reason(
    "project-last-owner",
    N_("{user} is the only owner of project {project}."),
    N_("Make somebody else an owner first."),
    status=409,
)
DATES_TURNED = Reason(
    "project-dates-turned",
    N_("Project {project} would end on {end:day}, before it starts on {start:day}."),
    N_("Choose a last day that is not before the first."),
    status=422,
)

# -- who may

NOT_OWNER = Reason(
    "project-not-owner",
    N_("{user} is not an owner of project {project}."),
    N_("Ask one of its owners: {owners}."),
    who=Who.OWNER,
    status=403,
)
CREATE_NEEDS_OPERATOR = Reason(
    "project-create-needs-operator",
    N_("Only operators make projects."),
    N_("Ask the operators for project {project}."),
    who=Who.OPERATOR,
    label="project-needs-operator",
    status=403,
)
BUDGET_NEEDS_OPERATOR = Reason(
    "project-budget-needs-operator",
    N_("Only operators raise the budget of project {project}."),
    N_("Ask the operators. Its owners may lower it."),
    who=Who.OPERATOR,
    label="project-needs-operator",
    status=403,
)
DATES_NEED_OPERATOR = Reason(
    "project-dates-need-operator",
    N_("Only operators give project {project} more time."),
    N_("Ask the operators. Its owners may end it earlier."),
    who=Who.OPERATOR,
    label="project-needs-operator",
    status=403,
)
DATA_NEED_OPERATOR = Reason(
    "project-data-need-operator",
    N_("Only operators say of project {project} that its data are public."),
    N_("Ask the operators. Its owners may say that they are not."),
    who=Who.OPERATOR,
    label="project-needs-operator",
    status=403,
)
PAUSED_BY_OPERATOR = Reason(
    "project-paused-by-operator",
    N_("An operator has paused project {project}: {why}."),
    N_("Ask the operators when it goes on."),
    who=Who.OPERATOR,
    status=403,
)
# `because` is one of the reasons below; `command` is what does it.
NOT_FROM_HUB = Reason(
    "project-not-from-hub",
    N_("The hub may not change this of project {project}: {because}."),
    N_("An operator does it on the catalogue service's machine: {command}"),
    who=Who.OPERATOR,
    status=403,
)
ASKS_ALREADY = Reason("project-asks-already", N_("it asks something of a login, and that may not become less"))
NON_PUBLIC = Reason("project-has-non-public-data", N_("it works with non-public data"), who=Who.OPERATOR)
OF_CLIENT = Reason("project-is-clients", N_("it is a client's"), who=Who.OPERATOR)
NOT_IN_FROM_HUB = Reason("project-not-in-from-hub", N_("catalogue.from_hub does not have {word}"), who=Who.OPERATOR)
ABOVE_CAP = Reason(
    "project-above-cap",
    N_("{hours} GPU-hours are more than {cap} (catalogue.from_hub_gpu_hours)"),
    who=Who.OPERATOR,
)
WITHOUT_LIMIT = Reason(
    "project-without-limit",
    N_("without a budget it may use more than {cap} GPU-hours (catalogue.from_hub_gpu_hours)"),
    who=Who.OPERATOR,
)
OTHER_ACCOUNT = Reason(
    "project-other-account",
    N_("its Slurm account would be {account}, not {own}"),
    who=Who.OPERATOR,
)
PAUSED_ELSEWHERE = Reason("project-paused-elsewhere", N_("it was paused at the command line"), who=Who.OPERATOR)

# -- the command line

SITE_WITHOUT = Reason(
    "projects-without-catalogue",
    N_("The site of {path} has no catalogue service, which keeps projects."),
    N_("Add a section [catalogue] to it: see docs/how-to/manage-projects.md."),
    who=Who.OPERATOR,
)
TOO_MANY_OWNERS = Reason(
    "project-too-many-owners",
    N_("A project is made with at most {most} owners."),
    N_("Add the others then: fabric-hub projects add NAME USER --role owner"),
    who=Who.OPERATOR,
    status=422,
)
NOT_IN_FILE = Reason(
    "project-not-in-file",
    N_("The site's file has no project {project}."),
    N_("Its projects: {projects}."),
    who=Who.OPERATOR,
    status=404,
)
NONE_IN_FILE = Reason("projects-none-in-file", N_("The site's file has no projects."), who=Who.OPERATOR, status=404)
KEPT_ALREADY = Reason(
    "project-kept-already",
    N_("The catalogue service keeps a project {project} already; that of the site's file wins until it is removed."),
    N_("Remove [project.{project}] from the site's file."),
    who=Who.OPERATOR,
    status=409,
)
NO_OWNER = Reason(
    "project-without-owner",
    N_("Project {project} of the site's file has no owner."),
    N_("Name one there (members.owner), and import it then."),
    who=Who.OPERATOR,
    status=422,
)
UNFIT = Reason(
    "project-unfit",
    N_("Project {project} of the site's file cannot be kept: its {field} is not one line of at most {most} letters."),
    N_("Shorten it there, and import the project then."),
    who=Who.OPERATOR,
    status=422,
)
