"""JupyterHub's configuration from the site's file: the embedded run and a production site alike."""

from __future__ import annotations

import logging
import os
import shutil
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from traitlets.config.loader import LazyConfigValue

from fabric_hub.config import logo
from fabric_hub.config.login import secret_mistakes
from fabric_hub.config.settings import Profile, Settings, load, path_from_environment, refuse
from fabric_hub.datasets.policy import ACCEPT_SCOPE
from fabric_hub.datasets.stewards import stewards
from fabric_hub.errors import FabricError
from fabric_hub.hub.spawner.bases import configured
from fabric_hub.hub.spawner.runtime import install, runtime
from fabric_hub.hub.spawner.slurm_child import FabricSlurmSpawner
from fabric_hub.hub.spawner.wrapper import FabricSpawner
from fabric_hub.launch.batchspawner_compat import minutes
from fabric_hub.logs import lines
from fabric_hub.messages.logs import gives_up, with_codes
from fabric_hub.messages.text import whole
from fabric_hub.messages.texts import backup as texts
from fabric_hub.messages.texts import login as login_texts
from fabric_hub.messages.texts import startup
from fabric_hub.messages.translation import N_
from fabric_hub.moving.before_start import refuse_what_breaks
from fabric_hub.projects.live import with_live_projects
from fabric_hub.sessions.database import database_url, hub_database_url
from fabric_hub.sessions.scopes import SESSION_SCOPE, SESSION_TOKEN_SCOPES
from fabric_hub.sessions.store import SessionStore
from fabric_hub.types import login_name
from fabric_hub.unix import authorities, capabilities, state_lock
from fabric_hub.unix.accounts import runs_local_sessions

from . import access_log, held_ports, moved_settings, patches, roles, tls
from .csp import ResponseHeaders, ScriptNonce, current_nonce
from .pages import announcements, budgets, held, home, language, notices, report, sessions, steward, waiting
from .pages import site as site_pages
from .pages.sentences import Sentences
from .pages.trends import trends
from .patches.starts import plain_address
from .private_files import lasting_secret, private_directory
from .proxy import FabricProxy, unix_url
from .with_parent import with_parent

log = logging.getLogger(__name__)

SERVICE = "fabric"  # our service's name at JupyterHub
_OURS = "fabric_hub.hub.login.authenticator.FabricAuthenticator"
TEMPLATES, STATIC = (Path(__file__).parent / name for name in ("templates", "static"))


def configure(c: Any, site: Path | None = None) -> Settings:
    """Configure a JupyterHub for a site.

    :param c: JupyterHub's configuration object.
    :param site: the site's file; default $FABRIC_HUB_SITE or /etc/fabric-hub/site.toml.
    :returns: what the site's file says, for :func:`complete`.
    :raises SystemExit: the site's file cannot be used; every mistake is printed.
    """
    with_codes()
    site = site or path_from_environment()
    try:
        settings = with_live_projects(load(site))
        refuse([*logo.mistakes(settings.site), *secret_mistakes(settings.login, reads=True)], site)
        _check_state_dir(settings.hub.state_dir)
        state_lock.hold(settings.hub.state_dir)
        _check_record(settings)
        private_directory(settings.hub.socket_dir)
        held_ports.receive(_addresses(settings))
    except FabricError as error:
        raise SystemExit(f"fabric-hub: {gives_up(error)}") from error
    _logs(c, settings)
    _network(c, settings)
    _login(c, settings)
    _sessions(c)
    _service(c, settings, site)
    _pages(c, settings)
    _complete(c, settings)
    return settings


def complete(c: Any, settings: Settings) -> Settings:
    """After the site's own configuration was read: what depends on it, and what it must not undo.

    :param settings: what the site's file says, as :func:`configure` returns it.
    :returns: the same with what the configuration adds to it.
    :raises SystemExit: the hub would not work with what the site's own configuration sets; each is named.
    """
    if settings.hub.extra_config:
        try:
            refuse_what_breaks(c, settings, settings.hub.extra_config)
        except FabricError as error:
            raise SystemExit(f"fabric-hub: {gives_up(error)}") from error
        if settings.login.provider and c.JupyterHub.authenticator_class != _OURS:
            said = login_texts.PROVIDERS_WITHOUT_EFFECT(path=str(settings.hub.extra_config))
            log.warning("%s", whole(FabricError(said)))
        _check_operators(c, settings)
    return _complete(c, settings)


