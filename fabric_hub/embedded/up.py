"""``fabric-hub up`` and ``down``: the life of an embedded run."""

from __future__ import annotations

import json
import os
import pwd
import secrets
import shutil
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..errors import FabricError
from . import (
    accounting,
    accounts,
    cluster,
    demo,
    gallery,
    gpus,
    instance,
    nodes,
    own_settings,
    ports,
    processes,
    runtime,
    science,
    slurmconf,
)
from .instance import Instance
from .layout import LONGEST_DIRECTORY, Layout
from .processes import Account
from .supervisor import Stopped, Supervisor, stop_on_signals

Say = Callable[[str], None]
Until = Literal["slurm", "gateway", "hub"]


@dataclass(frozen=True)
class Options:
    """What `up` was asked for; None is what the last start used, else the default."""

    directory: Path
    port: int | None = None
    local: bool | None = None
    science: bool | None = None
    prefix: str | None = None
    images: Path | None = None
    settings: Path | None = None
    until: Until = "hub"


def layout_of(directory: Path) -> Layout:
    """The layout of a run's directory, with the images directory that its last start used."""
    layout = Layout(directory, directory / "images")
    known = instance.read(layout)
    return Layout(directory, known.images) if known else layout


def up(options: Options, say: Say, ready: Callable[[], None]) -> None:
    """Run the embedded cluster and the hub until a signal arrives, then stop everything.

    :param ready: called once when all is up.
    :raises FabricError: something is missing or did not start; all that was started is stopped again.
    """
    root = options.directory
    make_root(root)
    layout = layout_of(root)
    with instance.locked(layout), ports.Claims() as claims:
        stop_on_signals()
        supervisor = Supervisor(layout, say)
        try:
            _start(options, layout, claims, supervisor, say)
            ready()
            supervisor.watch()
        except Stopped:
            say("Stopping: sessions, hub and cluster ...")
        finally:
            _stop(layout, supervisor)
        say("Stopped; no process is left.")


def make_root(root: Path) -> None:
    """Make the run's directory; as root, other accounts must be able to pass through it.

    :raises FabricError: it is somebody else's, or holds something else, its path is too long, or a directory above
        keeps accounts out.
    """
    if len(os.fsencode(root)) > LONGEST_DIRECTORY:
        raise FabricError(
            f"{root} is too long: the Unix sockets in it would exceed Linux's limit of 107 bytes.",
            reason="directory",
            hint=f"Choose a --dir of at most {LONGEST_DIRECTORY} characters.",
        )
    layout = Layout(root, root / "images")
    if root.exists() and not instance.is_ours(layout) and not _is_empty_and_mine(root):
        raise FabricError(
            f"{root} is there already and is not the directory of an embedded run of this account.",
            reason="directory",
            hint="Choose a --dir that does not exist yet: a run takes all of it, and `down --purge` removes all of it.",
        )
    root.mkdir(mode=0o755, parents=True, exist_ok=True)
    instance.mark(layout)
    if os.geteuid() == 0:
        root.chmod(0o755)
        closed = [parent for parent in root.parents if not parent.stat().st_mode & 0o001]
        if closed:
            raise FabricError(
                f"The demo accounts cannot enter {closed[-1]}, so they would not reach {root}.",
                reason="directory",
                hint="Choose a --dir that everybody can pass through, such as /var/lib/fabric-hub.",
            )


def _is_empty_and_mine(path: Path) -> bool:
    return path.is_dir() and path.stat().st_uid == os.geteuid() and not any(path.iterdir())


