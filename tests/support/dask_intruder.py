"""Run as another Unix user on the node of a cluster: tries every door, and prints those that opened, as JSON.

Standard input: {"scheduler", "servers", "pages", "directory", "files", "pids", "sockets", "key"}; ``key`` is the
directory of a key pair to try with, or null for one of the intruder's own.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import ssl
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

LIMIT_S = 5.0


async def ask(address: str, arguments: dict[str, Any]) -> object:
    """A question that scheduler, worker and nanny answer."""
    from distributed.core import rpc

    async with rpc(address, timeout=LIMIT_S, connection_args=arguments) as peer:
        return await asyncio.wait_for(peer.identity(), LIMIT_S)


def page(place: str, context: ssl.SSLContext | None) -> bytes:
    """What a web server says to anybody, or to who has the context's key."""
    host, _, port = place.rpartition(":")
    with socket.create_connection((host, int(port)), LIMIT_S) as plain:
        connection = context.wrap_socket(plain, server_hostname=host) if context else plain
        with connection:
            connection.sendall(b"GET /health HTTP/1.0\r\n\r\n")
            answer = connection.recv(1000)
    if b" 200 " not in answer:
        raise OSError(answer)
    return answer


def trusting(certificate: Path | None, key: Path | None) -> ssl.SSLContext:
    """Believes any server; shows a certificate where there is one."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if certificate and key:
        context.load_cert_chain(certificate, key)
    return context


def listing(directory: str) -> object:
    return os.listdir(directory)


def contents(path: str) -> object:
    return Path(path).read_bytes()


def knock(name: str) -> object:
    with socket.socket(socket.AF_UNIX) as local:
        local.settimeout(LIMIT_S)
        local.connect("\0" + name[1:] if name.startswith("@") else name)
    return True


def main() -> None:
    """Try everything."""
    told = json.load(sys.stdin)
    opened: list[str] = []

    def attempt(what: str, way: Callable[..., object]) -> None:
        with suppress(Exception):
            way()
            opened.append(what)

    with tempfile.TemporaryDirectory() as own:
        from distributed import Security

        made = Security.temporary()
        certificate, key = Path(own, "cert.pem"), Path(own, "key.pem")
        certificate.write_text(made.tls_ca_file)
        key.write_text(made.tls_client_key)
        if told["key"]:
            certificate, key = Path(told["key"], "cert.pem"), Path(told["key"], "key.pem")
        with_key = {"ssl_context": trusting(certificate, key), "require_encryption": True}
        without = {"ssl_context": trusting(None, None), "require_encryption": True}
        for address in [told["scheduler"], *told["servers"]]:
            plain = address.replace("tls://", "tcp://")
            attempt(f"{address} with a key", lambda address=address: asyncio.run(ask(address, with_key)))
            attempt(f"{address} without a key", lambda address=address: asyncio.run(ask(address, without)))
            attempt(f"{plain} without TLS", lambda plain=plain: asyncio.run(ask(plain, {})))
        for place in told["pages"]:
            attempt(f"https://{place} with a key", lambda place=place: page(place, trusting(certificate, key)))
            attempt(f"https://{place} without a key", lambda place=place: page(place, trusting(None, None)))
            attempt(f"http://{place}", lambda place=place: page(place, None))
        attempt(told["directory"], lambda: listing(told["directory"]))
        for path in told["files"]:
            attempt(path, lambda path=path: contents(path))
        for pid in told["pids"]:
            for part in ("environ", "mem", "maps", "auxv"):
                attempt(f"/proc/{pid}/{part}", lambda pid=pid, part=part: contents(f"/proc/{pid}/{part}"))
            attempt(f"/proc/{pid}/fd", lambda pid=pid: listing(f"/proc/{pid}/fd"))
            attempt(f"/proc/{pid}/cwd", lambda pid=pid: listing(f"/proc/{pid}/cwd/"))
            attempt(f"/proc/{pid}, a signal", lambda pid=pid: os.kill(pid, 0))
        for name in told["sockets"]:
            attempt(f"socket {name}", lambda name=name: knock(name))
    print("=>" + json.dumps(opened))


if __name__ == "__main__":
    main()
