"""Whom a session gives its token: under internal TLS the hub's own authority says who that is, and nobody else."""

from __future__ import annotations

import os
import ssl
import subprocess
import urllib.request
from pathlib import Path

import pytest

from tests.support.answering_hub import TOKEN, AnsweringHub
from tests.support.certificates import Authority
from tests.support.running_session import RunningSession, session_environment
from tests.support.stranger import Stranger

pytestmark = pytest.mark.image

# what is no server asks like this, and a cluster's daemon, and the session's server
CALLS = """import asyncio, os
from fabric_lab import client, service
print(service.call())
print(client.HubClient(client.credentials(os.environ)).ask("/clusters"))
print(asyncio.run(client.AsyncHubClient(os.environ).ask()))
"""


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """The hub's own."""
    return Authority(tmp_path / "own")


@pytest.fixture
def public(tmp_path: Path) -> Authority:
    """One that the node's store has, too: its certificates may be had by anybody who owns a name."""
    return Authority(tmp_path / "public")


def test_a_session_gives_its_token_to_nobody_whom_its_hubs_authority_does_not_know(
    python: Path, tmp_path: Path, authority: Authority, public: Authority
) -> None:
    pair = authority.issue("session")
    client = ssl.create_default_context(cafile=str(authority.certificate))
    client.load_cert_chain(*authority.issue("proxy"))
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority.certificate))
    serving.load_cert_chain(*authority.issue("hub"))
    serving.verify_mode = ssl.CERT_REQUIRED
    (tmp_path / "run").mkdir()
    files = {"ssl.crt": pair[0], "ssl.key": pair[1], "ssl-ca.crt": authority.certificate}
    foreign = public.issue("stranger")

    stranger = Stranger("127.0.0.1", foreign)
    names = {"CERTFILE": "ssl.crt", "KEYFILE": "ssl.key", "CLIENT_CA": "ssl-ca.crt"}
    environment = session_environment(
        f"https://127.0.0.1:{stranger.port}",
        SSL_CERT_FILE=str(public.certificate),  # OpenSSL's name for the node's store
        FABRIC_CA_FILE=str(public.certificate),  # what else may say whom to trust does not count
        **{f"JUPYTERHUB_SSL_{kind}": name for kind, name in names.items()},
    )
    with RunningSession(python, tmp_path / "run", environment, files=files) as session:
        with stranger:
            session.wait_for_line("does not answer yet")
            stranger.until_called(1)
        assert stranger.heard == b""

        def ask(path: str) -> str:
            url = f"https://127.0.0.1:{session.port}/user/ann/{path}"
            request = urllib.request.Request(url, headers={"Authorization": f"token {TOKEN}"})
            with urllib.request.urlopen(request, context=client, timeout=30) as answer:
                return str(answer.read().decode())

        with AnsweringHub(port=stranger.port, tls=serving) as hub:
            session.announced_by(hub)
            assert '"project_title": "Digital Twin"' in ask("fabric/session")
        with Stranger("127.0.0.1", foreign, stranger.port) as again:
            assert "The hub cannot be reached." in ask("fabric/datasets")
            again.until_called(1)
        assert again.heard == b""


@pytest.mark.parametrize("internal", [True, False])
def test_a_cell_a_terminal_and_a_cluster_give_it_to_nobody_else_either(
    python: Path, tmp_path: Path, authority: Authority, public: Authority, internal: bool
) -> None:
    certificate, key = authority.issue("session")
    own = {"JUPYTERHUB_SSL_CERTFILE": str(certificate), "JUPYTERHUB_SSL_KEYFILE": str(key)} if internal else {}
    pin = {"JUPYTERHUB_SSL_CLIENT_CA" if internal else "FABRIC_CA_FILE": str(authority.certificate)}

    def call(port: int, **trust: str) -> str:
        environment = session_environment(f"https://127.0.0.1:{port}", SSL_CERT_FILE=str(public.certificate), **trust)
        environment |= {"PATH": os.defpath, "HOME": str(tmp_path)}
        done = subprocess.run(
            [python, "-I", "-c", CALLS], env=environment, capture_output=True, text=True, check=True, timeout=60
        )
        return done.stdout

    with Stranger("127.0.0.1", public.issue("stranger")) as stranger:
        assert call(stranger.port, **own, **pin).count("cannot be reached") == 3
        stranger.until_called(3)
        assert stranger.heard == b""
        call(stranger.port, **own)  # the node's store alone would let it in
        stranger.until_called(6)
        assert stranger.heard.count(TOKEN.encode()) == 3