def _check_operators(c: Any, settings: Settings) -> None:
    """Refuse operators whom only the hub knows, where providers say who somebody is.

    The catalogue service keeps operators' names from first logins, and reads them in the site's file.
    """
    names = {login_name(str(one), settings.login.keep_case) for one in _admin_users(c)}
    unknown = sorted(names.difference(settings.login.admins))
    if settings.login.provider and unknown:
        said = login_texts.OPERATORS_UNKNOWN(path=str(settings.hub.extra_config), names=unknown)
        raise SystemExit(f"fabric-hub: {gives_up(FabricError(said))}")


def _admin_users(c: Any) -> set[Any]:
    """Everybody whom a configuration makes an operator by name, of whichever authenticator's class."""
    found: set[Any] = set()
    for section in [one for one in c if one.endswith("Authenticator")]:
        told = c[section].get("admin_users", set())
        found.update(told.get_value(set()) if isinstance(told, LazyConfigValue) else told)
    return found


def _complete(c: Any, settings: Settings) -> Settings:
    moved_settings.carry_over(c)
    c.JupyterHub.template_vars["fabric_logo_file"] = bool(c.JupyterHub.get("logo_file"))
    settings = with_default_profile(settings, c)
    if os.geteuid() != 0:
        # a hub that may become its users (up --local as root) must not hand that right to their sessions
        capabilities.drop_inheritance()
    install(settings)
    # made now: opening the record takes a second that no user's click should wait for
    runtime().when_open.append(trends.keep)
    patches.apply_all(c, settings, SERVICE)
    end_children_with_hub(c)
    return settings


def end_children_with_hub(c: Any) -> None:
    """A hub that is killed takes its proxy and its services along: see :mod:`.with_parent`."""
    own_unit = c.FabricProxy.get("unit_directory")
    if (command := c.ConfigurableHTTPProxy.get("command")) and not own_unit:
        c.ConfigurableHTTPProxy.command = with_parent([command] if isinstance(command, str) else command, os.getpid())
    for service in c.JupyterHub.get("services") or []:
        # one that runs as somebody else may not be able to read our program
        if (command := service.get("command")) and not service.get("user"):
            service["command"] = with_parent([command] if isinstance(command, str) else command, os.getpid())


def with_default_profile(settings: Settings, c: Any) -> Settings:
    """A site without profiles (one that comes from batchspawner) gets one that is all ``req_*``.

    :raises SystemExit: its ``req_runtime`` is no time that a session can ask for.
    """
    if settings.profile:
        return settings
    runtime = configured(c, FabricSlurmSpawner, "req_runtime") or "8:00:00"
    try:
        hours = minutes(str(runtime)) / 60
        default = Profile(title="Default", default_hours=hours, max_hours=hours)
    except ValueError as error:  # pydantic's is one, too
        refused = FabricError(startup.REQ_RUNTIME(runtime=repr(str(runtime))))
        raise SystemExit(f"fabric-hub: {gives_up(refused)}") from error
    return settings.model_copy(update={"profile": {"default": default}})


def _check_state_dir(path: Path) -> None:
    if not path.is_dir() or not os.access(path, os.W_OK | os.X_OK):
        raise FabricError(startup.NO_STATE_DIR(path=str(path)))
    probe = path / ".writable"
    try:
        probe.write_bytes(b"\0" * 65536)
    except OSError as error:
        raise FabricError(startup.STATE_DIR_UNWRITABLE(path=str(path), why=error.strerror or "")) from error
    finally:
        probe.unlink(missing_ok=True)


# Clocks of a cluster's machines differ by less; munge itself refuses more than five minutes.
CLOCK_TOLERANCE_S = 300.0


