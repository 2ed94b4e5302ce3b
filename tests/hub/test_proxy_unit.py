"""The proxy in a unit of its own: who uses a session does not notice that the hub starts again."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.support.small_site import SmallSite
from tests.support.waiting import until

pytestmark = pytest.mark.hub


@contextmanager
def asking(site: SmallSite, path: str) -> Iterator[list[object]]:
    """Somebody who opens this address again and again; what came of it each time."""
    answers: list[object] = []
    over = threading.Event()

    def ask() -> None:
        with httpx.Client(base_url=site.address, timeout=60) as client:
            while not over.is_set():
                try:
                    answers.append(client.get(path).status_code)
                except httpx.HTTPError as error:
                    answers.append(error)

    asker = threading.Thread(target=ask)
    asker.start()
    try:
        yield answers
    finally:
        over.set()
        asker.join(90)


def test_a_session_answers_while_the_hub_is_killed_restarted_and_back(new_site: Callable[..., SmallSite]) -> None:
    site = new_site(held=True, hub={"proxy_unit": True})
    assert site.proxy
    proxy = site.proxy.proxy
    person = site.somebody()
    person.start()
    opened = person.until_ready()["url"] + "x"

    with asking(site, opened) as answers:
        until(lambda: answers, "it is asked")
        site.kill()
        seen = len(answers)
        until(lambda: len(answers) > seen + 20, "it answers while there is no hub")
        site.up()
        assert person.until_ready()
        site.restart()
        assert person.until_ready()
        seen = len(answers)
        until(lambda: len(answers) > seen + 20, "it answers after it all")
    assert set(answers) == {200}
    assert site.proxy.proxy == proxy, "one proxy through it all"
    assert person.log_in().browser.get("/hub/home").status_code == 200

    # the proxy itself dies, then its unit: the next one knows every way before it answers anybody, and who asks
    # meanwhile waits; only what was open breaks
    with asking(site, opened) as answers:
        until(lambda: answers, "it is asked")
        os.kill(proxy, signal.SIGKILL)
        until(lambda: site.proxy and site.proxy.proxy not in (0, proxy), "the unit starts another proxy")
        seen = len(answers)
        until(lambda: len(answers) > seen + 20, "it answers through the new proxy")
        site.proxy.kill()
        site.proxy.up()
        seen = len(answers)
        until(lambda: len(answers) > seen + 20, "it answers through the new unit")
    assert {answer for answer in answers if isinstance(answer, int)} == {200}
    assert len([answer for answer in answers if not isinstance(answer, int)]) <= 2, "one for each that was killed"

    # a session that ends is gone from the proxy that outlived its hub
    assert person.stop().status_code == 204
    person.until_gone()
    assert site.http.get(opened).status_code != 200
