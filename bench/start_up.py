"""What each cut in a session's start is worth: ``python -m bench.start_up IMAGE_DIR [ROUNDS]``.

Starts the launcher of a built image (``images.dir/NAME/current``) against a hub
that answers at once, with every cut in force and with one undone at a time, in
turns, and prints a Markdown table of medians: seconds from exec to announced,
and seconds of CPU until then. Stock jupyterhub-singleuser is measured until it listens.
"""

from __future__ import annotations

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.support.answering_hub import AnsweringHub
from tests.support.running_session import session_environment

LAUNCH = (
    "import sys; from fabric_lab.launch import fast_import, job; "
    "sys.argv[1:] = [{arguments}]; {undo}; sys.exit(job.main())"
)
WITH_GRAMMAR = (
    "fast_import.import_server = lambda: __import__('jupyter_server.serverapp'); import jsonschema; "
    "fast_import.import_server()"
)
PLAIN_HUB = (
    "import importlib; fast_import.import_hub = lambda: importlib.import_module('jupyterhub.singleuser.extension')"
)
WITH_YARN = "fast_import.import_lab = lambda: __import__('jupyterlab.labapp')"
WITH_GC = "import gc; gc.disable = lambda: None"

VARIANTS = {
    "all cuts in force": "pass",
    "with the rfc3987 grammar": WITH_GRAMMAR,
    "with the hub's handlers, database and HTTP client": PLAIN_HUB,
    "with yarn asked for its registry": WITH_YARN,
    "with garbage collection during the start": WITH_GC,
    "without precompiled bytecode": "pass",
    "none of these cuts": f"{WITH_GRAMMAR}; {PLAIN_HUB}; {WITH_YARN}; {WITH_GC}",
}


STOCK = "jupyterhub-singleuser, without batchspawner's wrapper"


def measure(python: Path, variant: str) -> tuple[float, float]:
    """(seconds from exec to announced, seconds of CPU used until then)."""
    with tempfile.TemporaryDirectory(prefix="fabric-bench-") as home, AnsweringHub(look=lambda port: None) as hub:
        environment = {"HOME": home, "PATH": os.environ["PATH"]}
        if variant == STOCK:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = free.getsockname()[1]
            environment |= session_environment(hub.url, JUPYTERHUB_SERVICE_URL=f"http://127.0.0.1:{port}/user/ann/")
            argv = [str(python.with_name("jupyterhub-singleuser")), "--allow-root"]
        else:
            private = Path(home, "session")
            private.mkdir(mode=0o700)
            file = private / "env.json"
            file.touch(mode=0o600)
            file.write_text(json.dumps({"environment": session_environment(hub.url)}))
            code = LAUNCH.format(arguments=f"'--session-dir', {str(private)!r}", undo=VARIANTS[variant])
            flags = ["-X", f"pycache_prefix={home}/none"] if variant == "without precompiled bytecode" else []
            argv = [str(python), "-I", *flags, "-c", code]
        started = time.monotonic()
        process = subprocess.Popen(
            argv, env=environment, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            while not (answers(port) if variant == STOCK else hub.announced.is_set()):
                if process.poll() is not None:
                    raise SystemExit(f"{variant}: the session ended with status {process.returncode}")
                hub.announced.wait(0.01)
            seconds = time.monotonic() - started
            # fields 14 to 17 of proc(5): user and system time of this process and its finished children
            used = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        finally:
            process.kill()
            process.wait()
        return seconds, sum(map(int, used[11:15])) / os.sysconf("SC_CLK_TCK")


def answers(port: int) -> bool:
    """Whether something listens."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def main() -> None:
    image, rounds = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 5
    results: dict[str, list[tuple[float, float]]] = {variant: [] for variant in (*VARIANTS, STOCK)}
    for _ in range(rounds):
        for variant, measured in results.items():
            measured.append(measure(image / "bin/python", variant))
    print("| start | exec to announced (s) | CPU (s) |\n|---|---|---|")
    for variant, measured in results.items():
        wall, cpu = (statistics.median(column) for column in zip(*measured, strict=True))
        print(f"| {variant} | {wall:.2f} | {cpu:.2f} |")


if __name__ == "__main__":
    main()
