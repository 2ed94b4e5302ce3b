from __future__ import annotations

import ssl
import stat
from pathlib import Path
from typing import Any

import jupyterhub.apihandlers
import jupyterhub.handlers
import pytest
from batchspawner.api import BatchSpawnerAPIHandler
from jupyterhub.app import JupyterHub
from traitlets.config import Config

from fabric_hub.hub.configuration import complete, configure
from fabric_hub.hub.patches import tls_sockets
from fabric_hub.hub.proxy import unix_url
from fabric_hub.hub.roles import USER_SCOPES, WHO_IS_IN_A_PROJECT, may_log_in
from fabric_hub.hub.spawner import runtime
from fabric_hub.hub.spawner.wrapper import FabricSpawner
from fabric_hub.sessions.scopes import SESSION_SCOPE, SESSION_TOKEN_SCOPES
from tests.support.builders import site_text

BATCHSPAWNER = ("/api/batchspawner", BatchSpawnerAPIHandler)


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """What configuring leaves in the process is put back."""
    monkeypatch.setattr(runtime, "_settings", None)
    monkeypatch.setattr(runtime, "_runtime", None)


@pytest.fixture
def site_file(tmp_path: Path) -> Path:
    path = tmp_path / "site.toml"
    path.write_text(site_text(tmp_path))
    return path


def handlers() -> list[Any]:
    return [entry[1] for entry in jupyterhub.apihandlers.default_handlers]


def test_batchspawners_way_in_is_gone_from_the_hubs_handlers(site_file: Path) -> None:
    jupyterhub.apihandlers.default_handlers.append(BATCHSPAWNER)  # as its import does, in a process of its own
    assert BatchSpawnerAPIHandler in handlers()
    configure(Config(), site_file)
    assert not [handler for handler in handlers() if handler.__module__.startswith("batchspawner")]
    assert handlers(), "JupyterHub's own stay"


def test_the_hub_that_starts_has_no_route_to_it(site_file: Path) -> None:
    jupyterhub.apihandlers.default_handlers.append(BATCHSPAWNER)
    c = Config()
    configure(c, site_file)
    hub = JupyterHub(config=c)
    hub.init_db()
    hub.init_handlers()
    routes = [entry[0] for entry in hub.handlers]
    assert any("/api/users" in route for route in routes)
    assert not [route for route in routes if "batchspawner" in route]


@pytest.mark.parametrize(("more", "pages"), [("", 0), ("[catalogue]\n", 2)])
def test_the_pages_of_datasets_are_there_where_there_are_datasets_and_once(
    tmp_path: Path, site_file: Path, more: str, pages: int
) -> None:
    site_file.write_text(site_text(tmp_path, more))
    for _ in range(2):
        configure(Config(), site_file)
    routes = [entry[0] for entry in jupyterhub.handlers.default_handlers if entry[0].startswith("/datasets")]
    assert len(routes) == pages


def test_a_sites_own_configuration_cannot_bring_it_back(site_file: Path) -> None:
    c = Config()
    settings = configure(c, site_file)
    jupyterhub.apihandlers.default_handlers.append(BATCHSPAWNER)
    complete(c, settings)
    assert BatchSpawnerAPIHandler not in handlers()


def test_a_sessions_token_gets_its_scopes_and_no_more(site_file: Path) -> None:
    c = Config()
    configure(c, site_file)
    assert c.Spawner.server_token_scopes == list(SESSION_TOKEN_SCOPES)
    assert SESSION_SCOPE in c.JupyterHub.custom_scopes
    assert c.JupyterHub.spawner_class is FabricSpawner


def test_the_service_may_start_servers_and_administers_nothing(site_file: Path) -> None:
    c = Config()
    configure(c, site_file)
    roles = {role["name"]: role for role in c.JupyterHub.load_roles}
    assert set(roles) == {"fabric-service", "member", "steward"}
    assert roles["fabric-service"]["services"] == ["fabric"]
    assert not [scope for scope in roles["fabric-service"]["scopes"] if "admin" in scope or "tokens" in scope]
    assert not any("users" in roles[name] for name in ("member", "steward")), "the hub gives them"
    for held in (USER_SCOPES, roles["member"]["scopes"]):  # a token cannot hold what its owner does not
        assert SESSION_SCOPE in held
    assert not [scope for scope in USER_SCOPES if scope.startswith(("self", "servers", "start", "tokens"))]


