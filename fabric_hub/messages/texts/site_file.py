"""What is wrong with a site's file, and what to know about it."""

from __future__ import annotations

from fabric_hub.messages.text import P_, Reason, Who
from fabric_hub.messages.translation import N_

# -- the file

UNREADABLE = Reason(
    "site-file-unreadable",
    N_("The site file {path} cannot be read: {why}."),
    N_("Set {variable} to the right path, or let the user who starts this read the file."),
    who=Who.OPERATOR,
    label="site-file",
)
NOT_UTF8 = Reason("site-file-not-utf8", N_("it is not UTF-8 text"), who=Who.OPERATOR)
NOT_TOML = Reason("site-file-not-toml", N_("{name} is not valid TOML: {why}."), who=Who.OPERATOR, label="site-file")
MISTAKES = Reason(
    "site-file-mistakes",
    P_("{name} has {n} mistake:\n{mistakes:lines}", "{name} has {n} mistakes:\n{mistakes:lines}"),
    who=Who.OPERATOR,
    label="site-file",
)
HAS_MISTAKES = Reason(
    "site-file-has-mistakes", P_("{name} has {n} mistake:", "{name} has {n} mistakes:"), who=Who.OPERATOR
)
AT_LINE = Reason("site-file-line", "{name}:{line}: {key}: {what}", who=Who.OPERATOR)
EXTRA_CONFIG_MISSING = Reason(
    "extra-config-missing",
    N_("{name}:{line}: hub.extra_config: {path} does not exist."),
    N_("Write that file, or take hub.extra_config out."),
    who=Who.OPERATOR,
    label="site-file",
)
NODES_CA_MISSING = Reason(
    "nodes-ca-missing",
    N_("{name}: hub.nodes_ca: {path} does not exist."),
    N_("Put the PEM file of the authorities there, or take hub.nodes_ca out."),
    who=Who.OPERATOR,
    label="site-file",
)

# -- a setting

NO_SUCH_SETTING = Reason("setting-unknown", N_("no such setting"), who=Who.OPERATOR)
REQUIRED = Reason("setting-required", N_("is required"), who=Who.OPERATOR)
MUST_BE = Reason("setting-must-be", "{rule:phrase}, not {value}", who=Who.OPERATOR)
MUST_BE_BETTER = Reason("setting-must-be-better", "{rule:phrase}, not {value}: {better}", who=Who.OPERATOR)
SUCH_AS = Reason("setting-such-as", N_('must be {rule:phrase}, such as "{example}", not {value}'), who=Who.OPERATOR)
SUCH_AS_BETTER = Reason(
    "setting-such-as-better",
    N_('must be {rule:phrase}, such as "{example}", not {value}: {better}'),
    who=Who.OPERATOR,
)
AT_LEAST = Reason("setting-at-least", N_("must be greater than or equal to {bound}, not {value}"), who=Who.OPERATOR)
ABOVE = Reason("setting-above", N_("must be greater than {bound}, not {value}"), who=Who.OPERATOR)
AT_MOST = Reason("setting-at-most", N_("must be less than or equal to {bound}, not {value}"), who=Who.OPERATOR)
BELOW = Reason("setting-below", N_("must be less than {bound}, not {value}"), who=Who.OPERATOR)
ONE_OF = Reason("setting-one-of", N_("must be {known:either}, not {value}"), who=Who.OPERATOR)
A_TABLE = Reason("setting-a-table", N_("a table"), who=Who.OPERATOR)
A_LIST = Reason("setting-a-list", N_("a list"), who=Who.OPERATOR)
WRITE = Reason("setting-write", N_('write "{name}"'), who=Who.OPERATOR)
WRITE_SEVERAL = Reason("setting-write-several", N_("write a profile for each of them"), who=Who.OPERATOR)
WRITE_DOMAIN = Reason(
    "setting-write-domain",
    N_("write \"{name}\", and the domain in users.unix_name = '{domain}\\{{user}}'"),
    who=Who.OPERATOR,
)
NOT_ABSOLUTE = Reason("setting-not-absolute", N_("{path} is not an absolute path"), who=Who.OPERATOR)

# What pydantic says of kinds that people know by other names, and how they are written in the file.
KINDS = {
    "string": N_('must be text in quotation marks, such as "gpu"'),
    "int": N_("must be a whole number, such as 4"),
    "float": N_("must be a number, such as 1.5"),
    "bool": N_("must be true or false"),
    "date": N_("must be a day, such as 2027-12-31"),
    "tuple": N_('must be a list, such as ["one", "two"]'),
    "list": N_('must be a list, such as ["one", "two"]'),
    "dict": N_("must be a table of its own, such as [hub] or [profile.gpu-1]"),
    "model": N_("must be a table of its own, such as [hub] or [profile.gpu-1]"),
    "path": N_('must be a path in quotation marks, such as "/srv/fabric"'),
}
OTHER_FORM = N_("is written in another form than the reference says")

# -- settings that do not go together

