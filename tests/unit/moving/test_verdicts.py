from __future__ import annotations

import pytest

from fabric_hub.moving.model import Fault, Missing, Verdict
from fabric_hub.moving.verdicts import judge

from .support import codes, judged, looked, site

K, R, U, X = Verdict.KEPT, Verdict.REPLACED, Verdict.UNUSED, Verdict.REFUSED

HOOK = """
def helper(it):
    it.req_qos = "q"

def hook(spawner):
    {}
    helper(spawner)

c.{}.pre_spawn_hook = hook
"""


@pytest.mark.parametrize(
    ("line", "verdict", "code"),
    [
        # what counts as before
        ("c.SlurmSpawner.req_partition = 'gpu'", K, "move-where-silent"),
        ("c.BatchSpawnerBase.req_memory = '8gb'", K, "move-where-silent"),
        ("c.SlurmSpawner.req_reservation = 'monday'", K, "move-as-before"),
        ("c.SlurmSpawner.req_options = '-p long -c 4'", K, "move-as-before"),
        ("c.SlurmSpawner.req_options = '--constraint=hbm'", K, "move-with-trust"),
        ("c.SlurmSpawner.req_prologue = 'module load x'", K, "move-with-trust"),
        ("c.Spawner.http_timeout = 120", K, "move-as-before"),
        ("c.SlurmSpawner.default_url = '/lab'", K, "move-as-before"),
        ("c.Spawner.environment = {'http_proxy': 'x'}", K, "move-environment"),
        ("c.Spawner.environment = {'JUPYTERHUB_X': 'x'}", K, "move-as-before"),
        ("c.FabricSlurmSpawner.start_limit_s = 60", K, "move-as-before"),
        ("c.JupyterHub.db_url = 'postgresql://'", K, "move-as-before"),
        ("c.JupyterHub.log_level = 10", K, "move-as-before"),
        ("c.JupyterHub.ssl_key = '/etc/key'", K, "move-tls"),
        ("c.JupyterHub.services.append({'name': 'x'})", K, "move-added"),
        ("c.JupyterHub.services += [{'name': 'x'}]", K, "move-added"),
        ("c.Authenticator.admin_users = {'a'}", K, "move-as-before"),
        ("c.Authenticator.allowed_users = {'a'}", K, "move-login-narrowed"),
        ("c.ConfigurableHTTPProxy.should_start = True", K, "move-as-before"),
        ("c.Spawner.pre_spawn_hook = elsewhere.hook", K, "move-hook-elsewhere"),
        # what something else says
        ("c.SlurmSpawner.req_runtime = '8:00:00'", R, "move-by-profile-time"),
        ("c.SlurmSpawner.batch_script = '#!/bin/sh'", R, "move-by-script"),
        ("c.ProfilesSpawner.profiles = [('a', 'a', 'batchspawner.SlurmSpawner', {})]", R, "move-by-profiles"),
        ("c.ProfilesSpawner.input_template = 'x'", R, "move-by-form"),
        ("c.Spawner.options_form = 'x'", R, "move-by-form"),
        ("c.JupyterHub.spawner_class = 'batchspawner.SlurmSpawner'", R, "move-by-spawner"),
        ("c.JupyterHub.proxy_class = 'traefik_file'", R, "move-by-proxy"),
        ("c.JupyterHub.bind_url = 'https://:443'", R, "move-by-setting"),
        ("c.JupyterHub.hub_ip = '10.0.0.5'", R, "move-by-setting"),
        ("c.ConfigurableHTTPProxy.command = ['chp']", R, "move-by-setting"),
        ("c.ConfigurableHTTPProxy.should_start = False", R, "move-by-proxy"),
        # what nothing comes of
        ("c.SlurmSpawner.req_account = 'lab'", U, "move-account"),
        ("c.SlurmSpawner.exec_prefix = 'sudo'", U, "move-by-gateway"),
        ("c.SlurmSpawner.req_host = 'login1'", U, "move-by-gateway"),
        ("c.SlurmSpawner.batch_submit_cmd = 'sbatch'", U, "move-by-gateway"),
        ("c.Spawner.cmd = ['jupyter-labhub']", U, "move-by-image"),
        ("c.Spawner.start_timeout = 60", U, "move-no-queue-limit"),
        ("c.Spawner.mem_limit = '8G'", U, "move-resources"),
        ("c.Spawner.env_keep = ['PATH']", U, "move-not-passed"),
        ("c.SlurmSpawner.req_constraint = 'hbm'", U, "move-no-such"),
        ("c.JupyterHub.not_a_setting = True", U, "move-no-such"),
        ("c.TorqueSpawner.req_queue = 'batch'", U, "move-other-batch"),
        ("c.SudoSpawner.sudospawner_path = 'x'", U, "move-no-class"),
        ("c.SimpleLocalProcessSpawner.home_dir_template = 'x'", U, "move-other-class"),
        ("c.ProfilesSpawner.ip = '0.0.0.0'", U, "move-for-wrapped"),
        ("c.WrapSpawner.child_config = {}", U, "move-for-wrapped"),
        # what must change
        ("c.SlurmSpawner.req_memory = 'all of it'", X, "move-wrong-value"),
        ("c.SlurmSpawner.req_nprocs = 'four'", X, "move-wrong-value"),
        ("c.SlurmSpawner.req_runtime = 'UNLIMITED'", X, "move-wrong-value"),
        ("c.SlurmSpawner.req_partition = 'a,b'", X, "move-wrong-value"),
        ("c.ProfilesSpawner.profiles = [('a', 'a', 'S', {'req_memory': 'much'})]", X, "move-wrong-value"),
        ("c.SlurmSpawner.req_cluster = 'other'", X, "move-other-cluster"),
        ("c.JupyterHub.services = [{'name': 'x'}]", X, "move-drops"),
        ("c.JupyterHub.template_vars = {'announcement': 'x'}", X, "move-drops"),
        ("c.JupyterHub.tornado_settings = {'headers': {}}", X, "move-drops"),
        ("c.JupyterHub.authenticator_class = 'not_there.Login'", X, "move-not-installed"),
        ("c.Spawner.group_overrides = {'a': {'groups': ['x'], 'spawner_override': {'batch_script': ''}}}", X,
         "move-hook-refused"),
        ("c.Spawner.group_overrides = {'a': {'groups': ['x'], 'spawner_override': {'req_memory': '!'}}}", X,
         "move-wrong-value"),
        ("c.Spawner.group_overrides = {'a': {'groups': ['x'], 'spawner_override': {'req_qos': 'q'}}}", K, "move-hook"),
    ],
)  # fmt: skip
def test_a_line_of_an_old_configuration(line: str, verdict: Verdict, code: str) -> None:
    found = judged(line)
    assert (found.verdict, codes(found.why)[0], found.line) == (verdict, code, 1)
    assert not found.stops