def test_only_the_embedded_run_with_its_token_gets_a_service_that_administers(site_file: Path, tmp_path: Path) -> None:
    token = tmp_path / "embedded-token"
    token.write_text("t\n")
    c = Config()
    configure(c, site_file)
    assert [service["name"] for service in c.JupyterHub.services] == ["fabric"]
    site_file.write_text(site_file.read_text() + f'[login]\nkind = "demo"\ndemo_file = "{tmp_path}/demo.json"\n')
    c = Config()
    configure(c, site_file)
    assert c.JupyterHub.services[1] == {"name": "embedded", "api_token": "t"}
    assert c.JupyterHub.authenticator_class == "fabric_dev.login.DemoAuthenticator"


def test_sessions_outlive_the_hub_and_the_queue_refuses_nobody(site_file: Path) -> None:
    c = Config()
    configure(c, site_file)
    assert c.JupyterHub.cleanup_servers is False
    assert c.JupyterHub.concurrent_spawn_limit == 0


def test_who_is_in_a_project_is_asked_with_each_login_and_operators_stand_in_the_list(site_file: Path) -> None:
    site_file.write_text(site_file.read_text() + '[login]\nadmins = ["root-of-hub"]\n')
    c = Config()
    settings = configure(c, site_file)
    assert c.Authenticator.allowed_users == {WHO_IS_IN_A_PROJECT, "root-of-hub"}
    assert c.Authenticator.allow_existing_users is False, "who left everything is in JupyterHub's database"
    assert c.Authenticator.admin_users == {"root-of-hub"}
    assert "allow_all" not in c.Authenticator
    people = ["ada", "jan", "eve", "bob", "root-of-hub", "mallory", WHO_IS_IN_A_PROJECT]
    assert [name for name in people if may_log_in(settings, name)] == people[:5]


def test_a_host_for_every_user_leaves_the_service_at_the_hubs_own(site_file: Path, tmp_path: Path) -> None:
    text = site_file.read_text()
    site_file.write_text(text.replace("[hub]", '[hub]\nsubdomain_host = "https://hub.example.org"'))
    c = Config()
    configure(c, site_file)
    assert c.JupyterHub.subdomain_host == "https://hub.example.org"
    assert c.JupyterHub.cookie_host_prefix_enabled is True
    service = unix_url(tmp_path / "run" / "service.sock")
    assert c.FabricProxy.own_routes == {
        f"{host}/services/fabric/": service for host in ("127.0.0.1", "hub.example.org")
    }
    site_file.write_text(text)
    c = Config()
    configure(c, site_file)
    assert c.FabricProxy.own_routes == {"/services/fabric/": service}
    assert "cookie_host_prefix_enabled" not in c.JupyterHub


def test_the_proxys_api_and_the_service_are_in_a_private_directory_with_internal_tls_and_without(
    site_file: Path, tmp_path: Path
) -> None:
    c = Config()
    configure(c, site_file)
    assert "internal_ssl" not in c.JupyterHub
    site_file.write_text(site_file.read_text().replace("internal_ssl = false", 'hub_ip = "10.0.0.1"'))
    c = Config()
    configure(c, site_file)
    assert c.JupyterHub.internal_ssl is True
    assert c.JupyterHub.trusted_alt_names == ["IP:10.0.0.1", "IP:127.0.0.1"]
    assert c.ConfigurableHTTPProxy.api_url == unix_url(tmp_path / "run" / "proxy-api.sock")
    assert "url" not in c.JupyterHub.services[0], "JupyterHub would have it listen on a port"
    assert stat.S_IMODE((tmp_path / "run").stat().st_mode) == 0o700


def test_a_directory_of_somebody_elses_holds_no_socket(site_file: Path, tmp_path: Path) -> None:
    (tmp_path / "run").symlink_to("/tmp")
    with pytest.raises(SystemExit, match="not a directory of the hub's own account"):
        configure(Config(), site_file)


def without_profiles(path: Path) -> None:
    text = path.read_text()
    head, profiles = text.index("[profile.cpu]"), text.index("[project.physics]")
    path.write_text((text[:head] + text[profiles:]).replace('profiles = ["gpu"]\n', ""))


@pytest.mark.parametrize(
    ("section", "runtime_text", "hours"),
    [
        (None, None, 8.0),
        ("SlurmSpawner", "1:30:00", 1.5),
        ("BatchSpawnerBase", "2-0", 48.0),
        ("SlurmSpawner", "90", 1.5),
    ],
)
def test_a_site_that_comes_from_batchspawner_needs_no_profile(
    site_file: Path, section: str | None, runtime_text: str | None, hours: float
) -> None:
    without_profiles(site_file)
    c = Config()
    if section:
        c[section].req_runtime = runtime_text
    settings = complete(c, configure(c, site_file))
    assert {name: profile.max_hours for name, profile in settings.profile.items()} == {"default": hours}


