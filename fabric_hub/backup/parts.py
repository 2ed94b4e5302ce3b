"""What a state consists of: the part of the hub's account and that of the catalogue service's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fabric_hub.catalogue import database as catalogue_database
from fabric_hub.catalogue import switch_user
from fabric_hub.catalogue.audit.log import audit_directory
from fabric_hub.catalogue.database import CATALOGUE
from fabric_hub.config.catalogue import CatalogueSettings
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import backup as texts
from fabric_hub.sessions.database import SESSIONS, Kept, database_url, hub_database_url

from .databases import sqlite_path
from .helper import Owner
from .manifest import DatabaseName, PartName

# The hub's keys: who holds them can make login cookies, and pass for the hub at every session.
SECRETS = ("cookie_secret", "certs")
# In a backup's part: databases by their names, and the audit log's files below this.
AUDIT = "audit"
EXTRACT = "catalogue.json"
UIDS = "uids.json"


@dataclass(frozen=True)
class PartOf:
    """One account's part of a site's state.

    ``urls`` are its databases; ``files`` what else it has, below ``state_dir``; ``secrets`` which of those are keys.
    ``catalogue`` is set for the catalogue service's part.
    """

    name: PartName
    state_dir: Path
    owner: Owner
    urls: dict[DatabaseName, str]
    files: tuple[str, ...]
    secrets: tuple[str, ...] = ()
    catalogue: CatalogueSettings | None = None

    @property
    def audit(self) -> Path | None:
        """Where the audit log is. Asked by a process of the owner's: nobody else need see into the state directory."""
        return audit_directory(self.catalogue) if self.catalogue else None


def parts_of(settings: Settings) -> list[PartOf]:
    """The parts of a site, in the order in which they come to rest: the hub, which waits least, last.

    :raises FabricError: a state directory is not there, the catalogue service has no account, or a database of SQLite
        lies elsewhere.
    """
    found: list[PartOf] = []
    if settings.catalogue is not None:
        account = switch_user.catalogue_account(settings.catalogue)
        found.append(
            PartOf(
                "catalogue",
                settings.catalogue.state_dir,
                Owner(account.uid, account.gid),
                {"catalogue": catalogue_database.database_url(settings.catalogue)},
                (UIDS,),
                catalogue=settings.catalogue,
            )
        )
    hub = settings.hub.state_dir
    try:
        owner = Owner.of(hub)
    except OSError as error:
        raise FabricError(texts.STATE_UNWRITABLE(directory=str(hub), cause=error.strerror or str(error))) from error
    urls: dict[DatabaseName, str] = {"jupyterhub": hub_database_url(settings), "sessions": database_url(settings)}
    found.append(PartOf("hub", hub, owner, urls, (), SECRETS))
    for part in found:
        for name, url in part.urls.items():
            path = sqlite_path(url)
            if path is not None and path != part.state_dir / file_of(name, "sqlite"):
                raise FabricError(texts.DATABASE_ELSEWHERE(name=name, path=str(path), directory=str(part.state_dir)))
    return found


def kept(name: DatabaseName) -> Kept | None:
    """What this release knows of a database's schema; None: it is JupyterHub's, which has its own."""
    return {"sessions": SESSIONS, "catalogue": CATALOGUE}.get(name)


def file_of(name: DatabaseName, kind: str) -> str:
    """A database's file in a part."""
    return f"{name}.sqlite" if kind == "sqlite" else f"{name}.dump"