HOST_ONLY = Reason(
    "setting-host-only",
    N_("subdomain_host has a path: give the host only, https://hub.example.org"),
    who=Who.OPERATOR,
)
OTHER_HOST = Reason(
    "setting-other-host", N_("public_url ({url}) is of another host than subdomain_host"), who=Who.OPERATOR
)
PLAIN_TOKENS = Reason(
    "setting-plain-tokens",
    N_(
        "internal_ssl is off, and sessions would send their tokens over plain HTTP to {addresses:list}: "
        "leave internal_ssl on, or say nodes_plain_http = true where that network is closed"
    ),
    who=Who.OPERATOR,
)
CA_OF_NO_USE = Reason(
    "setting-ca-of-no-use",
    N_("nodes_ca is of no use: sessions call {url}, which is not https"),
    who=Who.OPERATOR,
)
PASSWORD_IN_URL = Reason(
    "setting-password-in-url",
    N_("the URL of a database holds a password: put it in ~/.pgpass of the hub's account"),
    who=Who.OPERATOR,
)
SAME_DATABASE = Reason(
    "setting-same-database",
    N_("database and sessions_database are the same: each has tables that the other would take over"),
    who=Who.OPERATOR,
)
ACCENT_NOT_SEEN = Reason(
    "setting-accent-not-seen",
    N_(
        "{value} has a contrast of {contrast:number} to 1 on {ground}, and text needs at least {least:number}: "
        "{better} would do"
    ),
    who=Who.OPERATOR,
)
LOGO_UNREADABLE = Reason("setting-logo-unreadable", N_("{path} cannot be read: {why}"), who=Who.OPERATOR)
LOGO_TOO_LARGE = Reason("setting-logo-too-large", N_("{path} is larger than {most:size}"), who=Who.OPERATOR)
LOGO_NO_PICTURE = Reason(
    "setting-logo-no-picture", N_("{path} is no PNG, and no SVG in UTF-8 without a DOCTYPE"), who=Who.OPERATOR
)
LOGO_ACTIVE = Reason(
    "setting-logo-active",
    N_("{path} has {part}: a logo may only draw, without scripts, links and files of elsewhere"),
    who=Who.OPERATOR,
)
CHANGE_LINES = Reason("site-change-lines", N_("Change these lines, or take them out."), who=Who.OPERATOR)
RESCUE_DIR = Reason(
    "setting-rescue-dir",
    N_("rescue_dir ({path}) is no absolute path with {{user}} in it"),
    who=Who.OPERATOR,
)
IDLE_WARNING = Reason(
    "setting-idle-warning",
    N_("idle_warn_minutes ({warn:number}) is not below idle_minutes ({idle:number})"),
    who=Who.OPERATOR,
)
GPUS_AND_SHARDS = Reason("setting-gpus-and-shards", N_("gpus and shards exclude each other"), who=Who.OPERATOR)
DEFAULT_HOURS = Reason(
    "setting-default-hours",
    N_("default_hours ({default:number}) is above max_hours ({most:number})"),
    who=Who.OPERATOR,
)
LOCAL_PROFILE = Reason(
    "setting-local-profile", N_("a local profile takes no partition, gpus or shards"), who=Who.OPERATOR
)
PROJECT_DATES = Reason(
    "setting-project-dates", N_("the project ends ({end}) before it starts ({start})"), who=Who.OPERATOR
)
BRACES = Reason("setting-braces", N_("path has a name in braces that is not one of {known}"), who=Who.OPERATOR)
QUOTA_PROJECT = Reason("setting-quota-project", N_("project is required for kind = project"), who=Who.OPERATOR)
QUOTA_OF_USER = Reason(
    "setting-quota-of-user",
    N_("kind = quota tells a user's own quota: leave project out, or use kind = project"),
    who=Who.OPERATOR,
)
NO_SUCH_REFERENCE = Reason(
    "setting-no-such-reference", N_("{name} is not a [{table}.NAME] of this file"), who=Who.OPERATOR
)
NEEDS_SLURM = Reason("setting-needs-slurm", N_("needs Slurm, but this file has no [slurm] section"), who=Who.OPERATOR)
STARTER_WITHOUT_END = Reason(
    "setting-starter-without-end",
    N_("the template {template} needs budget_gpu_hours and days, and a kind other than client"),
    who=Who.OPERATOR,
)
STARTER_FOR_NOBODY = Reason(
    "setting-starter-for-nobody",
    N_("needs login.without_project: who is in no project does not come in"),
    who=Who.OPERATOR,
)
STARTER_ABOVE_CAP = Reason(
    "setting-starter-above-cap",
    N_("the template {template} gives {hours} GPU-hours, more than from_hub_gpu_hours"),
    who=Who.OPERATOR,
)
RESCUE_HAS_GPUS = Reason(
    "setting-rescue-has-gpus",
    N_("{name} has GPUs, which a used-up budget does not allow"),
    who=Who.OPERATOR,
)

