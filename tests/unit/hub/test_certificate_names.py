"""Which names stand in the certificates behind the proxy, and what a site without a name of its own keeps."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from certipy import CertExistsError, Certipy
from cryptography import x509
from jupyterhub.services.service import _ServiceSpawner

from fabric_hub.config.hub import HubSettings
from fabric_hub.config.settings import parse
from fabric_hub.errors import FabricError
from fabric_hub.hub import tls
from fabric_hub.hub.csp import directives, policy
from fabric_hub.hub.patches import services
from fabric_hub.hub.tls import KEPT, hub_alt_names, renew_hub_certificates
from tests.support.builders import site_text

HUB = 'bind_url = "http://127.0.0.1:8000/j/"\npublic_url = "https://hub.example.org/j/"\n'


def _hub(tmp_path: Path, more: str) -> HubSettings:
    text = site_text(tmp_path).replace("internal_ssl = false", "internal_ssl = true")
    return parse(text.replace("[hub]", f"[hub]\n{more}")).hub


def _store(directory: Path, names: list[str]) -> Path:
    """What JupyterHub makes at its first start."""
    certipy = Certipy(store_dir=str(directory / "certs"))
    with suppress(CertExistsError):
        certipy.create_ca("hub-ca")
    for name in KEPT:
        certipy.create_signed_pair(name, "hub-ca", alt_names=names)
    return directory / "certs"


def _names(certificate: Path) -> set[str]:
    loaded = x509.load_pem_x509_certificate(certificate.read_bytes())
    found = loaded.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {str(name.value) for name in found}


def test_every_address_by_which_the_hub_is_called_is_a_name(tmp_path: Path) -> None:
    hub = _hub(tmp_path, HUB + 'hub_ip = "10.0.0.5"\nnodes_url = "http://hub-inside:8000/j/"')
    assert hub_alt_names(hub) == ["IP:10.0.0.5", "IP:127.0.0.1", "DNS:hub.example.org", "DNS:hub-inside"]
    assert hub_alt_names(_hub(tmp_path, 'bind_url = "http://0.0.0.0:8000"')) == ["IP:127.0.0.1"]


def test_where_users_have_hosts_of_their_own_the_hub_answers_there_too(tmp_path: Path) -> None:
    names = hub_alt_names(_hub(tmp_path, 'subdomain_host = "https://hub.example.org:8443"'))
    assert names == ["IP:127.0.0.1", "DNS:hub.example.org", "DNS:*.hub.example.org"]


def test_certificates_without_a_new_name_go_and_their_authority_stays(tmp_path: Path) -> None:
    store = _store(tmp_path, ["IP:127.0.0.1", "DNS:localhost"])
    authority = (store / "hub-ca" / "hub-ca.crt").read_bytes()
    assert renew_hub_certificates(store, ["IP:127.0.0.1"]) == []
    assert renew_hub_certificates(store, ["IP:127.0.0.1", "DNS:hub.example.org"]) == list(KEPT)
    assert not (store / "hub-internal").exists()
    again = _store(tmp_path, ["IP:127.0.0.1", "DNS:hub.example.org"])
    assert "hub.example.org" in _names(again / "proxy-client" / "proxy-client.crt")
    assert (store / "hub-ca" / "hub-ca.crt").read_bytes() == authority
    assert renew_hub_certificates(tmp_path / "nothing-yet", ["DNS:hub.example.org"]) == []


async def test_a_managed_services_certificate_has_the_names_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    async def ask(self: _ServiceSpawner) -> dict[str, str]:
        asked.append(self.ssl_alt_names)
        return {}

    monkeypatch.setattr(_ServiceSpawner, "create_certs", ask)
    services.apply("fabric", "", ["DNS:hub.example.org"])
    await _ServiceSpawner.create_certs(_ServiceSpawner())
    assert asked == [["DNS:hub.example.org"]]


def test_links_of_our_pages_lead_to_the_hub_from_every_host(tmp_path: Path) -> None:
    assert _hub(tmp_path, "").pages_url == ""
    assert _hub(tmp_path, HUB).pages_url == "/j"
    own = _hub(tmp_path, HUB + 'subdomain_host = "https://hub.example.org"')
    assert own.pages_url == "https://hub.example.org/j"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('subdomain_host = "https://hub.example.org/j"', "subdomain_host has a path"),
        ('subdomain_host = "hub.example.org"', "hub.subdomain_host"),
        (HUB + 'subdomain_host = "https://other.example.org"', "of another host than subdomain_host"),
        ('public_url = "javascript:alert(1)"', "hub.public_url"),
    ],
)
def test_an_address_that_cannot_be_is_refused(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(FabricError, match=why):
        _hub(tmp_path, text)


def test_nodes_go_where_people_go_unless_the_site_says_otherwise(tmp_path: Path) -> None:
    text = site_text(tmp_path).replace("[hub]", f"[hub]\n{HUB}")
    assert parse(text).service_url_for_nodes == "https://hub.example.org/j/services/fabric/api"


def test_forms_may_end_at_a_users_own_host_and_nowhere_else() -> None:
    text = policy("n", directives("https://hub.example.org:8443"))
    assert "form-action 'self' https://hub.example.org:8443 https://*.hub.example.org:8443;" in text + ";"
    assert "form-action 'self';" in policy("n") + ";"
    for line in text.split("; "):
        name, _, sources = line.partition(" ")
        assert name in ("form-action", "style-src", "img-src") or "example.org" not in sources


def test_a_certificate_that_ends_soon_is_made_anew_when_the_hub_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = _store(tmp_path, ["IP:127.0.0.1"])
    path = store / "proxy-client" / "proxy-client.crt"
    left = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc - datetime.now(UTC)
    monkeypatch.setattr(tls, "RENEWED", left + timedelta(days=1))
    assert renew_hub_certificates(store, ["IP:127.0.0.1"]) == list(KEPT)
