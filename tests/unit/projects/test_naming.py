"""Which name and account a login gets, and each refusal with its words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fabric_hub.config.login import AccountsSettings
from fabric_hub.config.settings import Settings, parse
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import verbatim
from fabric_hub.projects import naming
from fabric_hub.projects.identity import Identity, Login
from fabric_hub.projects.naming import UnixEntry
from tests.support.builders import catalogue_text, least_site_text

WHOM = verbatim("support@example.org")
ANNA = Identity(issuer="https://idp.example.org", subject="a1")


def login(claim: str | None = "anna", **fields: Any) -> Login:
    return Login(identity=fields.pop("identity", ANNA), provider="sram", account_claim=claim, **fields)


def refusal(code: str, *words: str) -> Any:
    """A refusal of this code, whose words say whom to write to."""

    def fits(error: FabricError) -> bool:
        return error.said.code == code and all(word in error.text for word in ("support@example.org", *words))  # type: ignore[union-attr]

    return pytest.raises(FabricError, check=fits)


def first_name(one: Login, accounts: dict[str, Any], table: dict[Identity, str] | None = None, taken: Any = ()) -> str:
    return next(naming.candidates(one, AccountsSettings.model_validate(accounts), table or {}, taken, WHOM))


@pytest.mark.parametrize("source", ["claim", "name-service"])
def test_the_claim_names_the_account_and_nothing_else_does(source: str) -> None:
    one = login("anna", name="Eve", mail="eve@example.org")
    assert first_name(one, {"source": source}) == "anna"
    with refusal("person-no-claim", "sram"):  # as a missing claim and a list come
        first_name(login(None, name="anna", mail="anna@example.org"), {"source": source})


def test_the_table_knows_an_identity_letter_by_letter() -> None:
    accounts = {"source": "table", "table": "/etc/fabric-hub/accounts.toml"}
    assert first_name(login(None), accounts, {ANNA: "anna"}) == "anna"
    for other in ({"issuer": ANNA.issuer + "/", "subject": "a1"}, {"issuer": ANNA.issuer, "subject": "A1"}):
        with refusal("person-not-in-table", "sram"):
            first_name(login("anna", identity=Identity(**other)), accounts, {ANNA: "anna"})


def test_a_pool_lends_the_first_name_that_is_nobodys_and_ends() -> None:
    accounts = {"source": "pool", "pool": "guest##", "pool_size": 3}
    assert first_name(login(None), accounts, taken={"guest01"}) == "guest02"
    with refusal("person-pool-empty", "All 3 accounts"):
        first_name(login("anna", name="anna"), accounts, taken={"guest01", "guest02", "guest03"})


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("root", "person-root"),
        ("ROOT", "person-root"),
        ("\uff52oot", "person-root"),
        ("0", "person-not-a-name"),
        ("1000", "person-not-a-name"),
        ("", "person-not-a-name"),
        ("anna ", "person-not-a-name"),
        ("anna\n", "person-not-a-name"),
        ("-anna", "person-not-a-name"),
        ("../anna", "person-not-a-name"),
        ("a" * 65, "person-not-a-name"),
        ("аnna", "person-other-letters"),  # noqa: RUF001 - the first letter is Cyrillic
        ("\uff41nna", "person-other-letters"),
        ("anna\u200b", "person-other-letters"),
        ("Anna", "person-capitals"),
    ],
)
def test_a_name_that_nobody_may_have_is_refused(name: str, code: str) -> None:
    with refusal(code):
        naming.check_name(name, keep_case=False, whom=WHOM)


@pytest.mark.parametrize("name", ["anna", "jan.de-vries", "u1000", "anna@example.org", "_svc"])
def test_a_plain_name_is_taken_as_it_is(name: str) -> None:
    naming.check_name(name, keep_case=False, whom=WHOM)


@pytest.mark.parametrize(
    ("entry", "code", "words"),
    [
        (None, "person-no-account", "this cluster has none"),
        (UnixEntry("anna", 0), "person-root", "root's"),
        (UnixEntry("anna", 999), "person-system-account", "uid 999"),
        (UnixEntry("anna", 65534), "person-system-account", "uid 65534"),
        (UnixEntry("Anna", 1500), "person-other-spelling", "written Anna"),
    ],
)
def test_an_account_that_nobody_may_have_is_refused(entry: UnixEntry | None, code: str, words: str) -> None:
    with refusal(code, words):
        naming.check_account("anna", entry, must_be=True, min_uid=1000, own=(), whom=WHOM)


def test_the_hubs_own_accounts_and_root_are_refused_also_where_no_account_need_be() -> None:
    for name, code in (("fabric-catalogue", "person-hubs-own"), ("root", "person-root")):
        with refusal(code):
            naming.check_account(name, None, must_be=False, min_uid=1, own={"fabric-catalogue"}, whom=WHOM)
    naming.check_account("anna", None, must_be=False, min_uid=1000, own=(), whom=WHOM)
    naming.check_account("anna", UnixEntry("anna", 1000), must_be=True, min_uid=1000, own=(), whom=WHOM)


def chosen_at(tmp_path: Path, source: str, provider: str = "", name: str = "sram") -> Settings:
    """A site with an operator, a steward and a project, whose provider says this of its claim."""
    text = f'[login]\nadmins = ["boss"]\naccounts = {{source = "{source}", table = "/etc/accounts.csv", pool = "g##", '
    text += f'pool_size = 9}}\n[login.provider.{name}]\nissuer = "https://idp.example.org"\nclient_id = "hub"\n'
    text += f'client_secret_file = "{tmp_path}/secret"\n{provider}\n'
    text += '[project.physics]\naccount = "phys"\nmembers = {owner = ["olga"], visitor = ["vic"], trainer = ["tom"]}\n'
    catalogue = catalogue_text(tmp_path, "fabric-catalogue")
    return parse(least_site_text(tmp_path, f'{text}{catalogue}[catalogue.stewards]\n"*" = ["stew"]\n'))


@pytest.mark.parametrize("source", ["claim", "name-service"])
@pytest.mark.parametrize("name", ["boss", "stew", "olga", "vic", "tom"])
@pytest.mark.parametrize(
    "provider", ["", 'preset = "sram"', 'preset = "surfconext"', 'preset = "myaccessid"', 'preset = "efp"']
)
def test_a_name_that_people_may_choose_makes_nobody_an_operator_a_steward_or_a_projects_member(
    tmp_path: Path, source: str, name: str, provider: str
) -> None:
    settings = chosen_at(tmp_path, source, provider)
    words = f"The login calls your account {name}. That is somebody's here, and people may choose such a name at sram."
    with refusal("person-name-chosen", words, "login.provider.sram.account_claim_assigned"):
        naming.check_not_chosen(name, login(name), settings, exists=False, whom=WHOM)
    naming.check_not_chosen("new", login("new"), settings, exists=False, whom=WHOM)
    with refusal("person-name-chosen"):  # somebody's account, who has never logged in at the hub
        naming.check_not_chosen("new", login("new"), settings, exists=True, whom=WHOM)


def test_operators_say_whose_a_name_is_by_the_table_or_of_a_provider_that_assigns_it(tmp_path: Path) -> None:
    for source in ("table", "pool"):
        naming.check_not_chosen("boss", login(None), chosen_at(tmp_path, source), exists=True, whom=WHOM)
    assigned = chosen_at(tmp_path, "claim", "account_claim_assigned = true")
    naming.check_not_chosen("boss", login("boss"), assigned, exists=True, whom=WHOM)
    other = chosen_at(tmp_path, "claim", "account_claim_assigned = true", name="another")
    with refusal("person-name-chosen"):  # what is said of one provider is said of none else
        naming.check_not_chosen("boss", login("boss"), other, exists=False, whom=WHOM)


def test_what_is_another_persons_is_refused() -> None:
    with refusal("person-name-taken", "link"):
        naming.check_free("anna", 3, None, None, WHOM)
    with refusal("person-looks-taken", "looks almost like"):
        naming.check_free("anna", None, "anrna", None, WHOM)
    with refusal("person-same-uid", "second name"):
        naming.check_free("anna", None, None, 3, WHOM)
    naming.check_free("anna", None, None, None, WHOM)


def test_names_are_compared_without_case_and_unicode_forms_and_look_alikes_have_one_shape() -> None:
    assert {naming.key(name) for name in ("anna", "ANNA", "\uff41nna", " anna ")} == {"anna"}
    assert naming.key("anna1") != naming.key("annal")
    assert naming.shape("anna1") == naming.shape("annal") == naming.shape("ANNAl")
    assert naming.shape("jo0p") == naming.shape("joop")
    assert naming.shape("bernd") == naming.shape("bemd")
    assert naming.shape("guest01") != naming.shape("guest10")


def test_a_table_is_toml_or_csv() -> None:
    toml = '[[account]]\nissuer = "https://idp.example.org"\nsubject = "a1"\naccount = "anna"\n'
    lines = "issuer,subject,account\nhttps://idp.example.org,a1,anna\n"
    assert naming.read_table(toml, is_csv=False) == naming.read_table(lines, is_csv=True) == {ANNA: "anna"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("issuer,subject\nhttps://idp.example.org,a1\n", "its columns"),
        ("issuer,subject,account\nhttps://idp.example.org,a1\n", "account 1 names no account"),
        ("issuer,subject,account\nidp,a1,anna\n", "account 1: "),
        ("issuer,subject,account\n" + 2 * "https://idp.example.org,a1,anna\n", "account 2 is of an identity"),
        (
            "issuer,subject,account\nhttps://idp.example.org,a1,anna\nhttps://idp.example.org,a2,Anna\n",
            "one account is two people's",
        ),
    ],
)
def test_a_table_that_is_wrong_says_where(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        naming.read_table(text, is_csv=True)
