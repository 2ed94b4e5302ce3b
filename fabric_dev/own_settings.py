"""Settings of whoever starts an embedded run, laid over the demo's own: ``fabric-hub up --settings FILE``."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from fabric_hub.config import earlier, settings
from fabric_hub.errors import FabricError

from . import sitefile
from .gpus import Gpus
from .instance import Instance
from .layout import Layout


def read(path: Path) -> dict[str, Any]:
    """The tables of a settings file.

    :raises FabricError: it is not there, or is not TOML.
    """
    try:
        return earlier.renamed(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise FabricError(
            f"The settings in {path} cannot be read: {error}.",
            reason="settings",
            hint="Correct it, or name another one with --settings FILE (--settings /dev/null: none).",
        ) from error


def write(
    layout: Layout,
    known: Instance,
    *,
    prefix: str | None,
    catalogue_service: str,
    gpus: Gpus | None,
    proxy_command: tuple[str, ...],
) -> settings.Settings:
    """Write the run's site file; the settings that are in it.

    :raises FabricError: a setting is wrong, or is not for others to set.
    """
    wanted = read(known.settings) if known.settings else {}
    text = sitefile.site(
        layout,
        known.ports,
        prefix=prefix,
        catalogue_service=catalogue_service,
        gpus=gpus,
        proxy_command=proxy_command,
        science_first=known.science,
        oidc=known.oidc,
        wanted=wanted,
    )
    # checked after it is written: what is said of a mistake names a line of it
    layout.site.write_text(text)
    layout.site.chmod(0o644)
    return settings.parse(text, str(layout.site))
