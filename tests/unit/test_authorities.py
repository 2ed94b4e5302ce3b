"""Internal certificates are renewed under running sessions: both sides still believe each other."""

from __future__ import annotations

import json
import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from certipy import Certipy
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from fabric_hub import cli
from fabric_hub.cli.doctor import certificates as found_by_doctor
from fabric_hub.config.hub import HubSettings
from fabric_hub.hub import tls
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import backup as texts
from fabric_hub.unix import authorities, state_lock
from tests.support.builders import least_site_text
from tests.support.datasets_site import apart

# As jupyterhub.app.JupyterHub.init_internal_ssl has it.
TRUST = {
    "hub-ca": list(authorities.AUTHORITIES),
    "proxy-client-ca": ["hub-ca", "notebooks-ca"],
    "notebooks-ca": ["hub-ca", "proxy-client-ca"],
}


def start_of_hub(store: Path) -> dict[str, str]:
    """The authorities and pairs that a hub makes at its start, where they are not there; its bundles of trust."""
    made = Certipy(store_dir=str(store))
    trust: dict[str, str] = made.trust_from_graph({**TRUST, "proxy-api-ca": ["hub-ca"], "services-ca": ["hub-ca"]})
    known = {one.name for one in authorities.certificates(store)}
    for name, authority in zip(authorities.PAIRS, ("hub-ca", "proxy-api-ca", "proxy-client-ca"), strict=True):
        if name not in known:
            made.create_signed_pair(name, authority, alt_names=["IP:127.0.0.1"])
    return trust


def make_old(store: Path, days: int) -> None:
    """Let the authorities end so many days from now, as after years."""
    known = Certipy(store_dir=str(store)).store
    for name in authorities.AUTHORITIES:
        files = known.get_record(name)["files"]
        key: Any = serialization.load_pem_private_key(Path(files["key"]).read_bytes(), None)
        old = x509.load_pem_x509_certificate(Path(files["cert"]).read_bytes())
        builder = (
            x509.CertificateBuilder(old.subject, old.subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(datetime.now(UTC) - timedelta(days=1700))
            .not_valid_after(datetime.now(UTC) + timedelta(days=days))
        )
        for extension in old.extensions:
            builder = builder.add_extension(extension.value, extension.critical)
        Path(files["cert"]).write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))


def context(purpose: ssl.Purpose, key: str | Path, certificate: str | Path, trusted: bytes) -> ssl.SSLContext:
    made = ssl.create_default_context(purpose, cadata=trusted.decode())
    made.load_cert_chain(certificate, key)
    made.verify_mode = ssl.CERT_REQUIRED
    return made


def shake_hands(client: ssl.SSLContext, server: ssl.SSLContext) -> None:
    """Mutual TLS of the two, in memory.

    :raises ssl.SSLError: one of them does not believe the other.
    """
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    one = client.wrap_bio(to_client, to_server, server_hostname="127.0.0.1")
    two = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(5):
        for side in (one, two):
            with suppress(ssl.SSLWantReadError):
                side.do_handshake()
    two.write(b"x")
    assert one.read(1) == b"x"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    place = tmp_path / "certs"
    start_of_hub(place)
    return place


