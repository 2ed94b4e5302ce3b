"""Telling the hub's service on which port this session serves."""

from __future__ import annotations

import asyncio
import json
import random
import ssl
import time
from collections.abc import Callable, Iterator

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest, HTTPResponse

from ..common.environment import LaunchError

RETRY_FOR_S = 600.0
WORTH_RETRYING = frozenset({404, 408, 409, 425, 429})  # the service or its route is not up yet, or busy


def pauses(first_s: float = 0.1, longest_s: float = 10.0) -> Iterator[float]:
    """Seconds between tries: doubling up to ``longest_s``, each shortened by up to a fifth at random."""
    pause = first_s
    while True:
        yield pause * random.uniform(0.8, 1.0)
        pause = min(longest_s, pause * 2)


def refusal(status: int) -> bool:
    """Whether an HTTP status is a final no."""
    return 300 <= status < 500 and status not in WORTH_RETRYING


def sentence(response: HTTPResponse | None) -> str:
    """What a service's answer says, on one line: a Problem's text, or the HTTP reason."""
    if response is None:
        return ""
    try:
        problem = json.loads(response.body)
        text = f"{problem['message']} {problem.get('hint', '')}"
    except (ValueError, TypeError, KeyError):
        text = response.reason or ""
    return "".join(c if c.isprintable() else " " for c in text)[:500].strip()


async def announce(
    url: str,
    token: str,
    body: dict[str, object],
    *,
    trust: ssl.SSLContext | None = None,
    retry_for_s: float = RETRY_FOR_S,
    say: Callable[[str], None] = print,
) -> int:
    """POST ``body`` to ``url`` until the service takes it.

    :param url: the service's ``/session/ready``.
    :param token: the session's API token; goes into the Authorization header only.
    :param trust: which authorities, and with which certificate of our own; None where it is not HTTPS.
    :param retry_for_s: how long an unreachable or restarting service is waited for.
    :param say: takes one line of the log at a time.
    :returns: the number of tries.
    :raises LaunchError: a final refusal, or no answer within ``retry_for_s``.
    """
    client = AsyncHTTPClient(force_instance=True)
    request = HTTPRequest(
        url,
        method="POST",
        headers={"Authorization": f"token {token}", "Content-Type": "application/json"},
        body=json.dumps(body),
        ssl_options=trust,
        connect_timeout=5.0,
        request_timeout=20.0,
        follow_redirects=False,
    )
    give_up = time.monotonic() + retry_for_s
    try:
        for tries, pause in enumerate(pauses(), 1):
            try:
                await client.fetch(request)
                return tries
            except HTTPClientError as error:
                if refusal(error.code):
                    raise LaunchError(
                        f"The hub's service refused this session (HTTP {error.code}): {sentence(error.response)} "
                        "This job ends now; start a new session from the hub's page."
                    ) from None
                problem = f"HTTP {error.code} {sentence(error.response)}"
            except OSError as error:
                problem = str(error)
            if time.monotonic() + pause > give_up:
                raise LaunchError(
                    f"The hub's service at {url} did not take this session's port within {retry_for_s:g} s "
                    f"({problem}). This job ends now; is the hub running, and can this node reach it?"
                )
            if tries == 1 or pause > 5:
                say(f"The hub's service at {url} does not answer yet ({problem}); trying again.")
            await asyncio.sleep(pause)
    finally:
        client.close()
    raise AssertionError("pauses() never ends")