def _start(options: Options, layout: Layout, claims: ports.Claims, supervisor: Supervisor, say: Say) -> None:
    old = instance.read(layout)
    _end_daemons(layout, say)
    known = _choose(options, layout, old, claims)
    layout = Layout(layout.root, known.images)
    root_run = os.geteuid() == 0
    _directories(layout)
    if root_run:
        _remember(layout, known)
        accounts.create(layout, known.prefix)
    hub, gateway, keeper = _service_accounts(known) if root_run else (None, None, None)
    sockets = _listen(claims, known, hub) if options.until == "hub" else ()
    found = None if known.local else gpus.detect()
    code = runtime.current(layout, say)
    _hub_files(layout, hub, gateway)
    _keeper_files(layout, hub, keeper)
    site = own_settings.write(
        layout,
        known,
        prefix=known.prefix if root_run else None,
        keeper=pwd.getpwuid(keeper.uid if keeper else os.geteuid()).pw_name,
        gpus=found,
        proxy_command=code.proxy_command,
    )
    _remember(layout, known)
    making = gallery.begin(layout, code, keeper, say) if options.until == "hub" and not known.gallery else None
    if found is not None:
        _announce_gpus(found, say)
        enforced = keeper is not None and nodes.enforced(layout, say)
        containers = enforced and nodes.contained(layout)
        if enforced and keeper is not None:
            nodes.write(layout, code, keeper, containers=containers)
            supervisor.start(nodes.daemon(layout, code))
        operates = site.slurm is not None and site.slurm.extend == "as-gateway"
        _start_slurm(layout, known, found, supervisor, say, enforced=enforced, containers=containers, operates=operates)
    if options.until == "slurm":
        return
    daemons = cluster.our_daemons(
        layout,
        code,
        ports=known.ports,
        gateway=gateway,
        keeper=keeper,
        hub=hub,
        slurm=found is not None,
        sockets=sockets,
    )
    if options.until == "hub":
        if not code.config.is_file():
            raise FabricError(
                f"The hub's configuration, {code.config}, is not there.",
                reason="installation",
                hint="Install Fabric Hub again (make setup).",
            )
        build_image(layout, say)
    gallery.finish(layout, making, say)
    for daemon in daemons:
        if daemon.name != "hub" or options.until == "hub":
            supervisor.start(daemon)
    building = science.begin(layout, say) if options.until == "hub" and known.science else None
    if building:
        supervisor.beside(building, lambda status: science.ended(layout, status, say))


def _choose(options: Options, layout: Layout, old: Instance | None, claims: ports.Claims) -> Instance:
    prefix = options.prefix if options.prefix is not None else (old.prefix if old else instance.DEFAULT_PREFIX)
    if old and old.prefix != prefix and accounts.ours(layout):
        raise FabricError(
            f"{layout.root} has accounts whose names start with {old.prefix}.",
            reason="prefix",
            hint=f"Leave --prefix out, or start afresh: fabric-hub down --purge --dir {layout.root}",
        )
    return Instance(
        prefix=prefix,
        ports=ports.choose(claims, options.port, old.ports if old else None),
        local=options.local if options.local is not None else bool(old and old.local),
        science=options.science if options.science is not None else (old.science if old else True),
        images=options.images or (old.images if old else layout.images),
        settings=options.settings or (old.settings if old else None),
        loaded=old.loaded if old else "",
        gallery=bool(old and old.gallery),
    )


def _remember(layout: Layout, known: Instance) -> None:
    instance.write_private(layout.instance, known.model_dump_json(indent=2))


def _directories(layout: Layout) -> None:
    for path, mode in (
        (layout.etc, 0o755),
        (layout.run, 0o755),
        # the cluster's own logs may quote a user's job script; the accounts of the demo need none of them
        (layout.log, 0o700),
        (layout.homes, 0o755),
        (layout.rescue, 0o1777),
        (layout.spool, 0o755),
        *((layout.spool / name, 0o755) for name in slurmconf.NODES),
        (layout.spool / "slurmctld", 0o700),
        (layout.database, 0o700),
        (layout.database_temporary, 0o700),
    ):
        path.mkdir(exist_ok=True)
        path.chmod(mode)
    layout.images.mkdir(mode=0o755, parents=True, exist_ok=True)


def _service_accounts(known: Instance) -> tuple[Account, Account, Account]:
    """The hub's, the gateway's and the keeper's. Without Slurm the hub itself becomes the user who starts a session."""
    hub, gateway, keeper = (pwd.getpwnam(known.prefix + name) for name in accounts.SERVICES)
    rights = ("setuid", "setgid", "kill", "chown") if known.local else ()
    return (
        Account(hub.pw_uid, hub.pw_gid, rights),
        Account(gateway.pw_uid, gateway.pw_gid, ("setuid", "setgid")),
        Account(keeper.pw_uid, keeper.pw_gid),
    )