# -- what to know, beside mistakes; the hint is what a site may do

SECTION_RENAMED = Reason(
    "site-section-renamed",
    N_(
        "this section is called [catalogue] now, and [datasets.catalogue] is [catalogue.export]; the next"
        " release knows the new names only"
    ),
    N_("write it under its name of today"),
    who=Who.OPERATOR,
)
PLACES_LEFT_OUT = Reason(
    "site-places-left-out",
    N_("under the new name, say where the catalogue service is: {settings}"),
    N_("write it under its name of today"),
    who=Who.OPERATOR,
)
READ_AS_SLURM = Reason(
    "site-name-as-slurm",
    N_('"{written}" is read as "{read}", as Slurm keeps it'),
    N_("write it as it is read, or leave it"),
    who=Who.OPERATOR,
)
READ_AS_HUB = Reason(
    "site-name-as-hub",
    N_('"{written}" is read as "{read}", as JupyterHub writes it after a login; login.keep_case = true keeps it'),
    N_("write it as it is read, or leave it"),
    who=Who.OPERATOR,
)
UNIT_RENAMED = Reason(
    "site-unit-renamed",
    N_("{path} is called {now} now, and the next release does not start it"),
    N_(
        "systemctl disable --now {old}, install packaging/systemd/{now} with this site's account and places,"
        " systemctl enable --now {now}"
    ),
    who=Who.OPERATOR,
)
ONE_ADDRESS = Reason(
    "site-one-address",
    N_("hub and sessions share one web address: a page of one user's session can act as whoever opens it"),
    N_('Set hub.subdomain_host = "https://hub.example.org", with DNS and a certificate for *.hub.example.org.'),
    who=Who.OPERATOR,
)
INTERNAL_TLS = Reason(
    "site-internal-tls",
    N_("sessions call hub and service over internal TLS ({port}) and trust the hub's own authority only"),
    who=Who.OPERATOR,
)
PLAIN_HTTP = Reason(
    "site-plain-http",
    N_("sessions send their tokens over plain HTTP to {addresses:list}: who is on the way reads them"),
    N_("leave hub.internal_ssl on: sessions then trust the hub's own authority and no other"),
    who=Who.OPERATOR,
)
THIS_HOST_ONLY = Reason(
    "site-this-host-only", N_("sessions call hub and service without TLS, and only on this host"), who=Who.OPERATOR
)
OWN_AUTHORITIES = Reason(
    "site-own-authorities",
    N_("sessions call the service at {url} and trust the authorities in {path} only"),
    who=Who.OPERATOR,
)
EVERY_AUTHORITY = Reason(
    "site-every-authority",
    N_("sessions call the service at {url} and trust every authority of their node's store"),
    N_(
        "name the authority of that certificate in hub.nodes_ca, or leave hub.internal_ssl on: sessions then trust "
        "the hub's own authority and no other"
    ),
    who=Who.OPERATOR,
)

# -- what check-config says of a file that is right

RIGHT = Reason("site-file-right", N_("{path} is right: {profiles}, {projects}, {images}, {slurm}."), who=Who.OPERATOR)
PROFILES = Reason("site-profiles", P_("{n} profile", "{n} profiles"), who=Who.NOBODY)
PROJECTS = Reason("site-projects", P_("{n} project", "{n} projects"), who=Who.NOBODY)
IMAGES = Reason("site-images", P_("{n} image", "{n} images"), who=Who.NOBODY)
WITH_SLURM = Reason("site-with-slurm", N_("Slurm"), who=Who.NOBODY)
WITHOUT_SLURM = Reason("site-without-slurm", N_("no Slurm"), who=Who.NOBODY)
ASK_DOCTOR = Reason(
    "site-ask-doctor",
    N_("That is what the file says; whether Slurm has what it names, `fabric-hub doctor` asks Slurm."),
    who=Who.OPERATOR,
)
NOTE = Reason("site-note", N_("Note: {about}. Remedy: {remedy}."), who=Who.OPERATOR)
EXTRA_CONFIG_UNSEEN = Reason(
    "extra-config-unseen",
    N_("Note: whether hub.extra_config {path} exists is not checked: this account may not look there."),
    who=Who.OPERATOR,
)

# -- how support hears of a problem

FOLDERS_SHARED = Reason(
    "folders-shared", N_("a folder keeps people out by their accounts, and users.shared_account gives all the same one")
)
MAIL_TO_NOBODY = Reason("mail-to-nobody", N_("says how mail is sent, and site.support_email does not say to whom"))
MAIL_LOGIN = Reason("mail-login", N_("user and password_file go together"))
MAIL_IN_CLEAR = Reason("mail-password-in-clear", N_("a password is only sent over an encrypted connection: starttls"))

# -- which account a login gets

ACCOUNTS_WITHOUT = Reason("accounts-without", N_('source = "{source}" needs {setting}'))
POOL_TOO_LARGE = Reason("accounts-pool-too-large", N_("{pool} has no {size} numbers: another # is needed"))
