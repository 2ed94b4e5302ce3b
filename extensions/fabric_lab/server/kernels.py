"""Kernels of a session: nobody else on the node can reach them, and the image's come first.

A kernel's five sockets are Unix sockets in the session's own directory (:mod:`..launch.place`), which only its user
can enter: TCP ports of 127.0.0.1 answer to everybody on the node, and the messages on iopub are signed, but not secret.
The debugger is off: debugpy listens on such a port, lives on after the debugger was closed, and whoever reaches it runs
code as the kernel's user. Both hold for every kernel that this server starts, also for those of the home directory.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager, NoSuchKernel
from jupyter_client.session import Session
from jupyter_server.services.kernels.connection.base import deserialize_binary_message, deserialize_msg_from_ws_v1
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager, ServerKernelManager
from tornado.web import HTTPError
from traitlets import Bool, CaselessStrEnum, Unicode

from ..common.translation import _, sentences
from ..launch import home

# What the name of a kernel in the home ends with where the image has one of the same name.
HOME = "-home"


class SessionKernel(ServerKernelManager):
    """One kernel. Its transport is no setting: what a file of the home directory says of it does not count."""

    transport = CaselessStrEnum(["ipc"], default_value="ipc")
    ip = Unicode(help="How the paths of its sockets begin.")

    def _ip_default(self) -> str:
        # not the connection file's name: the path of a Unix socket has at most 107 bytes
        return os.path.join(os.path.dirname(self.connection_file), f"k-{secrets.token_hex(6)}")

    def format_kernel_cmd(self, extra_arguments: list[str] | None = None) -> list[str]:
        """The command; one that begins with "python" means the session's own environment (:mod:`..common.overlay`)."""
        assert self.kernel_spec is not None
        command: list[str] = super().format_kernel_cmd(extra_arguments)
        if command and command[0] != self.kernel_spec.argv[0]:
            command[0] = os.environ.get("FABRIC_PYTHON") or command[0]
        return command

    async def _async_launch_kernel(self, kernel_cmd: list[str], **kwargs: Any) -> None:
        try:
            await super()._async_launch_kernel(kernel_cmd, **kwargs)
        except OSError as error:
            spec = self.kernel_spec
            where = spec.resource_dir if spec else ""
            message = sentences(
                _("Kernel {name} cannot be started: {file}: {error}.").format(
                    name=self.kernel_name, file=error.filename or "", error=error.strerror
                ),
                _("Its specification is in {directory}.").format(directory=where) if where else "",
                _("Choose another kernel, or mend or remove that directory."),
            )
            raise HTTPError(409, message) from error


class AtWork:
    """What a kernel does, from the states that it publishes for the requests that it was sent. Pure.

    A shell does one thing after another; a kernel may have several of them (subshells).
    """

    # What goes over the control channel says nothing of the shells, which work on meanwhile.
    ASIDE = frozenset({"create_subshell_request", "delete_subshell_request", "list_subshell_request", "usage_request"})

    def __init__(self) -> None:
        self._shells: dict[str, str] = {}

    def hears(self, state: str, parent: Mapping[str, Any]) -> str | None:
        """The kernel's state from now on, "busy" or "idle"; None where this says nothing of it.

        :param state: published for the request with the header ``parent``.
        """
        if parent.get("msg_type") in self.ASIDE:
            return None
        shell, request = str(parent.get("subshell_id") or ""), str(parent.get("msg_id"))
        if state == "busy":
            self._shells[shell] = request
        elif state == "idle" and self._shells.get(shell) == request:
            del self._shells[shell]
        return "busy" if self._shells else "idle"


