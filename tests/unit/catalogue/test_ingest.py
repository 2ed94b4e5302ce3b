"""What nodes tell: what counts, what it becomes in the audit log, and what is set aside."""

from __future__ import annotations

import json
import logging
import os
import pwd
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabric_hub.catalogue import ingest as ingesting
from fabric_hub.catalogue.audit.log import AuditLog, Entry
from fabric_hub.catalogue.audit.reading import Reading
from fabric_hub.catalogue.ingest import Ingest, NodeEvent, RefusedFile, entry, read, recorded_sources
from fabric_hub.config.settings import Settings, parse
from fabric_hub.datasets.model import Acceptance, Catalogue
from fabric_hub.errors import FabricError
from fabric_node.events import Event
from tests.support.audit_files import in_order
from tests.support.builders import NOW, site_text

ME = frozenset({os.geteuid()})
NAME = "1790000000000000000-gpu1-0123456789abcdef.json"
TOLD: dict[str, Any] = {
    "format": 1, "event": "opened", "time": NOW, "node": "gpu1", "job": 7, "uid": 61002, "account": "phys",
    "dataset": "wind", "version": "2", "sha256": "a" * 64, "why": "asked",
}  # fmt: skip


@pytest.fixture
def events(tmp_path: Path) -> Path:
    (tmp_path / "events").mkdir(mode=0o700)
    return tmp_path / "events"


def put(directory: Path, name: str = NAME, mode: int = 0o644, **changes: Any) -> Path:
    path = directory / name
    path.write_text(json.dumps({**TOLD, **changes}))
    path.chmod(mode)
    return path


def test_what_a_node_writes_is_read(events: Path) -> None:
    event = Event("opened", NOW, "gpu1", 7, 61002, None, "wind", "2", "a" * 64, "asked")
    path = events / event.file_name
    path.write_text(event.text)
    path.chmod(0o644)
    assert read(path, ME).time == NOW


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2}, {"event": "granted"}, {"event": ["opened"]}, {"time": "1"}, {"time": -1}, {"time": 1e300},
        {"node": "../x"}, {"node": ""}, {"job": "7"}, {"job": 7.5}, {"job": -1}, {"job": 2**60}, {"job": True},
        {"uid": 2**32}, {"uid": None}, {"account": "a b"}, {"dataset": "../etc"}, {"dataset": None}, {"version": "a/b"},
        {"sha256": "A" * 64}, {"why": "with words\nand lines"}, {"why": "x" * 65}, {"more": 1},
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused(events: Path, change: dict[str, Any]) -> None:
    with pytest.raises(RefusedFile):
        read(put(events, **change), ME)


_json = st.recursive(st.none() | st.integers() | st.text(), st.lists).map(lambda value: json.dumps(value).encode())