@pytest.mark.parametrize(
    ("sets", "verdict", "code", "names"),
    [
        ("spawner.req_partition = 'long'", K, "move-hook", ("req_partition", "req_qos")),
        ("spawner.environment['X'] = '1'", K, "move-hook", ("environment", "req_qos")),
        ("setattr(spawner, 'req_runtime', '1:00:00')", K, "move-hook", ("req_qos", "req_runtime")),
        ("spawner.req_constraint = 'x'", X, "move-hook-refused", ("req_constraint",)),
        ("spawner.batch_script = 'x'; spawner.child_config = {}", X, "move-hook-refused",
         ("batch_script", "child_config")),
        ("spawner.child_spawner.exec_prefix += 'x'", X, "move-hook-refused", ("exec_prefix",)),
        ("spawner.req_account = 'x'", X, "move-hook-account", None),
    ],
)  # fmt: skip
@pytest.mark.parametrize("section", ["Spawner", "SlurmSpawner"])
def test_a_hook_is_judged_by_what_it_sets(
    section: str, sets: str, verdict: Verdict, code: str, names: tuple[str, ...] | None
) -> None:
    found = judged(HOOK.format(sets, section))
    assert (found.verdict, found.why.code, found.why.params.get("names")) == (verdict, code, names)


def test_a_hook_that_sets_nothing_is_kept() -> None:
    assert (
        judged("def f(spawner):\n    print(spawner.user)\nc.Spawner.pre_spawn_hook = f").why.code == "move-hook-plain"
    )


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("c.JupyterHub.spawner_class = 'batchspawner.SlurmSpawner'", "move-by-spawner"),
        ("c.JupyterHub.proxy_class = 'traefik_file'", "move-by-proxy"),
        ("c.ConfigurableHTTPProxy.api_url = 'http://127.0.0.1:8001'", "move-by-proxy"),
        ("c.Spawner.options_form = 'x'", "move-by-form"),
        ("c.JupyterHub.ssl_key = '/etc/key'", "move-needs-https"),
        ("c.JupyterHub.port = 443", "move-differs"),
        ("c.JupyterHub.hub_ip = '10.0.0.5'", "move-differs"),
        ("c.JupyterHub.services = []", "move-drops"),
        ("c.JupyterHub.load_roles = []", "move-drops"),
    ],
)
def test_what_breaks_a_hub_of_ours_is_refused_in_the_sites_own_configuration(line: str, code: str) -> None:
    found = judged(line, site())
    assert (found.verdict, found.stops) == (X, True)
    assert codes(found.why)[0] == code
    assert "move-left-over" in codes(found.why)


