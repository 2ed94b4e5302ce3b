"""The part of the site's file that is about the hub itself; :mod:`.settings` reads it."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from fabric_hub.messages.texts import site_file as texts
from fabric_hub.types import AbsolutePath, Frozen, HubId, said

HttpAddress = Annotated[
    str,
    Field(pattern=r"^(?:https?://[A-Za-z0-9._:\[\]-]+(?:/[A-Za-z0-9._~/-]*)?)?$"),
    said("an address with https:// or http://, without a query", "https://hub.example.org"),
]

# The site's file is read by the gateway and the catalogue service, too.
DatabaseUrl = Annotated[
    str,
    Field(pattern=r"^(?:[a-z][a-z0-9+]*://(?:[^/@:\s]*@)?[^@\s]*)?$"),
    said("the URL of a database, without a password", "postgresql:///fabric_hub?host=/run/postgresql"),
]


def _same_origin(one: str, other: str) -> bool:
    first, second = urlsplit(one), urlsplit(other)
    return (first.scheme, first.netloc) == (second.scheme, second.netloc)


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class HubSettings(Frozen):
    """The hub process."""

    id: HubId = Field(default="main", description="Tells this hub's jobs from another hub's on the same cluster.")
    state_dir: AbsolutePath = Field(description="Databases, cookie secret and certificates; only the hub's user.")
    database: DatabaseUrl = Field(
        default="", description="SQLAlchemy URL of JupyterHub's own database; default: SQLite in state_dir."
    )
    sessions_database: DatabaseUrl = Field(
        default="",
        description="SQLAlchemy URL of the record of sessions, not the same as hub.database; default: SQLite in "
        "state_dir.",
    )
    bind_url: str = Field(
        default="http://127.0.0.1:8000", description="The address people open (the proxy listens here)."
    )
    hub_ip: str = Field(default="127.0.0.1", description="Address of the hub's API on the network of the nodes.")
    hub_port: int = Field(
        default=8081, ge=1, le=65535, description="Port of the hub's API; sessions call it from the nodes."
    )
    public_url: HttpAddress = Field(
        default="",
        description="The address people open, where a web server stands before the proxy; default: bind_url.",
    )
    subdomain_host: HttpAddress = Field(
        default="",
        description="Gives every user's sessions a host of their own below this one, so that no page of theirs can act "
        'on the hub: "https://hub.example.org". Needs wildcard DNS and a wildcard certificate (*.hub.example.org).',
    )
    nodes_url: HttpAddress = Field(
        default="",
        description="Without internal TLS: the hub's public address as nodes reach it; default: public_url, else "
        "bind_url. Sessions send their tokens there. With internal TLS they call hub_ip:hub_port only.",
    )
    nodes_ca: AbsolutePath | None = Field(
        default=None,
        description="Without internal TLS: a PEM file with the only authorities that sessions trust at the https "
        "address of nodes_url; default: those of the node's own store.",
    )
    nodes_plain_http: bool = Field(
        default=False,
        description="Without internal TLS: let sessions send their tokens over plain HTTP to another host. Whoever is "
        "on the way can read them: for a closed network only.",
    )
    internal_ssl: bool = Field(default=True, description="Mutual TLS between hub, proxy and sessions.")
    extra_config: AbsolutePath | None = Field(
        default=None, description="A jupyterhub_config.py of the site's own (login, branding), run after ours."
    )
    proxy_command: tuple[str, ...] = Field(default=(), description="configurable-http-proxy; default: found beside us.")
    admin_page: bool = Field(
        default=False, description="Show JupyterHub's own page for admins beside Operate. false: it leads to Operate."
    )
    operators_open_sessions: bool = Field(
        default=False,
        description="Let operators (login.admins) open other people's sessions from the page Operate: each time is "
        "logged, lasts an hour at most, and the session's person reads who it was and when.",
    )
    proxy_unit: bool = Field(
        default=False,
        description="The proxy has a unit of its own (fabric-proxy.service): who uses a session does not notice that "
        "the hub starts again. Without it the hub starts and ends the proxy itself.",
    )

    @model_validator(mode="after")
    def _one_hub(self) -> HubSettings:
        if urlsplit(self.subdomain_host).path.strip("/"):
            raise ValueError(texts.HOST_ONLY())
        if self.subdomain_host and self.public_url and not _same_origin(self.subdomain_host, self.public_url):
            raise ValueError(texts.OTHER_HOST(url=self.public_url))
        if plain := [] if self.internal_ssl or self.nodes_plain_http else self.plain_addresses:
            raise ValueError(texts.PLAIN_TOKENS(addresses=tuple(plain)))
        if self.nodes_ca and not self.internal_ssl and not self.url_for_nodes.startswith("https:"):
            raise ValueError(texts.CA_OF_NO_USE(url=self.url_for_nodes))
        if any("password=" in url.lower() for url in (self.database, self.sessions_database)):
            raise ValueError(texts.PASSWORD_IN_URL())
        if self.database and self.database == self.sessions_database:
            raise ValueError(texts.SAME_DATABASE())
        return self

    @property
    def url_for_nodes(self) -> str:
        """The hub's public address as sessions reach it; without internal TLS they call our service there."""
        return (self.nodes_url or self.public_url or self.bind_url).rstrip("/")

    @property
    def plain_addresses(self) -> list[str]:
        """Where sessions without internal TLS send their tokens as everybody on the way can read them."""
        found = [self.url_for_nodes] if self.url_for_nodes.startswith("http:") else []
        api = f"http://{f'[{self.hub_ip}]' if ':' in self.hub_ip else self.hub_ip}:{self.hub_port}"
        return [url for url in (*found, api) if not is_loopback(urlsplit(url).hostname or "")]

    @property
    def socket_dir(self) -> Path:
        """The Unix sockets of the hub's own processes; nobody else can enter."""
        return self.state_dir / "run"

    @property
    def service_socket(self) -> Path:
        """Where the REST service listens."""
        return self.socket_dir / "service.sock"

    @property
    def proxy_api_socket(self) -> Path:
        """Where the hub steers the proxy."""
        return self.socket_dir / "proxy-api.sock"

    @property
    def proxy_token(self) -> Path:
        """The secret between the hub and a proxy that outlives it."""
        return self.state_dir / "proxy-token"

    @property
    def base_path(self) -> str:
        """The path under which everything is, without a final slash; mostly empty."""
        return urlsplit(self.bind_url).path.rstrip("/")

    @property
    def pages_url(self) -> str:
        """What stands before ``/services/fabric`` in the links of our pages, on whichever host they are shown."""
        return self.subdomain_host.rstrip("/") + self.base_path

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names and addresses by which people and nodes call the hub."""
        urls = (self.bind_url, self.public_url, self.subdomain_host, self.nodes_url)
        found = (urlsplit(url).hostname for url in urls)
        return tuple(dict.fromkeys(host for host in found if host and host not in ("0.0.0.0", "::")))