def test_the_time_that_the_sites_own_configuration_says_is_that_of_the_default_profile(site_file: Path) -> None:
    without_profiles(site_file)
    c = Config()
    settings = configure(c, site_file)
    c.SlurmSpawner.req_runtime = "2:00:00"  # as it is read: after ours
    complete(c, settings)
    assert runtime.runtime().settings.profile["default"].default_hours == 2.0


def test_what_is_set_for_batchspawners_classes_counts_for_the_spawner_that_runs_hooks(site_file: Path) -> None:
    c = Config()
    settings = configure(c, site_file)

    def hook(spawner: Any) -> None: ...

    c.BatchSpawnerBase.pre_spawn_hook = print
    c.BatchSpawnerBase.environment = {"SITE": "north"}
    c.SlurmSpawner.pre_spawn_hook = hook
    c.SlurmSpawner.http_timeout = 30
    c.SlurmSpawner.cmd = ["other"]
    c.Spawner.start_timeout = 60
    complete(c, settings)
    spawner = FabricSpawner(config=c)
    assert (spawner.pre_spawn_hook, spawner.environment, spawner.http_timeout) == (hook, {"SITE": "north"}, 30)
    assert spawner.start_timeout == FabricSpawner.start_timeout.default_value
    assert "cmd" not in c.FabricSpawner


@pytest.fixture
def with_own(site_file: Path, tmp_path: Path) -> Path:
    """The site's own configuration, which its file names."""
    own = tmp_path / "own.py"
    site_file.write_text(site_file.read_text().replace("[hub]", f'[hub]\nextra_config = "{own}"'))
    return own


def started_with(own: Path, site_file: Path, text: str) -> Config:
    """As jupyterhub_config.py does: ours, the site's own, and what completes both."""
    own.write_text(text)
    c = Config()
    settings = configure(c, site_file)
    exec(compile(text, str(own), "exec"), {"c": c})
    complete(c, settings)
    return c


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("c.JupyterHub.spawner_class = 'batchspawner.SlurmSpawner'", "The hub's own spawner."),
        ("c.JupyterHub.spawner_class = SlurmSpawner", "The hub's own spawner."),
        ("c.Spawner.options_form = '<p>'", "The hub's own start form"),
        ("c.JupyterHub.ssl_key = '/etc/key'", "the site's file says http://127.0.0.1:8000. Change that"),
        ("c.JupyterHub.services = [{'name': 'cull'}]", "Write c.JupyterHub.services.append("),
        ("c.JupyterHub.load_roles = []", "Write c.JupyterHub.load_roles.append("),
        ("c.JupyterHub.template_paths = ['/etc/pages']", "Write c.JupyterHub.template_paths.insert("),
        ("c.JupyterHub.custom_scopes = {}", "Write c.JupyterHub.custom_scopes.update("),
        ("c.JupyterHub.template_vars = {}", "Write c.JupyterHub.template_vars.update("),
        ("c.JupyterHub.tornado_settings = {'headers': {}}", "Write c.JupyterHub.tornado_settings.update("),
        ("c.JupyterHub.jinja_environment_options = {}", "Write c.JupyterHub.jinja_environment_options.update("),
        ("c.JupyterHub.proxy_class = 'traefik_file'", "The hub's own proxy."),
        ("c.ConfigurableHTTPProxy.api_url = 'http://127.0.0.1:8001'", "The hub's own proxy."),
        ("c.JupyterHub.port = 443", "The site's file says hub.bind_url = 8000, and sessions are told that."),
        ("c.JupyterHub.hub_ip = '10.0.0.5'", "The site's file says hub.hub_ip = 127.0.0.1"),
    ],
)
def test_what_is_left_of_an_old_hub_and_breaks_ours_is_refused_by_name_and_line(
    site_file: Path, with_own: Path, line: str, says: str
) -> None:
    with pytest.raises(SystemExit) as refused:
        started_with(with_own, site_file, f"from batchspawner import SlurmSpawner\n\n{line}\n")
    told = str(refused.value)
    assert f"{with_own} has 1 line with which the hub does not start:" in told
    assert f"{with_own}:3: {line.partition(' =')[0].removeprefix('c.')}: " in told
    assert says in told
    assert "fabric-hub check-config says it before a start." in told


def test_all_that_breaks_the_hub_is_told_at_once(site_file: Path, with_own: Path) -> None:
    with pytest.raises(SystemExit, match="has 2 lines with which the hub does not start:"):
        started_with(with_own, site_file, "c.JupyterHub.services = []\nc.Spawner.options_form = '<p>'\n")