def test_what_works_with_the_sites_file_is_not_refused() -> None:
    text = """
c.JupyterHub.ssl_key = "/etc/key"
c.JupyterHub.bind_url = "https://hub.example.org/"
c.JupyterHub.services.append({"name": "x"})
c.SlurmSpawner.options_form = "of no effect"
c.Spawner.environment = {"http_proxy": "x"}
"""
    passed = site('[gateway]\nenvironment_from_hub = ["http_proxy"]\n', "https://hub.example.org")
    found = judge(looked(text), passed)
    assert [one.verdict for one in found] == [K, R, K, R, K]
    assert judged("c.Spawner.environment = {'http_proxy': 'x'}", site()).verdict is X
    prologue = "c.SlurmSpawner.req_prologue = 'module load x'"
    assert judged(prologue, site()).verdict is X, "the gateway would refuse each start"
    assert judged(prologue, site("[gateway]\nscript_text_from_hub = true\n")).verdict is K


def test_what_is_set_again_later_and_what_was_not_run_is_said() -> None:
    file = looked("c.Spawner.debug = True\nc.Spawner.debug = False\nc.Spawner.http_timeout = 1")
    first, second, third = file.settings
    changed = (first.model_copy(update={"again": 2}), second, third.model_copy(update={"ran": False}))
    found = judge(file.model_copy(update={"settings": changed}))
    assert [codes(one.why) for one in found] == [
        ["move-set-again"],
        ["move-as-before"],
        ["move-as-before", "move-not-reached"],
    ]


def test_a_module_that_is_missing_and_a_file_that_fails_are_refused_with_their_lines() -> None:
    file = looked("c.Spawner.debug = True")
    file = file.model_copy(
        update={"missing": (Missing(module="dockerspawner", line=3),), "fault": Fault(line=9, error="KeyError: 'X'")}
    )
    found = judge(file)
    assert [(one.line, one.why.code) for one in found][1:] == [(3, "move-missing"), (9, "move-fault")]
    assert [one.verdict for one in found] == [K, X, X]


def test_methods_of_an_own_spawner_and_lines_of_a_script_are_named_and_secrets_are_not_shown() -> None:
    script = (
        "#!/bin/bash\n#SBATCH --time={runtime}\n#SBATCH --constraint=hbm\nmodule load cuda\n"
        "export API_TOKEN=very-secret\nset -eu\n{cmd}\nrm -rf x\n"
    )
    found = judged(f"c.SlurmSpawner.batch_script = {script!r}")
    assert codes(found.why) == [
        "move-by-script",
        "move-script-options",
        "move-script-prologue",
        "move-script-left",
    ]
    said = str(found.why)
    assert "For a profile: --constraint=hbm." in said
    assert "For gateway.prologue: module load cuda; …." in said
    assert "look at them yourself: rm -rf x." in said
    assert "very-secret" not in said
