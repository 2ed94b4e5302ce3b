"""Every change that we make to JupyterHub and to what it runs on: each is listed here, and made nowhere else.

A patch is for the versions that somebody has looked at. With another one the hub starts all the same, applies it, and
says so in its log: most releases of JupyterHub change none of this, and a hub that does not start helps nobody. For
each patch there is a test that runs the library without it and shows the fault; it fails when the fault is gone, and
names the patch that can go. docs/reference/patches.md is written from this list.
"""

from __future__ import annotations

import logging
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from packaging.specifiers import SpecifierSet

from fabric_hub.config.settings import Settings

from .patch import Patch

log = logging.getLogger(__name__)

NEEDED_TESTS = "tests/unit/hub/patches/needed"
_JUPYTERHUB = "https://github.com/jupyterhub/jupyterhub"


PATCHES = (
    Patch(
        name="start-by-post",
        module="starts",
        what="A GET of the start page starts nothing, with options or without a form: it fills the form, and leaves no "
        "server on the user's list.",
        why="Whoever makes somebody's browser open an address would start a server in that person's name.",
        needed_test="test_a_get_with_options_starts_a_server",
        replaces=(
            "jupyterhub.handlers.pages:SpawnHandler._wrap_spawn_single_user",
            "jupyterhub.handlers.pages:SpawnHandler._get",
        ),
    ),
    Patch(
        name="start-token",
        module="starts",
        what="A form starts a session with the hub's token in its body alone, and neither that token nor what was "
        "chosen is in the address of the page that follows.",
        why="JupyterHub has the token in the form's address, and takes it from there: it would be in histories and "
        "logs, and in whatever is copied.",
        needed_test="test_a_form_is_taken_with_its_token_in_the_address",
        replaces=(
            "jupyterhub.handlers.pages:SpawnHandler._post",
            "jupyterhub.handlers.pages:SpawnHandler._get_pending_url",
        ),
    ),
    Patch(
        name="double-click",
        module="starts",
        what="A start form that was sent twice leads to the one start.",
        why='The second one gets 500, "Unhandled error starting server", beside a start that goes well.',
        needed_test="test_a_form_that_was_sent_twice_is_answered_500",
        replaces=("jupyterhub.handlers.pages:SpawnHandler._wrap_spawn_single_user",),
    ),
    Patch(
        name="refused-starts",
        module="starts",
        what="A start that is refused leaves no named server that was not there before, by form and by REST.",
        why="Each name that somebody tried stays on their list as a server that never ran.",
        needed_test="test_a_refused_start_leaves_a_server_on_the_list",
        replaces=(
            "jupyterhub.handlers.pages:SpawnHandler._post",
            "jupyterhub.apihandlers.users:UserServerAPIHandler.post",
        ),
    ),
    Patch(
        name="server-names",
        module="starts",
        what="A name that no server can have is refused with the rule for names.",
        why='"Invalid server_name" leaves people guessing.',
        needed_test="test_the_refusal_of_a_name_does_not_say_the_rule",
        replaces=("jupyterhub.handlers.base:BaseHandler._check_named_server_request",),
        upstream=(f"{_JUPYTERHUB}/issues/5054", f"{_JUPYTERHUB}/pull/5192"),
    ),
    Patch(
        name="progress-streams",
        module="streams",
        what="A person may follow a session's start ten times at once; one more gets 429. What is done for a "
        "connection ends with it.",
        why="Anybody could open any number of streams, and each is served until the start's next event, also when "
        "nobody listens any more.",
        needed_test="test_a_start_is_followed_for_a_connection_that_is_closed",
        replaces=("jupyterhub.apihandlers.users:SpawnProgressAPIHandler.get",),
    ),
    Patch(
        name="unreachable",
        module="session_ends",
        what="The spawner knows whether a person stops a server or JupyterHub, which had no answer from it; what the "
        "spawner put on record is what the start's page says. A session of an earlier hub that this one cannot reach "
        "is asked on, unless its node says that its server cannot be used.",
        why="JupyterHub calls stop() in both cases, and the page says that a time limit has passed; with the network "
        "to the nodes away at its start it would stop everybody's servers.",
        needed_test="test_who_stops_a_server_is_not_told_apart",
        replaces=("jupyterhub.user:User._wait_up",),
    ),
    Patch(
        name="session-tokens",
        module="session_ends",
        what="A hub that starts deletes the tokens of sessions that are over, and those of sessions that the service "
        "ends from then on.",
        why="JupyterHub deletes the token of a server that it stops, if it remembers it: the token of a session that "
        "ended while the hub was down would open the next one of that name.",
        needed_test="test_a_token_outlives_a_server_that_ended_while_the_hub_was_down",
        replaces=("jupyterhub.app:JupyterHub.init_spawners",),
    ),
    Patch(
        name="service-socket",
        module="services",
        what="JupyterHub waits until our service answers at its Unix socket.",
        why="It takes no Unix socket as a service's address, and does not wait for a service without one.",
        needed_test="test_a_service_takes_no_unix_socket_as_its_address",
        replaces=("jupyterhub.app:JupyterHub.start_service",),
        upstream=(f"{_JUPYTERHUB}/issues/3529", f"{_JUPYTERHUB}/pull/5397"),
    ),
    Patch(
        name="service-tls",
        module="services",
        what="Under internal TLS a site's own managed services are checked with a client's TLS context.",
        why="JupyterHub checks them with its server's, which can make no connection, and exits.",
        needed_test="test_a_managed_service_is_checked_with_a_servers_tls_context",
        replaces=("jupyterhub.app:JupyterHub.start_service",),
        upstream=(f"{_JUPYTERHUB}/pull/3514",),
    ),
    Patch(
        name="service-certificates",
        module="services",
        what="The certificates of a site's own managed services name the hub's hosts.",
        why="The proxy checks them against the name that people typed, and JupyterHub configures none for services.",
        needed_test="test_a_services_certificate_names_no_host",
        replaces=("jupyterhub.services.service:_ServiceSpawner.create_certs",),
    ),
    Patch(
        name="batchspawner-api",
        module="handlers",
        what="POST /hub/api/batchspawner is gone.",
        why="It lets any notebook set any attribute of its spawner, a shell command among them: it would run code as "
        "the hub.",
        needed_test="test_batchspawner_lets_a_notebook_set_any_attribute_of_its_spawner",
        package="batchspawner",
        versions=">=1.3,<1.4",
        upstream=("https://github.com/jupyterhub/batchspawner/pull/58",),
    ),
    Patch(
        name="own-pages",
        module="handlers",
        what="Pages of datasets, and the place where sessions call our service under internal TLS, are the hub's own.",
        why="JupyterHub's setting for pages, extra_handlers, is deprecated and warns; its services have no access to "
        "a person's login.",
        needed_test="test_jupyterhubs_setting_for_pages_is_deprecated",
    ),
    Patch(
        name="operators-stay-out",
        module="operators",
        what="An operator has none of the rights of JupyterHub's role admin that lead into other people's sessions: to "
        "open them, to make tokens in people's names, to share their servers, to give the hub a proxy or a service.",
        why="An admin's cookie or token opens everybody's session, and nobody sees that it did; JupyterHub refuses to "
        "start with an admin role of the site's own.",
        needed_test="test_an_admin_may_open_everybodys_server_and_the_role_cannot_be_changed",
        replaces=("jupyterhub.roles:get_default_roles",),
    ),
    Patch(
        name="roles-follow-projects",
        module="membership",
        what="The role user, which everybody has, holds what a visitor needs; starting servers and making tokens are "
        "the role member, which the hub gives and takes while it runs, by the projects that a person is in.",
        why="JupyterHub gives roles at its start or a login: who is removed would keep theirs until the next one.",
        needed_test="test_a_role_of_the_configuration_is_for_those_that_it_names",
        replaces=(
            "jupyterhub.app:JupyterHub.init_role_assignment",
            "jupyterhub.roles:get_default_roles",
            "jupyterhub.roles:assign_default_roles",
            "jupyterhub.apihandlers.users:assign_default_roles",
        ),
    ),
    Patch(
        name="logins-follow-projects",
        module="membership",
        what="The list of who may log in is, with each login, who is in a project then.",
        why="JupyterHub takes the names from its configuration, at its start.",
        needed_test="test_who_may_log_in_is_read_at_the_start",
        replaces=("jupyterhub.app:JupyterHub.init_users",),
    ),
    Patch(
        name="people-keep-their-names",
        module="operators",
        what="Nobody gives a person of the hub another name.",
        why="A name is an account on the cluster: an operator who takes another person's name starts sessions as them.",
        needed_test="test_who_may_edit_people_takes_any_name",
        replaces=("jupyterhub.apihandlers.users:UserAPIHandler.patch",),
    ),
    Patch(
        name="admin-page",
        module="operators",
        what="JupyterHub's page for admins leads to the page Operate, unless the site turns it on (hub.admin_page).",
        why="There would be two pages for operators, and JupyterHub's has buttons without a name for screen readers.",
        needed_test="test_the_admin_page_is_always_there",
        replaces=("jupyterhub.handlers.pages:AdminHandler.get",),
    ),
    Patch(
        name="readers",
        module="readers",
        what="Everything that the hub makes for a request is in the language and the time zone of whoever reads it.",
        why="JupyterHub's pages are in English, whatever a browser asks for, and know nothing of languages.",
        needed_test="test_jupyterhubs_pages_are_in_english_whatever_a_browser_asks_for",
        replaces=("jupyterhub.handlers.base:BaseHandler.prepare",),
    ),
    Patch(
        name="write-ahead-log",
        module="thread",
        what="JupyterHub's SQLite database commits to a write-ahead log.",
        why="The hub answers nobody while a commit waits for the disk, many times in every start.",
        needed_test="test_jupyterhubs_database_has_no_write_ahead_log",
        upstream=(f"{_JUPYTERHUB}/pull/4292",),
    ),
    Patch(
        name="one-tls-context",
        module="thread",
        what="The hub looks for started servers with one TLS context for all of them.",
        why="A new one in every start takes 27 ms in which the hub answers nobody.",
        needed_test="test_every_start_makes_a_tls_context",
        replaces=("jupyterhub.user:make_ssl_context",),
        upstream=(f"{_JUPYTERHUB}/pull/3140",),
    ),
    Patch(
        name="starts-in-turn",
        module="thread",
        what="Starts of one moment begin one after the other, of each user in turn.",
        why="Whoever asks the hub for something while fifty people click would wait for fifty starts.",
        needed_test="test_all_starts_of_a_moment_begin_at_once",
        replaces=("jupyterhub.user:User.spawn",),
        upstream=(f"{_JUPYTERHUB}/pull/1290",),
    ),
    Patch(
        name="patient-server",
        module="web_server",
        what="The hub's web server takes small bodies, within a time limit, and keeps a bounded number of connections "
        "that wait for a request. A visitor's address is what the site's trusted proxies say it is.",
        why="Tornado keeps 100 MB of a stranger's in memory, and any number of connections for an hour; it takes a "
        "visitor's own X-Real-Ip for their address.",
        needed_test="test_tornado_sets_no_bounds_for_strangers",
        package="tornado",
        versions=">=6.5,<6.7",
    ),
    Patch(
        name="held-port",
        module="web_server",
        what="The hub listens on a socket that it was given, where there is one for its address.",
        why="JupyterHub knows an address and a port only: another account could take the port while it starts again.",
        needed_test="test_a_port_that_is_held_cannot_be_listened_on",
        replaces=("tornado.tcpserver:bind_sockets",),
        package="tornado",
        versions=">=6.5,<6.7",
    ),
    Patch(
        name="tls-errors",
        module="tls_sockets",
        what="A TLS connection that breaks ends no other one of the hub's thread.",
        why="Python leaves errors in OpenSSL's queue, and the next connection is taken for broken: "
        "[one broken TLS connection ends another](../explanation/tls-errors.md).",
        needed_test="test_a_broken_tls_connection_breaks_another",
        package="python",
        versions=">=3.11,<3.15",
        upstream=(
            "https://github.com/python/cpython/issues/81891",
            "https://github.com/python/cpython/issues/148594",
            "https://github.com/python/cpython/pull/127361",
        ),
    ),
    Patch(
        name="proxy-routes",
        module="fabric_hub.hub.proxy",
        what="The proxy has routes to Unix sockets, a new proxy has them at once, and no TLS where its API is a Unix "
        "socket.",
        why="JupyterHub lets http and https pass only, and adds extra routes minutes later.",
        needed_test="test_no_extra_route_leads_to_a_unix_socket",
        upstream=(f"{_JUPYTERHUB}/issues/3529", f"{_JUPYTERHUB}/pull/5397"),
    ),
    Patch(
        name="proxy-port",
        module="proxy_program",
        what="The proxy listens on a socket that the hub keeps (`held_port.cjs`).",
        why="configurable-http-proxy takes an address and a port only: another account could take the port when it "
        "ends.",
        needed_test="test_the_proxy_takes_no_listening_socket",
        replaces=("jupyterhub.proxy:Popen",),
        package="configurable-http-proxy",
        versions=">=5.3,<5.4",
    ),
    Patch(
        name="proxy-log",
        module="proxy_program",
        what="What the proxy logs has the format of our own logs (`log_lines.cjs`).",
        why="It writes in colours, in a format of its own, and the addresses of requests with the tokens in them.",
        needed_test="test_the_proxy_logs_in_a_format_of_its_own",
        replaces=("jupyterhub.proxy:Popen",),
        package="configurable-http-proxy",
        versions=">=5.3,<5.4",
    ),
    Patch(
        name="proxy-whole-requests",
        module="proxy_program",
        what="The proxy refuses a DELETE or OPTIONS whose body is sent in chunks, 411 (`whole_requests.cjs`).",
        why="Its library passes the body on behind a request that says it has none: hub and sessions would read it as "
        "the next person's request.",
        needed_test="test_the_proxy_passes_a_body_on_as_another_request",
        replaces=("jupyterhub.proxy:Popen",),
        package="configurable-http-proxy",
        versions=">=5.3,<5.4",
        upstream=("https://github.com/http-party/node-http-proxy/issues/1721",),
    ),
    Patch(
        name="proxy-upgrades",
        module="proxy_program",
        what="A request for a WebSocket may have no body, 400, and is answered within 120 seconds or ends "
        "(`whole_requests.cjs`).",
        why="The proxy's library sends no body with it: the server waits for that body, and the proxy for the server, "
        "without an end.",
        needed_test="test_the_proxy_passes_an_upgrade_on_without_its_body",
        replaces=("jupyterhub.proxy:Popen",),
        package="configurable-http-proxy",
        versions=">=5.3,<5.4",
        upstream=("https://github.com/nodejs/node/pull/60016",),
    ),
)


