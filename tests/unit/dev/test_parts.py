"""The decisions of the embedded run, without starting anything."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from fabric_dev import accounting, cluster, demo, gpus, processes, sitefile, slurmconf
from fabric_dev.layout import LONGEST_DIRECTORY, Layout
from fabric_dev.ports import Claims, Ports, choose
from fabric_dev.supervisor import Stopped, Supervisor
from fabric_hub.config import settings
from fabric_hub.errors import FabricError
from fabric_hub.launch.choice import as_built

LAYOUT = Layout(Path("/srv/run"), Path("/srv/run/images"))
PORTS = Ports(public=8000, hub=1, slurmctld=4, slurmdbd=5, slurmd=(6, 7, 8))


@pytest.mark.parametrize(
    ("name", "type_name"),
    [
        ("NVIDIA H200", "h200"),
        ("NVIDIA A100-SXM4-80GB", "a100"),
        ("NVIDIA GeForce RTX 4090", "rtx4090"),
        ("Tesla V100-SXM2-32GB", "v100"),
        ("NVIDIA L40S", "l40s"),
        ("NVIDIA GH200 480GB", "gh200"),
        ("Something else", "gpu"),
    ],
)
def test_a_gpu_is_named_as_people_name_it(name: str, type_name: str) -> None:
    assert gpus.type_of(name) == type_name


def test_real_gpus_are_split_over_the_two_nodes_and_keep_their_numbers() -> None:
    listing = "".join(f"GPU {index}: NVIDIA H200 (UUID: GPU-{index})\n" for index in range(3))
    assert gpus.split(listing) == gpus.Gpus(True, "h200", ((0, 1), (2,)))


def test_one_real_gpu_goes_to_the_first_node_and_no_profile_asks_for_two() -> None:
    found = gpus.split("GPU 0: NVIDIA L4 (UUID: GPU-1)\n  MIG 1g.10gb Device 0: (UUID: MIG-1)\n")
    assert found.per_node == ((0,), ())
    assert set(demo.profiles(found.type, found.most)) == {"cpu", "gpu-1", "gpu-shard", "local", "rescue"}
    conf = slurmconf.slurm_conf(
        LAYOUT, slurmconf.Machine("here", "me", 2, 4000), slurmconf.SlurmPorts(4, 5, (6, 7, 8)), found
    )
    assert "Gres=gpu:l4:1,shard:4" in conf
    assert conf.count("Gres=") == 1


@pytest.mark.parametrize("loopback", [True, False])
def test_slurm_listens_on_loopback_only_where_the_machines_name_leads_there(loopback: bool) -> None:
    machine = slurmconf.Machine("here", "me", 2, 4000, loopback)
    ports = slurmconf.SlurmPorts(4, 5, (6, 7, 8))
    conf = slurmconf.slurm_conf(LAYOUT, machine, ports, gpus.split(""))
    assert all(("NoInAddrAny" in text) is loopback for text in (conf, slurmconf.slurmdbd_conf(LAYOUT, machine, ports)))


def test_without_gpus_they_are_simulated() -> None:
    assert gpus.split("") == gpus.Gpus(False, "h200", ((0, 1), (2, 3)))


@pytest.mark.parametrize("prefix", ["fabric-", None])
@pytest.mark.parametrize("found", [gpus.split(""), None])
def test_the_site_file_it_writes_is_right(prefix: str | None, found: gpus.Gpus | None) -> None:
    text = sitefile.site(
        LAYOUT,
        PORTS,
        prefix=prefix,
        catalogue_service="fabric-catalogue",
        gpus=found,
        proxy_command=("/node", "/proxy"),
    )
    site = settings.parse(text)
    assert site.login.admins == ("operator",)
    assert set(site.project) == {"proteins", "ml-course", "bakery"}
    assert site.users.shared_account is (prefix is None)
    assert site.catalogue is not None
    assert site.catalogue.account == "fabric-catalogue"
    assert set(site.profile) == ({"cpu", "gpu-1", "gpu-2", "gpu-shard", "local", "rescue"} if found else {"local"})


@pytest.mark.parametrize(("first", "names"), [(True, ["science", "base"]), (False, ["base", "science"])])
def test_the_larger_image_is_offered_first_once_it_is_built(tmp_path: Path, first: bool, names: list[str]) -> None:
    layout = Layout(tmp_path, tmp_path / "images")
    text = sitefile.site(
        layout, PORTS, prefix=None, catalogue_service="me", gpus=None, proxy_command=("/node",), science_first=first
    )
    site = settings.parse(text)
    assert list(as_built(site).image) == ["base"]
    (layout.images / "science").mkdir(parents=True)
    (layout.images / "science/current").symlink_to("0123456789ab")
    assert list(as_built(site).image) == ["base"], "its build is gone"
    (layout.images / "science/0123456789ab").mkdir()
    assert list(as_built(site).image) == names


def test_what_runs_beside_the_daemons_is_waited_for_and_told(tmp_path: Path) -> None:
    """Also while a daemon starts again: what the run has started itself is no orphan of the daemon's."""
    layout = Layout(tmp_path, tmp_path / "images")
    layout.run.mkdir()
    told: list[int] = []

    def ended(status: int) -> None:
        told.append(status)
        raise Stopped

    supervisor = Supervisor(layout, print)
    environment = {processes.MARK: str(tmp_path)}
    beside = subprocess.Popen(["/bin/sh", "-c", "read line; exit 3"], stdin=subprocess.PIPE, env=environment)
    supervisor.beside(beside, ended)
    supervisor._end_orphans()
    assert beside.poll() is None
    assert beside.stdin
    beside.stdin.close()
    with pytest.raises(Stopped):
        supervisor.watch()
    assert told == [3]


