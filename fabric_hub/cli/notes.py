"""What a site is told beside its mistakes: what it may want to change, and what has another name now."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from fabric_hub.config import earlier
from fabric_hub.config.hub import HubSettings
from fabric_hub.config.spelling import differing
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import site_file as texts

UNITS = Path("/etc/systemd/system")
# A systemd unit of an earlier release: the one of this release. Both do the same, and only one may run.
RENAMED_UNITS = {"fabric-keeper.service": "fabric-catalogue.service"}


class Note(NamedTuple):
    """Something to know, whose hint is what to do about it; ``key`` is the setting of the site's file, or ""."""

    about: Text
    key: str = ""

    @property
    def remedy(self) -> Text | None:
        """What to do about it; None where all is well."""
        return self.about.hint


def of_file(text: str) -> Iterator[Note]:
    """What is said of a site's file that is right.

    :param text: the file's, which is known to be TOML.
    """
    data = tomllib.loads(text)
    for told in earlier.notes(data):
        yield Note(told.what, told.key)
    for name in differing(data):
        yield Note(name.told, name.key)


def of_units(directory: Path = UNITS) -> Iterator[Note]:
    """What is said of an earlier release's units on this machine.

    :param directory: where this machine's own units are.
    """
    for old, new in RENAMED_UNITS.items():
        if (directory / old).exists():
            yield Note(texts.UNIT_RENAMED(path=str(directory / old), old=old, now=new))


def of_address(hub: HubSettings) -> Iterator[Note]:
    """That a page in one user's session can act as whoever opens it, where users have no host of their own."""
    if not hub.subdomain_host:
        yield Note(texts.ONE_ADDRESS())


def of_sessions_trust(hub: HubSettings) -> Note:
    """Where sessions send their tokens, and whom they believe to be the hub there; no remedy where all is well."""
    if hub.internal_ssl:
        return Note(texts.INTERNAL_TLS(port=f"{hub.hub_ip}:{hub.hub_port}"))
    if hub.plain_addresses:
        return Note(texts.PLAIN_HTTP(addresses=tuple(hub.plain_addresses)))
    if not hub.url_for_nodes.startswith("https:"):
        return Note(texts.THIS_HOST_ONLY())
    if hub.nodes_ca:
        return Note(texts.OWN_AUTHORITIES(url=hub.url_for_nodes, path=str(hub.nodes_ca)))
    return Note(texts.EVERY_AUTHORITY(url=hub.url_for_nodes))
