"""The hub's proxy: steered over a Unix socket, on a port that outlives it, with routes to Unix sockets.

Whoever could listen where the proxy's API or our service is expected would get the tokens and cookies that are sent
there. A Unix socket in a directory that only the hub's account enters is nobody else's, also while its owner is down.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from jupyterhub.objects import Server
from jupyterhub.proxy import ConfigurableHTTPProxy
from traitlets import Dict, Unicode, validate

from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import startup
from fabric_hub.rpc import systemd

from . import held_ports
from .patches import proxy_program

_LONGEST = 107  # bytes of a Unix socket's path (unix(7))
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-_")
_UNIX = "http+unix://"


def unix_url(path: Path) -> str:
    """A Unix socket as JupyterHub and the proxy write it.

    Capital letters are escaped, too: JupyterHub's HTTP client takes what stands there for a host, in lower case.
    """
    text = str(path)
    return _UNIX + "".join(c if c in _PLAIN else "".join(f"%{byte:02x}" for byte in c.encode()) for c in text)


def private_directory(path: Path) -> None:
    """Make a directory for Unix sockets that only this account can enter.

    :raises FabricError: there is something else, or its sockets' paths would be too long.
    """
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
    status = path.lstat()
    if status.st_uid != os.geteuid() or not path.is_dir() or path.is_symlink():
        raise FabricError(startup.NOT_HUBS_DIRECTORY(path=str(path)))
    path.chmod(0o700)
    # the longest name in it, while it is made: .proxy-api.sock.PID
    if len(os.fsencode(path)) + len("/.proxy-api.sock.4194304") > _LONGEST:
        raise FabricError(startup.PATH_TOO_LONG(path=str(path), most=_LONGEST - len("/run/.proxy-api.sock.4194304")))


class FabricProxy(ConfigurableHTTPProxy):  # type: ignore[misc]
    """configurable-http-proxy, with what JupyterHub 6.1 does not let one configure."""

    own_routes = Dict(
        key_trait=Unicode(),
        value_trait=Unicode(),
        config=True,
        help="Routes to services of the hub's own, beside Proxy.extra_routes; their targets may be Unix sockets.",
    )
    _public: socket.socket | None = None

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.extra_routes = {**self.extra_routes, **self.own_routes}  # type: ignore[has-type]

    @validate("extra_routes")
    def _validate_extra_routes(self, proposal: Any) -> dict[str, str]:
        # JupyterHub lets http and https pass only, though it and the proxy speak to Unix sockets as well
        ours = {spec: target for spec, target in proposal.value.items() if target.startswith(_UNIX)}
        proposal.value = {spec: target for spec, target in proposal.value.items() if spec not in ours}
        return {**super()._validate_extra_routes(proposal), **ours}

    def _get_ssl_options(self) -> list[str]:
        """Internal TLS towards hub and sessions; the API's Unix socket needs none, and JupyterHub speaks none there."""
        kept: list[str] = []
        options = iter(super()._get_ssl_options())
        for option in options:
            if option in ("--api-ssl-key", "--api-ssl-cert", "--api-ssl-ca"):
                next(options)
            elif not option.startswith("--api-ssl-"):
                kept.append(option)
        return kept

    async def start(self) -> None:
        """Start the proxy on a socket that stays in this process: whatever becomes of the proxy, its port is ours."""
        self._check_previous_process()
        with suppress(FileNotFoundError):
            os.remove(unquote(urlsplit(self.api_url).netloc))  # left by one that was killed
        where = Server.from_url(self.public_url)
        if self._public is None and not where._unix_socket:
            self._public = held_ports.listen(where.ip, where.port)
        proxy_program.apply(self._public, where.port, where.ip)
        await super().start()

    async def add_all_services(self, service_dict: Any) -> None:
        """A new proxy gets all routes at once; JupyterHub adds the extra ones minutes later."""
        await super().add_all_services(service_dict)
        for spec, target in self.extra_routes.items():
            await self.add_route(spec, target, {"extra": True})

    async def check_routes(self, *known: Any, **options: Any) -> Any:
        """The last thing that JupyterHub does before it says that it runs is to see that all routes are there."""
        checked = await super().check_routes(*known, **options)
        systemd.ready()
        return checked
