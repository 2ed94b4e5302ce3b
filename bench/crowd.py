"""A crowd for an embedded run that has six people: more Unix accounts, logins, members of a project, and what they look
at. The accounts are marked as the run's own, which removes them with itself.
"""

from __future__ import annotations

import json
import math
import os
import pwd
import secrets
import subprocess
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass

from fabric_dev.instance import layout_of
from fabric_dev.sitefile import toml
from fabric_hub.hub.spawner.watchers import MOST
from tests.support.embedded_run import EmbeddedRun

from .hub_client import Server
from .ours import PROFILE
from .usage import PROJECT, enrol

# How /etc/passwd calls the demo's people (fabric_dev.accounts).
_DEMO = "Fabric Hub demo"


@dataclass(frozen=True)
class Looks:
    """A person, the servers whose waiting pages they look at, and whether they look at *Sessions*."""

    name: str
    waits: tuple[str, ...]
    home: bool

    @property
    def servers(self) -> list[Server]:
        """The servers, with the options to start them."""
        return [Server(self.name, name, {"project": PROJECT, "profile": PROFILE}) for name in self.waits]


def crowd(waiting: int, homes: int) -> list[Looks]:
    """People with so many waiting pages and pages *Sessions* between them: no more of each for one than the hub lets
    them have, one of the second. Pure.
    """
    number = max(homes, math.ceil(waiting / MOST))
    return [
        Looks(f"looker{one}", tuple(f"w{page}" for page in range(one, waiting, number)), one < homes)
        for one in range(number)
    ]


def with_members(site: str, names: Sequence[str]) -> str:
    """A site file with more members of a project. Pure."""
    settings = tomllib.loads(site)
    members = settings["project"][PROJECT]["members"]
    members["member"] = [*members.get("member", []), *names]
    return toml(settings).lstrip("\n")


def add(run: EmbeddedRun, names: Sequence[str]) -> None:
    """Make these people at home in a run; its gateway and hub must be started anew.

    :raises subprocess.CalledProcessError: there cannot be such an account.
    """
    layout = layout_of(run.directory)
    for name in names:
        home, account = layout.homes / name, run.unix_name(name)
        subprocess.run(
            ["useradd", "--user-group", "--no-create-home", "--home-dir", str(home), "--shell", "/bin/bash",
             "--comment", _DEMO, account],
            check=True,
        )  # fmt: skip
        home.mkdir(mode=0o700)
        entry = pwd.getpwnam(account)
        os.chown(home, entry.pw_uid, entry.pw_gid)
    enrol(run, list(names))
    layout.logins.write_text(json.dumps({**run.logins, **{name: secrets.token_hex(16) for name in names}}))
    run.site.write_text(with_members(run.site.read_text(), names))