def test_toml_survives_any_text() -> None:
    import tomllib

    nasty = {
        "table": {"key": 'a "quoted" \\ back\x7f\n\x01é', "empty": [], "a b.c": {"day": date(2026, 11, 26)}},
        "n": 1,
        "flag": True,
        "list": [{"a": 1, "b c": ["x"]}],
    }
    assert tomllib.loads(sitefile.toml(nasty)) == nasty


def test_the_hub_has_no_account_in_slurm_and_the_gateway_one_without_jobs() -> None:
    unix = {user: f"fabric-{user}" for user in demo.ACCOUNTS}
    made = accounting.commands(unix, "fabric-gateway", operates=False)
    words = {word for command in made for part in command for word in part.split(",")}
    assert "fabric-researcher" in words
    assert not words & {"fabric-hub", "fabric-operator"}
    assert [command for command in made if "fabric-gateway" in command] == [
        ["add", "user", "fabric-gateway", "Cluster=fabric", "Account=operators"],
        ["modify", "user", "fabric-gateway", "set", "AdminLevel=None"],
    ]
    assert ["modify", "account", "operators", "cluster=fabric", "set", "GrpSubmitJobs=0"] in made
    assert ["add", "coordinator", "Account=fabric-projects", "Names=fabric-gateway"] in made


def test_a_gateway_that_gives_more_time_is_an_operator_without_jobs() -> None:
    unix = {user: f"fabric-{user}" for user in demo.ACCOUNTS}
    made = accounting.commands(unix, "fabric-gateway", operates=True)
    assert [command for command in made if any("AdminLevel" in part for part in command)] == [
        ["modify", "user", "fabric-gateway", "set", "AdminLevel=Operator"]
    ]
    assert ["add", "user", "fabric-gateway", "Cluster=fabric", "Account=operators"] in made
    assert ["modify", "account", "operators", "cluster=fabric", "set", "GrpSubmitJobs=0"] in made
    # Slurm's own user needs no right
    assert accounting.commands(unix, None, operates=True) == accounting.commands(unix, None, operates=False)


def test_slurmctld_ignores_what_an_early_kill_kept_it_from_writing_and_nothing_else(tmp_path: Path) -> None:
    layout = Layout(tmp_path, tmp_path / "images")
    state = layout.spool / "slurmctld"
    state.mkdir(parents=True)
    assert cluster.ignoring(layout) == [], "a first start"
    (state / "clustername").write_text("fabric")
    assert cluster.ignoring(layout) == ["-i"], "killed before it wrote the usage of associations"
    (state / "assoc_usage").write_text("")
    assert cluster.ignoring(layout) == []


def _site(found: gpus.Gpus | None = None, **wanted: object) -> str:
    return sitefile.site(
        LAYOUT,
        PORTS,
        prefix="fabric-",
        catalogue_service="fabric-catalogue",
        gpus=found,
        proxy_command=("/node",),
        wanted=wanted,
    )


def test_settings_of_ones_own_go_above_the_demos() -> None:
    more = {
        "slurm": {"extend": "as-gateway"},
        "profile": {"gpu-1": {"idle_minutes": 60}, "long": {"partition": "cpu", "max_hours": 24}},
        "project": {"bakery": {"end": date(2030, 1, 31)}},
        "quotas": {"storage": [{"title": "Home", "kind": "quota", "path": "/home"}]},
    }
    site = settings.parse(_site(gpus.split(""), **more))
    assert site.slurm is not None
    assert (site.slurm.extend, site.slurm.watch_interval_s) == ("as-gateway", 2)
    assert (site.profile["gpu-1"].idle_minutes, site.profile["gpu-1"].gpus) == (60, 1)
    assert site.profile["long"].max_hours == 24
    assert (site.project["bakery"].end, site.project["bakery"].account) == (date(2030, 1, 31), "bakery")
    assert [one.title for one in site.quotas.storage] == ["Home"]
    assert site.quotas.rescue_profile == "rescue"