class SessionKernels(AsyncMappingKernelManager):
    """The kernels of a session. One that runs a cell is busy until that cell ends.

    Jupyter Server takes a kernel for idle as soon as anything else that it was asked has been answered. JupyterLab asks
    for a subshell while the first cell runs: what then computes for hours would be idle to whoever looks for work.
    """

    def start_watching_activity(self, kernel_id: str) -> None:
        """Keep ``execution_state`` and ``last_activity`` of a kernel, from what it publishes."""
        kernel: Any = self.get_kernel(kernel_id)
        kernel.reason = ""
        kernel.last_activity = datetime.now(UTC)
        kernel._activity_stream = kernel.connect_iopub()
        session = Session(config=kernel.session.config, key=kernel.session.key)
        at_work, tracked = AtWork(), cast("Callable[[str | None], bool]", self.track_message_type)

        def record(frames: list[Any]) -> None:
            _identities, parts = session.feed_identities(frames)
            message = session.deserialize(parts)
            kind, parent = message["header"]["msg_type"], message.get("parent_header") or {}
            asked = parent.get("msg_type")
            if tracked(kind) or tracked(asked) or kernel.execution_state == "busy":
                self.last_kernel_activity = kernel.last_activity = datetime.now(UTC)
            if kind != "status":
                return
            state = message["content"]["execution_state"]
            if asked and tracked(asked):
                kernel.execution_state = at_work.hears(state, parent) or kernel.execution_state
            elif kernel.execution_state == "starting" and state != "starting":
                kernel.execution_state = "idle"

        kernel._activity_stream.on_recv(record)


class SessionKernelspecs(KernelSpecManager):
    """The image's kernels under their own names, and the home directory's beside them."""

    def find_kernel_specs(self) -> dict[str, str]:
        found: dict[str, str] = super().find_kernel_specs()
        return found | {f"{name}{HOME}": path for name, path in self._hidden(found).items()}

    def _hidden(self, found: dict[str, str]) -> dict[str, str]:
        """Kernels of the home directory that another one of the same name stands before."""
        own = Path(self.user_kernel_dir)
        try:
            there = {path.name.lower(): str(path) for path in sorted(own.iterdir()) if (path / "kernel.json").is_file()}
        except OSError:
            return {}
        return {name: path for name, path in there.items() if name in found and found[name] != path}

    def unreadable(self) -> dict[str, str]:
        """Directories of kernels in the home that no list shows, each with what is wrong with it."""
        found: dict[str, str] = {}
        try:
            there = sorted(Path(self.user_kernel_dir).iterdir())
        except OSError:
            return {}
        for path in there:
            if path.is_symlink() and not os.path.exists(path):
                found[str(path)] = _("it is a link to {target}, which is not there").format(target=os.readlink(path))
            elif os.path.isfile(path / "kernel.json"):
                try:
                    self._get_kernel_spec_by_name(path.name.lower(), str(path)).to_dict()
                except NoSuchKernel:
                    found[str(path)] = _("its kernel.json wants a kernel provisioner that this image does not have")
                except Exception as error:  # whatever is in the file
                    found[str(path)] = home.words(error)
        return found

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        hidden = self._hidden(super().find_kernel_specs()) if kernel_name.endswith(HOME) else {}
        path = hidden.get(kernel_name.removesuffix(HOME).lower())
        if path is None:
            spec: KernelSpec = super().get_kernel_spec(kernel_name)
        else:
            spec = self._get_kernel_spec_by_name(kernel_name, path)
            spec.display_name = _("{kernel} (home directory)").format(kernel=spec.display_name)
        if not self.config.get(SessionChannels.__name__, {}).get("debugger", False):
            spec.metadata = {**spec.metadata, "debugger": False}
        return spec


class SessionChannels(ZMQChannelsWebsocketConnection):
    """A browser's connection to a kernel."""

    debugger = Bool(
        False,
        config=True,
        help="Let notebooks use the debugger. While it is on, and after it was, whoever else has an account on this "
        "node can run code as you: switch it on only where you have the node to yourself.",
    )

    def handle_incoming_message(self, incoming_msg: Any) -> None:
        if not self.debugger and self._debugs(incoming_msg):
            self.log.warning("The debugger is off in sessions: others on this node could use it, too.")
            return
        super().handle_incoming_message(incoming_msg)

    def _debugs(self, message: Any) -> bool:
        """Whether a message asks the kernel's debugger for something; what cannot be read, the kernel cannot either."""
        try:
            if self.subprotocol == "v1.kernel.websocket.jupyter.org":
                header = json.loads(deserialize_msg_from_ws_v1(message)[1][0])
            elif isinstance(message, bytes):
                header = deserialize_binary_message(message)["header"]
            else:
                header = json.loads(message)["header"]
            return bool(header["msg_type"] == "debug_request")
        except (ValueError, KeyError, TypeError, IndexError):
            return False