def apply_all(c: Any, settings: Settings, service: str) -> None:
    """Apply every patch but the proxy's, which :class:`fabric_hub.hub.proxy.FabricProxy` applies when it starts.

    :param c: JupyterHub's configuration object; safe to call again after a change of it.
    :param service: the name of our service at JupyterHub.
    """
    # here, for some of what is patched needs what others only describe
    from fabric_hub.hub import session_calls, tls
    from fabric_hub.hub.pages import listed
    from fabric_hub.hub.proxy import unix_url

    from . import handlers, membership, operators, readers, services, session_ends, starts, streams, thread, web_server

    for patch in PATCHES:
        if strange := unknown_version(patch):
            log.warning("%s", strange)
    names = tls.hub_alt_names(settings.hub) if settings.hub.internal_ssl else []
    thread.apply(c)
    handlers.apply([*listed.pages(settings), *session_calls.pages(settings)])
    services.apply(service, unix_url(settings.hub.service_socket), names)
    readers.apply()
    operators.apply()
    membership.apply()
    starts.apply()
    streams.apply()
    session_ends.apply()
    web_server.apply(settings.log.trusted_proxies)


def unknown_version(patch: Patch) -> str:
    """What is to be said of a library's version that nobody has looked at; "" of one that somebody has.

    Nothing is said of what is no Python package.
    """
    try:
        found = platform.python_version() if patch.package == "python" else version(patch.package)
    except PackageNotFoundError:
        return ""
    if SpecifierSet(patch.versions).contains(found, prereleases=True):
        return ""
    return (
        f"Patch {patch.name} of {patch.package} was made for {patch.versions}, and {found} is installed: "
        f"{patch.what} See docs/reference/patches.md."
    )
