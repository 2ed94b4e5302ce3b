"""What a site is told beside its mistakes: what it may want to change, and what has another name now."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from fabric_hub.config import earlier
from fabric_hub.config.hub import HubSettings
from fabric_hub.config.spelling import differing

UNITS = Path("/etc/systemd/system")
# A systemd unit of an earlier release: the one of this release. Both do the same, and only one may run.
RENAMED_UNITS = {"fabric-keeper.service": "fabric-catalogue.service"}

_OWN_HOSTS = 'Set hub.subdomain_host = "https://hub.example.org", with DNS and a certificate for *.hub.example.org.'
_INTERNAL_TLS = "leave hub.internal_ssl on: sessions then trust the hub's own authority and no other"


class Note(NamedTuple):
    """Something to know, and what to do about it; ``key`` is the setting of the site's file, "" where it is none."""

    about: str
    remedy: str
    key: str = ""


def of_file(text: str) -> Iterator[Note]:
    """What is said of a site's file that is right.

    :param text: the file's, which is known to be TOML.
    """
    data = tomllib.loads(text)
    for told in earlier.notes(data):
        key, _, about = told.partition(": ")
        yield Note(about, "write it under its name of today", key)
    for name in differing(data):
        about = f'"{name.written}" is read as "{name.read}", {name.why}'
        yield Note(about, "write it as it is read, or leave it", name.key)


def of_units(directory: Path = UNITS) -> Iterator[Note]:
    """What is said of an earlier release's units on this machine.

    :param directory: where this machine's own units are.
    """
    for old, new in RENAMED_UNITS.items():
        if (directory / old).exists():
            yield Note(
                f"{directory / old} is called {new} now, and the next release does not start it",
                f"systemctl disable --now {old}, install packaging/systemd/{new} with this site's account and places,"
                f" systemctl enable --now {new}",
            )


def of_address(hub: HubSettings) -> Iterator[Note]:
    """That a page in one user's session can act as whoever opens it, where users have no host of their own."""
    if not hub.subdomain_host:
        yield Note(
            "hub and sessions share one web address: a page of one user's session can act as whoever opens it",
            _OWN_HOSTS,
        )


def of_sessions_trust(hub: HubSettings) -> Note:
    """Where sessions send their tokens, and whom they believe to be the hub there; no remedy where all is well."""
    if hub.internal_ssl:
        port = f"{hub.hub_ip}:{hub.hub_port}"
        return Note(
            f"sessions call hub and service over internal TLS ({port}) and trust the hub's own authority only", ""
        )
    if plain := " and ".join(hub.plain_addresses):
        return Note(
            f"sessions send their tokens over plain HTTP to {plain}: who is on the way reads them", _INTERNAL_TLS
        )
    if not hub.url_for_nodes.startswith("https:"):
        return Note("sessions call hub and service without TLS, and only on this host", "")
    if hub.nodes_ca:
        return Note(
            f"sessions call the service at {hub.url_for_nodes} and trust the authorities in {hub.nodes_ca} only", ""
        )
    return Note(
        f"sessions call the service at {hub.url_for_nodes} and trust every authority of their node's store",
        "name the authority of that certificate in hub.nodes_ca, or " + _INTERNAL_TLS,
    )
