"""Another user of the node reads nothing of a session's kernels and runs nothing in them."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.support import processes
from tests.support.answering_hub import AnsweringHub
from tests.support.kernel import Kernel
from tests.support.running_session import RunningSession, session_environment

pytestmark = [pytest.mark.image, pytest.mark.root]

GREETING = "\ufffd" + "\0" * 7 + "\x01\x7f"  # ZMTP's, which everybody gets
SECRET = "what-only-i-may-read"
# Each of these would have its kernels in reach of others, were it to count.
WISHES = """
c.ConnectionFileMixin.transport = c.KernelManager.transport = c.SessionKernel.transport = "tcp"
c.ConnectionFileMixin.ip = c.KernelManager.ip = "0.0.0.0"
"""
DEBUG: list[tuple[str, dict[str, Any]]] = [
    ("initialize", {"clientID": "vscode", "adapterID": "", "pathFormat": "path", "linesStartAt1": True}),
    ("attach", {}),
    ("disconnect", {"restart": False, "terminateDebuggee": False}),
]


def _own_kernel(home: Path, python: Path) -> None:
    """A kernel of the user's own, which says that it has a debugger."""
    directory = home / ".local/share/jupyter/kernels/mine"
    directory.mkdir(parents=True)
    argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "Mine", "language": "python", "metadata": {"debugger": True}}
    (directory / "kernel.json").write_text(json.dumps(spec))


def test_a_second_user_reads_nothing_and_runs_nothing(python: Path, hub: AnsweringHub, tmp_path: Path) -> None:
    with RunningSession(python, tmp_path, session_environment(hub.url)) as session:
        (session.home / ".jupyter").mkdir()
        (session.home / ".jupyter/jupyter_server_config.py").write_text(WISHES)
        _own_kernel(session.home, python)
        session.announced_by(hub)
        names = json.loads(session.get("api/kernelspecs")[1])["kernelspecs"]
        assert {name: one["spec"]["metadata"]["debugger"] for name, one in names.items()} == {
            "python3": False,
            "mine": False,
        }
        kernels = [Kernel(session, "python3"), Kernel(session, "mine")]
        for kernel in kernels:
            kernel.until("idle")
            for command, arguments in DEBUG:
                kernel.debug(command, arguments)
            kernel.send("print('it' + ' answers')")
            kernel.until_printed("it answers")
        tree = processes.tree(session.process.pid)
        assert len(tree) >= 3, "both kernels are there"
        told: dict[str, list[Any]] = {"ports": processes.ports(tree), "paths": processes.sockets(tree)}
        written = Path(tempfile.mkdtemp(dir="/tmp"), "ran")
        try:
            for kernel in kernels:
                kernel.send(f"import time\nfor _ in range(40): print('{SECRET}', flush=True); time.sleep(0.1)")
            intruder = subprocess.Popen(
                [python, "-I", "-c", (Path(__file__).parents[1] / "support" / "kernel_intruder.py").read_text()],
                env={"PATH": os.defpath, "HOME": "/"}, cwd="/", user=65534, group=65534, extra_groups=[],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
            out, error = intruder.communicate(json.dumps({**told, "file": str(written)}), timeout=60)
            assert out.startswith("listening"), error
            said = json.loads(out.splitlines()[-1])
            server = f"debugger on {session.port}"
            assert said.pop(server, "HTTP/1.1 400").startswith("HTTP/1.1 400"), "the server takes HTTP only"
            # ipykernel hears its forked children on a port of its own: who has no random number of it is not heard
            assert {end: text for end, text in said.items() if text != GREETING} == {}
            assert len(told["paths"]) >= 2 * 5, "five sockets of each kernel"
            commands = [Path(f"/proc/{pid}/cmdline").read_text() for pid in tree]
            assert not [command for command in commands if "debugpy" in command]
            assert not written.exists()
        finally:
            subprocess.run(["rm", "-rf", written.parent], check=True)
            for kernel in kernels:
                kernel.close()


def test_a_kernel_is_busy_until_its_cell_ends_whatever_else_it_is_asked(session: RunningSession) -> None:
    kernel = Kernel(session)
    kernel.send("import time; print('at' + ' work', flush=True); time.sleep(3600)")
    kernel.until_printed("at work")
    for _ in range(2):  # while the cell runs, as JupyterLab does for widgets
        kernel.subshell()
    assert kernel.state == "busy"
    kernel.interrupt()
    kernel.until("idle")
    kernel.close()