def _check_record(settings: Settings) -> None:
    """The sessions' record can be opened, and was not written in this clock's future."""
    store = SessionStore(database_url(settings))
    try:
        newest = store.newest()
    finally:
        store.close()
    now = time.time()
    if newest is not None and newest > now + CLOCK_TOLERANCE_S:
        raise FabricError(startup.CLOCK(now=_moment(now), newest=_moment(newest)))


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _addresses(settings: Settings) -> dict[str, tuple[str, int]]:
    """Where people and nodes reach the hub, by the setting that says so."""
    hub, public = settings.hub, urlsplit(settings.hub.bind_url)
    port = public.port or (443 if public.scheme == "https" else 80)
    return {"hub.bind_url": (public.hostname or "", port), "hub.hub_ip": (hub.hub_ip, hub.hub_port)}


def _logs(c: Any, settings: Settings) -> None:
    """One format for JupyterHub's own lines, ours, and each request's."""
    c.JupyterHub.logging_config = lines.for_dict_config("hub", settings.log.as_json)
    c.FabricProxy.log_format = settings.log.format


def _network(c: Any, settings: Settings) -> None:
    hub = settings.hub
    c.JupyterHub.bind_url = hub.bind_url
    c.JupyterHub.hub_ip = hub.hub_ip
    c.JupyterHub.hub_port = hub.hub_port
    c.JupyterHub.db_url = hub_database_url(settings)
    c.JupyterHub.cookie_secret_file = str(hub.state_dir / "cookie_secret")
    # Sessions outlive the hub; the proxy does not outlive a clean stop.
    c.JupyterHub.cleanup_servers = False
    c.JupyterHub.proxy_class = FabricProxy
    c.ConfigurableHTTPProxy.api_url = unix_url(hub.proxy_api_socket)
    c.ConfigurableHTTPProxy.command_umask = 0o077
    c.ConfigurableHTTPProxy.pid_file = str(hub.state_dir / "proxy.pid")
    c.ConfigurableHTTPProxy.command = list(hub.proxy_command) or [_proxy_command()]
    if hub.proxy_unit:
        c.FabricProxy.unit_directory = hub.socket_dir
        c.FabricProxy.check_running_interval = 1  # what a proxy that was started anew knows may be old
        c.ConfigurableHTTPProxy.auth_token = lasting_secret(hub.proxy_token)
    if hub.public_url:
        c.JupyterHub.public_url = hub.public_url
    if hub.subdomain_host:
        c.JupyterHub.subdomain_host = hub.subdomain_host.rstrip("/")
        # no page on a user's host can then plant a login cookie for the hub's; browsers want HTTPS for it
        c.JupyterHub.cookie_host_prefix_enabled = hub.subdomain_host.startswith("https:")
    # our service is part of the hub: it stays at the hub's own addresses
    hosts = hub.hosts if hub.subdomain_host else ("",)
    service = unix_url(hub.service_socket)
    c.FabricProxy.own_routes = {f"{host}{hub.base_path}/services/{SERVICE}/": service for host in hosts}
    if hub.internal_ssl:
        store, names = hub.state_dir / "certs", tls.hub_alt_names(hub)
        tls.renew_hub_certificates(store, names)
        _tell_of_ends(store)
        c.JupyterHub.internal_ssl = True
        c.JupyterHub.internal_certs_location = str(store)
        c.JupyterHub.trusted_alt_names = names


def _tell_of_ends(store: Path) -> None:
    """In the hub's log, at each of its starts: certificates that end soon."""
    for one in authorities.ending(authorities.certificates(store), time.time()):
        log.warning("%s", whole(FabricError(texts.CERTIFICATES_END_SOON(name=one.name, day=one.end))))


def _proxy_command() -> str:
    beside = Path(__file__).parents[2] / "node_modules" / ".bin" / "configurable-http-proxy"
    return str(beside) if beside.exists() else shutil.which("configurable-http-proxy") or "configurable-http-proxy"


def _login(c: Any, settings: Settings) -> None:
    login = settings.login
    if login.kind == "demo":
        c.JupyterHub.authenticator_class = "fabric_dev.login.DemoAuthenticator"
        c.DemoAuthenticator.demo_file = str(login.demo_file)
    elif login.kind == "pam":
        c.JupyterHub.authenticator_class = "pam"
    if login.provider:  # it has the passwords beside them
        c.JupyterHub.authenticator_class = _OURS
    # who is in a project is looked at with each login, unless the site has a list of its own in the place of this one
    c.Authenticator.allowed_users = {roles.WHO_IS_IN_A_PROJECT} | set(login.admins) | stewards(settings.catalogue)
    # who left all projects is still in JupyterHub's database
    c.Authenticator.allow_existing_users = False
    c.Authenticator.admin_users = set(login.admins)


