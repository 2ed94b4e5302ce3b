"""How Slurm's accounts follow the projects: what is to be done, what people changed by hand, what stands in the way."""

from __future__ import annotations

from fabric_hub.messages.text import P_, Reason, Who
from fabric_hub.messages.translation import N_

# -- steps

ADD_ACCOUNT = Reason("follow-add-account", N_("make account {account} below {parent}"), who=Who.NOBODY)
ADD_USER = Reason("follow-add-user", N_("let {user} use account {account}"), who=Who.NOBODY)
SET_BUDGET = Reason(
    "follow-set-budget",
    N_("give account {account} {hours:number} GPU-hours in all (before: {before})"),
    who=Who.NOBODY,
)
NO_BUDGET = Reason(
    "follow-no-budget", N_("take the budget from account {account} (before: {before})"), who=Who.NOBODY
)  # fmt: skip
CLOSE_USER = Reason(
    "follow-close-user",
    N_("let {user} submit nothing more in account {account} (MaxSubmitJobs=0)"),
    who=Who.NOBODY,
)
CLOSE_ACCOUNT = Reason(
    "follow-close-account",
    N_("let nobody submit anything more in account {account} (GrpSubmitJobs=0)"),
    who=Who.NOBODY,
)
REOPEN_USER = Reason("follow-reopen-user", N_("let {user} submit in account {account} again"), who=Who.NOBODY)
REOPEN_ACCOUNT = Reason(
    "follow-reopen-account", N_("let people submit in account {account} again"), who=Who.NOBODY
)  # fmt: skip
HOURS = Reason("follow-hours", N_("{hours:number} GPU-hours"), who=Who.NOBODY)
NO_LIMIT = Reason("follow-no-limit", N_("no limit"), who=Who.NOBODY)

# -- what people changed by hand below the parent account; it stays as it is

BUDGET_BY_HAND = Reason(
    "drift-budget",
    N_("account {account} has {found} in Slurm, and its project {wanted}: somebody set that by hand"),
    "sacctmgr modify account {account} set GrpTRESMins=gres/gpu={minutes}",
    who=Who.OPERATOR,
)
ACCOUNT_CLOSED_BY_HAND = Reason(
    "drift-account-closed",
    N_("account {account} has GrpSubmitJobs=0 in Slurm, and its project is open: somebody closed it by hand"),
    "sacctmgr modify account {account} set GrpSubmitJobs=-1",
    who=Who.OPERATOR,
)
ACCOUNT_OPENED_BY_HAND = Reason(
    "drift-account-opened",
    N_("account {account} takes jobs in Slurm, and its project is closed: somebody opened it by hand"),
    "sacctmgr modify account {account} set GrpSubmitJobs=0",
    who=Who.OPERATOR,
)
USER_CLOSED_BY_HAND = Reason(
    "drift-user-closed",
    N_("{user} has MaxSubmitJobs=0 in account {account}, and is in its project: somebody closed it by hand"),
    "sacctmgr modify user {user} where account={account} set MaxSubmitJobs=-1",
    who=Who.OPERATOR,
)
USER_OPENED_BY_HAND = Reason(
    "drift-user-opened",
    N_("{user} may submit in account {account}, and has left its project: somebody opened it by hand"),
    "sacctmgr modify user {user} where account={account} set MaxSubmitJobs=0",
    who=Who.OPERATOR,
)
USER_BY_HAND = Reason(
    "drift-user",
    N_("{user} may use account {account}, and is not in its project: somebody added them by hand"),
    N_("add them to the project, or: sacctmgr delete user {user} where account={account}"),
    who=Who.OPERATOR,
)
USER_GONE = Reason(
    "drift-user-gone",
    N_("{user} is in the project of account {account}, and somebody took the account from them by hand"),
    N_("remove them from the project, or: sacctmgr add user {user} account={account}"),
    who=Who.OPERATOR,
)
ACCOUNT_BY_HAND = Reason(
    "drift-account",
    N_("account {account} is below {parent} and no project's: somebody made it by hand"),
    N_("leave it, or: sacctmgr delete account {account}"),
    who=Who.OPERATOR,
)
ACCOUNT_GONE = Reason(
    "drift-account-gone",
    N_("account {account} of a project is gone: somebody removed it by hand"),
    "sacctmgr add account {account} parent={parent}",
    who=Who.OPERATOR,
)

# -- what stands in the way

NO_PARENT = Reason(
    "follow-no-parent",
    N_("Slurm has no account {parent} (slurm.parent_account), so no project gets an account below it."),
    "sacctmgr add account {parent}; sacctmgr add coordinator account={parent} names={gateway}",
    who=Who.OPERATOR,
)
IS_PARENT = Reason(
    "follow-is-parent",
    N_("Project {project} has the account {account}, which is the parent of all projects' accounts."),
    N_("Give the project an account of its own."),
    who=Who.OPERATOR,
)
ELSEWHERE = Reason(
    "follow-elsewhere",
    N_("Account {account} of project {project} is not below {parent} in Slurm, so nothing of it is changed."),
    "sacctmgr modify account {account} set parent={parent}",
    who=Who.OPERATOR,
)
NO_NAME = Reason(
    "follow-no-name",
    N_("{user} of project {project} cannot be a user in Slurm: {account} is no name that it takes."),
    N_("Correct users.unix_name, or who is in the project."),
    who=Who.OPERATOR,
)
NOT_ADDED = Reason(
    "follow-not-added", N_("{user} is not added to account {account}: {why}"), who=Who.OPERATOR
)  # fmt: skip
NOT_KNOWN = Reason(
    "follow-not-known",
    N_("The projects are not known yet: the catalogue service has not published them."),
    N_("See that the catalogue service runs."),
    who=Who.OPERATOR,
    status=503,
)
CLOSINGS_FOLLOW = Reason(
    "follow-closings-follow",
    P_(
        "Many people left at once: {n} closing follows in a few seconds.",
        "Many people left at once: {n} closings follow, some every few seconds.",
    ),
    N_("If that is wrong, put the people back into the project: fabric-hub projects plan."),
    who=Who.OPERATOR,
)
CLOSINGS_WAIT = Reason(
    "follow-closings-wait",
    P_(
        "{n} closing waits for an operator's word: its project is gone.",
        "{n} closings wait for an operator's word: their projects are gone.",
    ),
    N_("See what it is: fabric-hub projects plan. If it is right: fabric-hub projects apply --closings."),
    who=Who.OPERATOR,
)

