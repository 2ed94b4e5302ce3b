"""The daemons of the embedded run: what to start, in which order, and when each one is ready."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fabric_hub.config.settings import ENV
from fabric_hub.errors import FabricError

from . import listener
from .instance import read_owned
from .layout import Layout
from .ports import Ports
from .processes import MARK, Account, tail
from .runtime import Runtime
from .slurmconf import DATABASE, NODES

# The rest of 8 TiB that MariaDB else reserves for a pool that grows: a limit on addresses (ulimit -v) forbids that, and
# an emulated processor fills the machine's memory with the table of its pages.
SMALL_POOL = "--loose-innodb-buffer-pool-size-max=64M"


def nothing() -> None:
    """What most daemons need before they start."""


@dataclass(frozen=True)
class Daemon:
    """One daemon in the foreground. ``missing()`` says what it is not ready for yet; "" when it is ready."""

    name: str
    argv: Sequence[str]
    missing: Callable[[], str]
    environment: dict[str, str]
    cwd: Path
    account: Account | None = None
    restart: bool = False
    within_s: float = 120.0
    check_every_s: float = 0.05
    prepare: Callable[[], None] = nothing
    sockets: tuple[socket.socket, ...] = ()  # that it finds listening already (fabric_hub.hub.held_ports)


def base_environment(layout: Layout) -> dict[str, str]:
    """The environment of every daemon. Nothing of the caller's is in it: it would reach jobs and logs."""
    return {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG": "C.UTF-8",
        "HOME": str(layout.root),
        MARK: str(layout.root),
    }


def slurm_environment(layout: Layout) -> dict[str, str]:
    """What Slurm's clients and daemons need to talk to this cluster and no other."""
    return {**base_environment(layout), "SLURM_CONF": str(layout.slurm_conf)}


