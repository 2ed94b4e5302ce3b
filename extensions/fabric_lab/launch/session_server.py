"""Jupyter Server for a session: JupyterHub's own extension, on a socket that is bound already.

:class:`SessionServer` serves on the launcher's socket and keeps the site's
policy above the user's files. :class:`SessionHub` is JupyterHub's extension,
except that a hub that does not answer right now delays and ends nothing.
:class:`SessionLogin` lets two tabs log in at the same moment.
"""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path
from typing import Any

from jupyter_core.paths import jupyter_data_dir
from jupyter_server.serverapp import ServerApp
from traitlets import Bool, Instance, default
from traitlets.config import Config

from ..common.environment import LaunchError
from ..common.translation import _
from . import home
from .fast_import import import_hub
from .place import PLACE, shell

_hub = import_hub()

POLICY = Config(
    {
        # These call services outside the cluster.
        "LabApp": {
            "extension_manager": "readonly",
            "news_url": None,
            "check_for_updates_class": "jupyterlab.handlers.announcements.NeverCheckForUpdate",
        },
        # Who may run sessions is decided before this process exists: by the gateway and by Slurm.
        "ServerApp": {
            "allow_root": True,
            "kernel_websocket_connection_class": "fabric_lab.server.kernels.SessionChannels",
        },
        # Nobody else on the node reaches a kernel.
        "AsyncMappingKernelManager": {"kernel_manager_class": "fabric_lab.server.kernels.SessionKernel"},
    }
)


class SessionLogin(_hub.HubOAuth):  # type: ignore[name-defined, misc]
    """JupyterHub's login of a browser to this session, of two tabs at once, too.

    A login leaves its state in a cookie, and JupyterHub takes another name for the cookie where the request brings one
    of another login. Two tabs that are opened at the same moment bring none: the second answer's cookie takes the place
    of the first one's, and that tab is told "oauth state does not match".
    """

    def set_state_cookie(self, handler: Any, next_url: str | None = None, **more: Any) -> str:
        """Under a name of its own while another login may be under way in any browser."""
        under_way = len(self._oauth_states) > 0
        return str(super().set_state_cookie(_Beside(handler) if under_way else handler, next_url, **more))


class _Beside:
    """A request's handler, as one to which the browser has brought the cookie of another login."""

    def __init__(self, handler: Any) -> None:
        self._handler = handler

    def __getattr__(self, name: str) -> Any:
        return getattr(self._handler, name)

    def get_cookie(self, _name: str) -> str:
        return "another login"


_hub.HubOAuth = SessionLogin  # type: ignore[attr-defined] # which its identity provider makes


class SessionServer(ServerApp):
    """Jupyter Server on a socket that the launcher has bound, with POLICY above every file."""

    listener = Instance(socket.socket)
    no_browser_open_file = Bool(True)  # it would hold the session's token

    def parse_command_line(self, argv: list[str] | None = None) -> None:
        super().parse_command_line(argv)
        self._impose(POLICY)
        if os.environ.get("FABRIC_RESCUE"):
            from .rescue import CONTENTS

            self._impose(Config({"FileContentsManager": CONTENTS}))

    def _impose(self, policy: Config) -> None:
        self.cli_config.merge(policy)  # Jupyter merges this last, over the files
        self.update_config(policy)

    @default("kernel_spec_manager_class")
    def _image_first(self) -> str:
        return "fabric_lab.server.kernels.SessionKernelspecs"

    @default("kernel_manager_class")
    def _busy_until_a_cell_ends(self) -> str:
        return "fabric_lab.server.kernels.SessionKernels"

    def find_server_extensions(self) -> None:
        self.log.addHandler(home.noted)  # not sooner: settings of the log remove what handlers it has
        super().find_server_extensions()

    def load_server_extensions(self) -> None:
        own = Path(jupyter_data_dir(), "labextensions")
        links = Path(os.environ[PLACE], "labextensions")
        self.broken_lab_extensions: dict[str, str] = {}
        for app in {app for apps in self.extension_manager.extension_apps.values() for app in apps}:
            if hasattr(app, "labextensions_path"):
                found = home.without_broken(app.labextensions_path, own, links / app.name)
                app.labextensions_path, self.broken_lab_extensions = found
        super().load_server_extensions()

    def server_info(self) -> dict[str, Any]:
        """What Jupyter writes to a file in the user's home: everything but the token."""
        return super().server_info() | {"token": ""}

    def _signal_stop(self, sig: Any, frame: Any) -> None:
        # Jupyter logs first, in the handler itself: when the signal came in the middle of a line of the
        # log, that fails ("reentrant call") and the server never stops
        stop = super()._signal_stop
        self.io_loop.asyncio_loop.call_soon_threadsafe(stop, sig, frame)  # type: ignore[attr-defined]

    def _find_http_port(self) -> None:
        """The port is ours already: nothing to find."""

    def _bind_http_server_tcp(self) -> bool:
        self.listener.listen(128)
        self.http_server.add_socket(self.listener)
        return True

    def init_webapp(self) -> None:
        if not isinstance(self.identity_provider, _hub.JupyterHubIdentityProvider):
            raise LaunchError(
                _("JupyterHub's login is not in place (see the lines above): this server will not start.")
            )
        super().init_webapp()
        if "shell_command" not in self.terminado_settings and (command := shell(os.environ)):
            self.terminado_settings = {**self.terminado_settings, "shell_command": command}


class SessionHub(_hub.JupyterHubSingleUser):  # type: ignore[name-defined, misc]
    """JupyterHub's server extension; whether the hub answers is looked at after the start, not during it."""

    serverapp_class = SessionServer

    @classmethod
    def get_extension_package(cls) -> str:
        return __name__

    async def check_hub_version(self) -> None:
        """Only compares versions for a warning, but the original ends the server when the hub is restarting."""

    async def compare_versions(self) -> None:
        """Warn in the log when hub and session run different releases; a silent hub is not our business."""
        from jupyterhub._version import __version__, _check_version  # type: ignore[import-untyped, unused-ignore]

        try:
            response = await _hub.fetch(self.hub_auth.api_url, **self.hub_http_client_opts)
        except Exception as error:
            self.log.info("The hub's version is not known: %s", error)
        else:
            _check_version(response.headers.get("X-JupyterHub-Version"), __version__, self.log)

    async def keep_activity_updated(self) -> None:
        await asyncio.sleep(1)  # the first report loads an HTTP client: not while the person waits for the first page
        await super().keep_activity_updated()


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    return [{"module": __name__, "app": SessionHub}]


def make_server(listener: socket.socket) -> ServerApp:
    """Configure, not yet start, the one Jupyter Server of this process.

    :param listener: a bound TCP socket, not yet listening.
    :raises LaunchError: JupyterHub's login is not in place.
    """
    home.note_files()
    return SessionHub.initialize_server(argv=[], listener=listener)  # type: ignore[no-any-return]