def test_what_adds_to_the_hubs_own_and_what_has_no_effect_let_it_start_and_the_latter_is_logged(
    site_file: Path, with_own: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text = """
c.JupyterHub.services += [{"name": "cull"}]
c.JupyterHub.template_paths = ["/etc/pages", *c.JupyterHub.template_paths]
c.JupyterHub.bind_url = "http://127.0.0.1:8000/"
c.SlurmSpawner.exec_prefix = "sudo"
c.SlurmSpawner.batch_script = "#!/bin/bash"
c.ProfilesSpawner.profiles = []
"""
    c = started_with(with_own, site_file, text)
    assert [service["name"] for service in c.JupyterHub.services] == ["fabric", "cull"]
    ours = [record for record in caplog.records if record.name == "fabric_hub.moving.before_start"]
    said = [record.getMessage().removeprefix(f"{with_own}:") for record in ours]
    assert [line.partition(":")[0] for line in said] == ["4", "5", "6", "7"]
    assert said[1] == (
        "5: SlurmSpawner.exec_prefix: [move-by-gateway] "
        "The gateway submits, asks and cancels itself, without a shell and without sudo."
    )


def test_profiles_of_the_site_are_kept(site_file: Path) -> None:
    assert set(configure(Config(), site_file).profile) == {"cpu", "gpu", "here"}


@pytest.mark.parametrize("runtime_text", ["UNLIMITED", "soon", "400-0"])
def test_a_req_runtime_that_is_no_time_for_a_session_is_named(site_file: Path, runtime_text: str) -> None:
    without_profiles(site_file)
    c = Config()
    c.SlurmSpawner.req_runtime = runtime_text
    with pytest.raises(SystemExit, match="req_runtime"):
        configure(c, site_file)


def test_every_mistake_of_the_sites_file_ends_the_start_in_words(site_file: Path) -> None:
    site_file.write_text(site_file.read_text() + "[profile.bad]\ncpus = 0\ncolour = 1\n")
    with pytest.raises(SystemExit) as caught:
        configure(Config(), site_file)
    assert "2 mistakes" in str(caught.value)
    assert "profile.bad.cpus" in str(caught.value)
    assert "profile.bad.colour" in str(caught.value)


def test_a_missing_state_directory_is_named_with_the_command_that_makes_it(site_file: Path, tmp_path: Path) -> None:
    site_file.write_text(site_file.read_text().replace(f'state_dir = "{tmp_path}"', f'state_dir = "{tmp_path}/no"'))
    with pytest.raises(SystemExit, match=f"install -d -m 0700 -o HUB_USER {tmp_path}/no"):
        configure(Config(), site_file)


def test_the_probe_of_the_state_directory_is_taken_away(site_file: Path, tmp_path: Path) -> None:
    configure(Config(), site_file)
    assert ".writable" not in [path.name for path in tmp_path.iterdir()]


def test_one_broken_tls_connection_ends_no_other_of_the_hubs(site_file: Path) -> None:
    configure(Config(), site_file)
    assert ssl.SSLContext.sslsocket_class is tls_sockets.Socket


@pytest.mark.parametrize(
    "written", ["c.Authenticator.admin_users.update({'ada'})", "c.OAuthenticator.admin_users = {'Ada'}"]
)
def test_an_operator_whom_only_the_hubs_own_configuration_names_is_refused_beside_providers(
    site_file: Path, tmp_path: Path, written: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The catalogue service would give such a name to whoever's first login asks for it."""
    extra, secret = tmp_path / "extra.py", tmp_path / "secret"
    extra.write_text(written)
    secret.write_text("x")
    secret.chmod(0o600)
    provider = (
        f'[login.provider.uni]\nissuer = "https://uni.example"\nclient_id = "hub"\nclient_secret_file = "{secret}"\n'
    )
    text = site_file.read_text().replace("[hub]", f'[hub]\nextra_config = "{extra}"')

    def start(login: str) -> None:
        site_file.write_text(f"{text}[catalogue]\n[login]\n{login}{provider}")
        c = Config()
        settings = configure(c, site_file)
        exec(written, {"c": c})  # as JupyterHub runs it
        complete(c, settings)

    with pytest.raises(SystemExit) as refused:
        start("")
    said = f"{extra} makes operators in admin_users whom the site's file does not name: ada. Name them in login.admins"
    assert said in " ".join(str(refused.value).split())
    start('admins = ["ada"]\n')
