"""The files that a session's job gets beside its environment: its certificates, and whom it is to trust."""

from __future__ import annotations

from pathlib import Path

from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import starts as texts
from fabric_hub.slurm.model import SessionFile

CERT_FILES = {"keyfile": "ssl.key", "certfile": "ssl.crt", "cafile": "ssl-ca.crt"}
SERVICE_CA = "service-ca.crt"


def read_certificates(paths: dict[str, str]) -> tuple[SessionFile, ...]:
    """A session's key and certificates, by the kinds that JupyterHub calls them."""
    return tuple(SessionFile(name=CERT_FILES[kind], content=Path(path).read_text()) for kind, path in paths.items())


def service_authority(settings: Settings) -> tuple[SessionFile, ...]:
    """The authorities of our service's public certificate, where a site names them and sessions call it there."""
    path = settings.hub.nodes_ca
    if path is None or settings.hub.internal_ssl:
        return ()
    try:
        return (SessionFile(name=SERVICE_CA, content=path.read_text(encoding="ascii")),)
    except (OSError, ValueError) as error:
        raise FabricError(texts.NO_AUTHORITIES(path=str(path), why=str(error))) from error
