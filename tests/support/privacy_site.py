"""A site with nobody in a project, whose parts belong to accounts of their own where that can be."""

from __future__ import annotations

import os
import pwd
import tempfile
from collections.abc import Callable
from pathlib import Path

from fabric_hub.config.settings import Settings, load

from .builders import catalogue_text, least_site_text
from .canaries import (
    Planted,
    plant_catalogue,
    plant_certificate,
    plant_files,
    plant_hub,
    plant_ledger,
    plant_record,
)
from .catalogue_process import CATALOGUE, HUB, ROOT

OWNERS = {
    "hub": HUB, "home": HUB, "gateway": HUB, "state": CATALOGUE, "store": CATALOGUE, "published": CATALOGUE,
    "socket": CATALOGUE,
}  # fmt: skip

Run = Callable[..., int]


def make_site(sandbox: Path, more: str = "") -> Settings:
    """A site in a directory of its own, and all that it has."""
    run = Path(tempfile.mkdtemp(dir=sandbox))
    run.chmod(0o755)
    for name in OWNERS:
        (run / name).mkdir(mode=0o755 if name == "published" else 0o700)
    text = least_site_text(
        run / "hub",
        f'[users]\nshared_account = true\nsession_dir = "{run}/home/.fabric-hub"\n'
        f'[gateway]\nsocket = "{run}/gateway/gateway.sock"\n'
        '[project.physics]\naccount = "phys"\nmembers.owner = ["ada"]\nmembers.visitor = ["vera"]\n'
        f'{catalogue_text(run, CATALOGUE)}socket = "{run}/socket/catalogue.sock"\n{more}',
    )
    (run / "site.toml").write_text(text)
    projects = run / "socket" / "projects.json"
    projects.write_text('{"format": 1, "serial": 1, "projects": {}}')
    projects.chmod(0o640)
    return load(run / "site.toml")


def place_of(settings: Settings) -> Path:
    """The directory that all of a site is in."""
    return settings.hub.state_dir.parent


def hand_over(settings: Settings) -> None:
    """Give each part to its account, as it would have written it."""
    for name, account in OWNERS.items() if ROOT else ():
        entry = pwd.getpwnam(account)
        for path in (place_of(settings) / name, *(place_of(settings) / name).rglob("*")):
            os.chown(path, entry.pw_uid, entry.pw_gid)


def plant(settings: Settings, planted: Planted) -> Planted:
    """Put all that is kept of a person into every store of a site."""
    session = plant_record(settings, planted)
    plant_hub(settings, planted)
    plant_ledger(settings, planted, session)
    plant_catalogue(settings, planted)
    plant_files(place_of(settings) / "home" / ".fabric-hub", planted)
    plant_certificate(settings, planted)
    hand_over(settings)
    return planted
