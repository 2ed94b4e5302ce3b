"""What the nodes are told: exactly whom the policy lets in, in a file that is whole at every moment."""

from __future__ import annotations

import json
import logging
import os
import pwd
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabric_hub.catalogue import publish as publishing
from fabric_hub.catalogue.database import open_catalogue
from fabric_hub.catalogue.publish import grants, grants_file, publish
from fabric_hub.catalogue.restored import Revocation
from fabric_hub.catalogue.store import CatalogueStore
from fabric_hub.config.settings import Settings
from fabric_hub.datasets.model import (
    Acceptance,
    Access,
    Agreement,
    Catalogue,
    Dataset,
    Grant,
    Purpose,
    Version,
)
from fabric_hub.datasets.policy import State, standing
from fabric_hub.errors import FabricError
from fabric_hub.projects.membership import end_of, people_today
from fabric_node.grants import parse as as_a_node_reads_it
from tests.support.builders import NOW, TODAY, a_site

UIDS = {"ada": 61001, "jan": 61002, "eve": 61003, "bob": 61004}


def a_version(name: str = "2", **changes: Any) -> Version:
    fields = {
        "version": name, "kind": "image", "path": f"/srv/wind/{name}.sqfs", "sha256": "a" * 64, "bytes": 1, "files": 1,
        "created_at": NOW, "published_at": NOW,
    }  # fmt: skip
    return Version.model_validate({**fields, **changes})


def a_dataset(**changes: Any) -> Dataset:
    fields = {
        "name": "wind",
        "access": Access.RESTRICTED,
        "purposes": (Purpose(name="research", text="Research"),),
        "agreement": Agreement(version="1", text="Be good."),
        "versions": (a_version(),),
        "latest": "2",
        "published_at": NOW,
    }
    return Dataset.model_validate({**fields, **changes})


def accepted(user: str, project: str = "physics", agreement: str = "1") -> Acceptance:
    return Acceptance(user=user, project=project, dataset="wind", agreement=agreement, purpose="research")


