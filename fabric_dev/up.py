"""``fabric-hub up``: how an embedded run starts."""

from __future__ import annotations

import os
import pwd
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from fabric_hub.errors import FabricError

from . import (
    accounting,
    accounts,
    cluster,
    directories,
    gpus,
    instance,
    nodes,
    own_settings,
    ports,
    provider,
    runtime,
    sample_datasets,
    science,
    slurmconf,
)
from .instance import Instance
from .layout import Layout
from .processes import Account
from .stop import Say, end_daemons, stop
from .supervisor import Stopped, Supervisor, stop_on_signals

Until = Literal["slurm", "gateway", "hub"]


@dataclass(frozen=True)
class Options:
    """What `up` was asked for; None is what the last start used, else the default."""

    directory: Path
    port: int | None = None
    local: bool | None = None
    science: bool | None = None
    oidc: bool | None = None
    prefix: str | None = None
    images: Path | None = None
    settings: Path | None = None
    until: Until = "hub"


def up(options: Options, say: Say, ready: Callable[[], None]) -> None:
    """Run the embedded cluster and the hub until a signal arrives, then stop everything.

    :param ready: called once when all is up.
    :raises FabricError: something is missing or did not start; all that was started is stopped again.
    """
    root = options.directory
    directories.make_root(root)
    layout = instance.layout_of(root)
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
            stop(layout, supervisor)
        say("Stopped; no process is left.")


def _start(options: Options, layout: Layout, claims: ports.Claims, supervisor: Supervisor, say: Say) -> None:
    old = instance.read(layout)
    end_daemons(layout, say)
    known = _choose(options, layout, old, claims)
    if known.oidc:
        provider.check()
    layout = Layout(layout.root, known.images)
    root_run = os.geteuid() == 0
    directories.make(layout)
    if root_run:
        _remember(layout, known)
        accounts.create(layout, known.prefix)
    hub, gateway, catalogue_service = _service_accounts(known) if root_run else (None, None, None)
    sockets = _listen(claims, known, hub) if options.until == "hub" else ()
    found = None if known.local else gpus.detect()
    code = runtime.current(layout, say)
    directories.hub_files(layout, hub, gateway)
    directories.catalogue_files(layout, hub, catalogue_service)
    site = own_settings.write(
        layout,
        known,
        prefix=known.prefix if root_run else None,
        catalogue_service=pwd.getpwuid(catalogue_service.uid if catalogue_service else os.geteuid()).pw_name,
        gpus=found,
        proxy_command=code.proxy_command,
    )
    _remember(layout, known)
    directories.folders(layout, site)
    making = (
        sample_datasets.begin(layout, code, catalogue_service, say)
        if options.until == "hub" and not known.samples
        else None
    )
    if found is not None:
        _announce_gpus(found, say)
        enforced = catalogue_service is not None and nodes.enforced(layout, say)
        containers = enforced and nodes.contained(layout)
        if enforced and catalogue_service is not None:
            lent = accounts.lent_uids(known.prefix)
            nodes.write(layout, code, catalogue_service, containers=containers, pool_uids=lent)
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
        catalogue_service=catalogue_service,
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
    if known.oidc and options.until == "hub":
        environment = cluster.our_environment(layout, code)
        supervisor.start(provider.daemon(layout, code, environment, known.ports.provider))
    sample_datasets.finish(layout, making, say)
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
        oidc=options.oidc if options.oidc is not None else bool(old and old.oidc),
        science=options.science if options.science is not None else (old.science if old else True),
        images=options.images or (old.images if old else layout.images),
        settings=options.settings or (old.settings if old else None),
        loaded=old.loaded if old else "",
        samples=bool(old and old.samples),
    )


def _remember(layout: Layout, known: Instance) -> None:
    instance.write_private(layout.instance, known.model_dump_json(indent=2))


def _service_accounts(known: Instance) -> tuple[Account, Account, Account]:
    """The hub's, the gateway's and the catalogue service's. Without Slurm the hub becomes whoever starts a session."""
    hub, gateway, catalogue_service = (pwd.getpwnam(known.prefix + name) for name in accounts.SERVICES)
    rights = ("setuid", "setgid", "kill", "chown") if known.local else ()
    return (
        Account(hub.pw_uid, hub.pw_gid, rights),
        # the hub's group, as the unit of a site: it reads the projects that the catalogue service keeps
        Account(gateway.pw_uid, hub.pw_gid, ("setuid", "setgid")),
        Account(catalogue_service.pw_uid, catalogue_service.pw_gid),
    )


def _listen(claims: ports.Claims, known: Instance, hub: Account | None) -> tuple[socket.socket, ...]:
    """The ports of proxy and hub, held from now on: nobody else can take one while its owner is down."""
    owner = (hub.uid, hub.gid) if hub else None
    return tuple(claims.listen(port, owner) for port in (known.ports.public, known.ports.hub))


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
    from fabric_hub.images.build import build  # imports the build tools, which a second start does not need

    build("base", layout.images, lambda text: say(str(text)))
