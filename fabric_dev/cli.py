"""``fabric-hub up | down | status | token``: the embedded run."""

from __future__ import annotations

import argparse
import json
import os
import pwd
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from fabric_hub.errors import FabricError

from . import accounts, demo, instance, listener, provider
from .directories import make_root
from .instance import layout_of
from .layout import Layout, default_directory
from .processes import tail
from .stop import down
from .up import Options, up


def add_parser(commands: Any) -> None:
    """Add the four commands."""
    start = commands.add_parser("up", help="start a cluster and a hub of your own on this machine")
    start.add_argument("--detach", action="store_true", help="return once all is up; end it with `fabric-hub down`")
    start.add_argument("--port", type=_port, help="port of the hub on loopback (default: 8000, or the next free one)")
    start.add_argument("--local", action=argparse.BooleanOptionalAction, help="no Slurm: sessions run on this machine")
    start.add_argument(
        "--science",
        action=argparse.BooleanOptionalAction,
        help="build the larger image, science, in the background, and offer it first (default: yes)",
    )
    start.add_argument(
        "--oidc",
        action=argparse.BooleanOptionalAction,
        help="people may log in at an identity provider (OpenID Connect) of the run's own, too; everybody on this "
        "machine can then be any of the demo's people",
    )
    start.add_argument("--prefix", help="prefix of the Unix accounts made as root (default: fabric-)")
    start.add_argument("--images", type=_path, help="directory of the images (default: DIR/images)")
    start.add_argument(
        "--settings",
        type=_path,
        metavar="FILE",
        help="settings of your own, as in a site's file, above the demo's, also at later starts (/dev/null: none)",
    )
    start.add_argument(
        "--detached", action="store_true", help=argparse.SUPPRESS
    )  # by --detach: nobody's Ctrl-C reaches it
    start.add_argument("--until", choices=("slurm", "gateway", "hub"), default="hub", help=argparse.SUPPRESS)
    start.set_defaults(run=_up)
    stop = commands.add_parser("down", help="stop the embedded run")
    stop.add_argument("--purge", action="store_true", help="also remove its accounts and its directory, homes included")
    stop.set_defaults(run=_down)
    status = commands.add_parser("status", help="what runs, where, and the demo logins")
    status.add_argument("--json", action="store_true", help="as an object, for programs; without the passwords")
    status.set_defaults(run=_status)
    token = commands.add_parser("token", help="print a JupyterHub API token of a demo user")
    token.add_argument("user", metavar="USER", help="one of the demo's users, as `fabric-hub status` lists them")
    token.set_defaults(run=_token)
    for command in (start, stop, status, token):
        command.add_argument(
            "--dir", type=_path, default=default_directory(), help="directory of the run (default: %(default)s)"
        )


def site_in(directory: Path) -> Path:
    """The site's file of the run in a directory, whether it runs or not."""
    return Layout(directory, directory / "images").site


def runs(directory: Path) -> bool:
    """Whether the run in a directory is up."""
    return instance.holder(Layout(directory, directory / "images")) is not None


def _port(text: str) -> int:
    port = int(text) if text.isdecimal() else 0
    if not 1 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 1 to 65535")
    return port


def _path(text: str) -> Path:
    # its real path: processes, accounts and mounts of a run are known by it, also to whoever comes by a link
    return Path(text).expanduser().resolve()


def say(line: str) -> None:
    """One line of progress, at once."""
    print(line, flush=True)


def _up(arguments: argparse.Namespace) -> int:
    if arguments.detach:
        return _detach(arguments)
    options = Options(
        directory=arguments.dir,
        port=arguments.port,
        local=arguments.local,
        science=arguments.science,
        oidc=arguments.oidc,
        prefix=arguments.prefix,
        images=arguments.images,
        settings=arguments.settings,
        until=arguments.until,
    )

    def ready() -> None:
        layout = layout_of(arguments.dir)
        (layout.run / "ready").write_text(str(os.getpid()))
        ends = end(layout, here=not arguments.detached)
        say(f"{welcome(layout)}\n{ends}" if arguments.until == "hub" else "Ready.")

    ready_file = arguments.dir / "run" / "ready"
    try:
        up(options, say, ready)
    finally:
        if ready_file.exists() and ready_file.read_text() == str(os.getpid()):
            ready_file.unlink()
    return 0


