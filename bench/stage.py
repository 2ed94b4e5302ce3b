"""``python -m bench.stage SOCKET HUB_ID``: a fake gateway; its jobs start at once, each a tiny server that announces.

What remains of a start is the hub's own work, which is what the benchmark `hub` is about.
"""

from __future__ import annotations

import asyncio
import signal
import ssl
import sys
import tempfile
from pathlib import Path

import httpx

from fabric_hub.gateway.server import serve
from fabric_hub.slurm.model import Job, SubmitRequest
from tests.support.gateway import FakeGateway

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 19\r\nConnection: close\r\n\r\n"
ANSWER = HEAD + b'{"version":"bench"}'


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one request; which one does not matter."""
    try:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWER)
        await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass  # the hub only looked whether the port is open
    finally:
        writer.close()


def context(request: SubmitRequest, purpose: ssl.Purpose) -> ssl.SSLContext | None:
    """The session's own TLS, from the certificates that the hub gave it; None without internal TLS.

    :param purpose: towards its callers (CLIENT_AUTH) or the hub (SERVER_AUTH).
    """
    files = {file.name: file.content for file in request.files}
    if "ssl.key" not in files:
        return None
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        for file, text in files.items():
            (directory / file).write_text(text)
        made = ssl.create_default_context(purpose, cafile=str(directory / "ssl-ca.crt"))
        made.load_cert_chain(directory / "ssl.crt", directory / "ssl.key")
    made.verify_mode = ssl.CERT_REQUIRED
    return made


async def session(http: httpx.AsyncClient, request: SubmitRequest) -> None:
    """Serve on a free port and announce it, as a session's launcher does."""
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context(request, ssl.Purpose.CLIENT_AUTH))
    port = server.sockets[0].getsockname()[1]
    mine = context(request, ssl.Purpose.SERVER_AUTH)
    client = httpx.AsyncClient(verify=mine, trust_env=False, timeout=60) if mine else http
    told = await client.post(
        f"{request.environment['FABRIC_SERVICE_URL']}/session/ready",
        headers={"Authorization": f"token {request.environment['JUPYTERHUB_API_TOKEN']}"},
        json={"port": port},
    )
    if told.status_code != 204:
        raise SystemExit(f"announcing: {told.status_code} {told.text[:300]}")
    await server.serve_forever()


async def main() -> None:
    """Serve until a signal arrives."""
    socket, hub = Path(sys.argv[1]), sys.argv[2]
    stop, ready = asyncio.Event(), asyncio.Event()
    sessions: set[asyncio.Task[None]] = set()
    async with httpx.AsyncClient(trust_env=False, timeout=60) as http:

        def started(_job: Job, request: SubmitRequest) -> None:
            sessions.add(asyncio.create_task(session(http, request)))

        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await serve(FakeGateway(hub, on_submit=started), socket, stop, ready)
        for task in sessions:
            task.cancel()


if __name__ == "__main__":
    asyncio.run(main())
