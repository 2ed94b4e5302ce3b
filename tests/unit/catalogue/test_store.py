"""The catalogue's store: versions never change, drafts are nobody's business, and every change has a number."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import fabric_hub.catalogue.people.tables  # noqa: F401 - its tables are in the same database
from fabric_hub.catalogue.database import CATALOGUE, database_url, open_catalogue
from fabric_hub.catalogue.store import CatalogueStore
from fabric_hub.catalogue.tables import metadata
from fabric_hub.config.catalogue import CatalogueSettings
from fabric_hub.datasets.model import Acceptance, AccessRequest, Dataset, Grant, Version
from fabric_hub.errors import FabricError
from fabric_hub.sessions.database import open_database
from tests.support.postgresql import server
from tests.support.postgresql import url as url_of


def an_entry(name: str = "wind-farm", **fields: Any) -> Dataset:
    """A complete entry of a restricted dataset."""
    given: dict[str, Any] = {
        "name": name,
        "title": "Wind farm, ten-minute values",
        "description": "Power and wind speed of twelve turbines.",
        "publisher": {"name": "Example Energy"},
        "creator": {"name": "Example Energy"},
        "contact": {"name": "Data desk", "email": "data@energy.example"},
        "licence": "https://creativecommons.org/licenses/by/4.0/",
        "access": "restricted",
        "themes": ["ENER"],
        "personal_data": "none",
        "purposes": [{"name": "research", "text": "Scientific research"}, {"name": "teaching", "text": "Teaching"}],
        "agreement": {"version": "1", "text": "Do no harm."},
        "provenance": "Logged by the turbines.",
        "retention": "Ten years.",
    }
    return Dataset.model_validate({**given, **fields})


def a_version(version: str = "1", digest: str = "a", **fields: Any) -> Version:
    given: dict[str, Any] = {
        "version": version,
        "kind": "image",
        "path": f"/srv/{version}.sqfs",
        "sha256": digest * 64,
        "bytes": 4096,
        "files": 3,
        "formats": {"csv": 2, "": 1},
        "created_at": 1.0,
    }
    return Version.model_validate({**given, **fields})


def an_acceptance(**fields: str) -> Acceptance:
    given = {"user": "jan", "project": "physics", "dataset": "wind-farm", "agreement": "1", "purpose": "research"}
    return Acceptance.model_validate({**given, **fields})


@pytest.fixture(scope="module")
def postgres(sandbox: Path) -> Iterator[str]:
    """A PostgreSQL server of our own, on a Unix socket, which the kernel ends when we do; its URL."""
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
def catalogue(engine: sa.Engine) -> CatalogueStore:
    return CatalogueStore(engine)


@pytest.fixture
def offered(catalogue: CatalogueStore) -> CatalogueStore:
    """A catalogue with one published dataset."""
    catalogue.put(an_entry())
    catalogue.add_version("wind-farm", a_version())
    catalogue.publish("wind-farm")
    return catalogue


def refusal(status: int, reason: str) -> Any:
    return pytest.raises(FabricError, check=lambda error: (error.status, error.reason) == (status, reason))


def test_the_migrations_make_exactly_the_tables_that_the_code_reads(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_the_database_is_sqlite_in_the_catalogue_services_directory_unless_a_url_is_given(tmp_path: Path) -> None:
    assert database_url(CatalogueSettings(state_dir=tmp_path)) == f"sqlite:///{tmp_path}/catalogue.sqlite"
    given = {"postgresql://h/d": "postgresql+psycopg://h/d", "postgresql+psycopg2://h/d": "postgresql+psycopg2://h/d"}
    for url, used in given.items():
        assert database_url(CatalogueSettings(database=url)) == used
    open_catalogue(CatalogueSettings(state_dir=tmp_path)).dispose()
    assert (tmp_path / "catalogue.sqlite").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("url", ["nonsense", "oracle+cx_oracle://h/d", "postgresql+psycopg2://nobody@127.0.0.1:1/d"])
def test_a_database_that_cannot_be_opened_is_said_in_words(url: str) -> None:
    with pytest.raises(FabricError, match="catalogue's database") as refused:
        open_database(url, CATALOGUE)
    assert refused.value.reason == "database"


def test_a_password_does_not_stand_where_the_hub_reads_it() -> None:
    settings = CatalogueSettings(database="postgresql://catalogue:hunter2@db/catalogue")
    with pytest.raises(FabricError, match="the hub reads the site's file too") as refused:
        open_catalogue(settings)
    assert "hunter2" not in refused.value.text


def test_an_entry_comes_back_as_it_was_put(catalogue: CatalogueStore) -> None:
    entry = an_entry(retain_until=date(2036, 1, 1), keywords=["wind", "vermogen"], languages=["NLD"])
    assert catalogue.put(entry)
    catalogue.add_version("wind-farm", a_version("1"))
    catalogue.add_version("wind-farm", a_version("2", "b", created_at=2.0))
    found = catalogue.dataset("wind-farm")
    assert found.model_copy(update={"versions": (), "created_at": 0.0}) == entry
    assert found.versions == (a_version("1"), a_version("2", "b", created_at=2.0))
    assert found.created_at > 0
    assert catalogue.datasets() == (found,)


def test_every_change_raises_the_serial_and_nothing_else_does(catalogue: CatalogueStore) -> None:
    grant = Grant(dataset="wind-farm", project="physics")
    changes: list[Callable[[], object]] = [
        lambda: catalogue.put(an_entry()),
        lambda: catalogue.add_version("wind-farm", a_version()),
        lambda: catalogue.publish("wind-farm"),
        lambda: catalogue.request(AccessRequest(user="jan", project="physics", dataset="wind-farm")),
        lambda: catalogue.grant(grant),
        lambda: catalogue.accept(an_acceptance()),
        lambda: catalogue.retire("wind-farm"),
    ]
    for change in changes:
        before = catalogue.serial()
        assert change()
        assert catalogue.serial() == before + 1
        assert catalogue.catalogue().serial == before + 1
        if change is not changes[3] and change is not changes[-1]:
            assert not change()
            assert catalogue.serial() == before + 1


def test_a_refused_change_leaves_no_trace(offered: CatalogueStore) -> None:
    before = offered.catalogue()
    with refusal(404, "unknown"):
        offered.grant(Grant(dataset="nothing", project="physics"))
    with refusal(409, "version-exists"):
        offered.add_version("wind-farm", a_version(digest="b"))
    with refusal(409, "incomplete"):
        offered.put(an_entry(title=None))
    assert offered.catalogue().model_copy(update={"now": before.now}) == before


def test_what_cannot_be_recorded_is_not_done(offered: CatalogueStore) -> None:
    def fail() -> None:
        raise FabricError("The audit log is full.", reason="audit-log", status=503)

    before = offered.catalogue()
    changes: tuple[Callable[[], object], ...] = (
        lambda: offered.grant(Grant(dataset="wind-farm", project="physics"), fail),
        lambda: offered.retire("wind-farm", None, fail),
        lambda: offered.accept(an_acceptance(), fail),
        lambda: offered.put(an_entry("new"), fail),
    )
    for change in changes:
        with refusal(503, "audit-log"):
            change()
    assert offered.catalogue().model_copy(update={"now": before.now}) == before


def test_writers_at_the_same_moment_each_get_a_serial_of_their_own(catalogue: CatalogueStore) -> None:
    catalogue.put(an_entry())
    before = catalogue.serial()
    together = threading.Barrier(8)

    def grant(number: int) -> None:
        together.wait()
        for step in range(5):
            catalogue.grant(Grant(dataset="wind-farm", project=f"p{number}-{step}"))

    threads = [threading.Thread(target=grant, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert catalogue.serial() == before + 40
    assert len(catalogue.grants()) == 40


def test_an_incomplete_entry_is_not_published_and_every_missing_field_is_named(catalogue: CatalogueStore) -> None:
    catalogue.put(Dataset(name="wind-farm", access="restricted", contact={"name": "Desk"}))  # type: ignore[arg-type]
    with refusal(409, "incomplete") as refused:
        catalogue.publish("wind-farm")
    named = {line.strip().split(":")[0] for line in refused.value.message.splitlines()[1:]}
    assert named == {
        "title", "description", "publisher", "creator", "contact.email", "licence", "themes", "personal_data",
        "provenance", "retention", "agreement", "purposes", "a version",
    }  # fmt: skip
    assert catalogue.catalogue().datasets == ()


def test_a_public_dataset_needs_neither_agreement_nor_purpose(catalogue: CatalogueStore) -> None:
    catalogue.put(an_entry(access="public", agreement=None, purposes=[]))
    catalogue.add_version("wind-farm", a_version())
    assert catalogue.publish("wind-farm")


def test_drafts_and_unpublished_versions_are_not_in_what_the_hub_is_told(offered: CatalogueStore) -> None:
    offered.put(an_entry("draft"))
    offered.add_version("wind-farm", a_version("2", "b"))
    (told,) = offered.catalogue().datasets
    assert (told.name, told.latest, [one.version for one in told.versions]) == ("wind-farm", "1", ["1"])
    with refusal(404, "unknown"):
        offered.request(AccessRequest(user="jan", project="physics", dataset="draft"))


def test_the_version_published_last_is_the_latest_until_it_is_retired(offered: CatalogueStore) -> None:
    offered.add_version("wind-farm", a_version("2", "b", created_at=2.0))
    published = offered.publish("wind-farm")
    assert published is not None
    assert published.version == "2"
    assert offered.dataset("wind-farm").latest == "2"
    offered.retire("wind-farm", "2")
    assert offered.dataset("wind-farm").latest == "1"
    offered.retire("wind-farm", "1")
    assert offered.dataset("wind-farm").latest is None
    assert [one.version for one in offered.catalogue().datasets[0].versions] == ["1", "2"]
    with refusal(404, "unknown-version"):
        offered.publish("wind-farm")


def test_a_published_agreements_text_never_changes_under_its_version(offered: CatalogueStore) -> None:
    with refusal(409, "agreement"):
        offered.put(an_entry(agreement={"version": "1", "text": "Do as you like."}))
    offered.put(an_entry(agreement={"version": "2", "text": "Do as you like."}))
    assert offered.agreement_text("wind-farm", "1") == "Do no harm."
    with refusal(409, "agreement"):
        offered.put(an_entry(agreement={"version": "1", "text": "Do as you like."}))


def test_what_was_accepted_of_an_earlier_agreement_stays_known_and_is_not_accepted_again(
    offered: CatalogueStore,
) -> None:
    assert offered.accept(an_acceptance())
    assert [one.user for one in offered.catalogue().acceptances] == ["jan"]
    offered.put(an_entry(agreement={"version": "2", "text": "More."}))
    assert [one.agreement for one in offered.catalogue().acceptances] == ["1"]
    with refusal(409, "agreement"):
        offered.accept(an_acceptance(purpose="teaching"))
    assert offered.accept(an_acceptance(agreement="2"))


def test_an_agreement_that_is_withdrawn_can_no_longer_be_accepted(offered: CatalogueStore) -> None:
    offered.put(an_entry(access="public", agreement=None, purposes=()))
    with pytest.raises(FabricError, match="is not the current agreement of the dataset wind-farm: it has none"):
        offered.accept(an_acceptance())


def test_what_is_accepted_is_checked(offered: CatalogueStore) -> None:
    with refusal(422, "purpose"):
        offered.accept(an_acceptance(purpose="profit"))
    with refusal(404, "unknown"):
        offered.accept(an_acceptance(dataset="nothing"))
    assert offered.accept(an_acceptance())
    assert offered.accept(an_acceptance(purpose="teaching"))
    assert [one.purpose for one in offered.catalogue().acceptances] == ["teaching"]


def test_a_grant_is_in_force_through_its_last_day(offered: CatalogueStore) -> None:
    offered.grant(Grant(dataset="wind-farm", project="physics", until=date(2027, 3, 31)))
    assert len(offered.catalogue(date(2027, 3, 31)).grants) == 1
    assert offered.catalogue(date(2027, 4, 1)).grants == ()
    assert len(offered.grants()) == 1


def test_a_grant_answers_the_projects_requests_and_declining_closes_them(offered: CatalogueStore) -> None:
    offered.request(AccessRequest(user="jan", project="physics", dataset="wind-farm", why="For my thesis"))
    offered.request(AccessRequest(user="ada", project="biology", dataset="wind-farm"))
    offered.grant(Grant(dataset="wind-farm", project="physics"))
    assert [one.user for one in offered.requests()] == ["ada"]
    assert [one.user for one in offered.decline("wind-farm", "biology")] == ["ada"]
    assert offered.catalogue().requests == ()
    assert offered.decline("wind-farm", "biology") == ()


def test_a_strict_revocation_is_kept_for_the_nodes_and_a_plain_one_is_not(offered: CatalogueStore) -> None:
    for project in ("physics", "biology"):
        offered.grant(Grant(dataset="wind-farm", project=project))
    offered.revoke("wind-farm", "biology")
    assert offered.ended() == ()
    assert offered.revoke("wind-farm", "physics", strict=True).project == "physics"
    assert [(one.dataset, one.project) for one in offered.ended()] == [("wind-farm", "physics")]
    assert offered.catalogue().grants == ()
    with refusal(404, "not-granted"):
        offered.revoke("wind-farm", "physics")
