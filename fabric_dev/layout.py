"""Where everything of an embedded run is, below its one directory. Pure."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

# sun_path of a Unix socket holds 107 bytes (unix(7)); the longest one below the directory takes 31.
LONGEST_DIRECTORY = 76


@dataclass(frozen=True)
class Layout:
    """The paths of an embedded run. ``images`` may lie elsewhere, so that runs can share one build."""

    root: Path
    images: Path

    @property
    def folders(self) -> Path:
        """The projects' folders."""
        return self.root / "projects"

    @property
    def mark(self) -> Path:
        """Says that the directory is an embedded run's, which may be removed with all that is in it."""
        return self.root / "fabric-hub-run"

    @property
    def site(self) -> Path:
        return self.root / "site.toml"

    @property
    def instance(self) -> Path:
        return self.root / "instance.json"

    @property
    def etc(self) -> Path:
        return self.root / "etc"

    @property
    def slurm_conf(self) -> Path:
        return self.etc / "slurm.conf"

    @property
    def munge_key(self) -> Path:
        return self.etc / "munge.key"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def lock(self) -> Path:
        return self.run / "lock"

    @property
    def processes(self) -> Path:
        return self.run / "processes.json"

    @property
    def munge_socket(self) -> Path:
        return self.run / "munge.socket"

    @property
    def gateway_socket(self) -> Path:
        return self.run / "gateway" / "gateway.sock"

    @property
    def gateway_accounts(self) -> Path:
        """Where the gateway says how far it is with accounts that were given back."""
        return self.run / "accounts" / "accounts.json"

    @property
    def catalogue_socket(self) -> Path:
        return self.run / "catalogue" / "catalogue.sock"

    @property
    def catalogue_service(self) -> Path:
        return self.root / "catalogue"

    @property
    def datasets(self) -> Path:
        return self.root / "datasets"

    @property
    def published(self) -> Path:
        return self.root / "published"

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def node(self) -> Path:
        """The node agent's own: gates, mounts, and events on their way."""
        return self.root / "node"

    @property
    def node_conf(self) -> Path:
        return self.etc / "node.json"

    @property
    def node_socket(self) -> Path:
        return self.node / "run" / "node.sock"

    @property
    def containers(self) -> Path:
        """Where Slurm keeps the jobs' own mount namespaces."""
        return self.spool / "containers"

    @property
    def prolog(self) -> Path:
        return self.etc / "prolog"

    @property
    def epilog(self) -> Path:
        return self.etc / "epilog"

    @property
    def database(self) -> Path:
        return self.root / "database"

    @property
    def database_socket(self) -> Path:
        return self.database / "mariadb.sock"

    @property
    def database_temporary(self) -> Path:
        """MariaDB's files of the moment. A server that starts removes those that it finds, also another server's."""
        return self.root / "database-tmp"

    @property
    def spool(self) -> Path:
        return self.root / "spool"

    @property
    def devices(self) -> Path:
        return self.root / "dev"

    @property
    def homes(self) -> Path:
        return self.root / "homes"

    @property
    def rescue(self) -> Path:
        """Where rescue sessions keep their own files."""
        return self.root / "rescue"

    @property
    def log(self) -> Path:
        return self.root / "log"

    @property
    def hub(self) -> Path:
        return self.root / "hub"

    @property
    def service_socket(self) -> Path:
        return self.hub / "run" / "service.sock"

    @property
    def logins(self) -> Path:
        return self.hub / "demo-logins.json"

    @property
    def provider_secret(self) -> Path:
        """The hub's secret at the run's own identity provider."""
        return self.hub / "provider-secret"

    @property
    def token(self) -> Path:
        return self.hub / "embedded-token"

    @property
    def python(self) -> Path:
        return self.root / "python"


def default_directory() -> Path:
    """/var/lib/fabric-hub for root, else ``fabric-hub`` in the user's state directory (XDG)."""
    if os.geteuid() == 0:
        return Path("/var/lib/fabric-hub").resolve()
    state = os.environ.get("XDG_STATE_HOME", "")
    return (Path(state) if state.startswith("/") else Path.home() / ".local" / "state").resolve() / "fabric-hub"
