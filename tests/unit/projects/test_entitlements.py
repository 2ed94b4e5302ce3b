"""Entitlements by the grammar of AARC-G069."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabric_hub.projects.entitlements import Entitlement, has_one_of, parsed


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("urn:geant:x.eu:group:dev#sso.x.eu", Entitlement("urn:geant:x.eu", ("dev",), "", "sso.x.eu")),
        (
            "urn:mace:egi.eu:group:vo:sub:role=owner#aai.egi.eu",
            Entitlement("urn:mace:egi.eu", ("vo", "sub"), "owner", "aai.egi.eu"),
        ),
        ("URN:Mace:surf.nl:sram:group:a:b", Entitlement("urn:mace:surf.nl:sram", ("a", "b"))),
        ("urn:geant:x:group:a%3Ab", Entitlement("urn:geant:x", ("a:b",))),
    ],
)  # fmt: skip
def test_an_entitlement_is_taken_apart(text: str, made: Entitlement) -> None:
    assert parsed(text) == made


@pytest.mark.parametrize(
    "text",
    ["", "urn:", "urn:x:group:a", "urn:geant:x:group:", "urn:geant:x:group:a::b", "urn:geant:x:group:role=a",
     "urn:geant:x:group:a:role=", "urn:geant:x:group:a#", "urn:geant:x:group:a#b#c", "urn:geant:x:group:a b",
     "urn:geant:x:group:a\n", "urn:geant:group:a", "https://geant/x:group:a", "urn:geant:x:res:a"],
)  # fmt: skip
def test_what_names_no_group_is_none(text: str) -> None:
    assert parsed(text) is None
    assert not has_one_of([text], [text])


@given(st.text(alphabet=":#urngopae=%\u0131 \n", max_size=40))
def test_any_text_is_read_or_is_none(text: str) -> None:
    made = parsed(f"urn:geant:x:group:{text}")
    assert made is None or (made.namespace == "urn:geant:x" and all(made.groups))
