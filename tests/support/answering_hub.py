"""A hub and its service, as far as a session sees them: they answer, and remember what they were told."""

from __future__ import annotations

import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from .http_server import HttpServer, Request, Response

TOKEN = "the-sessions-own-secret-token"
ASKED = "/services/fabric/api/session"
DATASETS = f"{ASKED}/datasets"
ACCESS = "access:servers!server=ann/"
SESSION = {
    "session": "abcdefgh2345",
    "user": "ann",
    "project": "twin",
    "project_title": "Digital Twin",
    "project_kind": "research",
    "account": "twin-acc",
    "profile": "gpu-1",
    "image": "base",
    "hours": 1.0,
    "phase": "running",
    "job_id": 7,
    "node": "gpu1",
    "started_at": 1000.0,
    "ends_at": 9999999999.0,
    "gpus": 1,
    "snapshot_age_s": 1.0,
    "slurm_unavailable_since": None,
    "site": {
        "name": "Example AI Factory",
        "help_url": "https://help.example.org/",
        "docs_url": "https://docs.example.org/",
        "support_email": "support@example.org",
        "welcome": False,
    },
}

# GET session/clusters where the hub runs without Slurm
NO_SLURM: dict[str, Any] = {
    "job_name": "",
    "account": "",
    "profiles": [],
    "jobs": [],
    "age_s": None,
    "unavailable_since": None,
}


@dataclass
class Announcement:
    """What came to ``session/ready``, and what the announced port answered at that very moment."""

    authorization: str
    body: dict[str, Any]
    answered: int | None


@dataclass
class AnsweringHub:
    """The hub's API, the service's two verbs; ``refusals`` are given before announcements are taken."""

    port: int = 0
    refusals: list[tuple[int, bytes]] = field(default_factory=list)
    tls: ssl.SSLContext | None = None
    look: Callable[[int], int | None] | None = None
    announcements: list[Announcement] = field(default_factory=list)
    session: dict[str, Any] = field(default_factory=lambda: dict(SESSION))
    sessions_asked: int = 0
    activities: int = 0  # told with the session's token
    logins: int = 0  # of browsers, by OAuth
    clusters_asked: int = 0
    silent: bool = False
    datasets: dict[str, Any] = field(default_factory=dict)  # GET session/datasets; {}: this site offers none
    clusters: dict[str, Any] = field(default_factory=lambda: dict(NO_SLURM))
    datasets_told: list[tuple[str, str, Any]] = field(default_factory=list)  # verb, path below, body
    usage: dict[str, dict[str, Any]] = field(default_factory=dict)  # "GET /quota" and the like: what is answered
    usage_told: list[tuple[str, Any]] = field(default_factory=list)  # "POST /idle" and the like, with the body
    readers: set[tuple[str, str]] = field(default_factory=set)  # languages and time zones that were asked for
    announced: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._server = HttpServer(self._answer, port=self.port, tls=self.tls)
        self.port = self._server.port
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.close()

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def told(self, verb: str) -> list[Any]:
        """The bodies that came with a verb on use and time, as "POST /idle"."""
        return [body for came, body in self.usage_told if came == verb]

    def _answer(self, request: Request) -> Response:
        if request.path.startswith(ASKED):
            self.readers.add((request.headers.get("accept-language", ""), request.headers.get("x-time-zone", "")))
        if request.method == "GET":
            return self._get(request)
        return self._post(request) if request.method == "POST" else self._change(request, None)

    def _get(self, request: Request) -> Response:
        known = request.headers.get("authorization") in (f"token {TOKEN}", f"Bearer {TOKEN}")
        if request.path == "/hub/api":
            return answer(200, {"version": "6.1.1"})
        if request.path == "/hub/api/user":
            user = {"name": "ann", "kind": "user", "admin": False, "groups": [], "scopes": [ACCESS], "session_id": None}
            return answer(200 if known else 403, user if known else {"message": "Forbidden"})
        if request.path == "/services/fabric/api/session":
            self.sessions_asked += 1
            if self.silent:
                return answer(503, {"message": "The hub is restarting."})
            return answer(200 if known else 403, self.session if known else {})
        if request.path == "/services/fabric/api/session/clusters":
            self.clusters_asked += 1
            return answer(200 if known else 403, self.clusters if known else {})
        if f"GET {request.path.removeprefix(ASKED)}" in self.usage:
            return self._answer_usage(request, None)
        if request.path == DATASETS and not self.silent and self.datasets:
            return answer(200 if known else 403, self.datasets if known else {})
        if request.path == DATASETS:
            why = ("The hub is restarting.", "no-answer") if self.silent else ("This site has none.", "no-datasets")
            return answer(503 if self.silent else 404, {"message": why[0], "reason": why[1], "hint": ""})
        return answer(404, {})

    def _change(self, request: Request, body: Any) -> Response:
        """A verb on one dataset: remembered, and done as the service would."""
        if self.silent or request.headers.get("authorization") != f"token {TOKEN}":
            return answer(503, {"message": "The hub is restarting.", "reason": "no-answer", "hint": ""})
        name, _, verb = request.path.removeprefix(f"{DATASETS}/").partition("/")
        self.datasets_told.append((request.method, f"{name}/{verb}".rstrip("/"), body))
        for entry in self.datasets.get("datasets", []):
            if entry["name"] == name and verb == "request":
                asked = "Requested 29 Nov by you. You'll see the decision here."
                entry |= {"requested": True, "may_request": False, "told": asked}
        return answer(204 if verb else 200, b"" if verb else {"datasets": []})

    def _answer_usage(self, request: Request, body: Any) -> Response:
        """An answer of the service's on use and time; one with a "reason" is a refusal."""
        verb = f"{request.method} {request.path.removeprefix(ASKED)}"
        self.usage_told.append((verb, body))
        if self.silent or request.headers.get("authorization") != f"token {TOKEN}":
            return answer(503, {"message": "The hub is restarting.", "reason": "no-answer", "hint": ""})
        return answer(403 if "reason" in self.usage[verb] else 200, self.usage[verb])

    def _post(self, request: Request) -> Response:
        if request.path == "/hub/api/oauth2/token":
            self.logins += 1
            return answer(200, {"access_token": TOKEN, "token_type": "Bearer"})
        body = request.json()
        if request.path.startswith(f"{DATASETS}/"):
            return self._change(request, body)
        if f"POST {request.path.removeprefix(ASKED)}" in self.usage:
            return self._answer_usage(request, body)
        if not request.path.endswith("/session/ready"):
            known = request.headers.get("authorization") == f"token {TOKEN}"
            self.activities += known and request.path.endswith("/activity")
            return answer(200 if known else 403, {})
        if self.refusals:
            status, content = self.refusals.pop(0)
            return answer(status, content)
        look = self.look or http_status
        self.announcements.append(Announcement(request.headers["authorization"], body, look(body["port"])))
        return answer(204, b"", then=self.announced.set)


def answer(status: int, body: dict[str, Any] | bytes, then: Callable[[], object] = lambda: None) -> Response:
    return Response(status, body, {"X-JupyterHub-Version": "6.1.1"}, then)


def http_status(port: int) -> int | None:
    """What the session's own API answers on a port; None when nothing listens there."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/user/ann/api", timeout=60) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None
