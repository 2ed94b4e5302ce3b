"""Telling the hub's service on which port this session serves."""

from __future__ import annotations

import asyncio
import http.client
import random
import time
from collections.abc import Callable, Iterator

from ..client import AsyncHubClient, Reply, problem_text
from ..common.environment import LaunchError
from ..common.translation import _, sentences
from ..schema import Ready

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


def _sentence(reply: Reply) -> str:
    """What a service's answer says, on one line: a Problem's text, or the HTTP reason."""
    return problem_text(reply.content) or http.client.responses.get(reply.status, "")


async def announce(
    client: AsyncHubClient,
    body: Ready,
    *,
    retry_for_s: float = RETRY_FOR_S,
    say: Callable[[str], None] = print,
) -> int:
    """POST ``body`` to the service's ``/session/ready`` until it takes it.

    :param retry_for_s: how long an unreachable or restarting service is waited for.
    :param say: takes one line of the log at a time.
    :returns: the number of tries.
    :raises LaunchError: a final refusal, or no answer within ``retry_for_s``.
    """
    give_up = time.monotonic() + retry_for_s
    for tries, pause in enumerate(pauses(), 1):
        reply = await client.send("/ready", "POST", body, connect_s=5.0, timeout_s=20.0)
        if 200 <= reply.status < 300:
            return tries
        if refusal(reply.status):
            refused = _("The hub's service refused this session (HTTP {status}): {why}")
            ends = _("This job ends now; start a new session from the hub's page.")
            raise LaunchError(sentences(refused.format(status=reply.status, why=_sentence(reply)), ends))
        problem = f"HTTP {reply.status} {_sentence(reply)}" if reply.status else reply.error
        if time.monotonic() + pause > give_up:
            late = _(
                "The hub's service at {address} did not take this session's port within {seconds} s ({problem}). "
                "This job ends now; is the hub running, and can this node reach it?"
            )
            raise LaunchError(late.format(address=client.url, seconds=f"{retry_for_s:g}", problem=problem))
        if tries == 1 or pause > 5:
            silent = _("The hub's service at {address} does not answer yet ({problem}); trying again.")
            say(silent.format(address=client.url, problem=problem))
        await asyncio.sleep(pause)
    raise AssertionError("pauses() never ends")