def ask(argv: Sequence[str], environment: dict[str, str], timeout_s: float = 10.0) -> tuple[int, str]:
    """Run a client; its exit status and all it said. A client that hangs counts as status 124."""
    try:
        done = subprocess.run(
            argv, env=environment, capture_output=True, text=True, errors="replace", timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired:
        return 124, f"{argv[0]} gave no answer within {timeout_s:g} s"
    return done.returncode, (done.stdout + done.stderr).strip()


def answers(path: Path) -> bool:
    """Whether somebody listens on a Unix socket."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        try:
            client.connect(str(path))
        except OSError:
            return False
        return True


def healthy(port: int, service: Path, token: Path, uid: int) -> str:
    """What is wrong with the hub on loopback; "" when it answers as the one that knows the token.

    :param port: of the proxy.
    :param service: the socket of its service, which it starts last: before, asking the proxy would only fill its log.
    :param token: the file of the token.
    :param uid: the account of the hub and of its proxy; nobody else gets the token.
    :raises FabricError: another account listens on ``port``, or has replaced the file.
    """
    if not answers(service):
        return f"nobody listens on {service}"
    try:
        status, _ = listener.ask(port, uid, read_owned(token, uid).strip(), "/hub/api/user", timeout_s=5)
    except OSError as error:
        return f"the proxy's port {port}: {error}"
    if status != 200:
        return f"port {port} answers {status}" + (": it is another hub" if status == 403 else "")
    return ""


def slurm_daemons(
    layout: Layout, user: str, add_cluster: Callable[[], None], add_accounts: Callable[[], None]
) -> list[Daemon]:
    """munge, MariaDB and Slurm.

    :param user: the account that runs them.
    :param add_cluster: tells the database of the cluster; called before slurmctld looks for it there.
    :param add_accounts: fills the database; called after slurmctld has told it that there are GPUs to budget.
    """
    environment = slurm_environment(layout)

    def munge() -> str:
        code, said = ask(["/usr/bin/munge", "-n", f"--socket={layout.munge_socket}"], environment)
        return said if code else ""

    def database() -> str:
        return "" if answers(layout.database_socket) else f"nobody listens on {layout.database_socket}"

    def slurmdbd() -> str:
        code, said = ask(["/usr/bin/sacctmgr", "-n", "-P", "show", "cluster"], environment)
        return said if code else ""

    def slurmctld() -> str:
        code, said = ask(["/usr/bin/scontrol", "ping"], environment)
        return said if code or "DOWN" in said else ""

    def node(name: str) -> Callable[[], str]:
        def missing() -> str:
            code, said = ask(["/usr/bin/sinfo", "-h", "-N", "-n", name, "-o", "%T"], environment)
            state = said.split("\n")[0].strip()
            return "" if code == 0 and state in ("idle", "mixed", "allocated") else f"{name} is {state or 'unknown'}"

        return missing

    sql = environment | {"MYSQL_UNIX_PORT": str(layout.database_socket)}
    own_files = environment | {"TMPDIR": str(layout.database_temporary)}
    daemons = [
        Daemon(
            "munged",
            ["/usr/sbin/munged", "--foreground", "--force", f"--key-file={layout.munge_key}",
             f"--socket={layout.munge_socket}", f"--pid-file={layout.run}/munged.pid",
             f"--seed-file={layout.run}/munged.seed", f"--log-file={layout.log}/munged.log"],
            munge, environment, layout.root,
        ),
        Daemon(
            "mariadbd",
            ["/usr/sbin/mariadbd", "--no-defaults", f"--user={user}", f"--datadir={layout.database}",
             f"--socket={layout.database_socket}", f"--pid-file={layout.database}/mariadb.pid", "--skip-networking",
             "--innodb-buffer-pool-size=64M", SMALL_POOL, "--innodb-lock-wait-timeout=900",
             "--innodb-flush-log-at-trx-commit=0",
             # slurmdbd is not made for it, and says so; MariaDB has it on since 11.6, and not everywhere at all
             "--loose-innodb-snapshot-isolation=OFF"],
            database, own_files, layout.database, within_s=120,
            prepare=lambda: make_database(layout, user, own_files),
        ),
        Daemon(
            "slurmdbd", ["/usr/sbin/slurmdbd", "-D"], slurmdbd, sql, layout.spool,
            prepare=lambda: make_accounting_database(layout, environment),
        ),
        Daemon("slurmctld", ["/usr/sbin/slurmctld", "-D", *ignoring(layout)], slurmctld, environment, layout.spool,
               prepare=add_cluster),
    ]  # fmt: skip
    daemons += [
        Daemon(
            f"slurmd-{name}", ["/usr/sbin/slurmd", "-D", "-N", name], node(name), environment, layout.spool,
            prepare=add_accounts if name == NODES[0] else nothing,
        )
        for name in NODES
    ]  # fmt: skip
    return daemons


def ignoring(layout: Layout) -> list[str]:
    """What has slurmctld start on the state of one that was killed before it wrote all of it; else nothing.

    Its own name it writes at once, the usage of associations some time later. Slurm 26.05 ends with "No Assoc usage
    file" where it finds the one without the other. What it has written is read all the same.
    """
    state = layout.spool / "slurmctld"
    killed = (state / "clustername").exists() and not (state / "assoc_usage").exists()
    return ["-i"] if killed else []


def make_database(layout: Layout, user: str, environment: dict[str, str]) -> None:
    """Make MariaDB's system tables once; a half-made set is made again."""
    done = layout.database / "made"
    if done.exists():
        return
    for old in layout.database.iterdir():
        if old.is_dir():
            shutil.rmtree(old)
        else:
            old.unlink()
    log = layout.log / "mariadbd.log"
    with log.open("ab") as output:
        made = subprocess.run(
            ["/usr/bin/mariadb-install-db", "--no-defaults", f"--datadir={layout.database}", f"--user={user}",
             SMALL_POOL, "--auth-root-authentication-method=normal", "--skip-test-db"],
            env=environment, cwd=layout.root, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False,
        )  # fmt: skip
    if made.returncode:
        raise FabricError(
            f"MariaDB could not make its database in {layout.database}. The end of {log}:\n{tail(log, 30)}",
            reason="daemon",
            hint="\nSee that the disk is not full, and try again.",
        )
    done.touch()


def make_accounting_database(layout: Layout, environment: dict[str, str]) -> None:
    """Make the database that slurmdbd keeps its tables in, where it is not there.

    slurmdbd would make it itself, and go on with the connection that was refused for want of it. MariaDB's client
    library 3.4 (Debian 13) reads no answer on such a connection: slurmdbd ends with "5027 Number of columns".
    """
    code, said = ask(
        ["/usr/bin/mariadb", "--no-defaults", "--user=root", f"--socket={layout.database_socket}",
         f"--execute=CREATE DATABASE IF NOT EXISTS {DATABASE}"],
        environment, timeout_s=60,
    )  # fmt: skip
    if code:
        raise FabricError(
            f"MariaDB could not make the database {DATABASE} for slurmdbd: {said or f'status {code}'}.",
            reason="daemon",
            hint=f"Its log is {layout.log}/mariadbd.log.",
        )


def our_environment(layout: Layout, runtime: Runtime) -> dict[str, str]:
    """All of the environment of our own programs."""
    environment = {
        **base_environment(layout),
        **runtime.environment,
        ENV: str(layout.site),
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",  # the code may be root's or a checkout; neither is ours to litter
    }
    if os.geteuid() != 0:
        environment["HOME"] = os.path.expanduser("~")
    return environment


def our_daemons(
    layout: Layout,
    runtime: Runtime,
    *,
    ports: Ports,
    gateway: Account | None,
    catalogue_service: Account | None,
    hub: Account | None,
    slurm: bool,
    sockets: tuple[socket.socket, ...],
) -> list[Daemon]:
    """The gateway (with Slurm), the catalogue service, and the hub, which starts the proxy and the service itself.

    :param gateway: account of the gateway; None is ours. ``catalogue_service`` and ``hub`` likewise.
    :param sockets: which listen on the ports of hub and proxy.
    """
    environment = our_environment(layout, runtime)

    def listens(path: Path) -> Callable[[], str]:
        return lambda: "" if answers(path) else f"nobody listens on {path}"

    daemons = []
    if slurm:
        daemons.append(
            Daemon(
                "gateway",
                [str(runtime.python), "-m", "fabric_hub.gateway", "--site", str(layout.site)],
                listens(layout.gateway_socket),
                environment,
                layout.root,
                gateway,
                restart=True,
            )
        )
    daemons.append(
        Daemon(
            "catalogue",
            [str(runtime.python), "-m", "fabric_hub.catalogue", "--site", str(layout.site)],
            listens(layout.catalogue_socket),
            environment,
            layout.root,
            catalogue_service,
            restart=True,
        )
    )
    daemons.append(
        Daemon(
            "hub",
            [str(runtime.python), "-m", "jupyterhub", "-f", str(runtime.config)],
            lambda: healthy(ports.public, layout.service_socket, layout.token, hub.uid if hub else os.geteuid()),
            environment,
            layout.hub,
            hub,
            restart=True,
            within_s=240,
            check_every_s=0.3,
            sockets=sockets,
        )
    )
    return daemons
