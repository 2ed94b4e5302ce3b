"""Jobs that cells and terminals submit take nothing of the session's directory along.

sbatch, srun and salloc pass their environment on, and with it a PATH that begins in that directory. On another node,
and once the session is over, whoever comes first can make one of its name. Where /tmp is shared that is any user, whose
programs the job would then run. So these three stand among the session's own programs, and clear it away.
"""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path

CLIENTS = ("sbatch", "srun", "salloc")
# What names the directory beside PATH, unless the user has set it anew. FABRIC_ACCESS stays: who asks there looks whose
# it is (:mod:`..access`).
NAMES = ("VIRTUAL_ENV", "FABRIC_PYTHON", "FABRIC_SCRATCH", "JUPYTER_RUNTIME_DIR")
_FILE = "submit"
_SCRIPT = """\
#!/bin/sh
# Slurm's program of this name, without the session's directory in its environment.
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
exec "${{0##*/}}" "$@"
"""


def install(environment: Mapping[str, str], directory: Path, programs: Path) -> None:
    """Let the session's own programs have those of Slurm's that there are.

    :param environment: whose PATH has no program of the session's yet.
    :param directory: the session's; ``programs`` is below it.
    """
    script = directory / _FILE
    script.write_text(_SCRIPT.format(directory=shlex.quote(str(directory)), names=" ".join(NAMES)))
    script.chmod(0o755)
    for name in CLIENTS:
        if shutil.which(name, path=environment.get("PATH")):
            (programs / name).symlink_to(script)


def again(directory: Path, programs: Path) -> str:
    """Shell lines that do the same for what only a login file has put on the PATH."""
    script, there = shlex.quote(str(directory / _FILE)), shlex.quote(str(programs))
    return (
        f"for fabric_file in {' '.join(CLIENTS)}; do "
        f'command -v "$fabric_file" >/dev/null && ln -s {script} {there}/"$fabric_file" 2>/dev/null; '
        "done"
    )
