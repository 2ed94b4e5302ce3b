"""The process of one cluster: ``python -P -m fabric_lab.dask.daemon DIR``; its :class:`Plan` comes on standard input.

It belongs to the session, not to a kernel: a kernel that restarts or dies changes nothing here, unless nobody has named
the cluster. It ends when it is told to, when the cluster was idle for the set time, when the session's server has
ended, or on SIGTERM (which Slurm sends when the session's job ends); then its workers' jobs are cancelled and the key
is removed.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import logging
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from . import rendezvous
from .plan import Plan
from .worker_status import Hub

log = logging.getLogger("fabric_lab.dask")

GOODBYE_S = 20.0


async def serve(plan: Plan, directory: Path, hub: Hub | None, begun: Mapping[str, Any]) -> None:
    """Be the cluster until something ends it.

    :param hub: says how the cluster's jobs fare; None outside a session.
    :param begun: what was submitted for it already, as :meth:`.pools.Presubmitted.dump` gives it.
    """
    import dask
    from tornado.ioloop import PeriodicCallback

    from . import history, notebook_context, tls
    from .control import Control
    from .hosted_cluster import HostedCluster
    from .notebook_context import SessionDatasets
    from .pages import control_pages
    from .pools import Presubmitted
    from .queues import LocalQueue, SlurmQueue

    loop = asyncio.get_running_loop()
    ending = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.set)
    if plan.server_pid:
        _watch(plan.server_pid, ending)
    let_go = _watch(plan.kernel_pid, ending) if plan.kernel_pid else lambda: None
    notebook_context.import_from(plan.paths)
    notebook_context.take_settings(plan.config)
    options = dict(plan.scheduler_options)
    if plan.host and "interface" not in options:
        options.setdefault("host", plan.host)
    if plan.idle_timeout:
        options.setdefault("idle_timeout", plan.idle_timeout)
    if not dask.config.get("temporary-directory", None):
        # a scheduler, too, makes a scratch space: not one in /tmp that nobody removes
        dask.config.set({"temporary-directory": str(directory)})
    local = LocalQueue(directory) if plan.local else None
    datasets = SessionDatasets(plan.datasets, plan.session_job)
    cluster = HostedCluster(
        directory=directory,
        name=plan.name,
        pools=plan.pools,
        queue=local or SlurmQueue(directory, plan.job_name),
        scheduler_options=options,
        states=local.states if local else hub.states if hub else None,
    )
    try:
        await cluster
        control = Control(cluster, datasets, ending, None if plan.local else hub, plan, let_go)
        recording = PeriodicCallback(control.record, 1000 * history.EVERY_S)
        recording.start()
        cluster.scheduler.handlers.update(control.handlers())
        cluster.scheduler.http_application.add_handlers(".*", control_pages(control))
        cluster.adopt(Presubmitted.of(begun))
        rendezvous.write_address(directory, cluster.scheduler.address)
        dashboard = cluster.scheduler.http_server.port  # type: ignore[attr-defined]  # distributed's addition
        host = cluster.scheduler.address.rpartition("://")[2].rpartition(":")[0]
        rendezvous.State(
            name=plan.name,
            pid=os.getpid(),
            address=cluster.scheduler.address,
            dashboard=f"{host}:{dashboard}",
            started_at=time.time(),
            ip=str(cluster.scheduler.ip),
        ).write(directory)
        idle = asyncio.ensure_future(cluster.scheduler.finished())
        ended = asyncio.ensure_future(ending.wait())
        await asyncio.wait([idle, ended], return_when=asyncio.FIRST_COMPLETED)
        log.info("The cluster ends: %s", "it was idle" if idle.done() else "it was told to")
        recording.stop()
        ending.set()
        ended.cancel()
        idle.cancel()
    finally:
        try:
            closing: Any = cluster.close()  # an asynchronous cluster's may be awaited
            await asyncio.wait_for(closing, GOODBYE_S)
        finally:
            tls.remove(directory)
            if local:
                await local.over()


def _watch(pid: int, ending: asyncio.Event) -> Callable[[], None]:
    """End with a process of the same user, whatever ends it (pidfd_open(2)); what is returned stops watching."""
    loop, handles = asyncio.get_running_loop(), set[int]()

    def let_go() -> None:
        while handles:
            handle = handles.pop()
            loop.remove_reader(handle)
            os.close(handle)

    def over() -> None:
        let_go()
        ending.set()

    try:
        handle = os.pidfd_open(pid)
    except OSError:
        ending.set()
        return let_go
    handles.add(handle)
    loop.add_reader(handle, over)
    return let_go


def main() -> int:
    """Serve until the end; the directory goes with the cluster, its log stays when something went wrong."""
    directory = Path(sys.argv[1])
    # held as long as this process lives, whatever ends it: who finds it free knows that the cluster is gone
    lock = (directory / rendezvous.LOCK).open("wb")
    fcntl.flock(lock, fcntl.LOCK_EX)
    if os.fork():
        os._exit(0)  # whoever started this is not the parent of what follows
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s: %(message)s")
    from . import hosted_cluster  # noqa: F401  # takes longest, and needs no plan

    sent = json.loads(sys.stdin.read() or "null")
    if sent is None:  # whoever started this is gone
        shutil.rmtree(directory, ignore_errors=True)
        return 0
    plan = Plan.loads(json.dumps(sent["plan"]))
    hub = Hub(plan.name, sent["service"]) if sent["service"] else None
    try:
        asyncio.run(serve(plan, directory, hub, sent["begun"]))
    except Exception:
        log.exception("The cluster failed")
        return 1
    shutil.rmtree(directory, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
