"""``fabric-hub up --oidc``: a demo person logs in at the run's own provider, and is at home."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx
import pytest

from tests.conftest import new_prefix
from tests.support.embedded_run import EmbeddedRun

pytestmark = [pytest.mark.hub, pytest.mark.image, pytest.mark.long]


@pytest.fixture(scope="module")
def run(sandbox: Path, images: Path) -> Iterator[EmbeddedRun]:
    """A run without Slurm, with its identity provider."""
    directory = sandbox / "oidc-run"
    started = EmbeddedRun.start(directory, "--prefix", new_prefix(), "--local", "--oidc", "--images", str(images))
    yield started
    started.remove()


def log_in(run: EmbeddedRun, browser: httpx.Client, user: str) -> httpx.Response:
    """Press the provider's button, log in there, and come back."""
    browser.get("/hub/logout")
    page = browser.get("/hub/login").text
    (link,) = re.findall(r'href="(/hub/login/demo[^"]*)"', page)
    at_provider = browser.get(unescape(link)).headers["location"]
    assert at_provider.startswith(run.settings.login.provider["demo"].issuer_url)
    back = browser.post(at_provider, data={"sub": f"{user}-at-demo"}).headers["location"]
    return browser.get(back)


def test_a_demo_person_and_the_operator_log_in_at_the_provider_and_are_at_home_twice(run: EmbeddedRun) -> None:
    with httpx.Client(base_url=run.address, timeout=60, trust_env=False) as browser:
        for user, operates in (("student1", 403), ("operator", 200), ("student1", 403)):
            answer = log_in(run, browser, user)
            assert answer.status_code == 302, answer.text
            home = browser.get("/hub/home")
            assert home.status_code == 200, run.logs()
            assert browser.get("/hub/api/user").json()["name"] == user
            assert browser.get("/hub/operate").status_code == operates
