"""From a job's spec to sbatch's arguments and the text of its script. Pure.

No text of a user's reaches the script or an option: the spec is typed, paths come
from the passwd entry and the site's file, and every value in the script is quoted.
What an administrator's configuration adds (``options``, ``prologue``, ``epilogue``)
is let through by the gateway before it comes here.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import gateway as texts
from fabric_hub.messages.texts.accounts import SESSION_LOG
from fabric_hub.slurm.model import JobSpec
from fabric_hub.unix.accounts import Account, check_path

LOG_NAME = "session.log"
# Told to the notebook this many seconds before the time limit (Slurm may be up to a minute earlier): it saves what is
# open. Only the batch step hears it, which is the notebook.
END_SIGNAL, END_SIGNAL_S = "USR1", 120
# How a job ends whose site's prologue failed (EX_CONFIG of sysexits.h), and the line in its log that says where.
PROLOGUE_FAILED = 78
FAILED_WORDS = "fabric-hub: "
PROLOGUE_WORDS = f"{FAILED_WORDS}gateway.prologue failed"
_PATH = "/usr/local/bin:/usr/bin:/bin"


def environment(account: Account, conf: Path | None) -> dict[str, str]:
    """The whole environment of a client run as a user; sbatch passes it on to the job."""
    env = {
        "HOME": account.home,
        "LANG": "C.UTF-8",
        "LOGNAME": account.name,
        "PATH": _PATH,
        "SHELL": account.shell,
        "USER": account.name,
    }
    return env | ({"SLURM_CONF": str(conf)} if conf else {})


def sbatch_argv(
    sbatch: Path,
    spec: JobSpec,
    *,
    name: str,
    home: str,
    directory: str,
    mark: str,
) -> list[str]:
    """The command that submits a session's job; its script goes to standard input.

    The datasets that a session asks for are not in it: everybody can read it in Slurm's records.

    :param name: the job's name.
    :param home: where the job starts.
    :param directory: the session's private directory; the log is in it.
    :param mark: by which the gateway knows the job again; it stands in the comment, after the site's own.
    :raises FabricError: a path or an option that sbatch could misread.
    """
    wanted: list[tuple[str, object]] = [
        ("clusters", spec.cluster),
        ("partition", spec.partition),
        ("qos", spec.qos),
        ("reservation", spec.reservation),
        ("nodes", 1),
        ("ntasks", 1),
        ("cpus-per-task", spec.cpus),
        ("mem", f"{spec.memory_mb}M" if spec.memory_mb else None),
        ("gres", ",".join(spec.gres) or None),
        ("time", spec.minutes),
        ("constraint", spec.constraint),
        ("signal", f"B:{END_SIGNAL}@{END_SIGNAL_S}"),
    ]
    argv = [str(sbatch), *(f"--{option}={value}" for option, value in wanted if value is not None)]
    if spec.exclusive:
        argv.append("--exclusive")
    # the gateway's own limits (LimitNOFILE= of its unit) are no job's; those of the node hold
    argv.append("--propagate=NONE")
    own = site_options(spec.options)
    argv += own
    argv.append(f"--comment={'; '.join(filter(None, [comment_of(own), mark]))}")
    # last, so that no option of the site's changes what a session is known by, or what pays for it
    return [
        *argv,
        *([f"--account={spec.account}"] if spec.account else []),
        "--parsable",
        "--no-requeue",
        "--export=ALL",
        "--open-mode=truncate",
        f"--output={output_pattern(f'{directory}/{LOG_NAME}')}",
        f"--chdir={home}",
        f"--job-name={name}",
    ]


def site_options(lines: Sequence[str]) -> list[str]:
    """An administrator's sbatch options, split into words as a shell would, never run by one.

    :raises FabricError: a line that does not begin with an option (it would be taken for a script), or
        with quotes that do not close.
    """
    words: list[str] = []
    for line in lines:
        try:
            found = shlex.split(line)
        except ValueError as error:
            raise FabricError(texts.OPTION_UNREADABLE(option=repr(line), why=str(error).lower())) from None
        if not found or not found[0].startswith("-") or "--" in found:
            raise FabricError(texts.NO_OPTION(option=repr(line)))
        words += found
    return words


def comment_of(options: Sequence[str]) -> str:
    """The comment that an administrator's options give a job: of two sbatch takes the last."""
    found = ""
    for word, following in zip(options, [*options, ""][1:], strict=True):
        if word == "--comment":
            found = following
        elif word.startswith("--comment="):
            found = word.removeprefix("--comment=")
    return found