def _sessions(c: Any) -> None:
    c.JupyterHub.spawner_class = FabricSpawner
    c.JupyterHub.allow_named_servers = True
    # Sessions that wait in Slurm's queue are pending to JupyterHub: its limits would refuse others (429).
    c.JupyterHub.concurrent_spawn_limit = 0
    c.JupyterHub.active_server_limit = 0
    c.Spawner.server_token_scopes = list(SESSION_TOKEN_SCOPES)
    # The snapshot says at once when a job is gone; this is only the net below.
    c.Spawner.poll_interval = 60
    c.Spawner.http_timeout = 60
    c.Spawner.default_url = "/lab"


def _service(c: Any, settings: Settings, site: Path) -> None:
    c.JupyterHub.custom_scopes = {
        SESSION_SCOPE: {"description": N_("Tell the hub about one's own session, and read it.")},
        ACCEPT_SCOPE: {"description": N_("Accept agreements of datasets and request access, in one's own name.")},
    }
    # the service itself may never become a user, and must know what its hub may
    static = ["--static", str(STATIC)]
    local = ["--local-sessions"] if runs_local_sessions(settings.users) else []
    c.JupyterHub.services = [
        {
            "name": SERVICE,
            "command": [sys.executable, "-m", "fabric_hub.service", "--site", str(site), *static, *local],
            "display": False,
        }
    ]
    known: list[dict[str, Any]] = [
        {
            "name": "fabric-service",
            "description": "Take up again the sessions of a hub that died.",
            "services": [SERVICE],
            "scopes": ["servers", "read:users:name", "list:users"],
        },
        *roles.definitions(),
    ]
    token_file = settings.hub.state_dir / "embedded-token"
    if settings.login.kind == "demo" and token_file.exists():
        c.JupyterHub.services.append({"name": "embedded", "api_token": token_file.read_text().strip()})
        known.append(
            {
                "name": "embedded",
                "description": "fabric-hub token, status and down of the embedded run.",
                "services": ["embedded"],
                "scopes": ["admin:users", "tokens", "admin:servers", "read:hub", "shutdown"],
            }
        )
    c.JupyterHub.load_roles = known


def _pages(c: Any, settings: Settings) -> None:
    c.JupyterHub.template_paths = [str(TEMPLATES)]
    c.JupyterHub.tornado_settings = {
        "fabric_hub": True,
        "headers": ResponseHeaders(settings.hub.subdomain_host),
        "log_function": access_log.log_request,
        # how long a REST call waits for a start; a refusal comes in a fraction of it
        "slow_spawn_timeout": 3,
    }
    c.JupyterHub.jinja_environment_options = {"extensions": [ScriptNonce, Sentences]}
    c.JupyterHub.template_vars = {
        **language.TEMPLATE_VARS,
        "csp_nonce": current_nonce,
        "fabric_last_end": sessions.last_end,
        "fabric_start_address": lambda _viewer: plain_address,
        "fabric_live": sessions.live,
        "fabric_choice": waiting.choice,
        "fabric_announce": announcements.for_operators,
        "fabric_announcements": announcements.standing,
        "fabric_ended_start": waiting.ended_start,
        "fabric_held": held.held,
        "fabric_silence": sessions.silence,
        "fabric_unread": notices.unread,
        "fabric_warnings": budgets.warnings,
        "fabric_home": home.home,
        "fabric_projects": budgets.of_viewer,
        "fabric_report": report.report_address,
        "fabric_site": site_pages.of_pages(settings),
        "fabric_base": settings.hub.pages_url,
        "fabric_datasets": settings.catalogue is not None,
        "fabric_answers_for_any": steward.answers_for_any,
        "fabric_admin_page": settings.hub.admin_page,
        "fabric_opens_sessions": settings.hub.operators_open_sessions,
    }