def test_a_session_from_before_and_the_hub_after_a_renewal_believe_each_other(store: Path) -> None:
    make_old(store, 30)
    trust = start_of_hub(store)
    key, certificate = tls.create(store, "user-jan+", ["IP:127.0.0.1"])
    trusted_by_session = Path(trust["notebooks-ca"]).read_bytes()  # it has a copy of its own
    assert [
        one.name for one in authorities.ending(authorities.certificates(store), datetime.now(UTC).timestamp())
    ] == list(authorities.AUTHORITIES)

    renewed = authorities.renew(store)
    assert {one.name for one in renewed} == {*authorities.AUTHORITIES, *authorities.PAIRS}
    trust = start_of_hub(store)
    now = authorities.certificates(store)
    assert {one.name for one in now} == {one.name for one in renewed}
    assert authorities.ending(now, datetime.now(UTC).timestamp()) == []

    server = context(ssl.Purpose.CLIENT_AUTH, key, certificate, trusted_by_session)
    trusted_by_proxy = Path(trust["proxy-client-ca"]).read_bytes()
    for name, trusted in (("hub-internal", Path(trust["hub-ca"]).read_bytes()), ("proxy-client", trusted_by_proxy)):
        pair = store / name / f"{name}.key", store / name / f"{name}.crt"
        shake_hands(context(ssl.Purpose.SERVER_AUTH, *pair, trusted), server)
    # and the session calls the hub
    hub = store / "hub-internal" / "hub-internal.key", store / "hub-internal" / "hub-internal.crt"
    shake_hands(
        context(ssl.Purpose.SERVER_AUTH, key, certificate, trusted_by_session),
        context(ssl.Purpose.CLIENT_AUTH, *hub, Path(trust["hub-ca"]).read_bytes()),
    )
    other = store.parent / "other"
    start_of_hub(other)
    pair = other / "hub-internal" / "hub-internal.key", other / "hub-internal" / "hub-internal.crt"
    stranger = context(ssl.Purpose.SERVER_AUTH, *pair, Path(trust["hub-ca"]).read_bytes())
    with pytest.raises(ssl.SSLError):
        shake_hands(stranger, server)


def test_the_end_is_told_sixty_days_ahead_and_renewed_only_while_the_hub_is_stopped(store: Path) -> None:
    state = store.parent
    hub = HubSettings(state_dir=state)
    site = state / "site.toml"
    site.write_text(least_site_text(state))

    def command(*argv: str) -> Any:
        return apart(lambda: cli.main(["certs", *argv, "--site", str(site)]))

    (finding,) = found_by_doctor(hub)
    assert finding.state == "OK"
    assert "valid until" in str(finding.about)
    make_old(store, 61)
    assert command("show").status == 0
    make_old(store, 59)
    (finding,) = found_by_doctor(hub)
    assert (finding.state, "fabric-hub certs renew" in str(finding.remedy)) == ("NOTE", True)
    assert "The hub's internal certificate" in str(finding.about)
    told = command("show", "--json")
    assert told.status == 1
    assert len(json.loads(told.out)) == 8

    def renew_under_a_hub() -> int:
        state_lock.hold(state)  # as a hub does
        return int(command("renew").status)

    refused = apart(renew_under_a_hub)
    assert refused.status == 1
    assert "A daemon or a command works on" in refused.out
    assert "Start hub and proxy again; sessions that run trust the new certificates already." in command("renew").out
    assert command("show").status == 0
    make_old(store, -1)
    (finding,) = found_by_doctor(hub)
    assert finding.state == "PROBLEM"
    assert "ended on" in command("show").out


def test_without_internal_tls_there_is_nothing_to_renew(tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    site.write_text(least_site_text(tmp_path))
    done = apart(lambda: cli.main(["certs", "renew", "--site", str(site)]))
    assert done.status == 1
    assert "This hub has no certificates of its own: internal TLS is off, or the hub was never started." in done.err


def test_an_authority_of_the_sites_own_is_not_renewed(store: Path) -> None:
    known = Certipy(store_dir=str(store)).store
    files = known.get_record("notebooks-ca")["files"]
    theirs = store.parent / "theirs.crt"
    theirs.write_bytes(Path(files["cert"]).read_bytes())
    known.add_record("notebooks-ca", is_ca=True, files={**files, "cert": str(theirs)}, overwrite=True)
    assert [one.name for one in authorities.certificates(store) if not one.ours] == ["notebooks-ca"]
    before = theirs.read_bytes()
    assert "notebooks-ca" not in {one.name for one in authorities.renew(store)}
    assert theirs.read_bytes() == before
    said: Text = texts.CERTIFICATE_OF_SITE(name="notebooks-ca")
    assert str(said) == "notebooks-ca: the site's own, not renewed here"
