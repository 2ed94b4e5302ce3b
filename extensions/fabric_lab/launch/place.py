"""The session's directory on its node's disk: sockets, and what is installed; it goes with the session.

Only its user can enter it. In a home directory neither sockets nor thousands of small files would be well kept: that is
on a network file system.
"""

from __future__ import annotations

import os
import shlex
import sys
import tempfile
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from signal import SIGTERM

from ..common import overlay
from ..common.environment import LaunchError
from ..common.scratch import scratch
from . import submitting

PREFIX = "fabric-session-"
# The path of a Unix socket has at most 107 bytes, of which a kernel's own name for one takes these.
LONGEST = 107 - len("/run/k-0123456789ab-99")
# Where there is no room, or the path is too long, sockets and packages have a place all the same.
OTHERS = ("/tmp", "/dev/shm")
FILE = "bashrc"
# The directory's path; it is the session's scratch space as much as ours.
PLACE = "FABRIC_SCRATCH"
# What a login shell of bash reads (its manual, "Invocation"), then the image's programs before what that has set.
BASHRC = """\
[ -r /etc/profile ] && . /etc/profile
for fabric_file in ~/.bash_profile ~/.bash_login ~/.profile; do
    if [ -r "$fabric_file" ]; then . "$fabric_file"; break; fi
done
{clients}
unset fabric_file
export PATH={first}:"$PATH"
"""


@contextmanager
def place() -> Iterator[Path]:
    """The session's directory, as long as the session's server lives; this process's temporary files are in it, too.

    :raises LaunchError: there is none to be had.
    """
    why: OSError | None = None
    for where in (tempfile.gettempdir(), *OTHERS):
        try:
            made = scratch(where, PREFIX, (SIGTERM,))
            path = made.__enter__()
        except OSError as error:
            why = error
            continue
        if len(os.fsencode(path)) <= LONGEST:
            break
        made.__exit__(None, None, None)
    else:
        raise LaunchError(f"This node has no place for this session's temporary files: {why or 'paths are too long'}.")
    before = tempfile.tempdir
    # checkpoints of what may not be written beside, for one: in /tmp Jupyter's fixed name for them is who comes first's
    tempfile.tempdir = path
    try:
        yield Path(path)
    finally:
        tempfile.tempdir = before
        made.__exit__(None, None, None)


def settle(environment: MutableMapping[str, str], directory: Path) -> None:
    """Have the session's programs use it, and find the image's own before those of the home directory."""
    (directory / "run").mkdir(mode=0o700)
    python = overlay.make(directory / "env")
    first = os.pathsep.join((str(python.parent), str(Path(sys.executable).parent.resolve())))
    submitting.install(environment, directory, python.parent)
    clients = submitting.again(directory, python.parent)
    (directory / FILE).write_text(BASHRC.format(first=shlex.quote(first), clients=clients))
    environment[PLACE] = str(directory)
    environment["JUPYTER_RUNTIME_DIR"] = str(directory / "run")
    # by default only for who owns the environment that Jupyter runs in
    environment["JUPYTER_PREFER_ENV_PATH"] = "1"
    environment["FABRIC_PYTHON"] = str(python)
    environment["VIRTUAL_ENV"] = str(directory / "env")
    # terminals and "!command" cells find the image's own programs
    environment["PATH"] = f"{first}{os.pathsep}{environment.get('PATH', os.defpath)}"


def shell(environment: Mapping[str, str]) -> list[str] | None:
    """The command of a terminal; None: as Jupyter has it.

    A login shell, which Jupyter starts here, sets PATH anew.
    """
    program, directory = environment.get("SHELL") or "/bin/bash", environment.get(PLACE)
    kind = Path(program).name
    if directory is None:
        return None
    if kind == "bash":
        return [program, "--rcfile", str(Path(directory, FILE)), "-i"]
    if kind in ("sh", "dash", "ksh", "zsh"):
        first = os.pathsep.join(environment["PATH"].split(os.pathsep)[:2])
        clients = submitting.again(Path(directory), Path(first.split(os.pathsep)[0]))
        again = f'{clients}; PATH={shlex.quote(first)}:"$PATH"; export PATH; exec {shlex.quote(program)} -i'
        return [program, "-l", "-c", again]
    return None
