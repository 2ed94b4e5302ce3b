"""Somebody else waits for the ports of hub and proxy while their owners are killed."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support.small_site import SmallSite
from tests.support.thief import as_stranger, getting_none_of
from tests.support.waiting import until

pytestmark = pytest.mark.hub


def _children(pid: int) -> dict[str, int]:
    """The hub's proxy and service."""
    numbers = map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    told = {number: Path(f"/proc/{number}/cmdline").read_bytes() for number in numbers}
    return {
        name: number
        for number, line in told.items()
        for name, word in (("proxy", b"configurable-http-proxy"), ("service", b"fabric_hub.service"))
        if word in line
    }


def test_nobody_gets_a_port_through_the_death_of_each_process(new_site: Callable[..., SmallSite]) -> None:
    site = new_site(held=True)
    hub = site.settings.hub

    def pages() -> bool:
        with suppress(httpx.HTTPError):
            paths = ("/hub/api/", "/services/fabric/api/health")
            return all(site.http.get(path).status_code == 200 for path in paths)
        return False

    with getting_none_of(urlsplit(hub.bind_url).port or 0, hub.hub_port):
        os.kill(_children(site.pid)["proxy"], signal.SIGKILL)
        # the hub looks after its proxy every five seconds; who comes meanwhile waits
        until(lambda: _children(site.pid).get("proxy"), "the hub starts another proxy", 60)
        until(pages, "hub and service answer through it", 60)
        os.kill(_children(site.pid)["service"], signal.SIGKILL)
        site.kill()
        site.up()


def test_nobody_else_enters_where_the_proxys_api_and_the_service_listen(site: SmallSite) -> None:
    hub = site.settings.hub
    for path in (hub.service_socket, hub.proxy_api_socket):
        assert path.is_socket()
    assert hub.socket_dir.stat().st_mode & 0o077 == 0
    tcp = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout.splitlines()
    numbers = [f"pid={number}," for number in (site.pid, *_children(site.pid).values())]
    ports = {line.split()[3].rpartition(":")[2] for line in tcp if any(number in line for number in numbers)}
    assert ports == {str(urlsplit(hub.bind_url).port), str(hub.hub_port)}
    if os.geteuid() == 0:
        listed = subprocess.run(as_stranger("ls", str(hub.socket_dir)), capture_output=True, check=False)
        assert listed.returncode == 2