def output_pattern(path: str) -> str:
    """A path for sbatch's ``--output``, which reads ``%`` as a pattern.

    :raises FabricError: a path with a backslash, which would switch patterns off.
    """
    check_path(path, SESSION_LOG())
    return path.replace("%", "%%")


def script(
    spec: JobSpec,
    *,
    session: str,
    directory: str,
    python: Path,
    home: str | None = None,
    prologue: str = "",
    umask: str = "022",
) -> str:
    """The text of a session's batch script.

    :param directory: the session's private directory.
    :param python: the image's interpreter.
    :param home: the home directory to give the session, when it is not the account's own.
    :param prologue: the site's shell lines, before the spec's own. They run as in a login shell of the node, which
        has "module" and whatever else /etc/profile gives; one that fails ends the job (:data:`PROLOGUE_FAILED`). One
        of the spec's that fails is told in the log, and the job goes on, as with batchspawner.
    :param umask: what the session's programs start with, in octal; its log is made before, for the user alone.

    There is no srun step: the notebook is the batch step, which starts sooner. Until it listens for the signal
    before the end, that signal is ignored: its default would end the job.
    """
    command = shlex.join([str(python), "-I", "-m", "fabric_lab.launch", "--session-dir", directory])
    lines = [
        "#!/bin/bash",
        f"# Session {session} of Fabric Hub.",
        f"umask {int(umask, 8):04o}",
        f"trap '' {END_SIGNAL}",
    ]
    if home:
        lines.append(f"export HOME={shlex.quote(home)}")
    if prologue.strip() or spec.prologue.strip():
        lines += [
            "[ -r /etc/profile ] && . /etc/profile",
            "fabric_failed() {",
            f"  echo \"{FAILED_WORDS}$1 failed with status $2, at: ${{3%%$'\\n'*}}\" >&2",
            '  [ -z "$4" ] || exit "$4"',
            "}",
            *_watched(prologue, f"gateway.prologue {{}} {PROLOGUE_FAILED}"),
            *_watched(spec.prologue, "req_prologue {}"),
            "unset -f fabric_failed",
        ]
    if spec.epilogue.strip():
        lines += [*_passing_on(command), spec.epilogue.strip("\n"), "exit $fabric_status"]
    else:
        lines.append(f"exec {command}")
    return "\n".join(lines) + "\n"


def _watched(text: str, told: str) -> list[str]:
    """An administrator's lines, with a word in the log on each that fails.

    The trap hears of commands as "set -e" does: not of those in a condition, or before "||", nor of what is inside
    functions. What a file that they read does inside is its own matter.

    :param told: what the function is given, ``{}`` for status and command.
    """
    if not text.strip():
        return []
    call = told.format('$fabric_status "$BASH_COMMAND"')
    trap = f"trap 'fabric_status=$?; [ ${{#BASH_SOURCE[@]}} -gt 1 ] || fabric_failed {call}' ERR"
    return [trap, text.strip("\n"), "trap - ERR"]


def _passing_on(command: str) -> list[str]:
    """Run the notebook below a shell that goes on afterwards, and pass the signal before the end on to it.

    "wait" returns for a caught signal too: then it is asked again for the notebook's own status.
    """
    return [
        f"trap 'fabric_told=1; kill -{END_SIGNAL} $fabric_notebook 2>/dev/null' {END_SIGNAL}",
        f"(trap '' {END_SIGNAL}; exec {command}) &",
        "fabric_notebook=$!",
        'while fabric_told=; wait $fabric_notebook; fabric_status=$?; [ -n "$fabric_told" ]; do :; done',
        f"trap '' {END_SIGNAL}",
    ]
