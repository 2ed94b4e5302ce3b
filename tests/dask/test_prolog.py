"""A worker's node is made ready before its script begins: that may take long, or fail, and neither is the worker's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fabric_dev.instance import layout_of
from tests.support.dask_notebook import Notebook, Session
from tests.support.embedded_run import EmbeddedRun
from tests.support.waiting import until

pytestmark = [pytest.mark.hub, pytest.mark.slurm, pytest.mark.image, pytest.mark.root]

START = """from fabric_lab import DaskCluster
cluster = DaskCluster(name='prolog', cores=1, memory='500MB', queue='cpu', walltime='00:10:00')
status = cluster.status_of_workers
"""
# what the cluster's daemon decides by, at any time after it has first seen that a worker is away
DECIDES = """from types import SimpleNamespace
from fabric_lab.dask.worker_jobs import lost
from fabric_lab.dask.pools import Place
def given_up(begun, after_s):
    job = SimpleNamespace(place=Place(7, 0), problem='', seen=False, begun=begun, away=0.0, since=0.0)
    return lost(job, {job.place: 'running'}, after_s)
"""


@contextmanager
def prolog(run: EmbeddedRun, directory: Path, *lines: str) -> Iterator[None]:
    """A Prolog of all nodes while a block lasts."""
    program = directory / "prolog"
    program.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    program.chmod(0o755)
    conf = layout_of(run.directory).slurm_conf
    before = conf.read_text()
    conf.write_text(f"{before}Prolog={program}\n")
    run.slurm("scontrol", "reconfigure")
    try:
        yield
    finally:
        conf.write_text(before)
        run.slurm("scontrol", "reconfigure")


def test_a_worker_whose_node_is_made_ready_is_waited_for_and_one_whose_node_cannot_be_says_so(
    notebook: Notebook, session: Session, tmp_path: Path
) -> None:
    hold = tmp_path / "hold"
    hold.touch()
    notebook.run(START + DECIDES)
    with prolog(session.run, tmp_path, f"while [ -e {hold} ]; do sleep 0.2; done"):
        notebook.run("cluster.scale(1)")
        notebook.until(
            "[*status()['waiting']] == ['1 starting. Slurm makes the node ready (Prolog).']", "it is said", 60
        )
        (before,) = session.jobs()
        assert " RUNNING " in before
        assert notebook.value("[given_up(False, 600), given_up(True, 600)]") == [False, True]
        hold.unlink()
        notebook.until("[w for w in status()['workers'] if w['address']]", "its worker is there")
    assert session.jobs() == [before]
    notebook.run("cluster.scale(0)")
    until(lambda: not session.jobs(), "its job is over", 60)

    try:
        with prolog(session.run, tmp_path, "exit 1"):
            notebook.run("cluster.scale(1)")
            told = "ended before its program began. Slurm took node cpu1 out of service: Prolog error."
            notebook.until(f"{told!r} in ' '.join(status()['problems'].values())", "it says so", 90)
    finally:
        # it may come back by itself (ReturnToService), and then it cannot be resumed
        session.run.slurm("sh", "-c", "scontrol update NodeName=cpu1 State=RESUME 2>/dev/null || true")
    notebook.until("[w for w in status()['workers'] if w['address']]", "it is tried again when the node is back")
    assert notebook.value("status()['problems']") == {}
