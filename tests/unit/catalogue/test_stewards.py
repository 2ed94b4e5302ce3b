"""Stewards at the real catalogue service: what narrows is taken, what widens stays within catalogue.from_hub."""

from __future__ import annotations

import json
import os
import pwd
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fabric_hub.catalogue.audit.log import audit_directory, files
from fabric_hub.catalogue.client import CatalogueClient
from fabric_hub.catalogue.people.rows import Account
from fabric_hub.catalogue.people.store import PeopleStore
from fabric_hub.catalogue.publish import grants_file
from fabric_hub.config.settings import load
from fabric_hub.datasets.model import AccessRequest, Grant
from fabric_hub.datasets.stewardship import Decline, Draft, GiveAccess, Review, StewardChange, TakeAccess
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import message_of
from fabric_hub.projects.identity import Identity, Login
from tests.support.builders import least_site_text
from tests.support.catalogue_thread import CatalogueThread, settings_of
from tests.unit.catalogue.test_store import a_version, an_entry

PROJECTS = """
[users]
min_uid = 1
[project.physics]
account = "phys"
members = { owner = ["olga"], member = ["bin"] }
[project.clinic]
account = "clinic"
data = "non-public"
members = { owner = ["olga"], member = ["bin"] }
"""


class Site:
    """A catalogue service with the published dataset ``wind-farm``, whose steward is ada; bea's is ``river``."""

    def __init__(self, directory: Path, from_hub: str) -> None:
        directory.mkdir()
        places = settings_of(directory)
        more = f'from_hub = [{from_hub}]\nstewards = {{ wind-farm = ["ada"], draft = ["ada"], river = ["bea"] }}\n'
        path = directory / "site.toml"
        account = pwd.getpwuid(os.geteuid()).pw_name
        section = {"account": account, **{name: str(place) for name, place in places.items()}}
        written = "".join(f"{name} = {json.dumps(value)}\n" for name, value in section.items())
        path.write_text(least_site_text(directory, f"[catalogue]\n{written}{more}{PROJECTS}"))
        self.settings = load(path)
        assert self.settings.catalogue is not None
        self.thread = CatalogueThread(path, self.settings)
        self.store = self.thread.store
        self.store.put(an_entry())
        self.store.add_version("wind-farm", a_version())
        self.store.publish("wind-farm")
        self.thread.up()

    async def do(self, user: str, change: StewardChange) -> None:
        assert self.settings.catalogue is not None
        async with CatalogueClient(self.settings.catalogue.socket) as client:
            await client.change_as_steward(user, change)

    def grants(self) -> list[tuple[str, str, str | None]]:
        return [(one.dataset, one.project, str(one.until) if one.until else None) for one in self.store.grants()]

    def events(self) -> list[tuple[str, str | None, str | None]]:
        assert self.settings.catalogue is not None
        lines = [
            json.loads(line)
            for file in files(audit_directory(self.settings.catalogue))
            for line in file.read_text().splitlines()
        ]
        return [(one["event"], one.get("project"), one.get("why")) for one in lines]

    def ask(self, project: str = "physics") -> None:
        self.store.request(AccessRequest(user="bin", project=project, dataset="wind-farm", why="Thesis"))

    def on_nodes(self) -> dict[str, Any]:
        assert self.settings.catalogue is not None
        found: dict[str, Any] = json.loads(grants_file(self.settings.catalogue).read_text())
        return found


@pytest.fixture
def site(sandbox: Path) -> Iterator[Site]:
    made = Site(sandbox / f"steward-{time.monotonic_ns()}", '"grants"')
    yield made
    made.thread.close()


@pytest.fixture
def closed(sandbox: Path) -> Iterator[Site]:
    made = Site(sandbox / f"closed-{time.monotonic_ns()}", "")
    yield made
    made.thread.close()


async def refused(site: Site, user: str, change: StewardChange) -> tuple[str, int]:
    with pytest.raises(FabricError) as caught:
        await site.do(user, change)
    return message_of(caught.value).code, caught.value.status


async def test_a_steward_grants_what_is_asked_for_and_takes_it_away(site: Site) -> None:
    site.ask()
    await site.do("ada", GiveAccess(dataset="wind-farm", project="physics"))
    assert site.grants() == [("wind-farm", "physics", None)]
    assert site.store.requests() == ()
    assert site.settings.catalogue is not None
    async with CatalogueClient(site.settings.catalogue.socket) as client:
        await client.accept("bin", "physics", "wind-farm", "1", "research")
    assert "phys" in json.dumps(site.on_nodes()["grants"])
    begun = time.monotonic()
    await site.do("ada", TakeAccess(dataset="wind-farm", project="physics", strict=True))
    took = time.monotonic() - begun
    document = site.on_nodes()
    assert "phys" not in json.dumps(document["grants"])
    assert took < 5.0, took
    assert site.grants() == []
    assert [event for event, _, _ in site.events()] == ["granted", "accepted", "revoked"]