def _detach(arguments: argparse.Namespace) -> int:
    """Run `up` in a session of its own and show its progress until it is ready or gone."""
    layout = Layout(arguments.dir, arguments.dir / "images")
    make_root(layout.root)
    layout.log.mkdir(mode=0o700, exist_ok=True)
    command = [sys.executable, "-m", "fabric_hub.cli", "up", "--detached", "--dir", str(arguments.dir)]
    command += ["--until", arguments.until]
    for name in ("port", "prefix", "images", "settings"):
        if (value := getattr(arguments, name)) is not None:
            command += [f"--{name}", str(value)]
    if arguments.local is not None:
        command.append("--local" if arguments.local else "--no-local")
    if arguments.science is not None:
        command.append("--science" if arguments.science else "--no-science")
    if arguments.oidc is not None:
        command.append("--oidc" if arguments.oidc else "--no-oidc")
    log_path = layout.log / "up.log"
    # it will hold the demo's passwords: closed before the first of them, also where an earlier start left it open
    with os.fdopen(os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as log:
        os.fchmod(log.fileno(), 0o600)
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    ready_file = layout.run / "ready"
    with log_path.open(encoding="utf-8", errors="replace") as log:
        try:
            while True:
                try:
                    status: int | None = child.wait(0.1)
                except subprocess.TimeoutExpired:
                    status = None
                up_now = ready_file.exists() and ready_file.read_text() == str(child.pid)
                sys.stdout.write(log.read())
                sys.stdout.flush()
                if status is not None:
                    return status
                if up_now:
                    # what it printed last, before it wrote the file or just after
                    _rest(log)
                    return 0
        except KeyboardInterrupt:
            child.terminate()
            return child.wait()


def _rest(log: Any) -> None:
    deadline = time.monotonic() + 2
    text = ""
    while END not in text and "Ready." not in text and time.monotonic() < deadline:
        text += log.read()
    sys.stdout.write(text)
    sys.stdout.flush()


def _down(arguments: argparse.Namespace) -> int:
    down(arguments.dir, purge=arguments.purge, say=say)
    return 0


def logins(layout: Layout) -> dict[str, str]:
    """The demo's passwords by user."""
    uid = accounts.hub_uid(_known(layout).prefix)
    found: dict[str, str] = json.loads(instance.read_owned(layout.logins, uid))
    return found


def welcome(layout: Layout) -> str:
    """Where to go and how to log in, and who is separated from whom."""
    known = _known(layout)
    width = max(map(len, demo.ACCOUNTS))
    lines = [
        "",
        f"Fabric Hub is ready: http://127.0.0.1:{known.ports.public}",
        "",
        "  log in as".ljust(width + 4) + "  password",
    ]
    for user, password in logins(layout).items():
        role = "   (may administer the hub)" if user == demo.ADMIN else ""
        lines.append(f"  {user.ljust(width)}  {password}{role}")
    if known.oidc:
        lines += [
            "",
            f"Or sign in with {provider.TITLE}, {provider.issuer(known.ports.provider)}: there everybody on this",
            "machine can be any of them, without a password.",
        ]
    if os.geteuid() == 0:
        lines += ["", f"Each of them is a Unix account of its own, {known.prefix}NAME, separated from the others."]
    else:
        me = pwd.getpwuid(os.geteuid()).pw_name
        lines += [
            "",
            f"All of them run as {me}, each in a home of its own: they are NOT separated from each other,",
            "nor from your own files. Run it as root for accounts that are.",
        ]
    if known.local:
        lines += ["", "There is no Slurm in this run: sessions are processes of this machine."]
        if os.geteuid() == 0:
            lines.append("To start them, the hub itself may become another user here; with Slurm it may not.")
    lines += ["", f"Logs:  {layout.log}"]
    if not known.local:
        lines.append(f"Slurm: SLURM_CONF={shlex.quote(str(layout.slurm_conf))} squeue, sinfo, sacctmgr ...")
    return "\n".join(lines)


END = "End it with"


def end(layout: Layout, *, here: bool) -> str:
    """How to end a run, in a command that can be typed where this one was given.

    :param here: it runs in the foreground of this terminal.
    """
    where = "" if layout.root == default_directory() else f" --dir {shlex.quote(str(layout.root))}"
    command = f"{program(Path(sys.prefix), Path.cwd(), shutil.which('fabric-hub'))} down{where}"
    return f"{END} Ctrl-C, or from another terminal: {command}" if here else f"{END}: {command}"


def program(prefix: Path, here: Path, on_path: str | None) -> str:
    """How `fabric-hub` of an environment is typed in a directory.

    :param on_path: what the shell finds by that name alone.
    """
    own = prefix / "bin" / "fabric-hub"
    if not own.exists() or (on_path and Path(on_path).resolve() == own.resolve()):
        return "fabric-hub"
    return shlex.quote(str(own.relative_to(here) if own.is_relative_to(here) else own))


def _known(layout: Layout) -> instance.Instance:
    known = instance.read(layout)
    if known is None:
        raise FabricError(
            f"There is no embedded run in {layout.root}.",
            reason="no-run",
            hint=f"Start one: fabric-hub up --dir {layout.root}",
        )
    return known


def state(layout: Layout) -> dict[str, Any]:
    """What `status --json` prints. Secrets are in the file that `logins_file` names."""
    known = _known(layout)
    running: dict[str, int] = {}
    if instance.holder(layout) and layout.processes.exists():
        running = json.loads(layout.processes.read_text())
    supervisor = running.pop("supervisor", None)
    return {
        "directory": str(layout.root),
        "running": supervisor is not None,
        "ready": supervisor is not None and (layout.run / "ready").exists(),
        "supervisor": supervisor,
        "processes": running,
        "address": f"http://127.0.0.1:{known.ports.public}",
        "site": str(layout.site),
        "slurm_conf": None if known.local else str(layout.slurm_conf),
        "logins_file": str(layout.logins),
        "accounts": accounts.unix_names(known.prefix if os.geteuid() == 0 else None),
        "local": known.local,
        "ports": known.ports.model_dump(),
    }


def _status(arguments: argparse.Namespace) -> int:
    layout = layout_of(arguments.dir)
    known = state(layout)
    if arguments.json:
        say(json.dumps(known, indent=2))
    elif not known["running"]:
        say(f"Nothing runs in {layout.root}. Start it: fabric-hub up --dir {layout.root}")
    else:
        say("\n".join(f"{name:<14} process {pid}" for name, pid in known["processes"].items()))
        if "hub" in known["processes"]:
            say(f"{welcome(layout)}\n{end(layout, here=False)}" if known["ready"] else f"It starts; see {layout.log}.")
    return 0 if known["running"] else 1


def _token(arguments: argparse.Namespace) -> int:
    layout = layout_of(arguments.dir)
    say(mint(layout, arguments.user))
    return 0


def mint(layout: Layout, user: str) -> str:
    """A new API token of a demo user, from the running hub.

    :raises FabricError: the hub does not run, or has no such user, or another account has its port.
    """
    known = _known(layout)
    if user not in demo.ACCOUNTS:
        raise FabricError(f"{user!r} is not a demo user.", reason="user", hint=f"They are: {', '.join(demo.ACCOUNTS)}.")
    start = f"Start it: fabric-hub up --dir {layout.root}"
    if instance.holder(layout) is None:
        raise FabricError(f"Nothing runs in {layout.root}, so no hub can make a token.", reason="no-run", hint=start)
    port, uid = known.ports.public, accounts.hub_uid(known.prefix)
    secret = instance.read_owned(layout.token, uid).strip()
    path = f"/hub/api/users/{user}"
    try:
        status, answer = listener.ask(port, uid, secret, path, {})
        if status in (201, 409):  # made, or there already
            status, answer = listener.ask(port, uid, secret, f"{path}/tokens", {"note": "fabric-hub token"})
    except OSError as error:
        raise FabricError(
            f"The hub at http://127.0.0.1:{port} does not answer ({error}).",
            reason="no-run",
            hint=f"{start}. The end of its log:\n{tail(layout.log / 'hub.log')}",
        ) from error
    if status != 201:
        raise FabricError(
            f"The hub refused a token for {user}: {status} {answer.decode(errors='replace')[:500]}.",
            reason="token",
        )
    return str(json.loads(answer)["token"])
