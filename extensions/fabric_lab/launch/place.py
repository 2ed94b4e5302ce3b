"""The session's directory on its node's disk: sockets, and what is installed; it goes with the session.

Only its user can enter it. In a home directory neither sockets nor thousands of small files would be well kept: that is
on a network file system.

Jobs that cells and terminals submit take nothing of the directory along. sbatch, srun and salloc pass their environment
on, and with it a PATH that begins in that directory. On another node, and once the session is over, whoever comes first
can make one of its name. Where /tmp is shared that is any user, whose programs the job would then run. So these three
stand among the session's own programs, and clear it away.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from signal import SIGTERM

from ..common import overlay, threads
from ..common.environment import LaunchError
from ..common.scratch import scratch
from ..common.translation import _

PREFIX = "fabric-session-"
# The path of a Unix socket has at most 107 bytes, of which a kernel's own name for one takes these.
LONGEST = 107 - len("/run/k-0123456789ab-99")
# Where there is no room, or the path is too long, sockets and packages have a place all the same.
OTHERS = ("/tmp", "/dev/shm")
BASHRC_FILE = "bashrc"
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
CLIENTS = ("sbatch", "srun", "salloc")
# What names the directory beside PATH, unless the user has set it anew. FABRIC_ACCESS stays: who asks there looks whose
# it is (:mod:`..access`).
NAMES = ("VIRTUAL_ENV", "FABRIC_PYTHON", "FABRIC_SCRATCH", "JUPYTER_RUNTIME_DIR")
_FILE = "submit"
_SCRIPT = """\
#!/bin/sh
# Slurm's program of this name, without the session's directory and its number of threads in its environment.
set -f
IFS=:
kept=
for one in $PATH; do
    case $one in {directory}/*) ;; *) kept=$kept:$one ;; esac
done
PATH=${{kept#:}}
export PATH
unset IFS
for one in {names}; do
    eval "kept=\\${{$one-}}"
    case $kept in {directory} | {directory}/*) unset "$one" ;; esac
done
for one in {threads}; do
    eval "kept=\\${{$one-}}"
    if [ -n "${{{set}-}}" ] && [ "$kept" = "${set}" ]; then unset "$one"; fi
done
unset {set}
exec "${{0##*/}}" "$@"
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
        said = _("This node has no place for this session's temporary files: {error}.")
        raise LaunchError(said.format(error=why or _("paths are too long")))
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
    install_clients(environment, directory, python.parent)
    clients = clients_again(directory, python.parent)
    (directory / BASHRC_FILE).write_text(BASHRC.format(first=shlex.quote(first), clients=clients))
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
        return [program, "--rcfile", str(Path(directory, BASHRC_FILE)), "-i"]
    if kind in ("sh", "dash", "ksh", "zsh"):
        first = os.pathsep.join(environment["PATH"].split(os.pathsep)[:2])
        clients = clients_again(Path(directory), Path(first.split(os.pathsep)[0]))
        again = f'{clients}; PATH={shlex.quote(first)}:"$PATH"; export PATH; exec {shlex.quote(program)} -i'
        return [program, "-l", "-c", again]
    return None


def install_clients(environment: Mapping[str, str], directory: Path, programs: Path) -> None:
    """Let the session's own programs have those of Slurm's that there are.

    :param environment: whose PATH has no program of the session's yet.
    :param directory: the session's; ``programs`` is below it.
    """
    script = directory / _FILE
    told = {"names": " ".join(NAMES), "threads": " ".join(threads.NAMES), "set": threads.SET}
    script.write_text(_SCRIPT.format(directory=shlex.quote(str(directory)), **told))
    script.chmod(0o755)
    for name in CLIENTS:
        if shutil.which(name, path=environment.get("PATH")):
            (programs / name).symlink_to(script)


def clients_again(directory: Path, programs: Path) -> str:
    """Shell lines that do the same for what only a login file has put on the PATH."""
    script, there = shlex.quote(str(directory / _FILE)), shlex.quote(str(programs))
    return (
        f"for fabric_file in {' '.join(CLIENTS)}; do "
        f'command -v "$fabric_file" >/dev/null && ln -s {script} {there}/"$fabric_file" 2>/dev/null; '
        "done"
    )