def told(site: Settings, today: date = TODAY, **catalogue: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = grants(site, Catalogue(**catalogue), UIDS.get, today)["grants"].get("wind", [])
    return found


GRANT = Grant(dataset="wind", project="physics")


def test_members_who_accepted_are_told_with_the_projects_account(site: Settings) -> None:
    listed = told(site, datasets=(a_dataset(),), grants=(GRANT,), acceptances=(accepted("ada"), accepted("jan")))
    assert listed == [{"account": "phys", "uids": [61001, 61002], "until": None}]


def test_a_new_agreement_leaves_everybody_out_until_they_accept_it(site: Settings) -> None:
    new = a_dataset(agreement=Agreement(version="2", text="Be better."))
    assert told(site, datasets=(new,), grants=(GRANT,), acceptances=(accepted("ada"),)) == []
    again = (accepted("ada"), accepted("jan", agreement="2"))
    assert told(site, datasets=(new,), grants=(GRANT,), acceptances=again)[0]["uids"] == [61002]


def test_who_left_the_project_is_left_out(site: Settings) -> None:
    everybody = tuple(accepted(user) for user in ("ada", "bob"))
    assert told(site, datasets=(a_dataset(),), grants=(GRANT,), acceptances=everybody)[0]["uids"] == [61001]


def test_a_project_that_has_ended_gets_nothing(tmp_path: Path) -> None:
    site = a_site(tmp_path)
    grant = Grant(dataset="wind", project="past")
    catalogue = {"datasets": (a_dataset(),), "grants": (grant,), "acceptances": (accepted("bob", "past"),)}
    assert told(site, date(2026, 2, 1), **catalogue) == []
    assert told(site, date(2026, 1, 31), **catalogue)[0]["until"] == end_of(date(2026, 1, 31))


def test_a_grant_lasts_to_the_end_of_its_last_day_in_local_time(site: Settings) -> None:
    catalogue: dict[str, Any] = {
        "datasets": (a_dataset(),),
        "grants": (Grant(dataset="wind", project="physics", until=TODAY),),
        "acceptances": (accepted("jan"),),
    }
    assert told(site, **catalogue)[0]["until"] == datetime(2026, 11, 22).timestamp()  # noqa: DTZ001
    assert told(site, TODAY + timedelta(days=1), **catalogue) == []


def test_a_public_dataset_is_everybodys_unless_it_has_an_agreement(site: Settings) -> None:
    public = a_dataset(access=Access.PUBLIC)
    free = public.model_copy(update={"agreement": None})
    assert told(site, datasets=(free,)) == [{"account": None, "uids": None, "until": None}]
    assert told(site, datasets=(public,)) == []
    listed = told(site, datasets=(public,), acceptances=(accepted("jan"), accepted("eve", "course")))
    assert listed == [{"account": None, "uids": [61002, 61003], "until": None}]


@pytest.mark.parametrize(
    "dataset",
    [
        a_dataset(published_at=None),
        a_dataset(retired_at=NOW),
        a_dataset(latest=None),
        a_dataset(versions=(a_version(retired_at=NOW),)),
        a_dataset(versions=(a_version(published_at=None),)),
    ],
)
def test_what_is_not_published_or_retired_is_not_told(site: Settings, dataset: Dataset) -> None:
    content = grants(
        site, Catalogue(datasets=(dataset,), grants=(GRANT,), acceptances=(accepted("jan"),)), UIDS.get, TODAY
    )
    assert (content["datasets"], content["grants"]) == ({}, {})


def test_only_published_versions_are_told(site: Settings) -> None:
    versions = (a_version("1", retired_at=NOW), a_version("2"), a_version("3", published_at=None))
    content = grants(site, Catalogue(datasets=(a_dataset(versions=versions),)), UIDS.get, TODAY)
    assert list(content["datasets"]["wind"]["versions"]) == ["2"]


def test_a_strict_revocation_is_told_with_the_account_whose_jobs_end(site: Settings) -> None:
    ended = [Revocation(dataset="wind", project=name, at=NOW) for name in ("physics", "gone")]
    content = grants(site, Catalogue(), UIDS.get, TODAY, ended)
    assert content["end_jobs"] == [{"dataset": "wind", "account": "phys", "at": NOW}]
    assert as_a_node_reads_it(json.dumps(content)).end_jobs


_days = st.sampled_from([None, TODAY - timedelta(days=1), TODAY, TODAY + timedelta(days=9)])
_projects = st.sampled_from(["physics", "course", "past"])


@given(
    dataset=st.builds(
        a_dataset,
        access=st.sampled_from(Access),
        agreement=st.sampled_from([None, Agreement(version="1", text="a"), Agreement(version="2", text="b")]),
        latest=st.sampled_from(["2", None]),
        published_at=st.sampled_from([NOW, None]),
        retired_at=st.sampled_from([None, None, NOW]),
    ),
    granted=st.lists(st.builds(lambda p, d: Grant(dataset="wind", project=p, until=d), _projects, _days), max_size=4),
    acceptances=st.lists(
        st.builds(accepted, st.sampled_from(sorted(UIDS)), _projects, st.sampled_from(["1", "2"])), max_size=8
    ),
)
def test_the_nodes_let_in_exactly_whom_the_page_says_it_is_open_for(
    dataset: Dataset, granted: list[Grant], acceptances: list[Acceptance]
) -> None:
    site = a_site(Path("/nowhere"))
    catalogue = Catalogue(datasets=(dataset,), grants=tuple(granted), acceptances=tuple(acceptances))
    read = as_a_node_reads_it(json.dumps(grants(site, catalogue, UIDS.get, TODAY)))
    noon = datetime.combine(TODAY, datetime.min.time()).timestamp() + 43200
    for project in ("physics", "course", "past"):
        for user in people_today(site, project, TODAY):
            found = standing(catalogue, "wind", user, project, TODAY)
            listed = [
                grant
                for grant in read.grants.get("wind", ())
                if grant.account in (None, site.project[project].account)
                and (grant.uids is None or UIDS[user] in grant.uids)
                and (grant.until is None or grant.until > noon)
            ]
            if dataset.access is Access.PUBLIC and dataset.agreement:  # accepted in any project counts on a node
                open_in_one = any(
                    standing(catalogue, "wind", user, name, TODAY).state is State.OPEN
                    for name in site.project
                    if user in people_today(site, name, TODAY)
                )
                assert bool(listed) == open_in_one
            else:
                assert bool(listed) == (found.state is State.OPEN), found
            if listed and dataset.access is not Access.PUBLIC:
                assert max((grant.until or 1e12) for grant in listed) == min(
                    end_of(found.until) or 1e12, end_of(site.project[project].end) or 1e12
                )


# -- the file


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[tuple[Settings, CatalogueStore]]:
    """A site with a catalogue in which ada's and jan's project has a dataset."""
    for name in ("state", "published"):
        (tmp_path / name).mkdir()
    more = f'[catalogue]\nstate_dir = "{tmp_path}/state"\npublished = "{tmp_path}/published"\n'
    settings = a_site(tmp_path, more)
    assert settings.catalogue is not None
    store = CatalogueStore(open_catalogue(settings.catalogue))
    yield settings, store
    store.close()


def test_it_is_written_once_for_the_same_and_again_for_other_grants(kept: tuple[Settings, CatalogueStore]) -> None:
    settings, store = kept
    assert settings.catalogue is not None
    assert publish(settings, store) is True
    first = grants_file(settings.catalogue).stat()
    assert publish(settings, store) is False
    assert grants_file(settings.catalogue).stat().st_ino == first.st_ino
    store.put(Dataset(name="wind"))
    assert publish(settings, store) is True
    assert grants_file(settings.catalogue).stat().st_mode & 0o777 == 0o640
    assert [path.name for path in settings.catalogue.published.iterdir()] == ["grants.json"]


def test_one_that_cannot_be_read_is_replaced(kept: tuple[Settings, CatalogueStore]) -> None:
    settings, store = kept
    assert settings.catalogue is not None
    for junk in ("", "[]", "{", "7"):
        grants_file(settings.catalogue).write_text(junk)
        assert publish(settings, store)
        as_a_node_reads_it(grants_file(settings.catalogue).read_text())


def test_a_write_that_fails_leaves_the_old_file_and_says_so(
    kept: tuple[Settings, CatalogueStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, store = kept
    assert settings.catalogue is not None
    publish(settings, store)
    before = grants_file(settings.catalogue).read_bytes()
    store.put(Dataset(name="wind"))

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", full)
        with pytest.raises(FabricError, match="No space left on device"):
            publish(settings, store)
    assert grants_file(settings.catalogue).read_bytes() == before
    assert [path.name for path in settings.catalogue.published.iterdir()] == ["grants.json"]


def test_what_a_killed_writer_left_is_removed(kept: tuple[Settings, CatalogueStore]) -> None:
    settings, store = kept
    assert settings.catalogue is not None
    (settings.catalogue.published / ".grants.json.0123").write_text("{")
    publish(settings, store)
    assert [path.name for path in settings.catalogue.published.iterdir()] == ["grants.json"]


def test_a_member_without_an_account_is_left_out_and_named_once(
    site: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    uids = publishing.Uids()
    with caplog.at_level(logging.WARNING, "fabric_hub.catalogue"):
        for _ in range(2):
            assert uids.of(site.users)("no-such-person") is None
    assert len(caplog.records) == 1
    assert "no-such-person gets no dataset on any node" in caplog.text
    assert uids.of(site.users)("root") is None


class Names:
    """A name service in the place of the machine's: accounts by name, which may be forgotten or renamed."""

    def __init__(self, **uids: int) -> None:
        self.uids = uids

    def getpwnam(self, name: str) -> pwd.struct_passwd:
        return pwd.struct_passwd((name, "x", self.uids[name], 100, "", f"/home/{name}", "/bin/sh"))

    def getpwuid(self, uid: int) -> pwd.struct_passwd:
        return self.getpwnam(next((name for name, own in self.uids.items() if own == uid), ""))


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    found = Names(ada=61001, jan=61002)
    for name in ("getpwnam", "getpwuid"):
        monkeypatch.setattr(pwd, name, getattr(found, name))
    monkeypatch.setattr(os, "getgrouplist", lambda name, gid: [gid])
    return found


def granted(settings: Settings, store: CatalogueStore) -> list[int]:
    """The uids that the nodes are told, by a process that knows nothing of earlier ones."""
    assert settings.catalogue is not None
    publish(settings, store)
    told = json.loads(grants_file(settings.catalogue).read_text())["grants"].get("wind", [])
    return [uid for one in told for uid in one["uids"]]


def test_an_account_that_the_name_service_forgets_for_a_while_loses_nothing(
    kept: tuple[Settings, CatalogueStore], names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, store = kept
    assert settings.catalogue is not None
    everybody = (accepted("ada"), accepted("jan"), accepted("eve"))
    catalogue = Catalogue(datasets=(a_dataset(),), grants=(GRANT,), acceptances=everybody)
    monkeypatch.setattr(store, "catalogue", lambda today: catalogue)
    assert granted(settings, store) == [61001, 61002], "eve never had an account"
    del names.uids["jan"]
    assert granted(settings, store) == [61001, 61002]
    assert publishing.last_user(settings.catalogue, 61002) == "jan", "so that the audit log still says whose job it was"
    assert (settings.catalogue.state_dir / "uids.json").stat().st_mode & 0o777 == 0o600
    names.uids["renamed-jan"] = 61002
    assert granted(settings, store) == [61001, 61002]
    names.uids |= {"eve": 61002}
    del names.uids["renamed-jan"]
    assert granted(settings, store) == [61001, 61002], "it is eve's now, who may use the dataset herself"
    left = catalogue.model_copy(update={"acceptances": everybody[:2]})
    monkeypatch.setattr(store, "catalogue", lambda today: left)
    assert granted(settings, store) == [61001], "a uid that another user has is not the forgotten one's"


def test_an_account_that_is_gone_for_good_is_left_out_after_a_day(
    kept: tuple[Settings, CatalogueStore], names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, store = kept
    assert settings.catalogue is not None
    catalogue = Catalogue(datasets=(a_dataset(),), grants=(GRANT,), acceptances=(accepted("ada"), accepted("jan")))
    monkeypatch.setattr(store, "catalogue", lambda today: catalogue)
    assert granted(settings, store) == [61001, 61002]
    del names.uids["jan"]
    file = settings.catalogue.state_dir / "uids.json"
    for older_s, uids in ((publishing.RENAMED_S + 1, [61001, 61002]), (publishing.FORGOTTEN_S, [61001])):
        seen = json.loads(file.read_text())
        file.write_text(json.dumps({**seen, "jan": [61002, seen["jan"][1] - older_s]}))
        assert granted(settings, store) == uids
    file.write_text("{")
    assert granted(settings, store) == [61001]


@pytest.mark.skipif(os.geteuid() == 0, reason="root shares its account with nobody")
def test_where_everybody_shares_an_account_its_uid_is_everybodys(site: Settings) -> None:
    users = site.users.model_copy(update={"shared_account": True})
    assert publishing.Uids().of(users)("anybody") == os.geteuid()
