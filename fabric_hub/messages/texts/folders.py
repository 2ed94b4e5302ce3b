"""Projects' folders: what keeps one from letting its people in, and what it holds."""

from __future__ import annotations

from fabric_hub.messages.text import P_, Reason, Who
from fabric_hub.messages.translation import N_

ABSENT = Reason(
    "folder-absent",
    N_("project {project} has no folder yet: {path} is not there"),
    N_("as root: fabric-hub projects folder {project}"),
    who=Who.OPERATOR,
)
PARENT_ABSENT = Reason(
    "folder-parent-absent",
    N_("{directory}, in which projects have their folders, is not there: {why}"),
    N_("as root, on a file system with ACLs: mkdir --mode=755 {directory}"),
    who=Who.OPERATOR,
)
PARENT_OPEN = Reason(
    "folder-parent-open",
    N_("in {directory} others than root may put something in a folder's place: no folder in it is used"),
    "chown root:root {directory}; chmod 755 {directory}",
    who=Who.OPERATOR,
)
IN_THE_WAY = Reason(
    "folder-in-the-way",
    N_("{path} is no directory: it is left as it is, and project {project} has no folder"),
    N_("move it away; then, as root: fabric-hub projects folder {project}"),
    who=Who.OPERATOR,
)
SOMEBODY_ELSES = Reason(
    "folder-somebody-elses",
    N_("{path} belongs to {owner}, not to {account}, the service account of project {project}: it is left as it is"),
    N_("look at what is in it; if it is the project's: chown {account} {path}"),
    who=Who.OPERATOR,
)
NO_ACLS = Reason(
    "folder-no-acls",
    N_("the file system of {path} has no POSIX ACLs, so nobody but {account} can be let in"),
    N_("use one that has them (ext4, XFS, Lustre, BeeGFS, CephFS, NFS 3), mounted with ACLs"),
    who=Who.OPERATOR,
)
TOO_MANY = Reason(
    "folder-too-many",
    N_("the file system of {path} has no room for entries of {n} people: those who are not in yet stay out"),
    N_("ext4 has room for about 500 people, XFS and Lustre for thousands"),
    who=Who.OPERATOR,
)
NOT_SET = Reason(
    "folder-not-set",
    N_("{account} cannot set who may enter {path}: {why}"),
    N_("it is tried again; who was put out may be in still"),
    who=Who.OPERATOR,
)
NO_OWNER = Reason(
    "folder-no-owner",
    N_("project {project} has the service account {account}, which cannot be used: {why}"),
    N_("make the account, with a uid from users.min_uid on, or give the project another"),
    who=Who.OPERATOR,
)
SHARED_OWNER = Reason(
    "folder-shared-owner",
    N_(
        "the service account {account} of project {project} is also a person's or another project's: "
        "that opens the folder to them"
    ),
    N_("give the project a service account of its own"),
    who=Who.OPERATOR,
)  # fmt: skip
NOT_LET_IN = Reason(
    "folder-not-let-in",
    N_("{user} of project {project} cannot be let into its folder: {why}"),
    N_("nothing to do if they are to get an account later: they are let in then"),
    who=Who.OPERATOR,
)
SERVICE_ACCOUNT = Reason(
    "account-service",
    N_("The account {account} is nobody's: it owns a project's folder, or is lent. No sessions of people run as it."),
    N_("Use an account of your own."),
    label="account",
    status=403,
)

# -- the command, and doctor

NO_FOLDERS = Reason(
    "folders-none",
    N_("This site has no folders of projects."),
    N_("Set folders.directory in the site's file, and service_account in the projects."),
    who=Who.OPERATOR,
)
NO_SERVICE_ACCOUNT = Reason(
    "folder-no-service-account",
    N_("Project {project} has no service account, so it has no folder."),
    N_("Give it one: service_account, in the project's table of the site's file."),
    who=Who.OPERATOR,
)
NO_SUCH_PROJECT = Reason(
    "folder-no-project", N_("There is no project {project}."), N_("See: fabric-hub projects list"), who=Who.OPERATOR
)  # fmt: skip
NOT_ROOT = Reason(
    "folder-not-root",
    N_("Only root can give a folder to a service account."),
    N_("Give this command as root; afterwards the gateway needs no root for it."),
    who=Who.OPERATOR,
)
NOT_MADE = Reason("folder-not-made", N_("{path} cannot be made: {why}"), who=Who.OPERATOR)
MADE = Reason("folder-made", N_("{path} is made, and belongs to {account}."), who=Who.NOBODY)
THERE = Reason("folder-there", N_("{path} is there, and belongs to {account}."), who=Who.NOBODY)
IN_ORDER = Reason(
    "folder-in-order", P_("{n} folder of a project in {directory}", "{n} folders of projects in {directory}"),
    who=Who.NOBODY,
)  # fmt: skip
DIFFERS = Reason(
    "folder-differs",
    N_("{path} does not let in just the people of project {project}"),
    N_("the gateway sets it within seconds: see its log, systemctl status fabric-gateway"),
    who=Who.OPERATOR,
)

# -- what it holds

TITLE = Reason("folder-title", N_("Folder of project {project}"), who=Who.NOBODY)
NOT_MEASURED = Reason(
    "folder-not-measured", N_("What it holds was not added up yet."), who=Who.NOBODY
)  # fmt: skip
TOO_LARGE = Reason(
    "folder-too-large", N_("What it holds is not known: it takes too long to add up."), who=Who.OPERATOR
)  # fmt: skip
PARTLY_CLOSED = Reason(
    "folder-partly-closed",
    P_(
        "It holds at least {bytes:size}: {n} directory in it is closed to all but its owner.",
        "It holds at least {bytes:size}: {n} directories in it are closed to all but their owners.",
    ),
    who=Who.NOBODY,
)
UNMEASURABLE = Reason("folder-unmeasurable", N_("What it holds is not known: {why}"), who=Who.OPERATOR)
