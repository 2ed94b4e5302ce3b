"""`fabric-hub doctor` asks the site's identity providers, looks at the secrets, and shows the callbacks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fabric_hub.cli import doctor_login
from fabric_hub.cli.findings import Finding
from fabric_hub.config.settings import Settings, parse
from tests.support.builders import site_text
from tests.support.http_server import Response
from tests.support.issuer import Issuer


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    made = Issuer()
    with made.server:
        yield made


def a_site(tmp_path: Path, issuer: str, *, more: str = "account_claim_assigned = true") -> Settings:
    provider = (
        f"client_id = 'hub'\nclient_secret_file = '{tmp_path}/secret'\nissuer = '{issuer}'\ntitle = 'The university'"
    )
    text = site_text(tmp_path, f"[catalogue]\n[login.provider.uni]\n{provider}\n{more}\n")
    return parse(text)


def found(site: Settings) -> list[tuple[str, str, str]]:
    return [(one.state, str(one.about), str(one.remedy)) for one in doctor_login.of_site(site)]


CALLBACK = (
    "NOTE",
    "login at The university: its callback is http://127.0.0.1:8000/hub/login/uni/callback",
    "see that it is registered there so, letter by letter",
)


def test_a_provider_that_answers_is_right(tmp_path: Path, issuer: Issuer) -> None:
    (tmp_path / "secret").write_text("s")
    (tmp_path / "secret").chmod(0o640)
    assert found(a_site(tmp_path, issuer.url)) == [
        ("OK", f"login at The university: {issuer.url} answers", ""),
        CALLBACK,
    ]


def test_a_secret_that_is_not_there_is_named_with_what_to_do(tmp_path: Path, issuer: Issuer) -> None:
    assert found(a_site(tmp_path, issuer.url))[0] == (
        "PROBLEM",
        f"{tmp_path}/secret cannot be read: No such file or directory",
        "put the secret that The university gave you there: one line, owner root, group fabric-hub, mode 0640",
    )


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Response(500, {}), "{address} answers 500"),
        (Response(302, {}, {"Location": "https://evil.example/"}), "{address} answers 302"),
        (Response(200, b"<html>"), "{address} answers something else than JSON"),
        (Response(200, [1]), "{address} answers something else than JSON"),
        (
            Response(200, {"issuer": "https://x.example"}),
            "{address} is of the issuer https://x.example, not of {issuer}",
        ),
    ],
)
def test_a_provider_that_cannot_be_used_says_why(tmp_path: Path, issuer: Issuer, answer: Response, why: str) -> None:
    issuer.server.answer = lambda _: answer
    said = why.format(address=f"{issuer.url}/.well-known/openid-configuration", issuer=issuer.url)
    assert (
        "PROBLEM",
        f"login at The university: {issuer.url} cannot be used: {said}",
        f"see that this host reaches {issuer.url}, and that the issuer is right",
    ) in found(a_site(tmp_path, issuer.url))


def test_a_provider_that_is_away_is_a_problem(tmp_path: Path, issuer: Issuer) -> None:
    issuer.server.close()
    said = [one for one in doctor_login.of_site(a_site(tmp_path, issuer.url)) if one.state == "PROBLEM"]
    assert isinstance(said[-1], Finding)
    assert f"no answer from {issuer.url}/.well-known/openid-configuration" in str(said[-1].about)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            "",
            "nobody new gets an account that exists, for people may choose preferred_username there",
        ),
        (
            "account_claim = ''",
            "nobody new gets an account: the provider names none (login.accounts.source = name-service)",
        ),
        (
            "account_claim = ''\n[login.accounts]\nsource = 'claim'",
            "nobody new gets an account: the provider names none (login.accounts.source = claim)",
        ),
        ("[login.accounts]\nsource = 'claim'", ""),
        ("account_claim = ''\n[login.accounts]\nsource = 'pool'\npool = 'guest##'\npool_size = 9", ""),
        ("[login.accounts]\nsource = 'table'\ntable = '/people.csv'", ""),
    ],
)
def test_a_mapping_by_which_nobody_new_gets_in_is_noted(tmp_path: Path, issuer: Issuer, more: str, said: str) -> None:
    notes = [one for one in found(a_site(tmp_path, issuer.url, more=more)) if one[0] == "NOTE" and one != CALLBACK]
    assert [about for _, about, _ in notes] == ([f"login at The university: {said}"] if said else [])
    assert all("login.accounts.source to table" in remedy for _, _, remedy in notes)


def test_a_site_without_providers_has_nothing_to_look_at(site: Settings) -> None:
    assert found(site) == []
