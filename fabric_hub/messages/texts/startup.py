"""Why a daemon does not start, or gives up."""

from __future__ import annotations

from fabric_hub.messages.text import Reason, Who
from fabric_hub.messages.translation import N_

# -- the gateway

MAY_NOT_BECOME = Reason(
    "gateway-may-not-become",
    N_("The gateway may not become other users, so it cannot submit for them."),
    N_(
        "Start it with CAP_SETUID and CAP_SETGID (systemd: AmbientCapabilities=), or, for a demo of one person, set"
        " users.shared_account = true."
    ),
    who=Who.OPERATOR,
    label="gateway",
)

# -- the catalogue service

NO_DATASETS = Reason(
    "startup-no-datasets",
    N_("This site offers no datasets."),
    N_("Add [catalogue] to the site's file."),
    who=Who.OPERATOR,
    label="catalogue",
)
OTHER_ACCOUNT = Reason(
    "startup-other-account",
    N_("The catalogue service runs as {account}, but its account is {wanted}."),
    N_("Start it as that account (systemd: User=), or name another one in catalogue.account; never root."),
    who=Who.OPERATOR,
    label="catalogue",
)
NO_DIRECTORY = Reason(
    "startup-no-directory",
    N_("The catalogue service's directory {path} is missing or not writable for {account}."),
    N_("As root: install -d -m {mode} -o {account} {path}"),
    who=Who.OPERATOR,
    label="catalogue",
)
CANNOT_PUBLISH = Reason(
    "catalogue-cannot-publish",
    N_("The nodes cannot be told of the datasets: {path} cannot be written ({why})."),
    N_("Until it can, they go by what they were told last. It must be the catalogue service's, with space."),
    who=Who.OPERATOR,
    label="publish",
    status=503,
)
CANNOT_TAKE_IN = Reason(
    "catalogue-cannot-take-in",
    N_("What the nodes tell cannot be taken in: {why}."),
    N_("{path} must belong to the catalogue service; until then all stays."),
    who=Who.OPERATOR,
    label="events",
)
FAILED_AT = Reason(
    "catalogue-failed-at",
    N_("The catalogue service failed at this: {what:phrase}; its log says why."),
    who=Who.OPERATOR,
    label="catalogue",
)

# -- the hub and its service

