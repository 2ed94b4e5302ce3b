"""Accounts that are lent: never one to two, only after it was cleaned, on record, on SQLite and on PostgreSQL."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fabric_hub.catalogue.audit.log import Entry
from fabric_hub.catalogue.database import open_catalogue
from fabric_hub.catalogue.leases.keeping import LeasedAccounts
from fabric_hub.catalogue.leases.policy import LeaseRequest
from fabric_hub.catalogue.leases.progress import NodeSays, Told
from fabric_hub.catalogue.leases.store import Leased
from fabric_hub.catalogue.project_policy import Asker
from fabric_hub.catalogue.project_store import RefusedError
from fabric_hub.catalogue.publish import publish, publish_accounts
from fabric_hub.catalogue.store import CatalogueStore
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import message_of
from fabric_hub.projects.changes import Create, SetDates
from fabric_hub.projects.leases import Done
from fabric_hub.projects.naming import UnixEntry
from tests.support.builders import a_site, catalogue_text
from tests.support.postgresql import server
from tests.support.postgresql import url as url_of

ROOT = Asker("root", operator=True, from_hub=False)
OPERATOR = Asker("sam", operator=True)
GUESTS = {f"ftguest{number}": 62000 + number for number in range(1, 5)}
SERVICES = {"ftsvc1": 62101, "ftsvc2": 62102}
POOLS = """\
[catalogue.pools.guests]
purpose = "guest"
accounts = ["ftguest1", "ftguest2", "ftguest3", "ftguest4"]
[catalogue.pools.services]
purpose = "service"
accounts = ["ftsvc1", "ftsvc2"]
"""


@pytest.fixture(scope="module")
def postgres(sandbox: Path) -> Iterator[str]:
    with server(sandbox) as home:
        yield url_of(home)


@pytest.fixture
def site(tmp_path: Path) -> Settings:
    for name in ("state", "published", "run"):
        (tmp_path / name).mkdir()
    text = catalogue_text(tmp_path, "nobody") + f'socket = "{tmp_path}/run/catalogue.sock"\n'
    return a_site(tmp_path, text + POOLS)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, site: Settings) -> Iterator[sa.Engine]:
    """An empty catalogue, on each of the two databases."""
    assert site.catalogue is not None
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgres")
    opened = open_catalogue(site.catalogue.model_copy(update={"database": url}))
    yield opened
    if url:
        with opened.begin() as connection:
            connection.execute(sa.text("DROP SCHEMA public CASCADE"))
            connection.execute(sa.text("CREATE SCHEMA public"))
    opened.dispose()


class Lent:
    """A catalogue whose name service is a table, with what went into its audit log."""

    def __init__(self, engine: sa.Engine, site: Settings) -> None:
        self.site, self.store = site, CatalogueStore(engine)
        self.names: dict[str, int] = {**GUESTS, **SERVICES}
        self.log: list[Entry] = []
        self.accounts = LeasedAccounts(
            lambda: self.site, self.store.leases, self.store.projects, lambda _: None, self.log.extend, self.lookup
        )
        waves = Create(project="waves", title="Waves", owners=("ada",))
        self.store.projects.change(site, waves, ROOT, lambda _: None)

    def lookup(self, account: str) -> UnixEntry | None:
        return UnixEntry(account, self.names[account]) if account in self.names else None

    def lease(self, purpose: Any = "guest", asker: Asker = ROOT, **more: Any) -> Leased:
        return self.accounts.lease(LeaseRequest(purpose=purpose, **more), asker)

    def clean(self, account: str) -> None:
        """Bring an account that was given back through all its steps, each with the word that it needs."""
        for _ in range(5):
            one = self.one(account)
            work: Any = "close" if one.step == "close" else "home"
            gateway = Done(work=work, round=one.round, done=True)
            assert self.accounts.advance(partial(_told, gateway, NodeSays(one.round, 0)))

    def one(self, account: str) -> Leased:
        return next(one for one in self.store.leases.all() if one.account == account)

    def published(self) -> dict[str, Any]:
        assert self.site.catalogue is not None
        publish(self.site, self.store)
        found: dict[str, Any] = json.loads((self.site.catalogue.published / "grants.json").read_text())
        return found


@pytest.fixture
def lent(engine: sa.Engine, site: Settings) -> Lent:
    return Lent(engine, site)


def _told(gateway: Done, says: NodeSays, _: Leased) -> Told:
    return Told(gateway, {"gpu1": says})


def refused(code: str) -> Any:
    return pytest.raises(FabricError, check=lambda error: message_of(error).code == code)


def test_an_account_is_lent_with_its_uid_and_on_record(lent: Lent) -> None:
    until = date.today() + timedelta(days=7)  # noqa: DTZ011
    leased = lent.lease(project="waves", person="bo", until=until)
    assert (leased.account, leased.uid, leased.state) == ("ftguest1", 62001, "leased")
    assert lent.one("ftguest1") == leased
    (entry,) = lent.log
    assert (entry.event, entry.user, entry.by, entry.project, entry.uid, entry.until, entry.purpose) == (
        "account-leased", "bo", "root", "waves", 62001, until, "guest",
    )  # fmt: skip
    assert json.loads(entry.after or "") == {"unix_account": "ftguest1", "state": "leased", "round": 0}


def test_twenty_at_once_get_four_accounts_and_no_two_the_same(lent: Lent) -> None:
    got: list[str] = []
    codes: list[str] = []
    ready = threading.Barrier(20)

    def ask() -> None:
        ready.wait()
        try:
            got.append(lent.lease().account)
        except FabricError as error:
            codes.append(message_of(error).code)

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == sorted(GUESTS)
    assert codes == ["lease-none-free"] * 16


def test_an_account_that_was_given_back_is_lent_again_only_when_it_is_clean(lent: Lent) -> None:
    for _ in GUESTS:
        lent.lease(person="bo")
    lent.accounts.give_back("ftguest3", ROOT)
    with refused("lease-none-free"):
        lent.lease()
    lent.clean("ftguest3")
    free = lent.one("ftguest3")
    assert (free.state, free.person) == ("free", None)
    assert lent.lease().account == "ftguest3"
    assert [one.event for one in lent.log][4:] == ["account-returned", "account-freed", "account-leased"]


def test_a_record_that_cannot_be_written_lends_nothing(lent: Lent) -> None:
    def full(_: object) -> None:
        raise FabricError("the audit log cannot be written")

    lent.accounts._append = full
    with pytest.raises(FabricError, match="audit log"):
        lent.lease()
    assert lent.store.leases.all() == ()


def test_a_service_account_is_published_with_its_project_until_it_is_given_back(lent: Lent) -> None:
    before = lent.store.projects.document().serial
    assert lent.lease("service", project="waves").account == "ftsvc1"
    document = lent.store.projects.document()
    assert document.serial > before
    assert document.projects["waves"].service_account == "ftsvc1"
    with refused("lease-service-there"):
        lent.lease("service", project="waves")
    with refused("lease-service-kept"):
        lent.accounts.give_back("ftsvc1", ROOT)
    lent.accounts.give_back("ftsvc1", ROOT, force=True)
    assert lent.store.projects.document().projects["waves"].service_account == ""
    assert lent.lease("service", project="waves").account == "ftsvc2"


def test_a_service_account_goes_back_by_itself_once_its_project_is_kept_no_longer(lent: Lent) -> None:
    lent.lease("service", project="waves")
    today = date.today()  # noqa: DTZ011
    for days, state in ((365, "leased"), (366, "cleaning")):
        end = SetDates(project="waves", start=None, end=today - timedelta(days=days))
        lent.store.projects.change(lent.site, end, ROOT, lambda _: None)
        lent.accounts.take_overdue()
        assert lent.one("ftsvc1").state == state


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"project": "waves", "person": "bo"}, "lease-service-project"),
        ({}, "lease-service-project"),
        ({"project": "physics"}, "lease-service-not-kept"),
        ({"project": "nobodys"}, "lease-project-unknown"),
    ],
)
def test_a_service_account_is_for_a_project_that_is_kept_and_for_nobody_else(
    lent: Lent, more: dict[str, Any], code: str
) -> None:
    with refused(code):
        lent.lease("service", **more)


def test_a_project_that_is_to_last_for_ever_keeps_no_other_account_from_going_back(lent: Lent) -> None:
    lent.lease("service", project="waves")
    lent.store.projects.change(
        lent.site, SetDates(project="waves", start=None, end=date(9999, 12, 31)), ROOT, lambda _: None
    )
    lent.accounts.take_overdue()
    assert lent.one("ftsvc1").state == "leased"


def test_what_was_lent_until_a_day_goes_back_after_it(lent: Lent) -> None:
    today = date.today()  # noqa: DTZ011
    lent.lease(until=today)
    lent.accounts.take_overdue()
    assert lent.one("ftguest1").state == "leased"
    with refused("lease-over"):
        lent.lease(until=today - timedelta(days=1))


def test_what_is_not_clean_in_time_is_set_apart_with_the_reason_until_an_operator_releases_it(lent: Lent) -> None:
    assert lent.site.catalogue is not None
    quick = lent.site.catalogue.model_copy(update={"clean_within_minutes": 1e-9})
    lent.lease()
    lent.accounts.give_back("ftguest1", ROOT)
    lent.site = lent.site.model_copy(update={"catalogue": quick})
    assert lent.accounts.advance(lambda _: Told(None, {"gpu1": None}))
    apart = lent.one("ftguest1")
    assert (apart.state, apart.why.code) == ("quarantined", "lease-gateway-silent")
    assert (lent.log[-1].event, lent.log[-1].why) == ("account-quarantined", "lease-gateway-silent")
    lent.accounts.release("ftguest1", ROOT)
    assert (lent.one("ftguest1").state, lent.one("ftguest1").why.code) == ("free", "verbatim")
    assert lent.log[-1].event == "account-released"
    with refused("lease-not-quarantined"):
        lent.accounts.release("ftguest1", ROOT)


def test_an_operator_sets_apart_what_is_free_and_nothing_that_is_lent(lent: Lent) -> None:
    lent.lease()
    with refused("lease-not-to-quarantine"):
        lent.accounts.quarantine("ftguest1", "a key was seen elsewhere", ROOT)
    lent.accounts.give_back("ftguest1", ROOT)
    lent.accounts.quarantine("ftguest1", "a key was seen elsewhere", ROOT)
    assert str(lent.one("ftguest1").why) == "set apart by an operator: a key was seen elsewhere"


def test_nodes_and_gateway_are_told_what_is_theirs_to_do_and_grants_leave_the_uid_out(lent: Lent) -> None:
    assert lent.site.catalogue is not None
    wanted = lent.site.catalogue.socket.parent / "accounts.json"
    lent.lease()
    assert "cleaning" not in lent.published()
    lent.accounts.give_back("ftguest1", ROOT)
    assert publish_accounts(lent.site.catalogue, lent.store.leases)
    assert not publish_accounts(lent.site.catalogue, lent.store.leases)
    assert json.loads(wanted.read_text())["accounts"] == {"ftguest1": {"uid": 62001, "work": "close", "round": 1}}
    assert "cleaning" not in lent.published()
    lent.accounts.advance(lambda _: Told(Done(work="close", round=1, done=True), {}))
    publish_accounts(lent.site.catalogue, lent.store.leases)
    assert json.loads(wanted.read_text())["accounts"] == {}
    assert lent.published()["cleaning"] == [{"account": "ftguest1", "uid": 62001, "round": 1}]


def test_an_account_that_is_a_persons_or_the_systems_is_lent_to_nobody(lent: Lent) -> None:
    lent.names = {"ftguest1": 100, "ftguest2": 62009, "ftguest3": 62009}
    found = {name: why if isinstance(why, UnixEntry) else str(why) for name, why in lent.accounts.checked().items()}
    assert found["ftguest1"] == (
        "the account ftguest1 has the uid 100, and an account below 1000 (users.min_uid) is the system's."
    )
    assert found["ftguest2"] == "the accounts ftguest2 and ftguest3 have the same uid 62009."
    assert found["ftguest4"] == "this machine has no account ftguest4."
    with refused("lease-none-usable"):
        lent.lease()
    lent.names["ftguest4"] = 62004
    owner = Create(project="tides", title="Tides", owners=("ftguest4",))
    lent.store.projects.change(lent.site, owner, ROOT, lambda _: None)
    assert str(lent.accounts.checked()["ftguest4"]) == "the account ftguest4 is ftguest4's, who logs in with it."
    with refused("lease-none-usable"):
        lent.lease()


def test_an_account_whose_uid_is_another_than_before_is_not_lent(lent: Lent) -> None:
    lent.lease()
    lent.accounts.give_back("ftguest1", ROOT)
    lent.clean("ftguest1")
    lent.names = {"ftguest1": 62077}
    with refused("lease-none-usable"):
        lent.lease()


# -- who may


def test_the_hub_is_lent_no_service_account_and_others_only_where_the_file_says_so(lent: Lent) -> None:
    with refused("lease-not-from-hub") as service:
        lent.lease("service", asker=OPERATOR, project="waves")
    assert service.value.message == (
        "An account for the purpose service is not lent at the hub: "
        "service accounts are lent at the command line alone."
    )
    assert "fabric-hub accounts lease service --project waves" in str(service.value)
    with refused("lease-not-from-hub"):
        lent.lease("guest", asker=OPERATOR)
    assert lent.site.catalogue is not None
    wider = lent.site.catalogue.model_copy(update={"from_hub": ("accounts",)})
    lent.site = lent.site.model_copy(update={"catalogue": wider})
    assert lent.lease("guest", asker=OPERATOR, project="waves").account == "ftguest1"
    with refused("lease-not-from-hub"):
        lent.lease("service", asker=OPERATOR, project="waves")
    secret = Create(project="patients", title="Patients", owners=("ada",), data="non-public")
    lent.store.projects.change(lent.site, secret, ROOT, lambda _: None)
    with refused("lease-not-from-hub"):
        lent.lease("guest", asker=OPERATOR, project="patients")
    with refused("lease-needs-operator"):
        lent.lease("guest", asker=Asker("ada"), project="waves")


def test_an_owner_gives_back_what_the_project_has_and_strangers_nothing(lent: Lent) -> None:
    lent.lease(project="waves")
    lent.lease()
    with pytest.raises(RefusedError):
        lent.accounts.give_back("ftguest1", Asker("mallory"))
    with refused("lease-not-yours"):
        lent.accounts.give_back("ftguest2", Asker("ada"))
    assert lent.accounts.give_back("ftguest1", Asker("ada")).state == "cleaning"
    assert lent.log[-1].by == "owner ada"
    with refused("lease-not-leased"):
        lent.accounts.give_back("ftguest1", ROOT)
