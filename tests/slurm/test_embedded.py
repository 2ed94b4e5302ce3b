"""The embedded cluster: real Slurm, real accounts, nothing left behind."""

from __future__ import annotations

import asyncio
import os
import pwd
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from fabric_dev import accounts, cluster, instance
from fabric_dev.cluster import nothing
from fabric_dev.layout import Layout
from fabric_dev.supervisor import Supervisor
from fabric_hub.cli import daemons
from fabric_hub.errors import FabricError
from fabric_hub.gateway.queries.queries import Queries
from tests.conftest import new_prefix
from tests.support.embedded_run import ROOT, EmbeddedRun, fabric_hub
from tests.support.thief import getting_none_of
from tests.support.waiting import until

pytestmark = pytest.mark.slurm

PRINT_DEVICES = "#!/bin/sh\necho user=$(id -un) devices=$CUDA_VISIBLE_DEVICES\n"


def _job(run: EmbeddedRun, user: str, script: str, *options: str) -> subprocess.CompletedProcess[str]:
    """A job of a demo user, waited for; its output is in ``out`` in the user's home."""
    run.home(user).joinpath("out").unlink(missing_ok=True)
    return run.as_user(
        user, "sbatch", "--wait", "--export=NIL", f"--output={run.home(user)}/out", *options, input=script
    )


def test_no_slurm_daemon_listens_beyond_loopback(bare_cluster: EmbeddedRun) -> None:
    if socket.gethostbyname(socket.gethostname()) != "127.0.0.1":
        pytest.skip("Slurm can listen on the address of the machine's name only, and here that is not 127.0.0.1")
    ports = bare_cluster.state["ports"]
    wanted = {ports["slurmctld"], ports["slurmdbd"], *ports["slurmd"]}
    said = subprocess.run(["ss", "-Hltn"], capture_output=True, text=True, check=True).stdout
    listening = [line.split()[3].rpartition(":") for line in said.splitlines()]
    mine = {int(port): address for address, _, port in listening if int(port) in wanted}
    assert set(mine) == wanted, said
    assert all(address.startswith("127.") for address in mine.values()), mine


@pytest.mark.parametrize(("gres", "count"), [("gpu:1", 1), ("gpu:2", 2), ("shard:1", 1)])
def test_a_job_with_gpus_sees_them_in_cuda_visible_devices(bare_cluster: EmbeddedRun, gres: str, count: int) -> None:
    done = _job(bare_cluster, "researcher", PRINT_DEVICES, "--account=proteins", "--partition=gpu", f"--gres={gres}")
    assert done.returncode == 0, done.stderr
    said = (bare_cluster.home("researcher") / "out").read_text()
    user, devices = said.split()
    assert user == f"user={bare_cluster.unix_name('researcher')}"
    assert len(devices.removeprefix("devices=").split(",")) == count
    assert devices != "devices="


