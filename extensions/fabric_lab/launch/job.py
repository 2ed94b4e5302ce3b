"""The whole batch job of a session: ``python -I -m fabric_lab.launch --session-dir DIR``.

Reads and removes ``DIR/env.json``, binds a free port, starts Jupyter Server
once, in this process, and then tells the hub's service the port. What it
prints is the session's log and holds no secret.

Without ``--session-dir`` it is a child of the hub itself, as JupyterHub's local
spawners start it: its environment is complete, JUPYTERHUB_SERVICE_URL says where
to serve, and nobody waits for an announcement.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import signal
import socket
import sys
import time
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .. import access, tls_sockets
from ..common import threads
from ..common.environment import ASIDE, LaunchError, leave_job, take
from ..common.translation import _
from . import folder, place
from .permission import Permission, asked
from .start_slot import StartSlot


class HomeError(Exception):
    """The server cannot be made with the files of the home directory; the text says what went wrong."""


def seconds_since_exec() -> float:
    """How long this process exists (proc(5): field 22 of stat, in clock ticks since boot)."""
    fields = Path("/proc/self/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[19]) / os.sysconf("SC_CLK_TCK"))


class Phases:
    """When each step was reached, in seconds since this process began; of "data", how long it took."""

    def __init__(self) -> None:
        self._start = time.monotonic() - seconds_since_exec()
        self.reached: dict[str, float] = {}

    def reach(self, name: str) -> None:
        """Note a step and print it as one line of JSON, with the time since the job began when Slurm says when."""
        self._note(name, time.monotonic() - self._start)

    def took(self, name: str, since: float) -> None:
        """Note how long a part of its own took, from a moment of ``time.monotonic()`` until now."""
        self._note(name, time.monotonic() - since)

    def _note(self, name: str, seconds: float) -> None:
        self.reached[name] = round(seconds, 3)
        line: dict[str, Any] = {"phase": name, "seconds": self.reached[name]}
        job_start = os.environ.get("SLURM_JOB_START_TIME", "")
        if job_start.isdigit():
            line["since_job_start"] = round(time.time() - int(job_start), 1)
        print(json.dumps(line), flush=True)


def required(environment: dict[str, str] | os._Environ[str], name: str) -> str:
    """A variable without which a session cannot start."""
    value = environment.get(name, "")
    if not value:
        said = _("{name} is not set: the hub did not give this session what it needs to start.")
        raise LaunchError(said.format(name=name))
    return value


def address_towards(url: str) -> str:
    """This machine's own address on the way to a URL's host (no packet is sent)."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        family, kind, proto, _name, address = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, proto) as probe:
            probe.connect(address)
            return str(probe.getsockname()[0])
    except OSError as error:
        said = _("No address of this node reaches the hub at {host} ({error}). Set FABRIC_BIND for this node.")
        raise LaunchError(said.format(host=parts.hostname, error=error)) from error


def bind(address: str, port: int = 0) -> socket.socket:
    """A TCP socket on a port (0: a free one) of an address; it listens only once the server does."""
    try:
        family, kind, proto, _name, where = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, proto)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as tornado does for its own
        listener.bind(where)
    except OSError as error:
        said = (
            _("This node cannot serve on its address {address} port {port}: {error}.")
            if port
            else _("This node cannot serve on its address {address}: {error}.")
        )
        raise LaunchError(said.format(address=address, port=port, error=error)) from error
    listener.setblocking(False)
    return listener


def service_url(listener: socket.socket, tls: bool) -> str:
    """Where a bound socket will serve, as JUPYTERHUB_SERVICE_URL wants it."""
    host, port = listener.getsockname()[:2]
    if listener.family == socket.AF_INET6:
        host = f"[{host}]"
    return f"{'https' if tls else 'http'}://{host}:{port}/"


def locate_certificates(environment: MutableMapping[str, str], session_dir: Path) -> None:
    """Certificates are named by their files in the session's directory; Jupyter wants paths."""
    for name in ("JUPYTERHUB_SSL_KEYFILE", "JUPYTERHUB_SSL_CERTFILE", "JUPYTERHUB_SSL_CLIENT_CA", "FABRIC_CA_FILE"):
        if environment.get(name):
            environment[name] = str(session_dir / environment[name])  # an absolute path stays what it is


def keep_elsewhere(environment: MutableMapping[str, str], directory: Path) -> None:
    """Let Jupyter and IPython keep all that is their own in another directory: the home's is full, or does not work."""
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTERLAB_SETTINGS_DIR",
                 "JUPYTERLAB_WORKSPACES_DIR", "IPYTHONDIR", "XDG_CACHE_HOME", "NPM_CONFIG_CACHE"):  # fmt: skip
        environment[name] = str(directory / name.lower())


