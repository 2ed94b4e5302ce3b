"""A machine that boots systemd is made a site by the page's own commands: what they start answers, and comes back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fabric_hub.slurm.model import JobSpec, SubmitRequest
from tests.support.booted_machine import BootedMachine, console_blocks, installed
from tests.support.machine_front import certify
from tests.support.waiting import until

pytestmark = [pytest.mark.long, pytest.mark.root, pytest.mark.timeout(3000)]

PAGE = (Path(__file__).parents[2] / "docs/how-to/install-on-a-site.md").read_text()
UNITS = ("fabric-gateway", "fabric-catalogue", "fabric-proxy", "fabric-hub")
START_S = 300  # TimeoutStartSec= of the units: longer none takes, whatever else the machine does
CURL = "curl --silent --show-error --fail --unix-socket"

# The site as it is before: a host that submits to Slurm, with the people, accounts and partitions of the example.
SLURM_CONF = """\
ClusterName=site
SlurmctldHost=site
AuthType=auth/munge
SlurmUser=slurm
StateSaveLocation=/var/lib/slurm/slurmctld
SlurmdSpoolDir=/var/lib/slurm/slurmd
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
ReturnToService=2
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStorageTRES=gres/gpu
AccountingStorageEnforce=associations,limits,qos
NodeName=site CPUs=32 RealMemory=200000 Gres=gpu:h200:1 State=UNKNOWN
PartitionName=cpu Nodes=site Default=YES
PartitionName=gpu Nodes=site
"""
SLURMDBD_CONF = """\
AuthType=auth/munge
DbdHost=localhost
SlurmUser=slurm
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=slurm
StoragePass=site
StorageLoc=slurm_acct_db
"""
PEOPLE = {"proteins": ("alice", "bob"), "ml-course": ("carol", "student1", "student2")}

# What the site's file says on this host of one machine, with no web server, DNS or login provider of its own.
OF_THE_SITE = {
    r'^public_url = "https://hub.example.org".*$': "",
    r'^subdomain_host = "https://hub.example.org".*$': "",
}
LOGIN = 'c.JupyterHub.authenticator_class = "dummy"\nc.DummyAuthenticator.password = "a trial"\n'

# Lines of the page that a test cannot do as they stand, and what it does in their place.
IN_PLACE_OF = {
    "git clone URL /opt/fabric-hub": "",  # the checkout that is tested lies there already
    "make setup": "",  # and so does its environment; no package is fetched
    "/opt/fabric-hub/.venv/bin/fabric-hub images build base --images /shared/fabric-hub/images": (
        "install -d /shared/fabric-hub/images"  # other tests build it, which fetches packages
    ),
    "rm -rf /opt/fabric-hub": "",  # the environment there is the one that tests run in, shown read only
    "systemctl edit --full fabric-proxy.socket": "",
    "systemctl edit --full fabric-hub.socket": "",  # there is nobody at an editor, and its addresses are this machine's
}
FROM_A_RELEASE = "sha256sum --check SHA256SUMS"  # the block begins so: the page's other way to the code


def prepare(machine: BootedMachine) -> None:
    """Slurm with its accounts, as a site has it."""
    for name, text in {
        "slurm": SLURM_CONF,
        "slurmdbd": SLURMDBD_CONF,
        "gres": "Name=gpu Type=h200 File=/dev/null\n",
    }.items():
        (machine.root / f"etc/slurm/{name}.conf").write_text(text)
    people = [user for users in PEOPLE.values() for user in users]
    machine.do(
        "\n".join(
            [
                "chmod 0600 /etc/slurm/slurmdbd.conf; chown slurm: /etc/slurm/slurmdbd.conf",
                "install -d -o slurm /var/lib/slurm /var/lib/slurm/slurmctld /var/lib/slurm/slurmd",
                "systemctl start munge mariadb",
                (
                    "mariadb -e \"CREATE DATABASE slurm_acct_db; CREATE USER slurm@localhost IDENTIFIED BY 'site';"
                    ' GRANT ALL ON slurm_acct_db.* TO slurm@localhost"'
                ),
                "systemctl restart slurmdbd",
                *(f"useradd --create-home {user}" for user in people),
            ]
        )
    )

    def succeeds(command: str) -> Callable[[], bool]:
        return lambda: machine.run(command).returncode == 0

    until(succeeds("sacctmgr -n show cluster"), "slurmdbd answers", 90, 1)
    accounts = [f"sacctmgr -i add account {account}" for account in PEOPLE]
    users = [f"sacctmgr -i add user {','.join(users)} account={account}" for account, users in PEOPLE.items()]
    machine.do("\n".join(["sacctmgr -i add cluster site || true", *accounts, *users]))
    machine.do("systemctl restart slurmctld slurmd")
    until(succeeds("sinfo -h -t idle -o %n | grep site"), "the node is idle", 90, 1, seen=machine.console)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BootedMachine]:
    root = tmp_path_factory.mktemp("machine") / "root"
    shown: dict[str, Path] = {}
    machine = BootedMachine(root, shown)
    shown |= installed(root / "opt/fabric-hub", root)
    certify(root, tmp_path_factory.mktemp("tls") / "authority")
    with machine:
        prepare(machine)
        yield machine


class Shell:
    """A person at the page: goes from block to block in one shell, which stays where the last block has left it."""

    def __init__(self, machine: BootedMachine) -> None:
        self._machine, self._cwd, self.replaced = machine, "/", set[str]()

    def follow(self, block: list[str]) -> str:
        """Give the commands of a block; the first that fails ends the test."""
        self.replaced |= IN_PLACE_OF.keys() & set(block)
        lines = [IN_PLACE_OF.get(line, line) for line in block]
        said = self._machine.do("\n".join([f"cd {self._cwd}", *lines, "echo; pwd"]), 300)
        self._cwd = said.split()[-1]
        return said


def change(path: Path, changes: dict[str, str]) -> None:
    text = path.read_text()
    for old, new in changes.items():
        text, times = re.subn(old, new, text, flags=re.MULTILINE)
        assert times == 1, old
    path.write_text(text)


def main_pid(machine: BootedMachine, unit: str) -> int:
    return int(machine.do(f"systemctl show --property=MainPID --value {unit}"))


def assert_up(machine: BootedMachine) -> None:
    """Every unit runs, and each part answers where the page says."""
    for unit in UNITS:
        assert machine.run(f"systemctl is-active {unit}").stdout == "active\n", logs(machine)
    health = json.loads(machine.do(f"sudo -u fabric-hub {CURL} /run/fabric-hub/gateway.sock http://gateway/v1/health"))
    assert "questions" in health
    machine.do(f"sudo -u fabric-hub {CURL} /run/fabric-catalogue/catalogue.sock http://catalogue/v1/health")
    assert 'name="password"' in machine.do("curl --silent --fail http://127.0.0.1:8000/hub/login")


def logs(machine: BootedMachine) -> str:
    words = " ".join(f"--unit={unit}" for unit in UNITS)
    return machine.run(f"journalctl --no-pager --lines=80 --output=cat {words}").stdout


def test_the_page_makes_a_site_that_answers_comes_back_and_can_be_removed(machine: BootedMachine) -> None:
    blocks = console_blocks(PAGE)
    [release] = [block for block in blocks if block[0] == FROM_A_RELEASE]
    check = next(block for block in blocks if "check-config" in block[0])
    look = next(block for block in blocks if "systemctl status" in block[0])
    nightly = next(block for block in blocks if "systemctl start fabric-backup" in block)
    stop, forget = (next(block for block in blocks if word in block[0]) for word in ("disable --now", "rm -rf /var"))
    shell = Shell(machine)
    etc = machine.root / "etc/fabric-hub"
    for block in blocks[: blocks.index(look)]:
        if block is release:
            continue
        if block is check:
            change(etc / "site.toml", OF_THE_SITE)
            (etc / "login.py").write_text(LOGIN)
        try:
            shell.follow(block)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{logs(machine)}") from error

    # systemctl has returned: all answer
    assert_up(machine)
    status, doctor, health = look
    assert machine.do(status).count("active (running)") == len(UNITS)
    assert json.loads(machine.do(health))["unavailable_since"] is None
    assert_sockets(machine)
    assert_doctor(machine.run(doctor).stdout)
    assert_session_starts(machine)
    try:
        shell.follow(nightly)
    except AssertionError as error:
        said = machine.run("journalctl --no-pager --output=cat --unit=fabric-backup").stdout
        raise AssertionError(f"{error}\n{said}") from error
    assert_backed_up(machine, machine.run(doctor).stdout)

    for unit in UNITS:
        before = main_pid(machine, unit)
        machine.do(f"kill -KILL {before}")
        until(
            lambda unit=unit, before=before: (  # type: ignore[misc]
                machine.run(f"systemctl is-active {unit}").stdout == "active\n"
                and main_pid(machine, unit) not in (0, before)
            ),
            f"{unit} runs again",
            START_S,
            0.5,
            seen=lambda: logs(machine),
        )
        assert_up(machine)

    machine.off()
    machine.boot()
    until(
        lambda: machine.run(f"systemctl is-active {' '.join(UNITS)}").returncode == 0,
        "all units run after a boot",
        START_S,
        1,
        seen=lambda: logs(machine),
    )
    assert_up(machine)
    assert_sockets(machine)

    shell.follow(stop)
    shell.follow(["cd /", *forget])
    assert shell.replaced == IN_PLACE_OF.keys(), "every line of the table is on the page"
    left = machine.do("find / -xdev -ignore_readdir_race -iname '*fabric*' -not -path '/opt/*' -not -path '/proc/*'")
    of_the_site = {"/srv/fabric", "/shared/fabric-hub", "/home/alice/.fabric-hub", "/etc/ssl/fabric-hub"}
    assert set(left.split()) == of_the_site, "as the page says"
    assert machine.run("getent passwd | grep fabric; getent group | grep fabric").stdout == ""
    assert machine.run("systemctl list-units --all --no-legend 'fabric-*'").stdout == ""
    assert machine.run("pgrep --list-full fabric_hub").stdout == ""


def assert_sockets(machine: BootedMachine) -> None:
    """Who may open a socket can have submitted for everybody: the hub alone."""
    paths = "/run/fabric-hub /run/fabric-hub/gateway.sock /run/fabric-catalogue /run/fabric-catalogue/catalogue.sock"
    assert machine.do(f"stat --format='%n %a %U %G' {paths}").splitlines() == [
        "/run/fabric-hub 750 fabric-gateway fabric-hub",
        "/run/fabric-hub/gateway.sock 660 fabric-gateway fabric-hub",
        "/run/fabric-catalogue 2750 fabric-catalogue fabric-hub",
        "/run/fabric-catalogue/catalogue.sock 660 fabric-catalogue fabric-hub",
    ]
    for who, socket in (("alice", "fabric-hub/gateway"), ("alice", "fabric-catalogue/catalogue")):
        done = machine.run(f"sudo -u {who} {CURL} /run/{socket}.sock http://it/v1/health")
        assert done.returncode == 7, done.stdout


def assert_doctor(said: str) -> None:
    """Doctor has nothing to say but that no image is built."""
    wrong = [line for line in said.splitlines() if line.startswith("PROBLEM")]
    assert len(wrong) == 1, said
    assert "image" in wrong[0]


def assert_backed_up(machine: BootedMachine, doctor: str) -> None:
    """The unit, under all that it takes from root, has made a whole backup with keys, for root alone; doctor has it."""
    [backup] = machine.do("ls /var/lib/fabric-backup").split()
    files = set(machine.do(f"ls /var/lib/fabric-backup/{backup}").split())
    assert files == {"manifest.json", "hub.tar", "catalogue.tar", "site.toml"}
    assert "cookie_secret" in machine.do(f"tar tf /var/lib/fabric-backup/{backup}/hub.tar")
    assert machine.run("sudo -u fabric-hub ls /var/lib/fabric-backup").returncode != 0
    assert f"old: /var/lib/fabric-backup/{backup}" in doctor
    assert machine.do("systemctl list-timers --all --no-legend fabric-backup.timer")


def assert_session_starts(machine: BootedMachine) -> None:
    """The gateway becomes a user, writes their directory and submits, under all that its unit takes from it."""
    spec = JobSpec(partition="cpu", account="proteins", minutes=5, memory_mb=100)
    request = SubmitRequest(session="aaaaaaaaaaaa", user="alice", image="base", spec=spec)
    body = request.model_dump_json()
    post = f"{CURL} /run/fabric-hub/gateway.sock --json '{body}' http://gateway/v1/jobs"
    answer = machine.run(f"sudo -u fabric-hub {post.replace('--fail ', '')}").stdout
    job = json.loads(answer).get("job_id")
    assert job, answer
    until(
        lambda: machine.run(f"sacct -n -X -a -o user -j {job}").stdout.strip() == "alice",
        "Slurm knows the job as alice's",
        60,
        1,
    )
