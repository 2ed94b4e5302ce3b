"""Slurm's notation: how its clients write times, exit codes, sizes, counts and names, and its options take them. Pure.

What the clients print: https://slurm.schedmd.com/squeue.html and scontrol.html; what options take:
https://slurm.schedmd.com/sbatch.html#OPT_time.
"""

from __future__ import annotations

import re

_FIELD = re.compile(r"(?:^|\s)([A-Za-z][\w/]*)=(\S*)")
_NOTHING = frozenset({"", "n/a", "N/A", "(null)", "None", "NONE", "Unknown", "UNKNOWN"})
_ALL = frozenset({"", "ALL", "N/A", "(null)", "NONE"})
# The TRES that a job of ours can ask for; others (energy, pages ...) are nobody's limit here.
_TRES = re.compile(r"cpu|mem|node|billing|gres/[^,=\s]+")
_GPU = "gres/gpu"
_SIZE = re.compile(r"(\d+(?:\.\d+)?)([KMGT]?)")
_MIB = {"": 1.0, "K": 1 / 1024, "M": 1.0, "G": 1024.0, "T": 1024.0**2}

# -- texts


def fields_of(line: str) -> dict[str, str]:
    """``Name=value Name=value`` of scontrol's; the first of a name counts."""
    found: dict[str, str] = {}
    for name, value in _FIELD.findall(line):
        found.setdefault(name, value)
    return found


def text_of(field: str) -> str:
    """A field's text; "" for the words with which Slurm says that there is none."""
    return "" if field in _NOTHING else field


def names_of(text: str) -> tuple[str, ...]:
    """The names of a list with commas; none where it says ALL, or nothing."""
    return () if text in _ALL else tuple(name for name in text.split(",") if name)


def node_names(text: str) -> tuple[str, ...]:
    """The nodes of a list as Slurm abbreviates it: ``gpu[1-3,7],cpu1``; none where it says ALL, or nothing.

    Zeros in front of a number are kept: ``n[08-10]`` is n08, n09, n10.
    """
    found: list[str] = []
    for item in re.findall(r"[^,\[\]]+(?:\[[^\]]*\][^,\[\]]*)*", text if text not in _ALL else ""):
        found += _expanded(item)
    return tuple(found)


def _expanded(item: str) -> list[str]:
    match = re.fullmatch(r"([^\[]*)\[([^\]]*)\](.*)", item)
    if not match:
        return [item]
    numbers: list[str] = []
    for part in match[2].split(","):
        first, _, last = part.partition("-")
        if first.isdigit() and last.isdigit():
            numbers += [str(number).zfill(len(first)) for number in range(int(first), int(last) + 1)]
        else:
            numbers.append(part)
    return [match[1] + number + rest for number in numbers for rest in _expanded(match[3])]


def named(text: str) -> tuple[str, str]:
    """(name, number) of ``name(number)``; (text, "") without a number."""
    match = re.fullmatch(r"(.*)\((\d+)\)", text)
    return (match[1], match[2]) if match else (text, "")


_MOST_NODES = 20_000  # that a list may name; more is no list of Slurm's


def hostnames(text: str) -> tuple[str, ...]:
    """The nodes of Slurm's short form: ``gpu[1-3,07],cpu1`` and ``r[1-2]n[1-2]``; none where it names none."""
    found: list[str] = []
    for item in re.findall(r"(?:[^,\[\]]|\[[^\[\]]*\])+", text_of(text)):
        names = [""]
        for plain, ranges in re.findall(r"([^\[\]]+)|\[([^\[\]]*)\]", item):
            parts = [plain] if plain else [name for part in ranges.split(",") for name in _range(part)]
            if len(names) * len(parts) + len(found) > _MOST_NODES:
                return ()
            names = [name + part for name in names for part in parts]
        found += names
    return tuple(found)


def _range(text: str) -> list[str]:
    first, _, last = text.partition("-")
    if not (first.isdigit() and last.isdigit() and int(last) - int(first) < _MOST_NODES):
        return [text]
    return [str(number).zfill(len(first)) for number in range(int(first), int(last) + 1)]


# -- times and exit codes


def time_of(field: str) -> float | None:
    """Unix seconds, as SLURM_TIME_FORMAT=%s gives them; None: no such time."""
    return float(field) if field.isdigit() and int(field) else None


