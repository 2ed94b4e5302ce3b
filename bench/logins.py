"""People log in with their institution's account: here, and at a stock hub with a plain GenericOAuthenticator."""

from __future__ import annotations

import json
import os
import pwd
import re
import site as python_site
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path

import httpx

from fabric_dev import ports, processes
from fabric_hub.unix.proxy_program import find_proxy
from tests.support.catalogue_thread import CatalogueThread, settings_of
from tests.support.oidc_provider import OidcProvider
from tests.support.small_site import SmallSite
from tests.support.waiting import until

CONFIG = Path(__file__).with_name("login_peer_config.py")
WARM = 5


@dataclass
class Compared:
    """Milliseconds that each login took: the hub's answer to who asks for it, and to who comes back."""

    ours_ms: list[float] = field(default_factory=list)
    peer_ms: list[float] = field(default_factory=list)


def refused(page: str) -> str:
    """What a page says of a refusal."""
    said = re.search(r'id="refusal"[^>]*>(.*?)</p>', page, re.DOTALL)
    return unescape(said[1]) if said else page[-600:]


def took(provider: OidcProvider, address: str, subject: str, ask: Callable[[httpx.Client], str]) -> float:
    """A person's first login; how long the hub took over its part of it, in seconds.

    :param ask: has the page with the choice, if there is one; where the login begins.
    :raises RuntimeError: they are not in.
    """
    with httpx.Client(base_url=address, timeout=60, trust_env=False) as browser:
        begin = ask(browser)
        at = time.monotonic()
        sent = browser.get(begin)
        left = time.monotonic() - at
        if sent.status_code != httpx.codes.FOUND:
            raise RuntimeError(f"{begin}: {sent.status_code}, {sent.text[:300]}")
        back = provider.agree(browser, sent.headers["location"], subject)
        at = time.monotonic()
        come = browser.get(back)
        returned = time.monotonic() - at
        if come.status_code != httpx.codes.FOUND or "/login" in come.headers["location"]:
            raise RuntimeError(f"{back}: {come.status_code}, {refused(come.text)}")
    return left + returned


def at_ours(browser: httpx.Client) -> str:
    """The link of the provider on the login page."""
    page = browser.get("/hub/login", follow_redirects=True).text
    found = re.search(r'href="(/hub/login/uni[^"]*)"', page)
    return unescape(found[1]) if found else "/hub/login/uni"


def at_peers(_browser: httpx.Client) -> str:
    return "/hub/oauth_login"


@contextmanager
def our_hub(directory: Path, provider: OidcProvider, people: list[str]) -> Iterator[str]:
    """A hub of ours with its catalogue service, and a project of these people; its address."""
    directory.mkdir()
    secret = directory / "secret"
    secret.write_text("a secret")
    secret.chmod(0o600)
    told = {"issuer": provider.issuer, "title": "A university", "client_id": "hub", "client_secret_file": secret}
    site = SmallSite(
        directory / "site",
        catalogue={**settings_of(directory), "account": pwd.getpwuid(os.getuid()).pw_name},
        login={"provider": {"uni": {**told, "account_claim_assigned": True}}, "accounts": {"source": "claim"}},
        project={"bench": {"account": "bench", "members": {"member": people}}},
    )
    service = CatalogueThread(directory / "site" / "site.toml", site.settings)
    try:
        service.up()
        with site:
            yield site.address
    finally:
        service.close()


@contextmanager
def peers_hub(directory: Path, provider: OidcProvider) -> Iterator[str]:
    """A stock hub with a plain GenericOAuthenticator; its address."""
    directory.mkdir()
    with ports.Claims() as claims:
        chosen = ports.choose(claims, None, None)
        proxy_api = next(ports.free(claims))
        told = {
            "public": chosen.public, "hub": chosen.hub, "proxy_api": proxy_api, "issuer": provider.issuer,
            "proxy_command": list(find_proxy(Path(sys.prefix), Path(python_site.getsitepackages()[0]))),
        }  # fmt: skip
        (directory / "peer.json").write_text(json.dumps(told))
        log = directory / "hub.log"
        hub = processes.start(
            ["setpriv", "--pdeathsig", "TERM", sys.executable, "-m", "jupyterhub", "-f", str(CONFIG)],
            log=log, environment={**os.environ, "BENCH_PEER": str(directory / "peer.json")}, cwd=directory,
        )  # fmt: skip
        address = f"http://127.0.0.1:{chosen.public}"

        def answers() -> bool:
            try:
                return httpx.get(f"{address}/hub/health", trust_env=False).is_success
            except httpx.HTTPError:
                return False

        try:
            until(answers, "the stock hub answers", 60, seen=lambda: processes.tail(log, 30))
            yield address
        finally:
            hub.terminate()
            hub.wait()


def compared(count: int) -> Compared:
    """So many people log in for the first time at each of the two, in turns."""
    found = Compared()
    people = [f"login{number:05}" for number in range(count + WARM)]
    with tempfile.TemporaryDirectory(prefix="fabric-bench-", dir="/tmp") as place:
        directory = Path(place)
        with (
            OidcProvider(directory / "provider.log", nonce=False) as provider,
            our_hub(directory / "ours", provider, people) as ours,
            peers_hub(directory / "peer", provider) as peer,
        ):
            for number, name in enumerate(people):
                subject = f"sub-{number:05}"
                provider.person(subject, preferred_username=name, name=f"Person {number}")
                at_us = took(provider, ours, subject, at_ours)
                at_them = took(provider, peer, subject, at_peers)
                if number >= WARM:
                    found.ours_ms.append(at_us * 1000)
                    found.peer_ms.append(at_them * 1000)
    return found
