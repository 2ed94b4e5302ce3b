"""The hub's proxy: steered over a Unix socket, on a port that outlives it, with routes to Unix sockets.

Whoever could listen where the proxy's API or our service is expected would get the tokens and cookies that are sent
there. A Unix socket in a directory that only the hub's account enters is nobody else's, also while its owner is down.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from jupyterhub.objects import Server
from jupyterhub.proxy import ConfigurableHTTPProxy
from tornado.ioloop import PeriodicCallback
from traitlets import Dict, Instance, Unicode, validate

from fabric_hub.errors import FabricError
from fabric_hub.rpc import systemd

from . import held_ports, proxy_unit
from .patches import proxy_program

KEPT_ROUTES = Path(__file__).with_name("kept_routes.cjs")
START_S = 120.0  # how long a proxy may take to start beside JupyterHub's ten seconds
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-_")
_UNIX = "http+unix://"


def unix_url(path: Path) -> str:
    """A Unix socket as JupyterHub and the proxy write it.

    Capital letters are escaped, too: JupyterHub's HTTP client takes what stands there for a host, in lower case.
    """
    text = str(path)
    return _UNIX + "".join(c if c in _PLAIN else "".join(f"%{byte:02x}" for byte in c.encode()) for c in text)


class _OfTheUnit:
    """The unit's proxy as JupyterHub sees a process that it has started: it asks only whether it still runs.

    :param directory: where the unit listens.
    :param pid: the proxy's process.
    """

    def __init__(self, directory: Path, pid: int) -> None:
        self._directory = directory
        self.pid = pid

    def poll(self) -> int | None:
        """None while this very proxy runs. A new one has the routes of the last; the hub gives it all of them again."""
        try:
            return None if proxy_unit.ask(self._directory) == self.pid else 1
        except FabricError:
            return None  # systemd starts the unit again, which asks for nothing until then

    def terminate(self) -> None:
        """The hub stops, the proxy goes on."""


class FabricProxy(ConfigurableHTTPProxy):  # type: ignore[misc]
    """configurable-http-proxy, with what JupyterHub 6.1 does not let one configure."""

    own_routes = Dict(
        key_trait=Unicode(),
        value_trait=Unicode(),
        config=True,
        help="Routes to services of the hub's own, beside Proxy.extra_routes; their targets may be Unix sockets.",
    )
    log_format = Unicode("text", config=True, help="The format of the proxy's log: text or json.")
    unit_directory = Instance(
        Path,
        allow_none=True,
        config=True,
        help="Where the proxy's own unit listens (hub.proxy_unit); without it the hub runs the proxy itself.",
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
        """Start the proxy on a socket that stays in this process: whatever becomes of the proxy, its port is ours.

        Where it has a unit of its own, that one starts it, or goes on with the one that runs.
        """
        where, api = Server.from_url(self.public_url), unquote(urlsplit(self.api_url).netloc)
        if self.unit_directory is not None:
            directory = self.unit_directory

            def start(argv: Sequence[str], environment: dict[str, str]) -> _OfTheUnit:
                routes = {"FABRIC_ROUTES": str(directory / "proxy-routes.json")}
                command = (*argv, "--storage-backend", str(KEPT_ROUTES))
                order = proxy_unit.Order(command, {**environment, **routes}, where.ip, where.port, api)
                return _OfTheUnit(directory, proxy_unit.ask(directory, order))

            proxy_program.hand_over(start, self.log_format)
            await self._start_patiently()
            return
        self._check_previous_process()
        with suppress(FileNotFoundError):
            os.remove(api)  # left by one that was killed
        if self._public is None and not where._unix_socket:
            self._public = held_ports.listen(where.ip, where.port)
        proxy_program.apply(self._public, where.port, where.ip, self.log_format)
        await self._start_patiently()

    async def _start_patiently(self) -> None:
        try:
            await super().start()
        except TimeoutError:
            # JupyterHub has waited for ten seconds, and would end, or leave a new proxy without routes
            await self._until_up()

    async def _until_up(self) -> None:
        """Wait for a proxy that has been started on a machine with much to do, then look after it as JupyterHub does.

        :raises RuntimeError: it has ended.
        :raises TimeoutError: it does not answer within :data:`START_S` seconds.
        """
        self.log.warning("The proxy takes long to start: is this machine overloaded?")
        api, end = Server.from_url(self.api_url), time.monotonic() + START_S
        while True:
            if (status := self.proxy_process.poll()) is not None:
                raise RuntimeError(f"The proxy ended with exit code {status}")
            try:
                await api.wait_up(timeout=1)
                break
            except TimeoutError:
                if time.monotonic() > end:
                    raise
        self._check_running_callback = PeriodicCallback(self.check_running, 1e3 * self.check_running_interval)
        self._check_running_callback.start()

    def _check_previous_process(self) -> None:
        """One of the unit's is nobody's left-over."""
        if self.unit_directory is None:
            super()._check_previous_process()

    def _write_pid_file(self) -> None:
        """None for the unit's: the next hub would take it for a left-over and end it."""
        if self.unit_directory is None:
            super()._write_pid_file()

    def _remove_process_files(self) -> None:
        """The unit's proxy goes on when the hub stops: the socket of its API is its own."""
        if self.unit_directory is None:
            super()._remove_process_files()

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
