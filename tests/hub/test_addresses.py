"""The names by which a hub is called, and whose certificate the proxy takes under internal TLS."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from cryptography import x509

from tests.support.announcing_server import AnnouncingServer
from tests.support.person import Person
from tests.support.small_site import SmallSite
from tests.support.waiting import until

pytestmark = pytest.mark.hub

INSIDE = {"nodes_url": "http://127.0.0.1:{port}"}
OWN_HOSTS = {"subdomain_host": "https://fabric.example.org"}


def _session(site: SmallSite) -> tuple[Person, AnnouncingServer]:
    person = site.somebody()
    return person, site.started(person)


def _text(certificate: str) -> str:
    loaded = x509.load_pem_x509_certificate(certificate.encode())
    names = loaded.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return " ".join(f"DNS:{name.value}" for name in names)


def _get(site: SmallSite, host: str, path: str) -> httpx.Response:
    return site.http.get(path, headers={"Host": host})


def test_a_hub_is_reached_by_the_name_that_people_type(new_site: Callable[..., SmallSite]) -> None:
    site = new_site(hub={"public_url": "https://hub.example.org", **INSIDE})
    person, _ = _session(site)
    for host in ("hub.example.org", "localhost", "127.0.0.1"):
        for path in ("/hub/api/", "/services/fabric/api/health", f"/user/{person.name}/"):
            assert _get(site, host, path).status_code == 200, (host, path)


def test_a_hub_gets_another_name_and_its_sessions_stay(new_site: Callable[..., SmallSite]) -> None:
    site = new_site(hub=INSIDE)
    person, _ = _session(site)
    assert _get(site, "hub.example.org", "/hub/api/").status_code == 503
    site.kill()
    path = site.directory / "site.toml"
    path.write_text(path.read_text().replace("[hub]", '[hub]\npublic_url = "https://hub.example.org"'))
    site.up()
    assert _get(site, "hub.example.org", "/hub/api/").status_code == 200
    until(lambda: person.servers()[""]["ready"], "the session is taken up again")
    assert site.http.get(f"/user/{person.name}/").status_code == 200
    fresh, _ = _session(site)
    assert _get(site, "hub.example.org", f"/user/{fresh.name}/").status_code == 200


@pytest.mark.parametrize("own_hosts", [True, False])
def test_a_neighbour_who_takes_a_dead_sessions_port(new_site: Callable[..., SmallSite], own_hosts: bool) -> None:
    """Until Slurm has told that the session is gone; the neighbour is on the same node and has a certificate, too."""
    site = new_site(**({"hub": OWN_HOSTS} if own_hosts else {}))
    victim, server = _session(site)
    neighbour, other = _session(site)
    host = f"{victim.name}.fabric.example.org" if own_hosts else "127.0.0.1"
    certificate = next(file.content for file in other.request.files if file.name == "ssl.crt")
    assert f"{victim.name}.fabric" not in (text := _text(certificate))
    assert ("DNS:" + f"{neighbour.name}.fabric.example.org" in text) is own_hosts
    assert "*." not in text
    assert _get(site, host, f"/user/{victim.name}/").status_code == 200
    server.close()
    trap = AnnouncingServer(other.request, site.http, port=server.port)
    trap.show("a trap")
    try:
        answer = _get(site, host, f"/user/{victim.name}/")
    finally:
        trap.close()
    if own_hosts:
        assert answer.status_code == 503
        assert "a trap" not in answer.text
        assert _get(site, f"{neighbour.name}.fabric.example.org", f"/user/{neighbour.name}/").status_code == 200
    else:
        assert answer.text == "a trap", "the certificates of all sessions name the same nodes (explanation/security.md)"
