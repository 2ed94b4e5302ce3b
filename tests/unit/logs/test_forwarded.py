"""A visitor's address is what the trusted proxies say, whatever the visitor writes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabric_hub.config.settings import parse
from fabric_hub.errors import FabricError
from fabric_hub.logs.forwarded import networks, visitor
from tests.support.builders import least_site_text

SITE = networks(["127.0.0.0/8", "::1", "10.1.0.0/24"])


@pytest.mark.parametrize(
    ("forwarded", "found"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.7, 10.1.0.4", "192.0.2.7"),
        ("192.0.2.7, 10.1.0.4, ::ffff:127.0.0.1", "192.0.2.7"),
        ("192.0.2.7,10.1.0.4,10.1.0.5", "192.0.2.7"),
        # written by the visitor
        ("203.0.113.9, 192.0.2.7", "192.0.2.7"),
        ("127.0.0.1, 192.0.2.7, 10.1.0.4", "192.0.2.7"),
        ("10.1.0.9, 198.51.100.1", "198.51.100.1"),
        ("junk, 192.0.2.7", "192.0.2.7"),
        # from the site's own machines
        ("10.1.0.4", "10.1.0.4"),
        ("junk, 10.1.0.4", "10.1.0.4"),
        ("[2001:db8::7]:4321, 10.1.0.4", "2001:db8::7"),
        ("192.0.2.7:4321, 10.1.0.4", "192.0.2.7"),
        ("fe80::1%eth0, 10.1.0.4", "fe80::1"),
        ("", ""),
        ("unknown", ""),
    ],
)
def test_the_visitor_is_the_last_address_that_is_no_trusted_proxy(forwarded: str, found: str) -> None:
    assert visitor(forwarded, SITE) == found


@given(written=st.text())
def test_nothing_that_a_visitor_writes_changes_their_address(written: str) -> None:
    assert visitor(f"{written}, 192.0.2.7, 10.1.0.4", SITE) == "192.0.2.7"
    assert visitor(f"{written},192.0.2.7", ()) == "192.0.2.7"


def test_without_a_trusted_proxy_it_is_whoever_called_ours() -> None:
    assert visitor("192.0.2.7, 10.1.0.4", ()) == "10.1.0.4"


def test_the_sites_file_names_proxies_by_address_or_network(tmp_path: Path) -> None:
    written = '[log]\nformat = "json"\ntrusted_proxies = ["10.1.0.4", "10.2.0.9/16", "::1"]\n'
    log = parse(least_site_text(tmp_path, written)).log
    assert log.trusted_proxies == ("10.1.0.4/32", "10.2.0.0/16", "::1/128")
    assert log.as_json
    assert not parse(least_site_text(tmp_path)).log.as_json


@pytest.mark.parametrize("name", ["proxy.example.org", "10.1.0.0/99", "", "*"])
def test_what_is_no_address_is_a_mistake_in_words(tmp_path: Path, name: str) -> None:
    with pytest.raises(FabricError, match=r"log.trusted_proxies.*must be an address or a network"):
        parse(least_site_text(tmp_path, f'[log]\ntrusted_proxies = ["{name}"]\n'))
