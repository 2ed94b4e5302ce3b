"""What another user of the node tries on a session: to read its kernels, and to run code in them.

Gets as JSON on standard input the TCP ports and Unix sockets of the session's processes, and a file to write to;
prints as JSON what came back, by port or path. It needs pyzmq: the image's Python runs it.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from collections.abc import Mapping

import zmq

LISTEN_S = 1.5


def dap(command: str, arguments: Mapping[str, object], number: int) -> bytes:
    body = json.dumps({"seq": number, "type": "request", "command": command, "arguments": arguments}).encode()
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


def main() -> None:
    wanted = json.load(sys.stdin)
    context = zmq.Context()
    ends = [f"tcp://127.0.0.1:{port}" for port in wanted["ports"]] + [f"ipc://{path}" for path in wanted["paths"]]
    found: dict[str, str] = {}
    listening = {}
    for end in ends:
        listening[end] = context.socket(zmq.SUB)
        listening[end].setsockopt(zmq.SUBSCRIBE, b"")
        listening[end].setsockopt(zmq.LINGER, 0)
        listening[end].connect(end)
    print("listening", flush=True)
    until = time.monotonic() + LISTEN_S
    while time.monotonic() < until:
        for end, line in listening.items():
            if line.poll(20):
                found[end] = found.get(end, "") + repr(line.recv_multipart())
    evaluate = {"expression": f"open({wanted['file']!r}, 'w').write('ran')", "context": "repl"}
    talk = [
        ("initialize", {"clientID": "x", "adapterID": "python", "pathFormat": "path"}),
        ("attach", {}), ("configurationDone", {}), ("threads", {}), ("evaluate", evaluate),
    ]  # fmt: skip
    for port in wanted["ports"]:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as line:
                for number, (command, arguments) in enumerate(talk, 1):
                    line.sendall(dap(command, arguments, number))
                found[f"debugger on {port}"] = line.recv(4096).decode(errors="replace")
        except OSError:
            continue
    for path in wanted["paths"]:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(1)
            try:
                line.connect(path)
                found[path] = "connected " + repr(line.recv(100))
            except TimeoutError:
                found[path] = "connected"
            except OSError:
                continue
    print(json.dumps({end: said for end, said in found.items() if said}))


if __name__ == "__main__":
    main()