async def test_what_widens_beyond_from_hub_is_refused_and_on_record(site: Site, closed: Site) -> None:
    for where, project in ((site, "clinic"), (closed, "physics")):
        where.ask(project)
        assert await refused(where, "ada", GiveAccess(dataset="wind-farm", project=project)) == ("grant-elsewhere", 403)
        assert where.grants() == []
        assert where.events()[-1] == ("denied", project, "grant-from-hub")
    await refused(site, "ada", GiveAccess(dataset="wind-farm", project="physics"))  # nobody asks for it
    assert site.grants() == []


async def test_an_earlier_end_needs_nothing_and_a_later_one_from_hub(closed: Site) -> None:
    closed.store.grant(Grant(dataset="wind-farm", project="physics"))
    for until in ("2399-12-31", "2399-06-30"):
        await closed.do(
            "ada", GiveAccess.model_validate({"dataset": "wind-farm", "project": "physics", "until": until})
        )
        assert closed.grants() == [("wind-farm", "physics", until)]
    for later in ("2399-07-01", None):
        change = GiveAccess.model_validate({"dataset": "wind-farm", "project": "physics", "until": later})
        assert await refused(closed, "ada", change) == ("grant-elsewhere", 403)
    assert closed.grants() == [("wind-farm", "physics", "2399-06-30")]
    over = GiveAccess.model_validate({"dataset": "wind-farm", "project": "physics", "until": "2020-01-01"})
    assert (await refused(closed, "ada", over))[0] == "grant-over-already"


async def test_nobody_else_decides_and_learns_nothing(site: Site) -> None:
    site.ask()
    for user in ("bea", "bin", "olga"):
        for name in ("wind-farm", "nowhere"):
            change = Decline(dataset=name, project="physics")
            assert await refused(site, user, change) == ("not-a-steward", 403)
    assert len(site.store.requests()) == 1
    assert site.settings.catalogue is not None
    async with CatalogueClient(site.settings.catalogue.socket) as client:
        await client.change_as_steward("ada", Draft(entry=an_entry("draft")))
        await client.change_as_steward("ada", Review(dataset="wind-farm"))
        assert [one.name for one in (await client.stewarded("ada")).drafts] == ["draft"]
        for user in ("bea", "bin"):
            found = await client.stewarded(user)
            assert (found.drafts, found.reviews) == ((), ())


async def test_a_request_is_declined_with_a_reason(site: Site) -> None:
    site.ask()
    await site.do("ada", Decline(dataset="wind-farm", project="physics", why="Not for a thesis"))
    assert [one.why for one in site.thread.catalogue().declined] == ["Not for a thesis"]
    assert await refused(site, "ada", Decline(dataset="wind-farm", project="physics")) == ("access-not-requested", 404)


async def test_a_review_is_on_record_and_of_a_grant_that_there_is(site: Site) -> None:
    site.store.grant(Grant(dataset="wind-farm", project="physics"))
    before = site.store.serial()
    await site.do("ada", Review(dataset="wind-farm", project="physics"))
    assert site.store.serial() == before  # no node is told of it
    assert ("reviewed", "physics", None) in site.events()
    assert await refused(site, "ada", Review(dataset="wind-farm", project="clinic")) == ("not-granted", 404)


async def test_a_draft_opens_nothing_and_a_published_entry_is_not_changed(site: Site) -> None:
    await site.do("ada", Draft(entry=an_entry("draft", access="public")))
    assert [one.name for one in site.thread.catalogue().datasets] == ["wind-farm"]
    assert await refused(site, "ada", Draft(entry=an_entry(access="public"))) == ("not-a-draft", 409)
    assert site.store.dataset("wind-farm").access == "restricted"


async def test_who_logged_in_too_weakly_accepts_nothing_and_who_logged_in_well_does(site: Site) -> None:
    site.store.grant(Grant(dataset="wind-farm", project="physics"))
    site.store.put(an_entry(asks={"acr": ["mfa"], "max_age_minutes": 60}))
    assert site.settings.catalogue is not None
    people = PeopleStore(site.store.engine)
    account = Account(name="bin", unix_account="bin", uid=2, mapped_by="claim")
    login = Login(identity=Identity(issuer="https://idp.example.org", subject="1"), provider="uni", acr="mfa")
    async with CatalogueClient(site.settings.catalogue.socket) as client:

        async def refused_as(code: str) -> None:
            with pytest.raises(FabricError) as caught:
                await client.accept("bin", "physics", "wind-farm", "1", "research")
            assert (message_of(caught.value).code, caught.value.status) == (code, 403)
            assert site.thread.catalogue().acceptances == ()

        await refused_as("assurance-no-provider")
        people.first(login, account, lambda _: None)
        await refused_as("second-factor-no-time")
        people.seen(login.model_copy(update={"auth_time": time.time() - 7200}))
        await refused_as("second-factor-too-old")
        people.seen(login.model_copy(update={"auth_time": time.time()}))
        assert (await client.vouched("bin")).acr == "mfa"
        await client.accept("bin", "physics", "wind-farm", "1", "research")
    assert [one.user for one in site.thread.catalogue().acceptances] == ["bin"]
