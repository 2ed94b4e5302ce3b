"""The hub's proxy, as its own process, on a machine with much to do."""

from __future__ import annotations

import secrets
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from jupyterhub.app import JupyterHub
from jupyterhub.objects import Hub

from fabric_hub.hub.proxy import FabricProxy, unix_url

PROGRAM = Path(sys.executable).with_name("configurable-http-proxy")
LATE_S = 11  # JupyterHub waits for ten


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[Callable[[str], FabricProxy]]:
    """``proxy(script)``: one whose program is a shell's script."""
    made: list[FabricProxy] = []
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"http://127.0.0.1:{free.getsockname()[1]}/"

    def make(script: str) -> FabricProxy:
        one = FabricProxy(
            app=JupyterHub(), hub=Hub.from_url("http://127.0.0.1:1/hub/"), public_url=address,
            api_url=unix_url(tmp_path / "api.sock"), auth_token=secrets.token_hex(), pid_file=str(tmp_path / "pid"),
            command=["/bin/sh", "-c", script, "sh"],
        )  # fmt: skip
        made.append(one)
        return one

    yield make
    for one in made:
        one.stop()
        one.proxy_process.wait()
        if one._public:
            one._public.close()


@pytest.mark.long
async def test_a_proxy_that_starts_late_is_waited_for_and_looked_after(proxy: Callable[[str], FabricProxy]) -> None:
    late = proxy(f'sleep {LATE_S}; exec {PROGRAM} "$@"')
    await late.start()
    assert late.proxy_process.poll() is None
    assert await late.get_all_routes() == {}
    assert late._check_running_callback.is_running()


async def test_a_proxy_that_ends_while_it_starts_is_not_waited_for(proxy: Callable[[str], FabricProxy]) -> None:
    with pytest.raises(RuntimeError, match="exit code 7"):
        await proxy("exit 7").start()
