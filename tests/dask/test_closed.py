"""A second Unix user on the same node finds every door of a cluster closed; its own user finds them open."""

from __future__ import annotations

import json
import os
import pwd
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support.dask_notebook import Notebook, Session
from tests.support.embedded_run import ROOT, EmbeddedRun

pytestmark = [pytest.mark.hub, pytest.mark.slurm, pytest.mark.image, pytest.mark.root]

CLUSTER = """
from fabric_lab import DaskCluster
cluster = DaskCluster(2, name='closed'); cluster.wait_for_workers(2, timeout=60)
info = cluster.scheduler_info
host = lambda address: address.rpartition('://')[2].rpartition(':')[0]
"""
DOORS = """{
  'scheduler': cluster.scheduler_address,
  'servers': [a for w, i in info['workers'].items() for a in (w, i['nanny'])],
  'pages': [f"{host(cluster.scheduler_address)}:{info['services']['dashboard']}"]
           + [f"{host(w)}:{i['services']['dashboard']}" for w, i in info['workers'].items()],
  'directory': str(cluster.directory),
  'files': [str(p) for p in cluster.directory.rglob('*') if p.is_file()],
}"""


def sockets_of(pids: list[int]) -> list[str]:
    """Unix sockets on which these processes listen, as names that others could connect to."""
    inodes = set()
    for pid in pids:
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            target = os.readlink(descriptor)
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
    lines = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()[1:]]
    return [line[7] for line in lines if len(line) == 8 and line[6] in inodes]


def processes_of(user: str) -> list[int]:
    """The cluster's processes: the daemon, tasks, and what they have forked."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and entry.stat().st_uid == pwd.getpwnam(user).pw_uid:
                command = (entry / "cmdline").read_bytes()
                if b"fabric_lab.dask" in command or b"multiprocessing" in command:
                    found.append(int(entry.name))
    return found


def try_as(run: EmbeddedRun, user: str, doors: dict[str, Any]) -> list[str]:
    python = run.settings.images.dir / "base" / "current" / "bin" / "python"
    source = (Path(__file__).parents[1] / "support" / "dask_intruder.py").read_text()
    done = run.as_user(user, str(python), "-I", "-c", source, input=json.dumps(doors))
    assert "=>" in done.stdout, done.stdout + done.stderr
    opened: list[str] = json.loads(done.stdout.rpartition("=>")[2])
    return opened


@pytest.mark.skipif(not ROOT, reason="needs root: it becomes a second user")
def test_a_second_user_on_the_node_succeeds_nowhere(notebook: Notebook, session: Session) -> None:
    notebook.run(CLUSTER)
    doors = notebook.value(DOORS)
    pids = processes_of(session.run.unix_name(session.user))
    assert len(pids) >= 5, pids  # daemon, task, forkserver, two workers
    doors |= {"pids": pids, "sockets": sockets_of(pids), "key": None}
    assert len(doors["servers"]) == 4
    assert len(doors["pages"]) == 3
    assert any(path.endswith("key.pem") for path in doors["files"])
    assert try_as(session.run, "student1", doors) == []

    # the same attempts open every door for the cluster's own user with its key
    opened = try_as(session.run, session.user, {**doors, "key": doors["directory"]})
    for address in [doors["scheduler"], *doors["servers"]]:
        assert f"{address} with a key" in opened
        assert f"{address} without a key" not in opened
        assert f"{address.replace('tls', 'tcp')} without TLS" not in opened
    for place in doors["pages"]:
        assert f"https://{place} with a key" in opened
        assert f"https://{place} without a key" not in opened
        assert f"http://{place}" not in opened
    assert set(doors["files"]) & set(opened)


def test_the_key_goes_with_the_cluster(notebook: Notebook) -> None:
    notebook.run(
        "from fabric_lab import DaskCluster\ncluster = DaskCluster(name='brief')\ndirectory = cluster.directory"
    )
    modes = "[oct(path.stat().st_mode & 0o777) for path in (directory, directory / 'key.pem', directory / 'log')]"
    assert notebook.value(modes) == ["0o700", "0o600", "0o600"]
    notebook.run("cluster.close()")
    assert not notebook.value("directory.exists()")
