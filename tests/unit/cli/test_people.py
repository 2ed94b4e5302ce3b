"""``fabric-hub people``: who is who, linked anew and forgotten by an operator, on record."""

from __future__ import annotations

import json
import pwd
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fabric_hub import cli
from fabric_hub.catalogue.audit.log import AuditLog, audit_directory
from fabric_hub.catalogue.audit.reading import Reading
from fabric_hub.catalogue.database import open_catalogue
from fabric_hub.catalogue.people.logins import People
from fabric_hub.catalogue.people.store import PeopleStore
from fabric_hub.catalogue.switch_user import for_good
from fabric_hub.projects.identity import Identity, Login
from fabric_hub.projects.naming import UnixEntry
from tests.support.datasets_site import Done, Place, apart, make_site

OLD, NEW = "https://old.example.org", "https://new.example.org"
ACCOUNTS = {"anna": UnixEntry("anna", 1500), "bob": UnixEntry("bob", 1501)}


@pytest.fixture
def place(sandbox: Path) -> Iterator[Place]:
    """A site where anna and bob have logged in once."""
    with tempfile.TemporaryDirectory(dir=sandbox) as root:
        made = make_site(Path(root))
        provider = f'[login.provider.old]\nissuer = "{OLD}"\nclient_id = "hub"\naccount_claim_assigned = true\n'
        made.site.write_text(f'{made.site.read_text()}{provider}client_secret_file = "{root}/secret"\n')
        done = apart(lambda: _log_in(made, Login(identity=Identity(issuer=OLD, subject="a1"), provider="old",
                                                 account_claim="anna", name="Anna\x9b[31m")))  # fmt: skip
        assert done.status == 0, done.err
        done = apart(lambda: _log_in(made, Login(identity=Identity(issuer=OLD, subject="b1"), provider="old",
                                                 account_claim="bob")))  # fmt: skip
        assert done.status == 0, done.err
        yield made


def _log_in(place: Place, login: Login) -> int:
    """As the catalogue service does, in a process that has become its account."""
    for_good(place.datasets)
    store = PeopleStore(open_catalogue(place.datasets))
    log = AuditLog(audit_directory(place.datasets), store.numbers)
    People(lambda: place.settings, store, lambda entries: log.append(*entries), ACCOUNTS.get).login_now(login)
    return 0


def people(place: Place, *arguments: str) -> Done:
    return fabric_hub(place, "people", *arguments)


def fabric_hub(place: Place, *arguments: str) -> Done:
    return apart(lambda: cli.main([*arguments, "--site", str(place.site)]))


def as_json(place: Place, *arguments: str) -> Any:
    done = people(place, *arguments, "--json")
    assert done.status == 0, done.err
    return json.loads(done.out)


def records(place: Place) -> list[dict[str, Any]]:
    return list(Reading(audit_directory(place.datasets)).records())


def test_everybody_is_listed_and_one_is_shown_with_what_was_claimed(place: Place) -> None:
    assert people(place, "list").out.splitlines() == [
        "1  anna  account anna (name-service)",
        "2  bob  account bob (name-service)",
    ]
    shown = people(place, "show", "1").out
    assert "a1 at https://old.example.org, by old" in shown
    assert "as claimed: Anna" in shown
    assert "names at the hub: anna" in shown
    assert "\x9b" not in shown
    assert [one["account"]["name"] for one in as_json(place, "list")] == ["anna", "bob"]
    assert as_json(place, "show", "2")["identities"][0]["subject"] == "b1"
    missing = people(place, "show", "9")
    assert (missing.status, missing.err) == (1, "fabric-hub: There is no person 9.\n")


def test_who_changed_institution_is_linked_anew_on_record(place: Place) -> None:
    linked = people(place, "link", "1", NEW, "n1")
    assert (linked.status, linked.out) == (0, f"Linked: n1 at {NEW} is person 1.\n")
    assert people(place, "link", "1", NEW, "n1").out == "It is person 1's already.\n"
    unlinked = people(place, "unlink", "1", OLD, "a1")
    assert unlinked.out == f"Unlinked: a1 at {OLD} is nobody. Their name and account stay person 1's.\n"
    again = people(place, "unlink", "1", OLD, "a1")
    assert (again.status, "has no identity a1" in again.err) == (1, True)
    assert [one["subject"] for one in as_json(place, "show", "1")["identities"]] == ["n1"]
    told = [(one["event"], one["person"]) for one in records(place)]
    assert told == [("first-login", 1), ("first-login", 2), ("linked", 1), ("unlinked", 1)]
    assert all("by" in one for one in records(place)[2:])


def test_somebody_is_blocked_and_let_in_again_on_record(place: Place) -> None:
    blocked = people(place, "block", "anna", "--why", "Mines coins.")
    assert blocked.out == "anna is blocked: no login, no start, and what is open ends within a minute.\n"
    again = people(place, "block", "anna", "--why", "Mines coins.")
    assert again.out == "anna is blocked for that reason already.\n"
    assert as_json(place, "block", "anna", "--why", "Still.") == {"name": "anna", "blocked": "Still."}
    assert people(place, "unblock", "anna").out == "anna may log in again, and is in the projects as before.\n"
    refused = people(place, "unblock", "anna")
    assert (refused.status, refused.err) == (
        1,
        "fabric-hub: Nobody has blocked anna. See who is known: fabric-hub people list.\n",
    )
    assert [one["event"] for one in records(place)][2:] == ["blocked", "blocked", "unblocked"]


