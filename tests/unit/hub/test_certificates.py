"""A session's certificate: accepted by whoever trusts the hub's authority, on both ends, and by nobody else."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from pathlib import Path

import pytest
from certipy import Certipy
from cryptography import x509

from fabric_hub.hub.spawner.certificates import AUTHORITY, create, general_name, pair_name, remove


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """JupyterHub's directory of certificates, with the authority it makes at its first start."""
    Certipy(store_dir=str(tmp_path)).create_ca(AUTHORITY)
    return tmp_path


def authority(certificates: Path) -> str:
    return str(certificates / AUTHORITY / f"{AUTHORITY}.crt")


def talk(server: ssl.SSLContext, client: ssl.SSLContext, host: str) -> bytes:
    """What a client reads over TLS from a server that it takes for ``host``."""
    here, there = socket.socketpair()

    def serve() -> None:
        with server.wrap_socket(there, server_side=True) as connection:
            connection.sendall(b"hello")

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client.wrap_socket(here, server_hostname=host) as connection:
            return connection.recv(5)
    finally:
        here.close()
        thread.join()


def contexts(certificates: Path, key: Path, certificate: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server and a client that both show the pair and both insist on one of the authority's."""
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority(certificates))
    server.verify_mode = ssl.CERT_REQUIRED
    client = ssl.create_default_context(cafile=authority(certificates))
    for context in (server, client):
        context.load_cert_chain(certificate, key)
    return server, client


def test_both_ends_of_a_connection_accept_it(certificates: Path) -> None:
    server, client = contexts(certificates, *create(certificates, "user-ann", ["IP:127.0.0.1", "DNS:gpu1"]))
    assert talk(server, client, "gpu1") == b"hello"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_host_that_it_does_not_name_is_refused(certificates: Path) -> None:
    server, client = contexts(certificates, *create(certificates, "user-ann", ["IP:127.0.0.1", "DNS:gpu1"]))
    with pytest.raises(ssl.SSLCertVerificationError, match="gpu2"):
        talk(server, client, "gpu2")


def test_only_the_hub_can_read_the_key_also_when_its_umask_is_loose(certificates: Path) -> None:
    before = os.umask(0)
    try:
        key, certificate = create(certificates, "user-ann", ["IP:127.0.0.1"])
    finally:
        os.umask(before)
    assert key.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in sorted(key.parent.iterdir())] == [certificate.name, key.name]


def test_every_start_gets_a_key_and_a_serial_number_of_its_own(certificates: Path) -> None:
    seen = set()
    for _ in range(2):
        key, certificate = create(certificates, "user-ann", ["IP:127.0.0.1"])
        seen.add((key.read_bytes(), x509.load_pem_x509_certificate(certificate.read_bytes()).serial_number))
    assert len({key for key, _ in seen}) == len({serial for _, serial in seen}) == 2


def test_no_two_servers_share_files_or_two_starts_at_once_would_mix_key_and_certificate() -> None:
    servers = [("ann", ""), ("ann", "b"), ("ann", "c"), ("ann+b", ""), ("a/nn", ""), ("a", "nn"), ("ann@x.org", "")]
    names = [pair_name(user, server) for user, server in servers]
    assert len(set(names)) == len(servers)
    assert all("/" not in name for name in names)


def test_a_pair_that_was_moved_leaves_nothing_behind(certificates: Path) -> None:
    key, certificate = create(certificates, pair_name("ann", "b"), ["IP:127.0.0.1"])
    remove(key, certificate)
    assert not key.parent.exists()
    remove(key, certificate)


def test_a_name_of_another_kind_is_an_error() -> None:
    with pytest.raises(ValueError, match="neither"):
        general_name("email:ann@example.org")