def duration_s(text: str) -> int | None:
    """Seconds in any notation of a time limit: ``M``, ``M:S``, ``H:M:S``, ``D-H``, ``D-H:M`` and ``D-H:M:S``.

    None: it is none of these (UNLIMITED, Partition_Limit, ...).
    """
    match = re.fullmatch(r"(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?", text)
    if not match:
        return None
    first, second, third = (int(part or 0) for part in match.groups()[1:])
    if match[1] is None and match[4] is None:
        return first * 60 + second
    return int(match[1] or 0) * 86400 + first * 3600 + second * 60 + third


def exit_of(code: str) -> tuple[int | None, int | None]:
    """(exit status, signal) from ``3:9`` or from a raw wait status; None where it says nothing.

    A raw code with both a status and a signal is no wait status: slurmctld keeps
    an error number in that field when a job could not be launched.
    """
    if re.fullmatch(r"\d+:\d+", code):
        status, signal = (int(part) for part in code.split(":"))
        return status & 0xFF, signal or None
    if not code.isdigit() or int(code) > 0xFFFF:
        return None, None
    raw = int(code)
    status, signal = raw >> 8, raw & 0x7F
    if status and signal:
        return None, None
    return (None, signal) if signal else (status, None)


# -- counts and sizes


def number_of(text: str) -> int | None:
    """A whole number; None: no number (UNLIMITED, N/A, ...)."""
    return int(text) if text.isdigit() else None


def mebibytes(text: str) -> float | None:
    """A size in MiB ("8G", "500M", "1.5G", "16": MiB); None: no size."""
    match = _SIZE.fullmatch(text)
    return float(match[1]) * _MIB[match[2]] if match else None


def memory_mb(size: str) -> int:
    """A size in whole MiB, rounded up, at least 1.

    :raises ValueError: it is no size.
    """
    found = mebibytes(size)
    if found is None:
        raise ValueError(f"{size!r} is no size in Slurm's notation")
    return max(1, -int(-found // 1))


def tres_counts(text: str) -> dict[str, int]:
    """``cpu=8,mem=16G,gres/gpu=2`` as numbers, memory in MiB; only what a job of ours can ask for."""
    found = {}
    for item in text.split(","):
        name, _, count = item.partition("=")
        scaled = _SIZE.fullmatch(count)
        if is_ours(name) and scaled:
            found[name] = int((mebibytes(count) or 0.0) if name == "mem" else float(scaled[1]))
    return found


def is_ours(tres: str) -> bool:
    """Whether a job of ours can ask for this TRES."""
    return _TRES.fullmatch(tres) is not None


def whole_counts(text: str) -> dict[str, int]:
    """The TRES of a job that are counted in whole numbers (no memory): ``cpu=4,mem=8G,gres/gpu:h200=1``.

    Where GPUs are counted by type only, their sum is added as ``gres/gpu``.
    """
    found = {name: int(count) for name, count in re.findall(r"(?:^|,)([^=,]+)=(\d+)(?=,|$)", text)}
    typed = sum(count for name, count in found.items() if name.startswith(f"{_GPU}:"))
    return found if _GPU in found or not typed else {**found, _GPU: typed}


def gres_counts(text: str) -> dict[str, dict[str, int]]:
    """Generic resources by name and type: ``gpu:h200:2(S:0),gpu:4`` is ``{"gpu": {"h200": 2, "": 4}}``.

    Handles sockets and indexes in parentheses (which may hold commas), ``(null)``
    for no type, several types and several lines of one type on a node, MIG names,
    a name without a count (one) and counts such as ``4K``.
    """
    counts: dict[str, dict[str, int]] = {}
    # those at an item's end: a type may have some of its own (intel(r)_data_center_gpu_max_1550)
    plain = re.sub(r"\([^()]*\)(?=\s*(?:,|$))", "", text.replace(":(null)", ":"))
    for item in plain.split(","):
        name, *rest = item.strip().split(":")
        if not name or name in _NOTHING:
            continue
        count = _thousands(rest[-1]) if rest else None
        kind = rest[0] if rest and (len(rest) > 1 or count is None) else ""
        by_type = counts.setdefault(name, {})
        by_type[kind] = by_type.get(kind, 0) + (1 if count is None else count)
    return counts


def _thousands(text: str) -> int | None:
    match = re.fullmatch(r"(\d+)([KkMmGg]?)", text)
    if not match:
        return None
    return int(match[1]) * {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}[match[2].lower()]
