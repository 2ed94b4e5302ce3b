"""What a ``batch_script`` of batchspawner's says, and what of it has a place here. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from fabric_hub.types import Frozen

# Commands that prepare a session: they go into gateway.prologue, which every session runs first.
_PREPARES = re.compile(r"(?:module|ml|export|source|\.|ulimit|umask|unset|conda|micromamba|mamba|spack)\s+\S")
# What every such script has for its own sake, and what the gateway's own does in its place.
_NOISE = re.compile(
    r"set\s+[-+]\w+(?:\s+pipefail)?|trap\s+.*|which\s+.*|(?:if|fi|then|else|done)\b.*|exit\b.*|echo\s+.*|cd\s+.*|date|hostname"
)
# Of the script itself, which is the gateway's.
_OURS = ("--output", "--error", "--job-name", "--chdir", "--export", "--get-user-env", "--open-mode", "--account",
         "-o", "-e", "-J", "-D", "-A", "--uid", "--gid", "--workdir")  # fmt: skip


class BatchScript(Frozen):
    """``options`` are sbatch's, as words, without those that the gateway sets; ``left`` has no place here."""

    options: tuple[str, ...] = ()
    prologue: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


def read(text: str) -> BatchScript:
    """Sort the lines of a template, batchspawner's own substitutions left out."""
    options: list[str] = []
    prologue: list[str] = []
    left: list[str] = []
    started = False
    for line in _lines(text):
        if line.startswith("#SBATCH"):
            words = _words(line.removeprefix("#SBATCH"))
            if "{" in line or not words or words[0].partition("=")[0] in _OURS:
                continue
            options += words
        elif re.search(r"\{\{?\s*cmd\s*\}?\}", line):
            started = True
        elif line.startswith("#") or re.fullmatch(r"\{\{?\s*\w+\s*\}?\}", line) or _NOISE.fullmatch(line):
            continue
        elif not started and "{" not in line.replace("${", "") and _PREPARES.match(line):
            prologue.append(line)
        else:
            left.append(line)
    return BatchScript(options=tuple(options), prologue=tuple(prologue), left=tuple(left))


def _lines(text: str) -> Iterator[str]:
    for line in re.sub(r"\{%.*?%\}", "", text, flags=re.DOTALL).splitlines():
        if plain := line.strip():
            yield plain


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text, comments=True)
    except ValueError:
        return []
