"""Internal TLS between hosts: hub and proxy here, the session on another, and a wire between them."""

from __future__ import annotations

import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fabric_hub.hub.tls import make_pair
from fabric_hub.sessions.store import Session
from tests.conftest import new_prefix
from tests.support.certificates import Authority
from tests.support.embedded_run import EmbeddedRun
from tests.support.far_site import FarSite
from tests.support.other_host import OtherHost, impossible, other_host
from tests.support.person import Person
from tests.support.session_process import environment_of, server_process
from tests.support.stranger import Stranger

pytestmark = [pytest.mark.slurm, pytest.mark.hub, pytest.mark.root, pytest.mark.image]

CODE = "import os; print(os.readlink('/proc/self/ns/net'), os.environ['FABRIC_NODE'])"


@pytest.fixture(scope="module")
def host() -> Iterator[OtherHost]:
    if why := impossible():
        pytest.skip(why)
    with other_host() as host:
        yield host


@pytest.fixture(scope="module")
def far_site(host: OtherHost, sandbox: Path, images: Path) -> Iterator[FarSite]:
    far_site = FarSite.make(
        sandbox / "far", new_prefix(), images / "base", bind_url=f"http://{host.ours}:{{port}}", hub_ip=host.ours
    )
    try:
        far_site.move_gpu1(host)
        far_site.up()
        yield far_site
    finally:
        far_site.close()


@pytest.fixture
def run(far_site: FarSite) -> EmbeddedRun:
    """So that a failed test shows its logs."""
    return far_site.run


@pytest.fixture(scope="module")
def student(far_site: FarSite) -> Person:
    """Somebody with a session over there."""
    student = far_site.person("student1")
    answer = student.start("", project="ml-course", profile="gpu-1", image="base")
    assert answer.status_code in (201, 202), answer.text
    student.until_ready()
    return student


@pytest.fixture
def session(far_site: FarSite, student: Person) -> Session:
    return far_site.session_of(student)


def test_a_cell_runs_on_the_other_host_through_the_proxy(student: Person, host: OtherHost, run: EmbeddedRun) -> None:
    assert student.run_cell(CODE).split() == [host.identity, "gpu1"]


def test_the_session_serves_and_calls_at_the_hosts_own_addresses(
    far_site: FarSite, session: Session, host: OtherHost
) -> None:
    listening = subprocess.run(host.inside("ss", "-Hltn"), capture_output=True, text=True, check=True).stdout
    assert f"{host.address}:{session.port}" in listening
    assert f"0.0.0.0:{session.port}" not in listening
    environment = environment_of(server_process(session))
    assert "JUPYTERHUB_API_TOKEN" not in environment, "tokens do not travel in a job's environment"
    log = (far_site.run.home("student1") / ".fabric-hub" / session.id / "session.log").read_text()
    assert "Traceback" not in log
    assert far_site.session(session.id).node == "gpu1"


def test_the_sessions_calls_of_the_service_go_over_internal_tls_and_no_stranger_is_given_its_token(
    far_site: FarSite, session: Session, student: Person, host: OtherHost, tmp_path: Path
) -> None:
    hub = f"https://{host.ours}:{far_site.settings.hub.hub_port}/hub/fabric/api"
    assert student.run_cell("import os; print(os.environ['FABRIC_SERVICE_URL'])") == f"{hub}\n"
    called = "from fabric_lab import service; print((service.call()[0] or {}).get('session'))"
    assert student.run_cell(called) == f"{session.id}\n"

    store = far_site.run.home("student1") / "store.crt"  # as if the node's own store had it
    public = Authority(tmp_path / "public", host.ours)
    store.write_bytes(public.certificate.read_bytes())
    store.chmod(0o644)
    with Stranger(host.ours, public.issue("stranger")) as stranger:
        there = f"""import os
os.environ |= {{"FABRIC_SERVICE_URL": "https://{host.ours}:{stranger.port}", "SSL_CERT_FILE": {str(store)!r}}}
{called}"""
        assert student.run_cell(there) == "None\n"
        stranger.until_called(1)
        assert stranger.heard == b""
        student.run_cell(f"import os; del os.environ['JUPYTERHUB_SSL_CLIENT_CA']\n{there}; print('called')")
        stranger.until_called(2)
        assert b"Authorization: token " in stranger.heard, "the node's store alone would let it in"
    hub_port = far_site.settings.hub.hub_port
    assert _refused(_talk(host.ours, hub_port, _client())), "and without a certificate nobody asks"


def _talk(address: str, port: int, context: ssl.SSLContext | None) -> str:
    """What a client gets from a port: the first line of an answer, or why there is none."""
    try:
        with socket.create_connection((address, port), timeout=60) as plain:
            with context.wrap_socket(plain) if context else plain as client:
                client.sendall(b"GET /user/student1/api HTTP/1.1\r\nHost: x\r\n\r\n")
                return client.recv(4096).decode(errors="replace").split("\r\n")[0]
    except OSError as error:
        return type(error).__name__ + " " + str(getattr(error, "reason", ""))


def _refused(answer: str) -> bool:
    """Whether somebody listens there and ended the conversation; whether we still hear why is a matter of luck."""
    print(answer)
    return answer.startswith(("SSL", "ConnectionResetError", "BrokenPipeError")) or answer == ""


def _client(*pair: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if pair:
        context.load_cert_chain(*pair)
    return context


def _pair(directory: Path, name: str, key: bytes, certificate: bytes) -> tuple[str, str]:
    files = directory / f"{name}.crt", directory / f"{name}.key"
    files[0].write_bytes(certificate)
    files[1].write_bytes(key)
    return str(files[0]), str(files[1])


def test_only_the_hub_and_its_proxy_can_talk_to_the_session(
    far_site: FarSite, session: Session, host: OtherHost, tmp_path: Path
) -> None:
    assert session.port
    certs = far_site.settings.hub.state_dir / "certs"
    for name in ("proxy-client", "hub-internal"):
        right = _client(f"{certs}/{name}/{name}.crt", f"{certs}/{name}/{name}.key")
        assert _talk(host.address, session.port, right).startswith("HTTP/1.1 "), name
    assert not _talk(host.address, session.port, None).startswith("HTTP/1.1 2")
    assert _refused(_talk(host.address, session.port, _client()))
    # a neighbour's session has a certificate of the same hub, but of the authority that signs sessions only
    authority = [(certs / "notebooks-ca" / f"notebooks-ca.{end}").read_bytes() for end in ("crt", "key")]
    neighbour = _pair(tmp_path, "neighbour", *make_pair("neighbour", [f"IP:{host.address}"], *authority))
    assert _refused(_talk(host.address, session.port, _client(*neighbour)))


def test_the_hub_talks_to_nobody_who_only_says_to_be_a_session(far_site: FarSite, host: OtherHost) -> None:
    """The hub's own port, which sessions call, asks for a certificate, too."""
    assert _refused(_talk(host.ours, far_site.settings.hub.hub_port, _client()))