def _listen(claims: ports.Claims, known: Instance, hub: Account | None) -> tuple[socket.socket, ...]:
    """The ports of proxy and hub, held from now on: nobody else can take one while its owner is down."""
    owner = (hub.uid, hub.gid) if hub else None
    return tuple(claims.listen(port, owner) for port in (known.ports.public, known.ports.hub))


def _hub_files(layout: Layout, hub: Account | None, gateway: Account | None) -> None:
    """The hub's private directory with the demo's passwords, the gateway's socket's directory, and homes."""
    owner = (hub.uid, hub.gid) if hub else None
    layout.hub.mkdir(mode=0o700, exist_ok=True)
    layout.gateway_socket.parent.mkdir(exist_ok=True)
    if hub and gateway:
        os.chown(layout.hub, hub.uid, hub.gid)
        # setgid: the socket gets the hub's group, and nobody else may enter
        os.chown(layout.gateway_socket.parent, gateway.uid, hub.gid)
        layout.gateway_socket.parent.chmod(0o2750)
    else:
        layout.gateway_socket.parent.chmod(0o700)
        for user in demo.ACCOUNTS:
            (layout.homes / user).mkdir(mode=0o700, exist_ok=True)
    if not layout.logins.exists():
        instance.write_private(layout.logins, json.dumps({user: _password() for user in demo.ACCOUNTS}), owner)
    if not layout.token.exists():
        instance.write_private(layout.token, secrets.token_hex(32), owner)


def _keeper_files(layout: Layout, hub: Account | None, keeper: Account | None) -> None:
    """The keeper's private directory, its socket's directory, its images, and where it and the nodes meet."""
    socket_directory = layout.keeper_socket.parent
    for path, mode in (
        (layout.keeper, 0o700),
        (socket_directory, 0o700),
        (layout.datasets, 0o700),
        (layout.published, 0o755),
    ):
        path.mkdir(exist_ok=True)
        if keeper:
            os.chown(path, keeper.uid, keeper.gid)
        path.chmod(mode)
    if hub and keeper:
        # setgid: the socket gets the hub's group, and nobody else may enter
        os.chown(socket_directory, keeper.uid, hub.gid)
        socket_directory.chmod(0o2750)


def _password() -> str:
    """Readable and long enough to be on loopback: 12 letters and digits that are not mistaken for others."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(alphabet) for _ in range(4)) for _ in range(3))


def _announce_gpus(found: gpus.Gpus, say: Say) -> None:
    counts = " and ".join(f"{len(node)} on gpu{number}" for number, node in enumerate(found.per_node, 1))
    say(f"GPUs: {'this machine has' if found.real else 'none here, so simulated'} {found.type}, {counts}.")


def _loopback(name: str) -> bool:
    """Whether a machine's name stands for 127.0.0.1."""
    try:
        return socket.gethostbyname(name) == "127.0.0.1"
    except OSError:
        return False


