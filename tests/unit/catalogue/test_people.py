"""People: a login is one person for ever, two identities are never one, and linking is the person's own act."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import ValidationError

from fabric_hub.catalogue.database import open_catalogue
from fabric_hub.catalogue.people.logins import digest
from fabric_hub.catalogue.project_store import ProjectStore
from fabric_hub.catalogue.rate_limit import RateLimit
from fabric_hub.catalogue.tables import metadata
from fabric_hub.config.catalogue import CatalogueSettings
from fabric_hub.errors import FabricError
from fabric_hub.projects.identity import Identity, LoggedIn
from fabric_hub.projects.naming import UnixEntry
from fabric_hub.sessions.database import Transaction
from tests.support.people_site import IDP, OTHER_IDP, PROJECT, Site, a_login, site
from tests.support.postgresql import server
from tests.support.postgresql import url as url_of


@pytest.fixture(scope="module")
def postgres(sandbox: Path) -> Iterator[str]:
    with server(sandbox) as home:
        yield url_of(home)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    """An empty catalogue, on each of the two databases."""
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgres")
    opened = open_catalogue(CatalogueSettings(state_dir=tmp_path, database=url))
    yield opened
    if url:
        with opened.begin() as connection:
            connection.execute(sa.text("DROP SCHEMA public CASCADE"))
            connection.execute(sa.text("CREATE SCHEMA public"))
    opened.dispose()


@pytest.fixture
def here(engine: sa.Engine, tmp_path: Path) -> Site:
    return Site(engine, site(tmp_path))


def refusal(code: str, status: int = 403) -> Any:
    return pytest.raises(FabricError, check=lambda error: (error.said.code, error.status) == (code, status))


def test_a_first_login_makes_person_identity_name_and_account_on_record_and_a_second_changes_claims_only(
    here: Site,
) -> None:
    assert here.login("a1", "anna", name="Anna", mail="anna@a.example") == LoggedIn(user="anna", first=True)
    (first,) = here.store.people()
    assert (first.number, first.names, first.account and first.account.unix_account) == (1, ("anna",), "anna")
    # the claim of the second login names another account: a person's stays
    assert here.login("a1", "bob", name="Anna B", mail="anna@b.example", assurance=("high",)) == LoggedIn(user="anna")
    (second,) = here.store.people()
    assert second.identities[0].last_at > first.identities[0].last_at
    assert second.identities[0].first_at == first.identities[0].first_at
    assert (second.identities[0].display_name, second.identities[0].mail) == ("Anna B", "anna@b.example")
    assert second.identities[0].assurance == ("high",)
    assert second.account == first.account
    (entry,) = here.entries
    assert (entry.event, entry.user, entry.person, entry.why) == ("first-login", None, 1, "account by claim")
    assert entry.identity == digest(Identity(issuer=IDP, subject="a1"))


@pytest.mark.parametrize(("provider", "issuer"), [("sram", OTHER_IDP), ("gone", IDP), ("new", "https://evil.example")])
def test_a_login_of_a_provider_that_the_site_does_not_name_is_nobodys_whatever_the_hub_says(
    here: Site, provider: str, issuer: str
) -> None:
    mine = a_login("a1", "anna")
    here.people.login_now(mine)
    identity = Identity(issuer=issuer, subject="a1")
    forged = a_login("a1", "bob").model_copy(update={"provider": provider, "identity": identity})
    with refusal("person-no-such-provider"):
        here.people.login_now(forged)
    for first, second in ((mine, forged), (forged, mine)):
        with refusal("person-no-such-provider"):
            here.link("anna", first, second)
    assert [entry.event for entry in here.entries] == ["first-login"]
    assert len(here.store.people()) == 1


def test_a_login_that_cannot_be_recorded_makes_nobody(here: Site) -> None:
    here.full = True
    with pytest.raises(FabricError, match="the disk is full"):
        here.login("a1", "anna")
    assert here.store.people() == ()
    here.full = False
    assert here.login("a1", "anna").first


def test_first_logins_of_one_identity_at_one_moment_make_one_person(here: Site) -> None:
    answers: list[LoggedIn] = []
    together = threading.Barrier(8)

    def log_in() -> None:
        together.wait()
        answers.append(here.login("a1", "anna"))

    threads = [threading.Thread(target=log_in) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.user for one in answers] == ["anna"] * 8
    assert sum(one.first for one in answers) == 1
    assert len(here.store.people()) == 1
    assert [entry.event for entry in here.entries] == ["first-login"]


def test_a_name_is_one_persons_for_ever_in_every_spelling(here: Site) -> None:
    here.settings = here.settings.model_copy(
        update={"login": here.settings.login.model_copy(update={"keep_case": True})}
    )
    here.login("a1", "anna1")
    for claim in ("anna1", "Anna1", "ANNA1"):
        with refusal("person-name-taken"):
            here.login("a2", claim, mail="anna@example.org")
    with refusal("person-looks-taken"):
        here.login("a2", "annal")
    here.store.unlink(1, Identity(issuer=IDP, subject="a1"), lambda _: None)
    with refusal("person-name-taken"):  # also once its person cannot log in any more
        here.login("a1", "anna1")
    assert len(here.store.people()) == 1


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("source", ["claim", "name-service"])
def test_nobody_becomes_somebody_of_the_sites_by_a_name_that_people_choose(
    engine: sa.Engine, tmp_path: Path, source: str
) -> None:
    text = f'accounts.source = "{source}"\nadmins = ["boss"]'
    here = Site(engine, site(tmp_path, text, PROJECT, assigned=False))
    here.unix |= {name: UnixEntry(name, 1500 + at) for at, name in enumerate(("anna", "boss", "other"))}
    for name in ("boss", "anna", "other"):  # an operator, a project's member, and whose account it is
        with refusal("person-name-chosen"):
            here.login("e1", name)
    assert (here.store.people(), here.entries) == ((), [])
    here.settings = site(tmp_path, text)
    assert here.login("a1", "boss").user == "boss"
    here.settings = site(tmp_path, text, assigned=False)
    assert here.login("a1", "anna").user == "boss", "who is known stays who they are"


def test_an_account_under_a_second_name_is_still_the_first_ones(here: Site) -> None:
    here.unix |= {"anna": UnixEntry("anna", 1500), "zoe": UnixEntry("zoe", 1500)}
    here.login("a1", "anna")
    with refusal("person-same-uid"):
        here.login("a2", "zoe")


def test_a_projects_member_is_who_the_mapping_says_and_never_who_has_the_name(
    engine: sa.Engine, tmp_path: Path
) -> None:
    pool = Site(engine, site(tmp_path, 'accounts = {source = "pool", pool = "guest##", pool_size = 4}'))
    pool.unix |= {name: UnixEntry(name, 2000 + at) for at, name in enumerate(("guest01", "guest02", "guest03"))}
    # guest01 is a member of physics in the site's file: it is lent to nobody
    assert pool.login("e1", "anna", name="anna", mail="anna@example.org").user == "guest02"
    assert pool.login("e2", None, name="guest01").user == "guest03"
    with refusal("person-no-account"):
        pool.login("e3", None)


def test_the_table_gives_a_member_their_name(engine: sa.Engine, tmp_path: Path) -> None:
    table = tmp_path / "accounts.csv"
    table.write_text(f"issuer,subject,account\n{IDP},a1,anna\n")
    here = Site(engine, site(tmp_path, f'accounts = {{source = "table", table = "{table}"}}'))
    here.unix["anna"] = UnixEntry("anna", 1500)
    with refusal("person-not-in-table"):
        here.login("a2", "anna", name="anna")
    assert here.login("a1", None).user == "anna"
    table.chmod(0o666)
    with refusal("person-table", 503):
        here.login("a3", None)


def test_the_name_service_must_have_the_account(engine: sa.Engine, tmp_path: Path) -> None:
    here = Site(engine, site(tmp_path, "", PROJECT + '[users]\nunix_name = "u-{user}"\n'))
    here.unix |= {"u-anna": UnixEntry("u-anna", 1500), "u-svc": UnixEntry("u-svc", 300)}
    with refusal("person-no-account"):
        here.login("b1", "bob")
    with refusal("person-system-account"):
        here.login("s1", "svc")
    with refusal("person-no-claim"):
        here.login("b1", None, name="anna")
    assert here.login("a1", "anna").user == "anna"
    (anna,) = here.store.people()
    assert anna.account
    assert (anna.account.unix_account, anna.account.uid) == ("u-anna", 1500)


def test_a_person_who_is_logged_in_with_both_links_a_second_identity(here: Site) -> None:
    mine, other = a_login("a1", "anna"), a_login("z9", "anna", OTHER_IDP)
    here.people.login_now(mine)
    here.link("anna", mine, other)
    assert here.people.login_now(other) == LoggedIn(user="anna")
    assert len(here.store.people()) == 1
    linked = here.entries[-1]
    assert (linked.event, linked.user, linked.person) == ("linked", None, 1)
    assert linked.identity == digest(other.identity)
    here.link("anna", mine, other)  # again changes nothing
    assert [entry.event for entry in here.entries] == ["first-login", "linked"]


def test_linking_takes_two_fresh_logins_the_persons_own_and_one_that_is_nobodys(here: Site) -> None:
    anna, bob, new = a_login("a1", "anna"), a_login("b1", "bob"), a_login("n1", "anna", OTHER_IDP)
    here.people.login_now(anna)
    here.people.login_now(bob)
    for ages in ({"first": 601.0}, {"second": 601.0}, {"second": -120.0}):
        with refusal("person-link-old"):
            here.link("anna", anna, new, **ages)
    with refusal("person-link-same", 409):
        here.link("anna", anna, anna)
    with refusal("person-link-not-yours"):
        here.link("bob", anna, new)
    with refusal("person-link-not-yours"):
        here.link("anna", new, anna)
    with refusal("person-link-has-person", 409):
        here.link("anna", anna, bob)
    assert here.person("n1", OTHER_IDP) is None
    assert (here.person("a1"), here.person("b1")) == (1, 2)


def variants(chance: random.Random, number: int) -> tuple[dict[str, Any], dict[str, Any], str]:
    """Two identities that somebody or something could take for one, and in which way."""
    word = "".join(chance.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=8))
    first: dict[str, Any] = {
        "issuer": f"https://{word}.example.org",
        "subject": f"{word}@home",
        "claim": f"p{number}x{word}",
        "name": "Jan de Vries",
        "mail": f"{word}@example.org",
    }
    second = {**first, "claim": f"q{number}x{word}"}
    kind = chance.choice(
        ("mail", "name", "case", "issuer", "slash", "space", "letters", "claim", "upper claim", "organisation")
    )
    if kind in ("mail", "name", "organisation", "claim", "upper claim"):
        second["subject"] = f"{word}@{chance.choice(('work', 'home.', 'HOME', 'home2'))}"
    if kind == "case":
        second["subject"] = word.swapcase() + "@HOME"
    elif kind == "issuer":
        second["issuer"] = f"https://{word}.example.{chance.choice(('com', 'net', 'org:443'))}"
    elif kind == "slash":
        second["issuer"] = first["issuer"] + "/"
    elif kind == "space":
        second["subject"] = first["subject"] + chance.choice((" ", "\t", "\u00a0", "\u200b"))
    elif kind == "letters":
        second["subject"] = first["subject"].replace("o", "о")  # noqa: RUF001 - Cyrillic
        second["name"] = "Jan dе Vries"  # noqa: RUF001 - Cyrillic
    elif kind == "claim":
        second["claim"] = first["claim"]
    elif kind == "upper claim":
        second["claim"] = first["claim"].upper()
    return first, second, kind


@pytest.mark.long
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_of_ten_thousand_pairs_of_identities_that_resemble_each_other_none_is_merged(
    engine: sa.Engine, here: Site
) -> None:
    # what a power cut would leave is not the question here
    sa.event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
    engine.dispose()
    here.people._firsts._at_once = 10**6
    chance, seed = random.Random(16), 16
    merged, both, refused = 0, 0, {"login": 0, "identity": 0}
    for number in range(10_000):
        pair = variants(chance, number)
        found: list[tuple[int | None, str] | None] = []
        for one in pair[:2]:
            try:
                said = here.login(**one)
                found.append((here.person(one["subject"], one["issuer"]), said.user))
            except ValidationError:  # what is no subject: no process takes it
                refused["identity"] += 1
            except FabricError as error:
                assert error.reason == "account", error  # noqa: PT017
                refused["login"] += 1
        both += len(found) == 2
        merged += len(found) == 2 and (found[0][0] == found[1][0] or found[0][1] == found[1][1])  # type: ignore[index]
    people = here.store.people()
    assert merged == 0, f"{merged} pairs of seed {seed}"
    assert both > 5_000
    assert min(refused.values()) > 500
    assert all(len(one.identities) == 1 and len(one.names) == 1 for one in people)
    assert len(people) == 20_000 - sum(refused.values())


def test_who_was_known_by_name_alone_is_the_person_whom_the_mapping_leads_there_and_a_pool_leads_nobody(
    here: Site, tmp_path: Path
) -> None:
    numbers = here.store.numbers({"anna", "guest02"})
    assert here.store.numbers({"anna"}) == {"anna": numbers["anna"]}
    assert here.login("a1", "anna").first
    assert here.person("a1") == numbers["anna"]
    with refusal("person-name-taken"):
        here.login("a2", "anna")
    here.settings = site(tmp_path, 'accounts = {source = "pool", pool = "guest##", pool_size = 3}')
    here.unix["guest03"] = UnixEntry("guest03", 2003)
    assert here.login("e1", None).user == "guest03"
    assert here.person("e1") not in numbers.values()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_nobody_becomes_somebody_who_was_met_or_has_a_password_by_a_name_that_people_choose(
    engine: sa.Engine, tmp_path: Path
) -> None:
    here = Site(engine, site(tmp_path, more=PROJECT + "[users]\nshared_account = true\n", assigned=False))
    here.store.numbers({"bob"})  # who has left the project in which they were met
    with refusal("person-name-taken"):
        here.login("e1", "bob")
    here.unix["carol"] = UnixEntry("carol", 1500)  # who has logged in with a Unix password alone
    with refusal("person-name-chosen"):
        here.login("e1", "carol")
    with refusal("person-looks-taken"):  # guest01 is in a project, and has never logged in
        here.login("e1", "guesto1")
    assert here.entries == []
    assert here.login("e1", "eve").first


def test_an_account_that_was_made_anew_is_not_its_former_persons(here: Site) -> None:
    here.unix["anna"] = UnixEntry("anna", 1500)
    here.login("a1", "anna")
    here.unix["anna"] = UnixEntry("anna", 1900)
    with refusal("person-other-uid"):
        here.login("a1", "anna")
    del here.unix["anna"]  # as when the name service is silent for a moment
    assert here.login("a1", "anna").user == "anna"


def test_a_persons_number_is_never_anothers_also_when_the_change_that_named_them_is_undone(here: Site) -> None:
    first = here.store.numbers({"anna"})["anna"]
    for _ in range(2):
        with suppress(ZeroDivisionError), Transaction(here.engine) as connection:
            connection.execute(sa.text("UPDATE counter SET serial = serial + 1"))
            inside = here.store.numbers({"anna", "bob"})
            assert (inside["anna"], inside["bob"]) == (first, first + 1)
            raise ZeroDivisionError
    assert here.store.numbers({"carol"}) == {"carol": first + 1}
    assert here.store.numbers({"bob"}) == {"bob": first + 2}


def test_who_is_forgotten_is_a_number_and_their_name_is_nobodys_and_theirs_again_when_they_are_back(here: Site) -> None:
    here.login("a1", "anna1", mail="anna@example.org")
    assert here.store.forget(1, lambda _: None)
    assert not here.store.forget(1, lambda _: None)
    assert here.store.names() == {}
    (gone,) = here.store.people()
    assert (gone.names, gone.identities, gone.account) == ((), (), None)
    with here.engine.connect() as connection:
        everything = [connection.execute(sa.select(table)).all() for table in metadata.sorted_tables]
    assert "anna" not in repr(everything)
    with refusal("person-name-taken"):
        here.login("a1", "anna1")
    with refusal("person-looks-taken"):
        here.login("a2", "annal")
    assert here.store.numbers({"anna1"}) == {"anna1": 1}  # as the site's own authenticator lets them in again
    assert here.store.names() == {1: "anna1"}


def test_after_a_restore_no_number_is_given_again_and_who_came_after_the_backup_is_known(here: Site) -> None:
    here.store.numbers({"anna"})
    here.store.restored({1: "eve", 4: "bob", 5: "Anna"}, highest=9)
    assert here.store.names() == {1: "anna", 4: "bob"}
    assert here.store.numbers({"bob", "carol"}) == {"bob": 4, "carol": 10}


def test_more_new_people_than_a_hub_takes_at_once_wait_and_those_it_knows_do_not(here: Site) -> None:
    here.login("a1", "anna")
    here.people._firsts = RateLimit(0, 0.0)
    with refusal("person-many-first", 429):
        here.login("b1", "bob")
    assert not here.login("a1", "anna").first


def test_who_gets_no_account_does_not_keep_others_from_theirs(here: Site) -> None:
    here.people._firsts = RateLimit(12, 0.0)
    for _ in range(10):
        with refusal("person-no-claim"):
            here.login("e1", None)
    for _ in range(10):
        with refusal("person-many-first", 429):
            here.login("e1", None)
    assert here.login("a1", "anna").first


def test_who_is_blocked_is_published_and_let_in_again_and_an_unlinked_identity_ends_what_was_logged_in(
    here: Site,
) -> None:
    here.login("a1", "anna")
    number, projects = here.person("a1"), ProjectStore(here.engine)
    assert number is not None
    before, recorded = projects.document(), list[int]()
    assert before.login_ends == {}
    assert here.store.block(number, "Mines coins.", recorded.append)
    assert not here.store.block(number, "Mines coins.", recorded.append), "it stands"
    blocked = projects.document()
    assert blocked.serial > before.serial
    assert blocked.login_ends["anna"].blocked == "Mines coins."
    assert "anna" not in projects.over(here.settings).project["physics"].members
    assert "guest01" in projects.over(here.settings).project["physics"].members
    assert here.store.unblock(number, recorded.append)
    assert not here.store.unblock(number, recorded.append)
    assert projects.document().blocked == frozenset()
    assert "anna" in projects.over(here.settings).project["physics"].members
    assert recorded == [number, number]
    at = projects.document().login_ends["anna"].at
    assert here.store.unlink(number, Identity(issuer=IDP, subject="a1"), recorded.append)
    assert projects.document().login_ends["anna"].at > at


def test_a_block_that_cannot_go_on_record_is_none(here: Site) -> None:
    here.login("a1", "anna")
    number = here.person("a1")
    assert number is not None

    def full(_number: int) -> None:
        raise FabricError("the disk is full")

    with pytest.raises(FabricError, match="full"):
        here.store.block(number, "Mines coins.", full)
    assert ProjectStore(here.engine).document().login_ends == {}