# -- what else must be known

DECAYS = Reason(
    "follow-decays",
    N_(
        "A budget is not for ever: Slurm forgets half of what was used every {half_life} (PriorityDecayHalfLife), and "
        "what it forgets can be used again."
    ),
    N_(
        "An administrator of Slurm sets PriorityDecayHalfLife=0 and PriorityUsageResetPeriod=NONE, or makes a QOS with "
        "the flag NoDecay that holds the budget: sacctmgr add qos NAME flags=NoDecay GrpTRESMins=gres/gpu=MINUTES."
    ),
    who=Who.OPERATOR,
)
RESETS = Reason(
    "follow-resets",
    N_("A budget is not for ever: Slurm counts from zero again (PriorityUsageResetPeriod={period})."),
    N_(
        "An administrator of Slurm sets PriorityUsageResetPeriod=NONE, or makes a QOS with the flag NoDecay that holds "
        "the budget: sacctmgr add qos NAME flags=NoDecay GrpTRESMins=gres/gpu=MINUTES."
    ),
    who=Who.OPERATOR,
)
NOT_ENFORCED = Reason(
    "follow-not-enforced",
    N_("Slurm holds nobody to budgets: AccountingStorageEnforce is {words}."),
    "slurm.conf: AccountingStorageEnforce=associations,limits,qos",
    who=Who.OPERATOR,
)
OUTSIDE = Reason(
    "follow-outside",
    N_('Another system makes the accounts (slurm.projects = "outside"): what differs is shown, nothing is changed.'),
    N_("Change it there, or set slurm.projects to fabric."),
    who=Who.OPERATOR,
    status=409,
)
NO_PARENT_SET = Reason(
    "follow-off",
    N_("Slurm does not follow the projects here: the site's file names no slurm.parent_account."),
    N_("Make the account and name it there: see the page on projects and Slurm."),
    who=Who.OPERATOR,
    status=409,
)

# -- what Slurm refused

RECORD_UNUSABLE = Reason(
    "follow-record-unusable",
    N_("The gateway cannot keep what it sets in Slurm for projects: {cause}."),
    N_("Nothing was set. Tell the operator: the gateway's disk may be full."),
    who=Who.OPERATOR,
    label="gateway",
    status=503,
)

DENIED = Reason(
    "follow-denied",
    N_("Slurm does not let {gateway} do this: {step}. It said: {words}"),
    N_(
        "sacctmgr add coordinator account={parent} names={gateway}; slurmdbd.conf must not have "
        "Parameters=DisableCoordDBD."
    ),
    who=Who.OPERATOR,
)
FAILED = Reason("follow-failed", N_("Slurm's database refused this: {step}. It said: {words}"), who=Who.OPERATOR)

# -- what the command line says around them

NOTHING_TO_DO = Reason("follow-nothing", N_("Slurm is as the projects say."), who=Who.NOBODY)
TO_DO = Reason("follow-to-do", P_("{n} step to do:", "{n} steps to do:"), who=Who.NOBODY)
DONE = Reason("follow-done", P_("{n} step done.", "{n} steps done."), who=Who.NOBODY)
BY_HAND = Reason(
    "follow-by-hand",
    P_(
        "{n} thing was changed by hand and stays as it is:",
        "{n} things were changed by hand and stay as they are:",
    ),
    who=Who.NOBODY,
)

# -- what the doctor says

PARENT_OF_PROJECTS = Reason(
    "doctor-projects-parent", N_("the parent account of projects, {parent}, in Slurm"), who=Who.OPERATOR
)
COORDINATOR = Reason(
    "doctor-projects-coordinator", N_("{account} may change accounts below {parent} in Slurm"), who=Who.OPERATOR
)
NO_COORDINATOR = Reason(
    "doctor-projects-no-coordinator",
    N_("{account} is no coordinator of {parent} in Slurm, so no account follows its project"),
    "sacctmgr add coordinator account={parent} names={account}",
    who=Who.OPERATOR,
)
MORE_THAN_COORDINATOR = Reason(
    "doctor-projects-more",
    N_("{account} is {level} in Slurm; coordinator of {parent} is all that projects need"),
    N_("sacctmgr modify user {account} set adminlevel=None, unless PrivateData hides something that the gateway reads"),
    who=Who.OPERATOR,
)
LIMITS_ENFORCED = Reason("doctor-projects-enforced", N_("Slurm holds people to accounts and budgets"), who=Who.OPERATOR)
PROJECTS_DIFFER = Reason(
    "doctor-projects-differ",
    N_("Slurm is not as the projects say: {left} to do, {drift} changed by hand"),
    N_("see fabric-hub projects plan"),
    who=Who.OPERATOR,
)
