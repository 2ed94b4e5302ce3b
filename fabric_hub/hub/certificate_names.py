"""The names in the certificates of hub, proxy and service under internal TLS.

The proxy (Node.js) does not check a server's certificate against the address that it
connects to, but against the name in the request's Host header: the one that people
typed. So every certificate behind the proxy names the hosts by which the hub is called;
with a host of its own for each user JupyterHub adds that to the user's sessions, and a
certificate of another user's session is refused there.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from certipy import Certipy, CertNotFoundError
from cryptography import x509
from jupyterhub.services.service import _ServiceSpawner

from fabric_hub.config.hub import HubSettings
from fabric_hub.hub.spawner.certificates import general_name
from fabric_hub.hub.spawner.names import ANY_USER, alt_name

# JupyterHub's names for the certificates that it makes once and keeps.
KEPT = ("hub-internal", "proxy-api", "proxy-client")


def alt_names(hub: HubSettings) -> list[str]:
    """What JupyterHub's certificates name besides localhost: ``IP:...`` and ``DNS:...``."""
    names = dict.fromkeys(alt_name(host) for host in (hub.hub_ip, *hub.hosts))
    if hub.subdomain_host:
        # while a user has no session it is the hub that answers at the user's own host
        names[f"{ANY_USER}.{urlsplit(hub.subdomain_host).hostname}"] = None
    return list(names)


def renew_hub_certificates(store: Path, names: Sequence[str]) -> list[str]:
    """Remove kept certificates that lack a name, so that JupyterHub makes them anew; its authorities stay.

    :param store: JupyterHub's ``internal_certs_location``; need not exist yet.
    :returns: what was removed.
    """
    if not (store / "certipy.json").exists():
        return []
    certificates = Certipy(store_dir=str(store)).store
    removed = []
    for name in KEPT:
        try:
            files = certificates.get_record(name)["files"]
        except CertNotFoundError:
            continue
        if not set(map(general_name, names)) <= _names_in(Path(files["cert"])):
            certificates.remove_files(name, delete_dir=True)
            removed.append(name)
    return removed


def _names_in(certificate: Path) -> set[x509.GeneralName]:
    try:
        loaded = x509.load_pem_x509_certificate(certificate.read_bytes())
        return set(loaded.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except (OSError, x509.ExtensionNotFound):
        return set()


def name_services(names: Sequence[str]) -> None:
    """Let the certificates of a site's own managed services have names: JupyterHub 6.1 configures none for them."""
    create_certs = _ServiceSpawner.__base__.create_certs

    async def create_named(self: Any) -> Any:
        self.ssl_alt_names = list(names)
        return await create_certs(self)

    _ServiceSpawner.create_certs = create_named