def test_an_identity_of_somebody_else_is_moved_only_when_that_is_said(place: Place) -> None:
    refused = people(place, "link", "1", OLD, "b1")
    assert (refused.status, "is person 2's" in refused.err, "--move" in refused.err) == (1, True, True)
    assert people(place, "link", "1", OLD, "b1", "--move").status == 0
    assert records(place)[-1]["why"] == "from person 2"
    assert as_json(place, "show", "2")["identities"] == []
    wrong = people(place, "link", "1", "no issuer", "x")
    told = "x at no issuer is no identity: an issuer is an address as the provider writes it, without spaces."
    assert (wrong.status, wrong.err) == (1, f"fabric-hub: {told}\n")


def test_another_account_must_be_there_and_nobody_elses(place: Place) -> None:
    taken = people(place, "account", "1", "bob")
    assert (taken.status, "this cluster has none of that name" in taken.err) == (1, True)  # asked first
    mine = pwd.getpwnam("nobody").pw_name
    refused = people(place, "account", "1", mine)
    assert (refused.status, "account" in refused.err) == (1, True)
    assert as_json(place, "show", "1")["names"] == ["anna"]


def test_a_person_without_an_account_gets_one_before_a_login_leads_to_them(place: Place) -> None:
    def known_by_name() -> int:
        for_good(place.datasets)
        PeopleStore(open_catalogue(place.datasets)).numbers({"carol"})
        return 0

    assert apart(known_by_name).status == 0
    refused = people(place, "link", "3", NEW, "c1")
    assert refused.status == 1
    assert refused.err == (
        "fabric-hub: Person 3 has no account, so that no login leads to them. "
        "Give them one first: `fabric-hub people account 3 NAME`.\n"
    )
    assert "3  carol  (by name alone)" in people(place, "list").out


def test_an_account_is_given_on_record_from_the_next_login_on(place: Place) -> None:
    name = next(one.pw_name for one in pwd.getpwall() if one.pw_uid >= 1000 and one.pw_name != "nobody")
    given = people(place, "account", "1", name)
    assert given.out == f"Person 1 is {name} at the hub from the next login on, with the account {name}.\n", given.err
    assert (records(place)[-1]["event"], records(place)[-1]["person"]) == ("account", 1)


def test_a_site_where_nobody_was_seen_yet_says_so(place: Place) -> None:
    with tempfile.TemporaryDirectory(dir=place.site.parent) as root:
        assert people(make_site(Path(root)), "list").out == "Nobody is on record.\n"


def test_people_are_numbers_in_an_export_while_their_names_cannot_be_read(place: Place) -> None:
    for database in place.datasets.state_dir.glob("*.sqlite*"):
        database.unlink()
    (place.datasets.state_dir / "catalogue.sqlite").write_bytes(b"no database at all" * 100)
    days = ("--from", "2026-01-01", "--to", "2026-01-02")
    done = fabric_hub(place, "audit", "export", "--dataset", "waves", *days, "--csv")
    assert done.status == 0, done.err
    assert "People are shown as numbers, as their names cannot be read: " in done.err


def test_a_person_is_forgotten_after_the_sites_days_and_the_audit_log_is_whole(place: Place) -> None:
    early = people(place, "forget", "2")
    assert early.status == 1
    assert "Person 2 was last seen on " in early.err
    assert ", and names are kept for 1827 days after that. The limit is catalogue.keep_names_days" in early.err
    text = place.site.read_text()
    place.site.write_text(text.replace("[catalogue]\n", "[catalogue]\nkeep_names_days = 0\n"))
    assert people(place, "forget", "2").out == (
        "Person 2 is a number only: names, identities and account are erased. The audit log is as it was.\n"
    )
    assert people(place, "forget", "2").out == "Nothing is kept of person 2.\n"
    shown = people(place, "list").out.splitlines()
    assert shown[:2] == ["1  anna  account anna (name-service)", "2  (forgotten)"]
    assert "bob" not in json.dumps(as_json(place, "list"))
    assert fabric_hub(place, "audit", "verify").status == 0
    place.site.write_text(place.site.read_text().replace('owner = ["ada"]', 'owner = ["ada", "anna"]'))
    still = people(place, "forget", "1")
    assert (still.status, " ".join(still.err.split())) == (
        1,
        (
            "fabric-hub: Person 1 is not forgotten: the site's file or a project still names anna, in physics. "
            "Take them out there first."
        ),
    )


def test_who_is_in_a_project_that_is_kept_is_not_forgotten_whatever_was_published(place: Place) -> None:
    text = place.site.read_text()
    place.site.write_text(text.replace("[catalogue]\n", "[catalogue]\nkeep_names_days = 0\n"))
    done = fabric_hub(place, "projects", "create", "tides", "--title", "Tides", "--owner", "bob")
    assert done.status == 0, done.err
    (place.datasets.socket.parent / "projects.json").unlink(missing_ok=True)
    still = people(place, "forget", "2")
    assert (still.status, "still names bob, in tides" in " ".join(still.err.split())) == (1, True), still.err
