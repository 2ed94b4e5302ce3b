"""The node's own configuration, /etc/fabric-hub/node.json: read only when nobody but root could have written it."""

from __future__ import annotations

import json
import os
import pwd
import re
from dataclasses import dataclass, field
from typing import Any

from .trust import NodeError, read_text

DEFAULT = "/etc/fabric-hub/node.json"
NODE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


@dataclass(frozen=True)
class Config:
    """Paths are absolute. ``owners`` are the uids, root among them, whose grants and images are trusted.
    ``log`` is the format of the agent's log, text or json. ``pool_uids`` are the only uids whose processes and
    files the agent may ever remove, ``temporary`` the directories on this node in which everybody may write."""

    grants: str
    events: str
    store: str
    owners: frozenset[int] = frozenset({0})
    directories: tuple[str, ...] = ()
    run: str = "/run/fabric"
    state: str = "/var/lib/fabric-node"
    data_dir: str = "/data"
    socket: str = "/run/fabric/node.sock"
    min_uid: int = 1000
    spool: str = "/var/spool/slurmd"
    containers: str | None = None
    slurm_bin: str = "/usr/bin"
    slurm_conf: str | None = None
    log: str = "text"
    pool_uids: frozenset[int] = frozenset()
    temporary: tuple[str, ...] = ("/tmp", "/var/tmp", "/dev/shm", "/run/lock")
    path: str = field(default=DEFAULT, compare=False)

    @property
    def jobs(self) -> str:
        """The registered jobs, one file each."""
        return os.path.join(self.run, "jobs")

    @property
    def base(self) -> str:
        """Root's own mounts, one per image or directory, which the gates show."""
        return os.path.join(self.run, "base")

    @property
    def gates(self) -> str:
        return os.path.join(self.run, "ds")

    @property
    def names_key(self) -> str:
        """The key of the gates' names."""
        return os.path.join(self.run, "names.key")

    @property
    def namespaces(self) -> str:
        """The mount namespaces of jobs, kept for as long as a job is registered."""
        return os.path.join(self.run, "ns")

    @property
    def lock(self) -> str:
        return os.path.join(self.run, "lock")

    @property
    def outbox(self) -> str:
        """Events on their way to ``events``."""
        return os.path.join(self.state, "events")


_PATHS = ("grants", "events", "store", "run", "state", "data_dir", "socket", "spool", "slurm_bin")
_OPTIONAL_PATHS = ("containers", "slurm_conf")
_LISTS = ("pool_uids", "temporary")
_NOBODYS = frozenset({65534, 65535})  # the kernel's overflow uid, and what 16 bits made of -1
_KNOWN = frozenset({*_PATHS, *_OPTIONAL_PATHS, "owners", "directories", "min_uid", "log", *_LISTS})
_LOGS = ("text", "json")


def _uid(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**32 - 1:
        return value
    if isinstance(value, str):
        try:
            return pwd.getpwnam(value).pw_uid
        except KeyError:
            raise NodeError(f"owners: this machine has no account {value!r}.", "config") from None
    raise NodeError(f"owners: {value!r} is neither a uid nor an account.", "config")


def _absolute(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value.startswith("/") or os.path.normpath(value) != value or value == "/":
        raise NodeError(f"{name}: {value!r} is not a plain absolute path.", "config")
    return value


def _pool(value: Any, min_uid: int, owners: frozenset[int]) -> frozenset[int]:
    """The uids that may be cleaned; numbers alone, so that no name service says whose processes end."""
    if not isinstance(value, list):
        raise NodeError("pool_uids: it is not a list of uids.", "config")
    for uid in value:
        if not isinstance(uid, int) or isinstance(uid, bool) or not min_uid <= uid < 2**32 - 1 or uid in _NOBODYS:
            raise NodeError(f"pool_uids: {uid!r} is not a uid from {min_uid} (min_uid) on.", "config")
        if uid in owners:
            raise NodeError(f"pool_uids: {uid} is one of the owners, whose processes must stay.", "config")
    return frozenset(value)


def parse(text: str, path: str = DEFAULT) -> Config:
    """Check the text of a node.json.

    :raises NodeError: with what is wrong, reason "config".
    """
    try:
        data = json.loads(text)
    except ValueError as error:
        raise NodeError(f"{path} is not JSON: {error}.", "config") from error
    if not isinstance(data, dict):
        raise NodeError(f"{path} is not a JSON object.", "config")
    unknown, missing = sorted(set(data) - _KNOWN), [name for name in _PATHS[:3] if name not in data]
    if unknown or missing:
        which = [f"{name}: no such setting" for name in unknown] + [f"{name}: is required" for name in missing]
        raise NodeError(f"{path}: {'; '.join(which)}.", "config")
    values: dict[str, Any] = {name: _absolute(name, data[name]) for name in _PATHS if name in data}
    values.update({name: _absolute(name, data[name]) for name in _OPTIONAL_PATHS if data.get(name) is not None})
    directories, owners = data.get("directories", []), data.get("owners", [])
    if not isinstance(directories, list) or not isinstance(owners, list):
        raise NodeError(f"{path}: owners and directories are lists.", "config")
    values["directories"] = tuple(_absolute("directories", item) for item in directories)
    values["owners"] = frozenset({0, *map(_uid, owners)})
    if "min_uid" in data:
        if not isinstance(data["min_uid"], int) or isinstance(data["min_uid"], bool) or data["min_uid"] < 1:
            raise NodeError(f"{path}: min_uid: {data['min_uid']!r} is not a number above 0.", "config")
        values["min_uid"] = data["min_uid"]
    if "temporary" in data:
        if not isinstance(data["temporary"], list):
            raise NodeError(f"{path}: temporary is a list of directories.", "config")
        values["temporary"] = tuple(_absolute("temporary", item) for item in data["temporary"])
    values["pool_uids"] = _pool(data.get("pool_uids", []), values.get("min_uid", Config.min_uid), values["owners"])
    if "log" in data:
        if data["log"] not in _LOGS:
            raise NodeError(f'{path}: log: {data["log"]!r} is neither "text" nor "json".', "config")
        values["log"] = data["log"]
    return Config(path=path, **values)


def load(path: str = DEFAULT) -> Config:
    """Read a node.json that belongs to root, in directories that nobody else may write to.

    :raises NodeError: somebody else could have written it, or it has a mistake.
    """
    return parse(read_text(path, frozenset({0})), path)
