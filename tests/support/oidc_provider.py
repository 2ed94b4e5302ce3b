"""oidc-provider-mock in a process of its own: a real OpenID provider, whose people and claims are the test's to set."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from fabric_dev.ports import Claims, free
from fabric_dev.processes import tail

from .waiting import until


class OidcProvider:
    """An issuer on loopback. ``with`` starts it, and ends it.

    :param log: a file for what it says.
    :param nonce: whether who asks it must send one.
    """

    def __init__(self, log: Path, *, nonce: bool = True) -> None:
        self._log, self._claims, self._nonce = log, Claims(), nonce
        self.port = next(free(self._claims))
        self.issuer = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def up(self) -> None:
        """Returns when it answers."""
        command = ["setpriv", "--pdeathsig", "TERM", sys.executable, "-m", "oidc_provider_mock"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--port", str(self.port), "--require-nonce", str(self._nonce).lower()],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        until(self._answers, f"the provider at {self.issuer} answers", 60)

    def down(self) -> None:
        """It is away; who it knew is forgotten."""
        if self._process:
            self._process.terminate()
            self._process.wait(30)
            self._process = None

    def close(self) -> None:
        """It is away for good."""
        self.down()
        self._claims.__exit__(None, None, None)

    def __enter__(self) -> Self:
        self.up()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _answers(self) -> bool:
        assert self._process
        assert self._process.poll() is None, tail(self._log, 30)
        with suppress(httpx.HTTPError):
            return httpx.get(f"{self.issuer}/.well-known/openid-configuration", trust_env=False).is_success
        return False

    def person(self, subject: str, **claims: Any) -> None:
        """Somebody, and what is said of them from now on."""
        httpx.put(f"{self.issuer}/users/{subject}", json=claims, trust_env=False).raise_for_status()

    def agree(self, browser: httpx.Client, address: str, subject: str) -> str:
        """Log in at its own page, and agree; the address to which it sends the browser back.

        :param address: of that page, as the hub sent the browser there.
        """
        assert urlsplit(address).port == self.port, address
        answer = browser.post(address, data={"sub": subject}, follow_redirects=False)
        assert answer.status_code == 302, answer.text
        return str(answer.headers["location"])