def test_settings_that_a_run_rests_on_are_its_own() -> None:
    with pytest.raises(FabricError, match=r"sets these itself: hub\.bind_url, slurm\.conf\.") as refused:
        _site(gpus.split(""), hub={"bind_url": "http://0.0.0.0:80", "log_level": 10}, slurm={"conf": "/etc/x"})
    assert "--settings" in refused.value.hint
    with pytest.raises(FabricError, match=r"slurm \(it has none\)"):
        _site(None, slurm={"extend": "as-gateway"})


def test_the_longest_socket_fits_below_the_longest_directory() -> None:
    root = Path("/" + "x" * (LONGEST_DIRECTORY - 1))
    layout = Layout(root, root / "images")
    for socket in (layout.gateway_socket, layout.catalogue_socket, layout.munge_socket, layout.database_socket):
        assert len(os.fsencode(socket)) <= 107


def test_two_runs_never_get_the_same_port_even_before_they_listen() -> None:
    with Claims() as one, Claims() as other:
        first, second = choose(one, None, None), choose(other, None, None)
    mine, theirs = ({*ports.model_dump(exclude={"slurmd"}).values(), *ports.slurmd} for ports in (first, second))
    assert not mine & theirs


def test_a_run_gets_its_ports_again() -> None:
    with Claims() as claims:
        first = choose(claims, None, None)
    with Claims() as claims:
        assert choose(claims, None, first) == first


def test_a_port_that_was_asked_for_and_is_taken_is_refused() -> None:
    with Claims() as one, Claims() as other:
        port = choose(one, None, None).public
        with pytest.raises(FabricError, match=f"Port {port} on 127.0.0.1 is in use"):
            choose(other, port, None)


def _sleeper(**environment: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", "print(1, flush=True); input()"], env=environment,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)  # fmt: skip
    assert process.stdout
    process.stdout.readline()
    return process


def test_a_log_that_grows_large_begins_anew_and_its_daemon_writes_on(tmp_path: Path) -> None:
    log = tmp_path / "hub.log"
    writes = "head -c 3000000 /dev/zero; kill -STOP $$; echo more"
    daemon = processes.start(["sh", "-c", writes], log=log, environment={"PATH": os.environ["PATH"]}, cwd=tmp_path)
    os.waitid(os.P_PID, daemon.pid, os.WSTOPPED)
    assert not processes.cut(log, 3_000_000)
    assert processes.cut(log, 1_000_000)
    daemon.send_signal(signal.SIGCONT)
    daemon.wait(30)
    assert log.read_text() == "more\n"
    assert (tmp_path / "hub.log.1").stat().st_size == 1_000_000
    assert not processes.cut(tmp_path / "none.log", 1)


def test_only_processes_of_the_run_are_found_and_ended(tmp_path: Path) -> None:
    daemon = _sleeper(FABRIC_HUB_EMBEDDED=str(tmp_path))
    job = _sleeper(SLURM_CONF=f"{tmp_path}/etc/slurm.conf", SLURM_JOB_ID="1")
    session = _sleeper(HOME=f"{tmp_path}/homes/student1")
    looking_on = _sleeper(SLURM_CONF=f"{tmp_path}/etc/slurm.conf")
    neighbour = _sleeper(FABRIC_HUB_EMBEDDED=f"{tmp_path}-2")
    others = (looking_on, neighbour)
    try:
        found = processes.leftovers(tmp_path)
        assert set(found) == {daemon.pid, job.pid, session.pid}
        assert {pid for pid in found if processes.of_session(pid, tmp_path)} == {job.pid, session.pid}
        assert processes.end(found) == []
        assert all(other.poll() is None for other in others)
    finally:
        for process in (daemon, job, session, *others):
            process.kill()
            process.communicate()


def test_what_slurms_shepherd_of_a_job_has_started_survives_the_daemons(tmp_path: Path) -> None:
    """Its extern step is a "sleep" without a word of the job: when that ends, Slurm 22.05 takes the job's /tmp away."""
    shepherd = tmp_path / "slurmstepd"
    shepherd.write_bytes(Path("/bin/sh").read_bytes())
    shepherd.chmod(0o755)
    environment = {processes.MARK: str(tmp_path), "PATH": os.defpath}
    with subprocess.Popen(
        [shepherd, "-c", "sleep 300 & echo $!; wait"], env=environment, stdout=subprocess.PIPE, text=True
    ) as step:
        try:
            assert step.stdout
            sleeper = int(step.stdout.readline())
            assert {step.pid, sleeper} <= set(processes.leftovers(tmp_path))
            assert processes.of_session(sleeper, tmp_path)
            assert processes.of_session(step.pid, tmp_path)
        finally:
            assert processes.end([step.pid, sleeper]) == []