def test_an_array_of_many_tasks_apart_is_told_whole(bare_cluster: EmbeddedRun) -> None:
    """By default squeue cuts the list at 64 characters; the tasks that are not in it would be taken for lost."""
    done = bare_cluster.as_user(
        "researcher", "sbatch", "--parsable", "--hold", "--array=0-299", "--account=proteins", "--partition=cpu",
        input="#!/bin/sh\ntrue\n",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    array = done.stdout.strip()
    # at equal distances, which Slurm writes in a way of its own, and at others
    apart, uneven = set(range(1, 300, 2)), {task for task in range(300) if task % 3 and task % 7}
    try:
        for wanted in ({*range(300)} - apart, {*range(300)} - apart - uneven):
            gone = {*range(300)} - wanted
            bare_cluster.slurm("scancel", *(f"{array}_{task}" for task in sorted(gone)))
            assert bare_cluster.settings.slurm
            jobs = asyncio.run(Queries(bare_cluster.settings.slurm).jobs())
            (tasks,) = [job.array_tasks for job in jobs if job.array_id == int(array) and job.state == "PENDING"]
            assert tasks == ",".join(map(str, sorted(wanted)))
    finally:
        bare_cluster.slurm("scancel", array)


def test_every_project_has_its_account_its_members_and_its_budget(bare_cluster: EmbeddedRun) -> None:
    said = bare_cluster.slurm("sacctmgr", "-n", "-P", "show", "assoc", "format=account,user,grptresmins")
    assert "proteins||gres/gpu=6000" in said
    assert "ml-course||gres/gpu=3000" in said
    assert "bakery||gres/gpu=1200" in said
    assert f"ml-course|{bare_cluster.unix_name('student2')}|" in said


@pytest.mark.root
@pytest.mark.parametrize("service", ["hub", "gateway"])
def test_the_services_may_neither_submit_nor_cancel_a_users_job(bare_cluster: EmbeddedRun, service: str) -> None:
    refused = bare_cluster.as_user(service, "sbatch", "--account=proteins", "--output=/dev/null", input=PRINT_DEVICES)
    assert refused.returncode != 0
    assert "Invalid account" in refused.stderr
    submitted = bare_cluster.as_user("researcher", "sbatch", "--parsable", "--hold", "--account=proteins",
                                     "--output=/dev/null", input=PRINT_DEVICES)  # fmt: skip
    job = submitted.stdout.strip()
    try:
        assert "denied" in bare_cluster.as_user(service, "scancel", job).stderr
        assert bare_cluster.slurm("squeue", "-h", "-j", job, "-o", "%T") == "PENDING"
    finally:
        bare_cluster.slurm("scancel", job)


@pytest.mark.root
def test_demo_users_cannot_look_into_each_others_homes(bare_cluster: EmbeddedRun) -> None:
    refused = bare_cluster.as_user("student1", "ls", str(bare_cluster.home("student2")))
    assert refused.returncode != 0
    assert "Permission denied" in refused.stderr


@pytest.mark.root
@pytest.mark.parametrize("secret", ["etc/munge.key", "etc/slurmdbd.conf", "hub/demo-logins.json", "hub/embedded-token",
                                    "database/mariadb.sock", "log/slurmctld.log"])  # fmt: skip
def test_demo_users_cannot_read_the_runs_secrets(bare_cluster: EmbeddedRun, secret: str) -> None:
    assert (bare_cluster.directory / secret).exists()
    assert bare_cluster.as_user("student1", "head", "-c1", str(bare_cluster.directory / secret)).returncode != 0


def test_it_listens_on_loopback_only_but_for_slurmdbd(bare_cluster: EmbeddedRun) -> None:
    ports = bare_cluster.state["ports"]
    listening = bare_cluster.slurm("ss", "-H", "-l", "-t", "-n")
    for port in (ports["slurmctld"], *ports["slurmd"]):
        assert f"127.0.0.1:{port} " in listening
        assert f"0.0.0.0:{port} " not in listening


def test_a_session_lives_through_the_kill_of_everything_else_and_down_ends_it(sandbox: Path) -> None:
    directory = sandbox / "killed"
    run = EmbeddedRun.start(directory, "--prefix", new_prefix(), "--until", "slurm")
    try:
        job = run.as_user("researcher", "sbatch", "--parsable", "--account=proteins", "--output=/dev/null",
                          input="#!/bin/sh\nexec sleep 600\n").stdout.strip()  # fmt: skip
        _until_state(run, job, "RUNNING")
        _until_kept(run, job)
        for pid in (run.pid("supervisor"), *run.state["processes"].values()):
            os.kill(pid, signal.SIGKILL)
        again = fabric_hub("up", "--detach", "--dir", str(directory), "--until", "slurm")
        assert again.returncode == 0, again.stdout + again.stderr + run.logs()
        assert "An earlier run was killed" in again.stdout or "Ready." in again.stdout
        assert run.slurm("squeue", "-h", "-j", job, "-o", "%T") == "RUNNING"
    finally:
        run.remove()
    assert not directory.exists()
    assert _of_directory(directory) == []


def _until_state(run: EmbeddedRun, job: str, state: str) -> None:
    command = f'until [ "$(squeue -h -j {job} -o %T)" = {state} ]; do sleep 0.1; done'
    run.slurm("timeout", "60", "sh", "-c", command)


def _until_kept(run: EmbeddedRun, job: str) -> None:
    """Wait until slurmctld has written a job as it is now: it does so some seconds after each change, and when it is
    killed before, it knows the job as it was.
    """
    changed = time.time_ns()
    run.slurm("scontrol", "update", f"JobId={job}", "Comment=to be kept")
    kept = run.directory / "spool" / "slurmctld" / "job_state"
    until(lambda: kept.exists() and kept.stat().st_mtime_ns > changed, "slurmctld has written its jobs", 60)


def _of_directory(directory: Path) -> list[str]:
    """Environment and arguments of the processes that name the directory in them."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            text = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
        except OSError:
            continue
        if int(process.name) != os.getpid() and f"{directory}/".encode() in text:
            found.append(text.replace(b"\0", b" ").decode(errors="replace"))
    return found


@pytest.mark.root
def test_what_accounts_left_where_everybody_may_write_goes_with_them(sandbox: Path, tmp_path: Path) -> None:
    layout = Layout(sandbox / "accounts", sandbox / "images-of-accounts")
    layout.homes.mkdir(parents=True)
    (tmp_path / "kept").touch()
    other = Path(tempfile.mkdtemp())
    accounts.create(layout, new_prefix())
    made = []
    try:
        for entry in accounts.ours(layout):
            for where in accounts.TEMPORARY:
                file, link = (where / f"{entry.pw_name}-{kind}" for kind in ("file", "link"))
                directory = Path(tempfile.mkdtemp(prefix=f"{entry.pw_name}-", dir=where))
                (directory / "inner").mkdir()
                (directory / "inner" / "file").touch(mode=0o600)
                file.touch()
                link.symlink_to(tmp_path)
                made += [directory, file, link]
                for path in (directory, directory / "inner", directory / "inner" / "file", file, link):
                    os.chown(path, entry.pw_uid, entry.pw_gid, follow_symlinks=False)
    finally:
        removed = accounts.remove(layout)
    assert len(made) == 3 * len(removed) * len(accounts.TEMPORARY)
    assert [path for path in made if path.is_symlink() or path.exists()] == []
    assert (tmp_path / "kept").exists()
    assert other.is_dir()


def test_ctrl_c_ends_everything_and_returns(sandbox: Path) -> None:
    directory = sandbox / "interrupted"
    process = subprocess.Popen(
        [sys.executable, "-m", "fabric_hub.cli", "up", "--dir", str(directory), "--prefix", new_prefix(),
         "--until", "slurm"],
        cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout
    try:
        for line in process.stdout:
            if line.startswith("Ready."):
                break
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        assert process.wait(60) == 0, rest
        assert "Stopped; no process is left." in rest
        assert _of_directory(directory) == []
    finally:
        process.kill()
        process.communicate()
        EmbeddedRun(directory).remove()


def test_a_daemon_that_cannot_start_is_reported_with_the_end_of_its_log(sandbox: Path) -> None:
    directory = sandbox / "unstarted"
    directory.mkdir(mode=0o755)
    instance.mark(Layout(directory, directory / "images"))
    (directory / "etc").mkdir()
    (directory / "etc" / "munge.key").write_bytes(b"short")
    (directory / "etc" / "munge.key").chmod(0o400)
    done = fabric_hub("up", "--dir", str(directory), "--prefix", new_prefix(), "--until", "slurm")
    try:
        assert done.returncode == 1
        assert "munged ended with status" in done.stderr
        assert "munged.log" in done.stderr
        assert "Traceback" not in done.stderr
    finally:
        EmbeddedRun(directory).remove()


def test_slurmdbd_never_meets_a_database_that_is_not_there_nor_one_server_anothers_files(tmp_path: Path) -> None:
    layout = Layout(tmp_path, tmp_path / "images")
    for directory in (layout.run, layout.log, layout.spool, layout.database, layout.database_temporary):
        directory.mkdir()
    me = pwd.getpwuid(os.geteuid()).pw_name
    daemons_of_slurm = {daemon.name: daemon for daemon in cluster.slurm_daemons(layout, me, nothing, nothing)}
    supervisor = Supervisor(layout, print)
    try:
        supervisor.start(daemons_of_slurm["mariadbd"])
        for _ in range(2):  # a later start finds it
            daemons_of_slurm["slurmdbd"].prepare()
        assert "slurm_acct" in _said(layout, "SHOW DATABASES")
        # one that starts removes what it finds there: with /tmp, what another one is about to use
        assert _said(layout, "SELECT @@tmpdir") == [str(layout.database_temporary)]
    finally:
        supervisor.stop()
    with pytest.raises(FabricError, match=r"could not make the database slurm_acct for slurmdbd: .*Can't connect"):
        daemons_of_slurm["slurmdbd"].prepare()


def _said(layout: Layout, question: str) -> list[str]:
    command = ["mariadb", "--no-defaults", "--user=root", f"--socket={layout.database_socket}", "-Ne", question]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def test_a_second_up_in_the_same_directory_is_refused(bare_cluster: EmbeddedRun) -> None:
    done = fabric_hub("up", "--dir", str(bare_cluster.directory))
    assert done.returncode == 1
    assert "already runs" in done.stderr


@pytest.mark.root
def test_a_run_never_takes_an_account_that_it_did_not_make(sandbox: Path, bare_cluster: EmbeddedRun) -> None:
    taken = bare_cluster.unix_name("hub").removesuffix("hub")
    done = fabric_hub("up", "--dir", str(sandbox / "clash"), "--prefix", taken, "--until", "slurm")
    assert done.returncode == 1
    assert f"already has an account {taken}hub" in done.stderr
    EmbeddedRun(sandbox / "clash").remove()
    assert bare_cluster.as_user("hub", "true").returncode == 0


@pytest.mark.root
def test_the_gateway_may_become_users_and_nothing_else(embedded: EmbeddedRun) -> None:
    status = Path(f"/proc/{embedded.pid('gateway')}/status").read_text()
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    setuid_and_setgid = f"{(1 << 7) | (1 << 6):016x}"
    assert fields["CapEff"] == fields["CapPrm"] == fields["CapBnd"] == setuid_and_setgid
    assert fields["NoNewPrivs"] == "1"
    assert set(fields["Uid"].split()) != {"0"}


@pytest.mark.skipif(ROOT, reason="as root every demo account is a Unix account of its own")
def test_an_ordinary_user_is_told_that_nobody_is_separated(embedded: EmbeddedRun) -> None:
    assert embedded.settings.users.shared_account


def test_doctor_finds_a_running_hub_in_order(embedded_hub: EmbeddedRun) -> None:
    done = fabric_hub("doctor", "--dir", str(embedded_hub.directory))
    assert done.returncode == 0, done.stdout + done.stderr
    seen = [
        "slurmdbd knows fabric",
        "the gateway on",
        "munge on",
        "image base",
        "the catalogue service on",
        "the hub at",
    ]
    seen += [
        "Slurm has of what the site's file names: 2 partitions",
        "its service at",
        "catalogue.store",
        "catalogue.published",
    ]
    seen += ["the node agent on"] if embedded_hub.settings.enforces_datasets else []
    for name in seen:
        assert f"OK       {name}" in done.stdout


def test_the_ports_of_a_hub_that_is_killed_are_held_until_it_is_back(embedded_hub: EmbeddedRun) -> None:
    ports, before = embedded_hub.state["ports"], embedded_hub.pid("hub")

    def back() -> bool:
        with suppress(KeyError, httpx.HTTPError):
            return (
                embedded_hub.pid("hub") != before
                and httpx.get(f"{embedded_hub.address}/hub/health", timeout=60).status_code == 200
            )
        return False

    with getting_none_of(ports["public"], ports["hub"]):
        os.kill(before, signal.SIGKILL)
        until(back, "the supervisor starts the hub again", 120)
    assert embedded_hub.token("researcher")


def test_doctor_says_that_the_hub_alone_does_not_run_and_what_slurm_does_not_have(
    embedded: EmbeddedRun, tmp_path: Path
) -> None:
    done, ports = fabric_hub("doctor", "--dir", str(embedded.directory)), embedded.state["ports"]
    assert done.returncode == 1
    assert [line for line in done.stdout.splitlines() if line.startswith("PROBLEM")] == [
        f"PROBLEM  the hub at {embedded.address} does not answer: [Errno 111] Connection refused",
        f"PROBLEM  nobody listens on port {ports['public']} (hub.bind_url)",
        f"PROBLEM  nobody listens on port {ports['hub']} (hub.hub_port)",
    ]
    site, wrong = tmp_path / "site.toml", '\n[profile.typo]\npartition = "cpx"\n[project.typo]\naccount = "nosuch"\n'
    site.write_text(Layout(embedded.directory, embedded.directory).site.read_text() + wrong)

    def told() -> bool:
        said = fabric_hub("doctor", "--site", str(site)).stdout
        typo = 'PROBLEM  profile typo: Slurm has no partition "cpx"; it has "cpu", "gpu"'
        return typo in said and 'PROBLEM  project typo: Slurm has no account "nosuch"; it has "' in said

    until(told, "doctor names what Slurm does not have", 120)


def test_doctor_says_that_the_catalogue_service_does_not_answer(embedded: EmbeddedRun) -> None:
    with embedded.silent("catalogue"):
        done = fabric_hub("doctor", "--dir", str(embedded.directory))
    assert done.returncode == 1
    assert (
        f"PROBLEM  the catalogue service on {embedded.directory}/run/catalogue/catalogue.sock does not answer"
        in done.stdout
    )


def test_doctor_asks_slurm_whether_the_gateway_may_give_more_time(bare_cluster: EmbeddedRun) -> None:
    found = bare_cluster.settings
    me = pwd.getpwuid(os.geteuid()).pw_name  # the SlurmUser
    assert str(daemons.operator(found, me).about) == f"{me} may give sessions more time: Administrator in Slurm"
    nobody = daemons.operator(found, f"{me}-other")
    assert (nobody.state, "sacctmgr add user" in str(nobody.remedy)) == (
        ("PROBLEM", True) if ROOT else ("SKIPPED", False)
    )


@pytest.mark.skipif(not ROOT, reason="only as root every demo user is a user of Slurm's accounts")
def test_doctor_finds_a_gateway_that_is_no_operator(bare_cluster: EmbeddedRun) -> None:
    account = bare_cluster.state["accounts"]["researcher"]
    told = daemons.operator(bare_cluster.settings, account)
    assert told.state == "PROBLEM"
    assert str(told.remedy).startswith(f"sacctmgr modify user {account} set adminlevel=Operator")


def test_doctor_says_that_slurmctld_does_not_answer(bare_cluster: EmbeddedRun) -> None:
    with bare_cluster.silent("slurmctld"):
        done = fabric_hub("doctor", "--dir", str(bare_cluster.directory))
    assert "PROBLEM  slurmctld does not answer" in done.stdout