NO_STATE_DIR = Reason(
    "startup-no-state-dir",
    N_("The hub's state directory {path} is missing or not writable for this user."),
    N_("As root: install -d -m 0700 -o HUB_USER {path}"),
    who=Who.OPERATOR,
    label="state-dir",
)
STATE_DIR_UNWRITABLE = Reason(
    "startup-state-dir-unwritable",
    N_("The hub's state directory {path} cannot be written: {why}."),
    N_("Free some space on its disk, then start again; nothing was changed."),
    who=Who.OPERATOR,
    label="state-dir",
)
NOT_HUBS_DIRECTORY = Reason(
    "startup-not-hubs-directory",
    N_("{path} is not a directory of the hub's own account."),
    N_("Remove it and start again; the hub makes it anew."),
    who=Who.OPERATOR,
    label="state-dir",
)
PATH_TOO_LONG = Reason(
    "startup-path-too-long",
    N_("{path} is too long a path for the Unix sockets in it."),
    N_("Choose a hub.state_dir of at most {most} characters."),
    who=Who.OPERATOR,
    label="state-dir",
)
NO_SECRET = Reason(
    "startup-no-secret",
    N_("{path} must belong to the hub's own account, be readable for nobody else, and hold a secret."),
    N_("Remove it and start again; the hub makes it anew."),
    who=Who.OPERATOR,
    label="state-dir",
)
PROXY_UNIT_SILENT = Reason(
    "proxy-unit-silent",
    N_("The proxy's unit does not answer ({path}: {why})."),
    N_("systemctl status fabric-proxy; or let the hub run the proxy itself: hub.proxy_unit = false."),
    who=Who.OPERATOR,
    label="proxy-unit",
)
PROXY_UNIT_REFUSES = Reason(
    "proxy-unit-refuses",
    N_("The proxy's unit refuses: {why}."),
    N_(
        "Let ListenStream= in fabric-proxy.socket say the same as hub.bind_url, then: systemctl daemon-reload;"
        " systemctl restart fabric-proxy.socket fabric-proxy fabric-hub."
    ),
    who=Who.OPERATOR,
    label="proxy-unit",
)
CANNOT_LISTEN = Reason(
    "proxy-unit-cannot-listen", N_("{address} cannot be listened on: {why}"), who=Who.OPERATOR, label="proxy-unit"
)
CLOCK = Reason(
    "startup-clock",
    N_("This machine's clock says {now}, but the hub's record was last written at {newest}."),
    N_("Set the clock (timedatectl), then start again; nothing was changed."),
    who=Who.OPERATOR,
    label="clock",
)
OTHER_SOCKET = Reason(
    "startup-other-socket",
    N_("The hub was given a socket on {given}; in the site's file {told}."),
    N_(
        "Let ListenStream= in fabric-hub.socket and fabric-proxy.socket say the same, then: systemctl daemon-reload;"
        " systemctl restart fabric-proxy.socket fabric-hub.socket fabric-proxy fabric-hub."
    ),
    who=Who.OPERATOR,
    label="held-ports",
)
NO_SITE_FILE = Reason(
    "startup-no-site-file",
    N_("This hub has no site file."),
    N_("Call fabric_hub.hub.configuration.configure(c) in jupyterhub_config.py."),
    who=Who.OPERATOR,
    label="site-file",
    status=500,
)
REQ_RUNTIME = Reason(
    "startup-req-runtime",
    N_(
        "req_runtime is {runtime}, but without a [profile.NAME] in the site's file it must be a time as sbatch takes"
        " it, of at most 366 days: 8:00:00."
    ),
    who=Who.OPERATOR,
    label="site-file",
)
LEASE_UNWRITABLE = Reason(
    "startup-lease-unwritable",
    N_("The lease {path} of the sessions' record cannot be written: {why}."),
    N_("Check that its directory exists, belongs to the hub's user and has free space."),
    who=Who.OPERATOR,
    label="lease",
    status=503,
)
LEASE_TAKEN = Reason(
    "startup-lease-taken",
    N_("Another service has taken the sessions' record ({path}); this one ends."),
    N_("It is one that an earlier hub had started."),
    who=Who.OPERATOR,
    label="lease",
    status=503,
)

# -- databases

SESSIONS_DATABASE = Reason("startup-sessions-database", N_("sessions database"), who=Who.NOBODY)
HUBS_USER = Reason("startup-hubs-user", N_("the hub's user"), who=Who.NOBODY)
CATALOGUE_DATABASE = Reason("startup-catalogue-database", N_("catalogue's database"), who=Who.NOBODY)
CATALOGUES_ACCOUNT = Reason(
    "startup-catalogues-account", N_("the catalogue service's account (catalogue.account)"), who=Who.NOBODY
)
NO_DRIVER = Reason(
    "database-no-driver",
    N_("The {database} cannot be opened: {why}."),
    N_("Correct its URL in the site's file; PostgreSQL needs the package psycopg (fabric-hub[postgresql])."),
    who=Who.OPERATOR,
    label="database",
    status=503,
)
CANNOT_OPEN_FILE = Reason(
    "database-cannot-open-file",
    N_("The {database} {url} cannot be opened: {why}."),
    N_("Check that its directory exists, belongs to {owner} and has free space."),
    who=Who.OPERATOR,
    label="database",
    status=503,
)
CANNOT_OPEN_SERVER = Reason(
    "database-cannot-open-server",
    N_("The {database} {url} cannot be opened: {why}."),
    N_("Check its URL in the site's file, and that the database server runs."),
    who=Who.OPERATOR,
    label="database",
    status=503,
)
OTHER_RELEASE = Reason(
    "database-other-release",
    N_("The {database} {url} is not of this release: {why}."),
    N_("Start the release that wrote it, or a later one; nothing was changed."),
    who=Who.OPERATOR,
    label="database",
    status=503,
)
CANNOT_WRITE_FILE = Reason(
    "database-cannot-write-file",
    N_("The {database} {url} cannot be written: {why}."),
    N_("Check that its directory exists, belongs to {owner} and has free space."),
    who=Who.OPERATOR,
    label="database",
    status=503,
)
