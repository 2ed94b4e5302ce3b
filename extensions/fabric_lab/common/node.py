"""What the node says of datasets: one line of JSON each way, on its Unix socket.

The kernel tells the other end who asks (SO_PEERCRED), and the node decides by its own grants: what is sent here
is a wish. Cheap to import, for the launcher asks before anything else.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, NamedTuple

from .environment import of_job
from .lines import one_line
from .translation import N_, SOURCE, _, language, sentences

SOCKET = "FABRIC_NODE_SOCKET"
DATA = "FABRIC_DATA_DIR"
LONGEST_ANSWER = 1 << 20  # bytes; an answer names at most some hundreds of datasets
NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
VERSION = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z._-]{0,30}[0-9A-Za-z])?")

Verb = Literal["open", "close", "list"]
CHOSEN = "FABRIC_DATASETS"
LONGEST_WAIT_S = 5.0


# What the node, which speaks English, means by its labels.
REFUSALS = {
    "unknown": N_("There is no published dataset {name}."),
    "expired": N_("The grant of {name} has ended. Ask for a new one."),
    "not-granted": N_(
        "{name} is not granted to this session's project, or its agreement is not accepted yet. "
        "See the hub's page Datasets."
    ),
}


class NodeError(Exception):
    """The node gave no answer that can be used; the text says why, for a person."""


class Opened(NamedTuple):
    """A dataset that this session may read. ``path`` holds one directory per version; ``files`` is that of this one."""

    dataset: str
    version: str | None
    path: str

    @property
    def files(self) -> str:
        return f"{self.path}/{self.version or 'latest'}"


class Refused(NamedTuple):
    """A dataset that the node does not open, and why: a short label, and a sentence."""

    dataset: str
    reason: str
    message: str


class NodeAnswer(NamedTuple):
    """``enforced`` is False where nothing keeps others from reading (a run without root), None where it is not said."""

    opened: tuple[Opened, ...] = ()
    refused: tuple[Refused, ...] = ()
    enforced: bool | None = None


def request(environment: Mapping[str, str], verb: Verb, names: Iterable[str] = ()) -> tuple[str, bytes]:
    """Where to ask, and what.

    :raises NodeError: this is no session with datasets.
    """
    address = environment.get(SOCKET, "")
    job = of_job(environment, "SLURM_JOB_ID")
    if not address:
        raise NodeError(_("This session's node opens no datasets: it runs no dataset service."))
    if not job.isdecimal():
        raise NodeError(_("Datasets are opened for Slurm jobs only, and this session is none."))
    body: dict[str, Any] = {"verb": verb, "job": int(job), "datasets": [*names]}
    return address, json.dumps(body).encode() + b"\n"


def plain(environment: Mapping[str, str], verb: Verb, names: Iterable[str]) -> NodeAnswer | None:
    """The answer where datasets are plain directories, as in a run without root; None where a service is to be asked.

    :raises NodeError: there is nothing to close.
    """
    data = environment.get(DATA, "")
    if environment.get(SOCKET) or not data:
        return None
    if verb == "close":
        raise NodeError(_("Datasets are plain directories here: they are always there, and none can be dropped."))
    try:
        wanted = sorted(filter(NAME.fullmatch, os.listdir(data))) if verb == "list" else [*names]
    except OSError as error:
        raise NodeError(
            _("The datasets' directory {directory} cannot be read ({error}).").format(
                directory=data, error=error.strerror
            )
        ) from error
    there = [name for name in wanted if os.access(f"{data}/{name}/latest", os.R_OK | os.X_OK)]
    return NodeAnswer(
        tuple(Opened(name, _latest(f"{data}/{name}"), f"{data}/{name}") for name in there),
        tuple(
            Refused(
                name,
                "unusable",
                _("There is no directory {directory} that this account may read.").format(
                    directory=f"{data}/{name}/latest"
                ),
            )
            for name in wanted
            if verb == "open" and name not in there
        ),
        enforced=False,
    )


def _latest(path: str) -> str | None:
    try:
        version = os.readlink(f"{path}/latest")
    except OSError:
        return None
    return version if VERSION.fullmatch(version) else None


def parse(line: bytes) -> NodeAnswer:
    """An answer; entries that name no dataset are left out.

    :raises NodeError: the node answers with an error, or nothing that can be read.
    """
    try:
        body = json.loads(line)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise NodeError(_("The node's dataset service gave an answer that cannot be read. Its log says more."))
    refusal = body.get("error", body)
    if "opened" not in body:
        message = one_line(refusal.get("message") if isinstance(refusal, dict) else refusal)
        raise NodeError(message or _("The node's dataset service did not say what is open. Its log says more."))
    enforced = body.get("enforced")
    return NodeAnswer(
        tuple(_opened(body.get("opened"))),
        tuple(_refused(body.get("refused"))),
        enforced if isinstance(enforced, bool) else None,
    )


def _entries(value: object) -> Iterable[dict[str, Any]]:
    for entry in value if isinstance(value, list) else ():
        if isinstance(entry, dict) and isinstance(name := entry.get("dataset"), str) and NAME.fullmatch(name):
            yield entry


def _opened(value: object) -> Iterable[Opened]:
    for entry in _entries(value):
        path, version = entry.get("path"), entry.get("version")
        if isinstance(path, str) and path.startswith("/") and path.isprintable():
            known = isinstance(version, str) and VERSION.fullmatch(version)
            yield Opened(entry["dataset"], version if known else None, path.rstrip("/"))


def _refused(value: object) -> Iterable[Refused]:
    for entry in _entries(value):
        reason = one_line(entry.get("reason"), 40)
        message = one_line(entry.get("message"))
        if reason in REFUSALS and language() != SOURCE:
            message = _(REFUSALS[reason]).format(name=entry["dataset"])
        message = message or _("The node refuses it ({reason}).").format(reason=reason)
        yield Refused(entry["dataset"], reason, message)


def _unanswered(address: str, error: Exception) -> NodeError:
    late = isinstance(error, TimeoutError)
    why = _("it gave no answer in time") if late else str(getattr(error, "strerror", "") or error)
    return NodeError(
        _(
            "The dataset service of {node} cannot be reached at {address} ({why}). Datasets that are open stay open."
        ).format(node=of_job(os.environ, "SLURMD_NODENAME") or _("this node"), address=address, why=why)
    )


def ask(environment: Mapping[str, str], verb: Verb, names: Iterable[str] = (), *, timeout_s: float = 5.0) -> NodeAnswer:
    """Ask the node, in at most ``timeout_s`` seconds in all.

    :raises NodeError: no answer, in words.
    """
    if (answer := plain(environment, verb, names)) is not None:
        return answer
    address, line = request(environment, verb, names)
    until = time.monotonic() + timeout_s
    received = b""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as node:
            node.settimeout(timeout_s)
            node.connect(address)
            node.sendall(line)
            while b"\n" not in received and len(received) < LONGEST_ANSWER:
                node.settimeout(max(0.001, until - time.monotonic()))
                if not (chunk := node.recv(1 << 16)):
                    break
                received += chunk
    except OSError as error:
        raise _unanswered(address, error) from error
    return parse(received)


async def ask_async(
    environment: Mapping[str, str], verb: Verb, names: Iterable[str] = (), *, timeout_s: float = 10.0
) -> NodeAnswer:
    """As :func:`ask`, beside other work of an event loop."""
    if (answer := plain(environment, verb, names)) is not None:
        return answer
    address, line = request(environment, verb, names)
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_unix_connection(address, limit=LONGEST_ANSWER)
            try:
                writer.write(line)
                await writer.drain()
                received = await reader.readline()
            finally:
                writer.close()
    except OSError as error:
        raise _unanswered(address, error) from error
    except ValueError:  # longer than the limit
        received = b""
    return parse(received)


def chosen(environment: Mapping[str, str]) -> list[str]:
    """The datasets that were chosen when the session was started, each once."""
    names = (name.strip() for name in environment.get(CHOSEN, "").split(","))
    return [*dict.fromkeys(name for name in names if NAME.fullmatch(name))]


def lines(names: list[str], answer: NodeAnswer) -> list[str]:
    """What the log says: one line for each dataset that was asked for."""
    opened = {one.dataset: one for one in answer.opened}
    refused = {one.dataset: one for one in answer.refused}
    said = []
    for name in names:
        if name in opened:
            said.append(_("Dataset {name} is open: {path}").format(name=name, path=opened[name].files))
        elif name in refused:
            said.append(not_open(name, refused[name].message))
        else:
            said.append(not_open(name, _("The node's dataset service did not say why.")))
    if opened and answer.enforced is False:
        said.append(_("On this cluster nothing but good manners keeps others from reading these datasets."))
    return said


def not_open(name: str, why: str) -> str:
    """What the log says of one dataset; ``why`` is a sentence."""
    return sentences(_("Dataset {name} is not open.").format(name=name), why)


def open_chosen(
    environment: Mapping[str, str], say: Callable[[str], None], *, timeout_s: float = LONGEST_WAIT_S
) -> None:
    """Ask the node to open the session's datasets, for at most ``timeout_s`` seconds.

    :param say: takes one line of the log at a time.
    """
    names = chosen(environment)
    try:
        answer = ask(environment, "open", names, timeout_s=timeout_s)
    except NodeError as error:
        for name in names:
            say(not_open(name, str(error)))
    else:
        for line in lines(names, answer):
            say(line)