def prepare(session_dir: Path | None) -> socket.socket:
    """Complete this process's environment and bind; returns the socket, not yet listening."""
    tls_sockets.mend()
    if session_dir is None:
        where = urlsplit(required(os.environ, "JUPYTERHUB_SERVICE_URL"))
        listener = bind(where.hostname or "127.0.0.1", where.port or 0)
    else:
        session_dir = session_dir.absolute()
        if not os.environ.get(ASIDE):
            os.environ.update(take(session_dir))
        locate_certificates(os.environ, session_dir)
        os.environ["FABRIC_SESSION_DIR"] = str(session_dir)
        if os.environ.get("FABRIC_RESCUE"):
            keep_elsewhere(os.environ, session_dir / "own")
        service = required(os.environ, "FABRIC_SERVICE_URL")
        listener = bind(os.environ.get("FABRIC_BIND") or address_towards(service))
    required(os.environ, "JUPYTERHUB_API_TOKEN")
    tls = bool(os.environ.get("JUPYTERHUB_SSL_CERTFILE"))
    os.environ["JUPYTERHUB_SERVICE_URL"] = service_url(listener, tls)
    return listener


def run(session_dir: Path | None) -> int:
    """Be a session until it is stopped. Returns the exit status; raises LaunchError when it cannot start."""
    phases = Phases()
    listener = prepare(session_dir)
    permission = asked(os.environ if session_dir is not None else {})
    path = os.environ.get("PATH", os.defpath)
    try:
        with place.place() as directory:
            if os.environ.get(ASIDE):
                keep_elsewhere(os.environ, directory / "own")
            place.settle(os.environ, directory)
            return serve(session_dir, listener, directory, phases, permission)
    except HomeError:
        os.environ["PATH"] = path  # the session's directory is gone
        raise


def serve(
    session_dir: Path | None, listener: socket.socket, directory: Path, phases: Phases, permission: Permission
) -> int:
    """Serve on a bound socket until the end; see :func:`run`.

    :param directory: the session's, on this node.
    :param permission: without which nothing of the person's is run or read.
    """
    if os.environ.get("FABRIC_DATASETS"):  # looked at here: a session without any imports nothing for them
        began = time.monotonic()
        from ..common.node import open_chosen

        open_chosen(os.environ, lambda line: print(line, flush=True))
        phases.took("data", began)
    if os.environ.get(folder.DIRECTORY):
        folder.show(os.environ, Path.home())
    slot = StartSlot()

    gc.disable()  # nothing made during the start is garbage worth looking for
    from . import fast_import

    fast_import.import_server()
    fast_import.import_lab()
    from . import session_server

    phases.reach("imported")
    permission.wait()
    server = make_server(listener)
    token = os.environ["JUPYTERHUB_API_TOKEN"]
    of_hub = server.extension_manager.extension_points[session_server.SessionHub.name].app
    for auth in (server.identity_provider.hub_auth, of_hub.hub_auth):
        auth.api_token = token  # each would read it when it is needed first
    # from here on the environment is that of cells and terminals
    access.hand_over(os.environ, directory)
    threads.follow(os.environ, len(os.sched_getaffinity(0)))
    leave_job(os.environ)
    phases.reach("bound")
    failure: list[LaunchError] = []

    async def ready() -> None:
        phases.reach("ready")
        slot.done()
        gc.freeze()
        gc.enable()
        try:
            if session_dir is not None:
                await announce_port(token, listener, phases)
                phases.reach("announced")
        except LaunchError as error:
            failure.append(error)
            server.stop()
        else:
            await of_hub.compare_versions()

    # Callbacks run in order: the server's own, which listens, was added when it was made.
    server.io_loop.add_callback(ready)
    server.start()
    if failure:
        raise failure[0]
    return 0


def make_server(listener: socket.socket) -> Any:
    """The notebook server.

    :raises HomeError: it cannot be made with the home directory's files; without them it was not tried yet.
    """
    from . import home, session_server

    try:
        return session_server.make_server(listener)
    except (Exception, SystemExit) as error:
        ended = isinstance(error, SystemExit) and error.code == 128 + signal.SIGTERM
        if ended or os.environ.get(ASIDE) or os.environ.get("FABRIC_RESCUE"):
            raise
        raise HomeError(home.noted.words_of(error)) from error


def start_without_home(why: str) -> None:
    """Be this program anew, in the same process, without Jupyter's files in the home directory."""
    os.environ[ASIDE] = why.replace("\0", " ")
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # nobody listens for it yet, and its default would end the job
    os.execv(sys.executable, [sys.executable, "-I", "-m", "fabric_lab.launch", *sys.argv[1:]])


async def announce_port(token: str, listener: socket.socket, phases: Phases) -> None:
    """Announce the port, and how long each step took."""
    from ..client import AsyncHubClient
    from .announce import announce

    await announce(
        AsyncHubClient(os.environ, token),
        {"port": listener.getsockname()[1], "phases": dict(phases.reached)},
        say=lambda line: print(line, flush=True),
    )


def main() -> int:
    """Parse the command line and run; a reason not to start is one sentence in the log."""
    parser = argparse.ArgumentParser(prog="fabric_lab.launch", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--session-dir", type=Path, help="the session's private directory")
    try:
        return run(parser.parse_args().session_dir)
    except HomeError as error:
        without = _(
            "The server cannot start with Jupyter's files in the home directory (~/.jupyter, ~/.local/share/jupyter, "
            "see the lines above). It starts without them: what they set is not in force in this session, and they are "
            "as they were."
        )
        print(f"fabric_lab.launch: {error}\n{without}", file=sys.stderr, flush=True)
        start_without_home(str(error))
        raise AssertionError("this process is another program now") from error
    except LaunchError as error:
        print(f"fabric_lab.launch: {error}", file=sys.stderr, flush=True)
        return 1
