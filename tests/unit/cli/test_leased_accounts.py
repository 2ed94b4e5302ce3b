"""What operators are told of accounts that are lent: by the site's file, doctor and the command line."""

from __future__ import annotations

import json
import os
import pwd
from pathlib import Path

import pytest

from fabric_hub.catalogue.leases.policy import unusable
from fabric_hub.cli import doctor_pools
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import leased_accounts as texts
from fabric_hub.projects.leases import WantedDocument, as_content, wanted_file
from fabric_hub.projects.live import with_live_projects
from fabric_hub.projects.naming import UnixEntry
from tests.support.builders import a_site, catalogue_text

POOL = '[catalogue.pools.guests]\npurpose = "guest"\naccounts = ["ftnone1"]\n'


def site(directory: Path, more: str = POOL) -> Settings:
    me = pwd.getpwuid(os.geteuid()).pw_name
    return a_site(directory, catalogue_text(directory, me) + f'socket = "{directory}/catalogue.sock"\n' + more)


@pytest.mark.parametrize(
    ("accounts", "words"),
    [
        (
            ["ftnone1", "ftnone1"],
            "the account ftnone1 is in the pools guests and guests; an account is in one pool, once",
        ),
        (
            [pwd.getpwuid(os.geteuid()).pw_name],
            " in the pool guests is the catalogue service's own, which nobody may be lent",
        ),
    ],
)
def test_an_account_is_in_one_pool_and_not_the_services(tmp_path: Path, accounts: list[str], words: str) -> None:
    with pytest.raises(FabricError) as refused:
        site(tmp_path, POOL.replace('["ftnone1"]', json.dumps(accounts)))
    assert words in str(refused.value)


def test_doctor_tells_what_is_missing_and_what_is_set_apart(tmp_path: Path) -> None:
    found = with_live_projects(site(tmp_path))
    assert found.catalogue is not None
    missing = "In the pool guests this machine has no account ftnone1."
    assert [one.about.say() for one in doctor_pools.of_site(found)] == [missing]
    told = WantedDocument(apart={"ftnone1": texts.BY_OPERATOR(why="a key")})
    wanted_file(found.catalogue).write_text(json.dumps(as_content(told)))
    apart = "The account ftnone1 is set apart: set apart by an operator: a key"
    assert [one.about.say() for one in doctor_pools.of_site(found)] == [missing, apart]
    wanted_file(found.catalogue).write_text("{}x")
    assert [one.about.code for one in doctor_pools.of_site(found)][1] == "pools-file-wrong"


def test_an_account_of_another_spelling_or_uid_is_not_lent() -> None:
    spelt = unusable("ftone", UnixEntry("FTone", 62001), min_uid=1000, people={}, uids={})
    assert (spelt.code if spelt else "") == "pool-account-spelling"
    moved = unusable("ftone", UnixEntry("ftone", 62001), min_uid=1000, people={}, uids={}, before=62002)
    assert (moved.code if moved else "") == "pool-account-other-uid"
    person = unusable("ftone", UnixEntry("ftone", 62001), min_uid=1000, people={}, uids={62001: "ada"})
    assert (person.code if person else "") == "pool-account-person"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("The account a (uid 1) is lent for the purpose guest.", texts.LEASED(account="a", uid=1, purpose="guest")),
        (
            "The account a was given back; it is free when all that it left is removed.",
            texts.RETURNED(account="a"),
        ),
        ("The account a is set apart: nobody is lent it.", texts.QUARANTINED(account="a")),
        ("The account a is free again.", texts.RELEASED(account="a")),
        ("The site's file has no pools of accounts.", texts.NO_ACCOUNTS()),
        ("The 2 accounts of the pools are there, each with a uid of its own.", texts.POOLS_RIGHT(n=2)),
        ("accounts that are set apart", texts.POOLS_CLEAN()),
        ("project p has non-public data, or is a client's.", texts.OF_CLOSED_PROJECT(project="p")),
        ("catalogue.from_hub in the site's file lacks the word accounts.", texts.NOT_IN_FROM_HUB()),
        ("The site's file has no pool of accounts for the purpose client.", texts.NO_POOL(purpose="client")),
    ],
)
def test_what_operators_read(words: str, text: Text) -> None:
    assert text.say() == words
