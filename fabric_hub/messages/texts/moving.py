"""What becomes of each line of a configuration that was written for another hub; `fabric-hub check-config` says it."""

from __future__ import annotations

from fabric_hub.messages.text import P_, Reason, Who
from fabric_hub.messages.translation import N_


def _said(code: str, text: str | tuple[str, str], hint: str = "") -> Reason:
    return Reason(f"move-{code}", text, hint, who=Who.OPERATOR, label="configuration")


# -- the four words

KEPT = _said("word-kept", N_("kept"))
REPLACED = _said("word-replaced", N_("replaced by"))
UNUSED = _said("word-unused", N_("not used"))
REFUSED = _said("word-refused", N_("refused"))

# -- what to do with each

SAY_IN_SITE_FILE = _said("do-say", N_("say it in the site's file, and take this line out"))
TAKE_OUT_OR_LEAVE = _said("do-leave", N_("take this line out, or leave it: nothing comes of it"))
CHANGE_OR_TAKE_OUT = _said("do-change", N_("change this line, or take it out; then start the hub again"))

# -- kept

AS_BEFORE = _said("as-before", N_("It counts as before, in the file that hub.extra_config names."))
WHERE_SILENT = _said("where-silent", N_("It counts where the profile says nothing of its own."))
WITH_TRUST = _said(
    "with-trust", N_("It counts once gateway.script_text_from_hub is true; gateway.prologue needs no such trust.")
)
ENVIRONMENT = _said("environment", N_("Sessions get these once gateway.environment_from_hub names them: {names}."))
ADDED = _said("added", N_("It is added to what the hub itself has there."))
HOOK = _said("hook", N_("It runs before each start; what it sets counts: {names}."))
HOOK_PLAIN = _said("hook-plain", N_("It runs as before; it sets nothing on the spawner."))
HOOK_ELSEWHERE = _said("hook-elsewhere", N_("It runs as before; what it sets is not to be seen in this file."))
TLS = _said("tls", N_("It counts, as hub.bind_url begins with https://."))
LOGIN_NARROWED = _said(
    "login-narrowed", N_("It counts in place of the projects' members: who is not in it cannot log in.")
)

# -- replaced

BY_SETTING = _said("by-setting", N_("{settings} of the site's file."))
BY_PROFILE_TIME = _said("by-profile-time", N_("The hours of a profile; without profiles it is everybody's time."))
BY_SPAWNER = _said("by-spawner", N_("The hub's own spawner."))
OWN_METHODS = _said("own-methods", N_("These methods of yours are not called: {names}."))
BY_SCRIPT = _said("by-script", N_("The gateway's own job script."))
SCRIPT_PROLOGUE = _said("script-prologue", N_("For gateway.prologue: {lines}."))
SCRIPT_OPTIONS = _said("script-options", N_("For a profile: {lines}."))
SCRIPT_LEFT = _said("script-left", N_("Not taken over, look at them yourself: {lines}."))
BY_PROFILES = _said(
    "by-profiles",
    P_("{n} [profile.NAME] of the site's file.", "{n} tables [profile.NAME] of the site's file, one for each."),
)
BY_FORM = _said("by-form", N_("The hub's own start form, made of projects and profiles."))
BY_PROXY = _said("by-proxy", N_("The hub's own proxy."))

# -- not used

ACCOUNT = _said("account", N_("The account is that of the session's project."))
BY_GATEWAY = _said("by-gateway", N_("The gateway submits, asks and cancels itself, without a shell and without sudo."))
BY_IMAGE = _said("by-image", N_("The session's image brings its own server and its arguments."))
NO_QUEUE_LIMIT = _said(
    "no-queue-limit",
    N_("Waiting in the queue has no limit; c.FabricSlurmSpawner.start_limit_s limits what follows."),
)
RESOURCES = _said("resources", N_("A profile's cpus and memory are what Slurm holds a session to."))
NO_SUCH = _said("no-such", N_("The installed {section} has no such setting."))
OTHER_BATCH = _said("other-batch", N_("{section} is not for Slurm."))
OTHER_CLASS = _said("other-class", N_("Sessions are not of class {section}: write it for c.SlurmSpawner."))
NO_CLASS = _said("no-class", N_("No class that is installed here is called {section}."))
NOT_PASSED = _said(
    "not-passed", N_("Nothing of the hub's own environment reaches a session; name variables in c.Spawner.environment.")
)
SET_AGAIN = _said("set-again", N_("Line {line} sets it again."))
FOR_WRAPPED = _said("for-wrapped", N_("The hub chooses the spawner of a session by its profile."))

# -- refused

WRONG_VALUE = _said("wrong-value", N_("Slurm does not take {value}."))
OTHER_CLUSTER = _said("other-cluster", N_("A gateway watches one cluster; its slurm.conf says which."))
DROPS = _said("drops", N_("It drops what the hub itself has there."), N_("Write {better}."))
LEFT_OVER = _said("left-over", N_("The hub does not start while it stands here: take it out."))
HOOK_REFUSED = _said("hook-refused", N_("A start is refused, as the hook sets what has no effect: {names}."))
HOOK_ACCOUNT = _said(
    "hook-account", N_("A start is refused where the hook's req_account is not the account of the project.")
)
NOT_INSTALLED = _said("not-installed", N_("{name} cannot be loaded here: install its package beside the hub."))
NEEDS_HTTPS = _said(
    "needs-https",
    N_("It needs a hub.bind_url with https://, and the site's file says {url}."),
    N_("Change that, or let the web server before the hub end TLS."),
)
DIFFERS = _said("differs", N_("The site's file says {site}, and sessions are told that."))

# -- of the file

UNREADABLE = _said("unreadable", N_("{path} cannot be read: {why}."))
RUN_AS = _said("run-as", N_("{path} was run as {account} to read it."))
ONLY_LOOKED = _said("only-looked", N_("{path} was not run: what its Python works out is not known."))
NOT_OURS = _said(
    "not-ours",
    N_("{path} was not run, as others can change it and this is root: what its Python works out is not known."),
)
TOO_LONG = _said("too-long", N_("{path} was stopped after {seconds} s: what its Python works out is not known."))
DIED = _said("died", N_("{path} could not be run to its end: what its Python works out is not known."))
MISSING = _said("missing", N_("Module {module} is not installed here: install it beside the hub."))
FAULT = _said("fault", N_("Running it ended here: {error}."))
NOT_REACHED = _said("not-reached", N_("This line was not run here."))
NOTHING_SET = _said("nothing-set", N_("{path} sets nothing."))
COUNTS = _said(
    "counts",
    P_(
        "{n} setting: {kept} kept, {replaced} replaced, {unused} not used, {refused} refused.",
        "{n} settings: {kept} kept, {replaced} replaced, {unused} not used, {refused} refused.",
    ),
)
WRITTEN = _said("written", N_("{path} is a first site file: read it, and change what is yours."))
NOT_WRITTEN = _said("not-written", N_("{path} is there already, and is never written over."))
CANNOT_WRITE = _said("cannot-write", N_("{path} cannot be written: {why}."))
HUB_WOULD_NOT_START = _said(
    "hub-would-not-start",
    P_(
        "{path} has {n} line with which the hub does not start:",
        "{path} has {n} lines with which the hub does not start:",
    ),
    N_("fabric-hub check-config says it before a start."),
)