def _start_slurm(
    layout: Layout,
    known: Instance,
    found: gpus.Gpus,
    supervisor: Supervisor,
    say: Say,
    *,
    enforced: bool,
    containers: bool,
    operates: bool,
) -> None:
    me = pwd.getpwuid(os.geteuid()).pw_name
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    name = socket.gethostname()
    machine = slurmconf.Machine(name.split(".")[0], me, os.cpu_count() or 1, memory, _loopback(name))
    slurm_ports = slurmconf.SlurmPorts(known.ports.slurmctld, known.ports.slurmdbd, known.ports.slurmd)
    gpus.link_devices(layout, found)
    layout.slurm_conf.write_text(
        slurmconf.slurm_conf(layout, machine, slurm_ports, found, enforced=enforced, containers=containers)
    )
    (layout.etc / "gres.conf").write_text(slurmconf.gres_conf(layout, found))
    (layout.etc / "job_container.conf").write_text(slurmconf.job_container_conf(layout))
    instance.write_private(layout.etc / "slurmdbd.conf", slurmconf.slurmdbd_conf(layout, machine, slurm_ports))
    for name in ("slurm.conf", "gres.conf", "job_container.conf"):
        (layout.etc / name).chmod(0o644)
    if not layout.munge_key.exists():
        with os.fdopen(os.open(layout.munge_key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "wb") as key:
            key.write(secrets.token_bytes(128))
    prefix = known.prefix if os.geteuid() == 0 else None
    wanted = accounting.commands(accounts.unix_names(prefix), prefix and f"{prefix}gateway", operates=operates)
    digest = accounting.digest(wanted)

    def add_cluster() -> None:
        if known.loaded != digest:
            accounting.load(accounting.ADD_CLUSTER, cluster.slurm_environment(layout))

    def add_accounts() -> None:
        if known.loaded != digest:
            accounting.load(wanted, cluster.slurm_environment(layout))
            _remember(layout, known.model_copy(update={"loaded": digest}))

    say("Starting the cluster ...")
    for daemon in cluster.slurm_daemons(layout, me, add_cluster, add_accounts):
        supervisor.start(daemon)


def build_image(layout: Layout, say: Say) -> None:
    """Build the image `base` when this run has none."""
    if (layout.images / "base" / "current").exists():
        return
    say(f"Building the image base in {layout.images} (once; a minute or two) ...")
    from ..images.build import build  # imports the build tools, which a second start does not need

    build("base", layout.images, say)


def _end_daemons(layout: Layout, say: Say) -> None:
    """End the daemons of a run that was killed; its sessions live on, and the new daemons find them."""
    old = [pid for pid in processes.leftovers(layout.root) if not processes.of_session(pid, layout.root)]
    if old:
        say(f"An earlier run was killed; ending {len(old)} processes that it left.")
        _insist(layout, old)
    for stale in (layout.munge_socket, layout.database_socket, layout.gateway_socket, layout.keeper_socket):
        stale.unlink(missing_ok=True)


def _insist(layout: Layout, pids: list[int]) -> None:
    stuck = processes.end(pids)
    if stuck:
        raise FabricError(
            f"Processes {', '.join(map(str, stuck))} of {layout.root} do not end.",
            reason="processes",
            hint="They hang in the kernel, on a file system for instance; see ps -o pid,stat,wchan,args.",
        )


def _stop(layout: Layout, supervisor: Supervisor) -> None:
    """Hub and gateway first, then the jobs while Slurm can still end them in order, then Slurm, then the rest."""
    supervisor.stop(lambda name: name in ("hub", "gateway"))
    if layout.slurm_conf.exists():
        environment = cluster.slurm_environment(layout)
        code, jobs = cluster.ask(["/usr/bin/squeue", "-h", "-a", "-o", "%A"], environment, 5.0)
        if code == 0 and jobs:
            cluster.ask(["/usr/bin/scancel", *jobs.split()], environment)
    supervisor.stop()
    sweep(layout)
    nodes.unmount(layout)


def sweep(layout: Layout) -> None:
    """End every process of the run, sessions included."""
    uids = [entry.pw_uid for entry in accounts.ours(layout)] if os.geteuid() == 0 else []
    # twice: a process may have started another while the first ones ended
    for _ in range(2):
        _insist(layout, processes.leftovers(layout.root, uids))
    layout.processes.unlink(missing_ok=True)


def down(directory: Path, *, purge: bool, say: Say) -> None:
    """Stop a run, also one that was killed; with ``purge`` remove its accounts and its directory."""
    if not directory.exists():
        say(f"Nothing runs in {directory}; it does not exist.")
        return
    layout = Layout(directory, directory / "images")
    _check_is_ours(layout)
    layout = layout if purge else layout_of(directory)
    if supervisor := instance.holder(layout):
        processes.end([supervisor], grace_s=60)
    with instance.locked(layout):
        sweep(layout)
        nodes.unmount(layout)
        if purge:
            removed = accounts.remove(layout) if os.geteuid() == 0 else []
            shutil.rmtree(layout.root)
            say(f"Removed {layout.root}" + (f" and the accounts {', '.join(removed)}." if removed else "."))
        else:
            say(f"Nothing runs in {directory} any more.")


def _check_is_ours(layout: Layout) -> None:
    """A mistyped --dir must never be emptied."""
    if not instance.is_ours(layout):
        raise FabricError(
            f"{layout.root} is not the directory of an embedded run of this account.",
            reason="directory",
            hint="Give the --dir that `fabric-hub up` was given, as the account that gave it.",
        )
