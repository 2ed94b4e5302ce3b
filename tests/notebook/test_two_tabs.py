"""A session that two tabs open at the same moment lets both in: neither is told that its login does not match."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.support.answering_hub import AnsweringHub
from tests.support.running_session import RunningSession

pytestmark = pytest.mark.image

LAB = "/user/ann/lab"


class Browser:
    """Tabs with one set of cookies. What is sent has the cookies of then, whatever is answered meanwhile."""

    def __init__(self, port: int) -> None:
        self.cookies = httpx.Cookies()
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)

    def together(self, *addresses: str) -> list[httpx.Response]:
        """Ask for several pages before one of them is answered."""
        cookies = {cookie.name: cookie.value or "" for cookie in self.cookies.jar}
        header = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())} if cookies else {}
        requests = [self._http.build_request("GET", address, headers=header) for address in addresses]
        self._http.cookies.clear()
        answers = []
        for request in requests:
            answers.append(self._http.send(request))
            self.cookies.extract_cookies(answers[-1])
        return answers


def state_of(answer: httpx.Response) -> str:
    assert answer.status_code == 302, answer.text
    there = urlsplit(answer.headers["location"])
    assert there.path == "/hub/api/oauth2/authorize"
    return parse_qs(there.query)["state"][0]


def back(answer: httpx.Response, code: str) -> str:
    """Where the hub sends a tab that it knows."""
    return f"/user/ann/oauth_callback?code={code}&state={state_of(answer)}"


@pytest.mark.parametrize("at_once", [True, False], ids=["both at once", "one after the other"])
def test_two_tabs_that_open_a_session_at_the_same_moment_are_both_let_in(
    session: RunningSession, hub: AnsweringHub, at_once: bool
) -> None:
    browser = Browser(session.port)
    first, second = browser.together(LAB, f"{LAB}/tree/a.ipynb")
    addresses = back(first, "one"), back(second, "two")
    answers = browser.together(*addresses) if at_once else [browser.together(one)[0] for one in addresses]
    assert [(one.status_code, one.headers.get("location")) for one in answers] == [
        (302, LAB),
        (302, f"{LAB}/tree/a.ipynb"),
    ], [one.text for one in answers]
    assert hub.logins == (2 if at_once else 1), "who is in already needs no other token"
    [inside] = browser.together(LAB)
    assert inside.status_code == 200


def test_a_login_that_another_browser_has_begun_lets_nobody_in(session: RunningSession, hub: AnsweringHub) -> None:
    stranger, victim = Browser(session.port), Browser(session.port)
    begun = stranger.together(LAB)[0]
    victim.together(LAB)
    refused = victim.together(back(begun, "one"))[0]
    assert (refused.status_code, hub.logins) == (403, 0)
