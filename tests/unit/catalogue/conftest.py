"""What several tests of the catalogue service start from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from fabric_hub.catalogue.database import open_catalogue
from fabric_hub.config.settings import Settings
from tests.support.audit_files import six_records
from tests.support.builders import a_site, catalogue_text
from tests.support.postgresql import server
from tests.support.postgresql import url as url_of


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An audit log of six records in three months."""
    return six_records(tmp_path / "audit", monkeypatch)


@pytest.fixture(scope="module")
def postgres(sandbox: Path) -> Iterator[str]:
    with server(sandbox) as home:
        yield url_of(home)


@pytest.fixture
def site(tmp_path: Path) -> Settings:
    (tmp_path / "state").mkdir()
    return a_site(tmp_path, catalogue_text(tmp_path, "nobody"))


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