@given(st.binary(max_size=300) | _json)
def test_no_content_breaks_the_reader(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / NAME
    path.write_bytes(content)
    with pytest.raises(RefusedFile):
        read(path, ME)


def _link(path: Path) -> None:
    put(path.parent, "9-gpu1-ff.json")
    path.symlink_to(path.parent / "9-gpu1-ff.json")


def _large(path: Path) -> None:
    path.write_text(" " * 5000)


WRONG: dict[str, tuple[Callable[[Path], object], str]] = {
    "a link": (_link, "it is a link"),
    "a directory": (Path.mkdir, "it is not a plain file"),
    "a pipe": (lambda path: os.mkfifo(path), "it is not a plain file"),
    "too large": (_large, "more than 4096 bytes"),
    "writable by others": (lambda path: put(path.parent, mode=0o666), "others may write"),
    "empty": (Path.touch, "it is no event"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_no_plain_small_file_is_set_aside_with_words(
    events: Path, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    make, words = WRONG[what]
    make(events / NAME)
    written: list[Entry] = []
    with caplog.at_level(logging.WARNING, "fabric_hub.catalogue"):
        Ingest(events, ME, written.extend, set()).once(a_catalogue_site(events), Catalogue())
    assert words in caplog.text
    assert (events / "refused" / NAME).exists() or (events / "refused" / NAME).is_symlink()
    assert [one.source for one in written] == (["9-gpu1-ff.json"] if what == "a link" else [])


def test_a_file_of_somebody_else_does_not_count(events: Path) -> None:
    with pytest.raises(RefusedFile, match=f"it belongs to uid {os.geteuid()}"):
        read(put(events), frozenset({os.geteuid() + 1}))


@pytest.mark.parametrize("name", ["x.json", "1-gpu1-ff.txt", "1-gpu1-ff.json.json", "1--ff.json", "1-gpu1-\n.json"])
def test_a_file_of_another_name_is_set_aside(events: Path, name: str) -> None:
    put(events, name)
    assert Ingest(events, ME, lambda _: None, set()).once(a_catalogue_site(events), Catalogue()) == 1
    assert os.listdir(events / "refused") == [name]


def test_no_more_are_kept_aside_than_said(events: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingesting, "KEPT_ASIDE", 3)
    ingest = Ingest(events, ME, lambda _: None, set())
    for number in range(6):
        put(events, f"wrong-{number}")
        ingest.once(a_catalogue_site(events), Catalogue())
    assert len(os.listdir(events / "refused")) == 3


def test_one_pass_takes_no_more_than_said_and_the_oldest_first(events: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingesting, "AT_ONCE", 3)
    for number in range(5):
        put(events, f"{number}-gpu1-ff.json", job=number)
    written: list[Entry] = []
    ingest = Ingest(events, ME, written.extend, set())
    assert [ingest.once(a_catalogue_site(events), Catalogue()) for _ in range(3)] == [3, 2, 0]
    assert [one.job for one in written] == [0, 1, 2, 3, 4]


def test_events_stay_while_the_trail_cannot_be_written_and_count_once(events: Path) -> None:
    put(events)

    def full(_: object) -> None:
        raise FabricError("full", reason="audit-log")

    with pytest.raises(FabricError):
        Ingest(events, ME, full, set()).once(a_catalogue_site(events), Catalogue())
    audit_log = AuditLog(events.parent / "audit", in_order)
    audit_log.append(Entry(event="opened", source=NAME))  # and died before it removed the file
    again: list[Entry] = []
    Ingest(events, ME, again.extend, recorded_sources(audit_log.directory)).once(a_catalogue_site(events), Catalogue())
    assert again == []
    assert os.listdir(events) == []


def test_half_written_files_are_left_alone_for_a_day(events: Path) -> None:
    ingest = Ingest(events, ME, lambda _: None, set())
    for name, age in ((".new", 0), (".old", 2 * 86400)):
        path = put(events, name)
        os.utime(path, (path.stat().st_atime, path.stat().st_mtime - age))
    assert ingest.once(a_catalogue_site(events), Catalogue()) == 0
    ingest.tidy()
    assert os.listdir(events) == [".new"]


# -- what it becomes


def a_catalogue_site(directory: Path) -> Settings:
    """Physics and chemistry share an account; jan is in both, ada in physics alone."""
    more = '[project.chemistry]\naccount = "phys"\nmembers.owner = ["jan"]\n'
    return parse(site_text(directory, more))


def _entry(events: Path, user: str | None, *acceptances: Acceptance, **changes: Any) -> Entry:
    event = NodeEvent.model_validate({**TOLD, **changes})
    return entry(event, NAME, user, a_catalogue_site(events), Catalogue(acceptances=acceptances))


def accepted(project: str, purpose: str, at: float) -> Acceptance:
    return Acceptance(user="jan", project=project, dataset="wind", agreement="1", purpose=purpose, at=at)


def test_an_event_gets_the_purpose_and_the_project_of_the_acceptance(events: Path) -> None:
    found = _entry(events, "jan", accepted("physics", "research", 1.0), accepted("chemistry", "teaching", 2.0))
    assert (found.project, found.purpose, found.agreement, found.responsible) == (
        "chemistry",
        "teaching",
        "1",
        ("jan",),
    )
    assert (found.user, found.job, found.node, found.at, found.source) == ("jan", 7, "gpu1", NOW, NAME)


def test_without_an_acceptance_the_only_project_of_the_account_is_named(events: Path) -> None:
    assert _entry(events, "ada").project == "physics"
    assert _entry(events, "jan").project is None
    assert _entry(events, "eve", account=None).project is None
    assert _entry(events, "bob").project is None
    assert _entry(events, None).project is None


def test_an_account_that_is_nobodys_here_leaves_the_user_out(tmp_path: Path) -> None:
    site = a_catalogue_site(tmp_path)
    assert ingesting.user_of(site.users, 4_000_000_000) is None
    assert ingesting.user_of(site.users, os.geteuid()) == pwd.getpwuid(os.geteuid()).pw_name
    assert ingesting.user_of(site.users.model_copy(update={"shared_account": True}), os.geteuid()) is None


def test_events_go_in_the_trail_as_they_were_told(events: Path) -> None:
    put(events)
    audit_log = AuditLog(events.parent / "audit", in_order)

    def append(entries: Iterable[Entry]) -> None:
        audit_log.append(*entries)

    Ingest(events, ME, append, set()).once(a_catalogue_site(events), Catalogue())
    (record,) = Reading(audit_log.directory).records()
    assert record["time"] == "2026-09-21T14:13:20.000000Z"
    assert {name: record[name] for name in ("event", "dataset", "version", "sha256", "job", "node", "uid", "why")} == {
        name: TOLD[name] for name in ("event", "dataset", "version", "sha256", "job", "node", "uid", "why")
    }
