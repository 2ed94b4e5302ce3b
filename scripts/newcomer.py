"""What a newcomer does after `make setup`: `make run`, log in, open a session, run a cell, stop, and end it all.

    sudo .venv/bin/python -m scripts.generations --newcomer

runs this in a fresh root of each release; it has the packages of running alone, and leaves nothing of the run.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

USER = "researcher"
# generous: the first start builds an image, also where a processor is emulated
START_S, READY_S, CELL_S, END_S = 3600, 900, 300, 300


def until(look: Callable[[], Any], what: str, limit_s: float) -> Any:
    """The first true answer.

    :raises SystemExit: there was none within ``limit_s`` seconds.
    """
    end = time.monotonic() + limit_s
    while not (found := look()):
        if time.monotonic() > end:
            raise SystemExit(f"After {limit_s:.0f} s still not: {what}")
        time.sleep(0.5)
    return found


def start(options: list[str]) -> tuple[subprocess.Popen[str], str]:
    """`make run` in the foreground of its own terminal; all that it printed up to how it is ended.

    :param options: of ``fabric-hub up``.
    """
    run = subprocess.Popen(
        ["make", "run", f"UP={shlex.join(options)}"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert run.stdout is not None
    signal.alarm(START_S)
    said = ""
    for line in run.stdout:
        print(f"    {line}", end="", flush=True)
        said += line
        if line.startswith("End it with"):
            signal.alarm(0)
            return run, said
    raise SystemExit(f"`make run` ended with status {run.wait()}")


def log_in(address: str, password: str) -> httpx.Client:
    """A browser without JavaScript, logged in by the form."""
    browser = httpx.Client(base_url=address, follow_redirects=True, timeout=60)
    browser.get("/hub/login").raise_for_status()
    form = {"username": USER, "password": password, "_xsrf": browser.cookies["_xsrf"]}
    browser.post("/hub/login", data=form).raise_for_status()
    return browser


async def cell(url: str, token: str, code: str) -> str:
    """What a cell prints in a kernel, by its channels' address."""
    socket = await websocket_connect(HTTPRequest(url, headers={"Authorization": f"token {token}"}))
    header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "session": uuid.uuid4().hex, "version": "5.4"}
    content = {"code": code, "silent": False, "store_history": False, "allow_stdin": False, "stop_on_error": True}
    message = {"header": {**header, "username": ""}, "parent_header": {}, "metadata": {}, "content": content}
    await socket.write_message(json.dumps({**message, "channel": "shell"}))
    printed = ""
    while (answer := await socket.read_message()) is not None:
        found = json.loads(answer)
        if found["parent_header"].get("msg_id") != header["msg_id"]:
            continue
        if found["msg_type"] == "stream":
            printed += found["content"]["text"]
        elif found["msg_type"] == "error":
            printed += "\n".join(found["content"]["traceback"])
        elif found["msg_type"] == "status" and found["content"]["execution_state"] == "idle":
            break  # comes after all that was printed
    socket.close()
    return printed


def session(address: str, password: str, which: list[str]) -> None:
    """Start a session, run a cell in it, stop it.

    :param which: the options that name the run to ``fabric-hub``.
    :raises SystemExit: something was not as it should be.
    """
    log_in(address, password).get("/hub/home").raise_for_status()
    token = subprocess.run(
        [".venv/bin/fabric-hub", "token", *which, USER], stdout=subprocess.PIPE, text=True, check=True
    ).stdout.strip()
    api = httpx.Client(base_url=address, headers={"Authorization": f"token {token}"}, timeout=60)
    api.post(f"/hub/api/users/{USER}/server", json={}).raise_for_status()

    def server() -> dict[str, Any]:
        found: dict[str, Any] = api.get(f"/hub/api/users/{USER}").json()["servers"].get("", {})
        return found

    until(lambda: server().get("ready"), "the session is ready", READY_S)
    api.get(f"/user/{USER}/lab", follow_redirects=True).raise_for_status()
    kernel = api.post(f"/user/{USER}/api/kernels", json={"name": "python3"})
    kernel.raise_for_status()
    channels = f"{address.replace('http', 'ws', 1)}/user/{USER}/api/kernels/{kernel.json()['id']}/channels"
    code = "import os, sys; print(os.getuid(), sys.version.split()[0], 6 * 7)"
    printed = asyncio.run(asyncio.wait_for(cell(channels, token, code), CELL_S))
    if not re.fullmatch(r"\d+ 3\.\d+\.\d+\S* 42\n", printed):
        raise SystemExit(f"A cell printed {printed!r}")
    print(f"A cell ran in a session: uid, Python and answer {printed}", end="", flush=True)
    api.delete(f"/hub/api/users/{USER}/server").raise_for_status()
    until(lambda: not server(), "the session has stopped", END_S)


def processes(place: Path) -> list[str]:
    """The command lines that name a directory."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        # process 1 is the root's own shell, whose words name what it was given to run
        if str(place) in words and int(entry.name) not in (1, os.getpid()):
            found.append(words)
    return found


def main() -> int:
    """0 when all of it worked."""
    run, said = start(sys.argv[1:])
    [address] = re.findall(r"is ready: (\S+)", said)
    [password] = re.findall(rf"^  {USER} +(\S+)", said, re.MULTILINE)
    [down] = re.findall(r"from another terminal: (.+)", said)
    [logs] = re.findall(r"^Logs: +(\S+)", said, re.MULTILINE)
    place = Path(logs).parent
    session(address, password, shlex.split(down)[2:])
    subprocess.run(shlex.split(down), check=True, timeout=END_S)
    assert run.stdout is not None
    signal.alarm(END_S)
    for line in run.stdout:
        print(f"    {line}", end="", flush=True)
    if status := run.wait():
        raise SystemExit(f"`make run` ended with status {status}")
    if left := processes(place):
        raise SystemExit(f"Processes are left: {left}")
    subprocess.run([*shlex.split(down), "--purge"], check=True, timeout=END_S)
    if place.exists():
        raise SystemExit(f"{place} is left")
    print("All of it worked, and nothing is left.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
