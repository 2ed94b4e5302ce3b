"""``fabric-hub sessions``: what is left alone is told, taken up or ended, and nothing without --yes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from fabric_hub.cli import main, record
from fabric_hub.config.settings import load
from fabric_hub.messages.reader import Reader
from fabric_hub.messages.texts import held as texts
from fabric_hub.sessions.database import database_url
from fabric_hub.sessions.held import Held, HeldSessions, Why
from fabric_hub.sessions.store import SessionStore
from fabric_hub.slurm.model import Job
from fabric_hub.slurm.records import RecordMark, SessionFacts
from tests.support.builders import NOW, SESSION, a_job, fields_of_a_session, site_text
from tests.support.gateway import FakeGateway
from tests.support.gateway_thread import GatewayThread

MARK = RecordMark(identity="b" * 32, generation=2)
FACTS = SessionFacts(
    server_name="deep", project="physics", account="phys", profile="cpu", image="base", hours=2.5, datasets=("x",),
    created_at=NOW - 5, token_digest="c" * 64, token_hash="abcd sha512:1:00ff:" + "0" * 128,
)  # fmt: skip
ONE = Held(session=SESSION, user="jan", unix_account="jan", job_id=7, why=Why.OTHER_RECORD, openable=True, since=NOW)
Run = Callable[..., int]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    file = tmp_path / "site.toml"
    file.write_text(site_text(tmp_path, f'[gateway]\nsocket = "{tmp_path}/g.sock"\n'))
    return file


@pytest.fixture
def gateway(site: Path) -> Iterator[GatewayThread]:
    thread = GatewayThread(FakeGateway(), load(site).gateway.socket)
    thread.up()
    yield thread
    thread.close()


@pytest.fixture
def store(site: Path) -> Iterator[SessionStore]:
    opened = SessionStore(database_url(load(site)))
    yield opened
    opened.close()


@pytest.fixture
def run(site: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(record, "become_owner", lambda _: None)  # for good: not in this process
    return lambda *arguments: main(["sessions", *arguments, "--site", str(site)])


def hold(store: SessionStore, *held: Held) -> None:
    HeldSessions(store.engine).replace(held)


def there(gateway: GatewayThread, job: Job, facts: SessionFacts | None = FACTS, port: int | None = 4711) -> None:
    """A session's job runs that another record has submitted."""
    gateway.call(partial(FakeGateway.add, job=job))
    gateway.call(lambda fake: fake.ledger.submitted(SESSION, "jan", MARK, facts))
    if port:
        gateway.call(lambda fake: fake.ledger.listens(SESSION, "jan", port))


def test_where_nothing_is_left_alone_that_is_said(
    run: Run, store: SessionStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("list") == 0
    assert capsys.readouterr().out == "Every session that runs is on the hub's record.\n"


def test_each_is_shown_with_its_reason(run: Run, store: SessionStore, capsys: pytest.CaptureFixture[str]) -> None:
    others = (
        ONE.model_copy(update={"session": "aaaaaaaaaaaa", "why": Why.NO_WITNESS, "openable": False, "ends_at": NOW}),
        ONE.model_copy(update={"session": "bbbbbbbbbbbb", "why": Why.MANY, "openable": False}),
    )
    hold(store, ONE, *others)
    assert run("list") == 0
    told = capsys.readouterr().out
    assert f"{SESSION}  jan  job 7" in told
    assert (
        "It was submitted by a record that this hub does not have: a lost one, a newer one, or another hub's." in told
    )
    assert "It is from before the gateway kept what it submits." in told
    assert "The hub would end it, and more than a few at once." in told
    assert "It is on the hub's record, and JupyterHub refuses it: it can only be ended, or left to its end." in told
    assert "3 sessions run that this hub does not know to be its own; they are left alone." in told
    assert run("list", "--json") == 0
    assert [Held.model_validate(one) for one in json.loads(capsys.readouterr().out)][-1].session == "bbbbbbbbbbbb"


def test_a_line_of_the_list_is_in_the_readers_language_and_steers_no_terminal(
    run: Run, store: SessionStore, capsys: pytest.CaptureFixture[str]
) -> None:
    on_node = ONE.model_copy(update={"session": "b" * 12, "node": "gpu1", "project": "physics", "profile": "cpu"})
    hold(store, ONE.model_copy(update={"account": "la\x1b[2Jb"}), on_node)
    assert run("list") == 0
    said = capsys.readouterr().out
    assert f"{'b' * 12}  jan  job 7 on gpu1  physics  cpu\n" in said
    assert "\x1b" not in said
    assert texts.LISTED(session="s", user="u", job=1, project="p", profile="c").say() == "s  u  job 1  p  c"
    on_gpu1 = texts.LISTED_ON(session="s", user="u", job=1, project="p", profile="c", node="gpu1")
    assert on_gpu1.say(Reader(language="nl")) == "s  u  job 1 op gpu1  p  c"


def test_one_is_put_on_record_as_it_was_and_only_with_yes(
    run: Run, store: SessionStore, gateway: GatewayThread, capsys: pytest.CaptureFixture[str]
) -> None:
    hold(store, ONE)
    there(gateway, a_job(node="gpu1", started_at=NOW + 3))
    assert run("adopt", SESSION) == 0
    assert f"Session {SESSION} of jan would be taken up again." in capsys.readouterr().out
    assert store.get(SESSION) is None
    assert run("adopt", "--all", "--yes") == 0
    assert f"Session {SESSION} of jan is on record; the hub takes it up." in capsys.readouterr().out
    row = store.get(SESSION)
    assert row
    kept = row.model_dump(include=set(SessionFacts.model_fields))
    assert SessionFacts.model_validate(kept) == FACTS
    assert (row.user, row.job_id, row.node, row.port, row.ready_at) == ("jan", 7, "gpu1", 4711, NOW + 3)
    assert [one.id for one in store.adopted()] == [SESSION]
    assert run("adopt", "--all", "--yes") == 1, "it is on record now"


@pytest.mark.parametrize(
    ("job", "facts", "port", "why"),
    [
        (
            a_job(),
            None,
            4711,
            "The gateway has not kept what is needed to open it again: it can only be ended, or left to its end.",
        ),
        (
            a_job(),
            FACTS,
            None,
            "The gateway was not told where its server listens: it can only be ended, or left to its end.",
        ),
        (a_job(state="COMPLETED"), FACTS, 4711, "Its job is over."),
    ],
)
def test_what_cannot_be_had_back_is_said(
    run: Run,
    store: SessionStore,
    gateway: GatewayThread,
    capsys: pytest.CaptureFixture[str],
    job: Job,
    facts: SessionFacts | None,
    port: int | None,
    why: str,
) -> None:
    hold(store, ONE)
    there(gateway, job, facts, port)
    assert run("adopt", "--all", "--yes") == 1
    assert f"Session {SESSION} of jan is not taken up. {why}" in capsys.readouterr().err
    assert store.get(SESSION) is None


@pytest.mark.parametrize("own_number", [None, 7, 9])
def test_nobody_is_sent_to_somebody_elses_job_of_the_sessions_name(
    run: Run, store: SessionStore, gateway: GatewayThread, capsys: pytest.CaptureFixture[str], own_number: int | None
) -> None:
    hold(store, ONE.model_copy(update={"unix_account": "mallory", "job_id": 8}))
    there(gateway, a_job(job_id=8, user="mallory", node="gpu9"))
    if own_number:
        gateway.call(partial(FakeGateway.add, job=a_job(job_id=own_number, node="gpu1")))
    assert run("adopt", "--all", "--yes") == (0 if own_number else 1)
    row = store.get(SESSION)
    assert (row.job_id, row.node) == (own_number, "gpu1") if own_number else row is None  # type: ignore[union-attr]
    assert own_number or f"Session {SESSION} of jan is not taken up. Its job is over." in capsys.readouterr().err


def test_a_name_that_its_person_has_given_another_session_is_not_taken_from_that(
    run: Run, store: SessionStore, gateway: GatewayThread, capsys: pytest.CaptureFixture[str]
) -> None:
    newer = store.create(**fields_of_a_session(server_name="deep"))
    hold(store, ONE)
    there(gateway, a_job())
    assert run("adopt", "--all", "--yes") == 1
    assert (
        "jan has another session of the name deep on record, or this one is there already." in capsys.readouterr().err
    )
    assert [session.id for session in store.live_all()] == [newer.id]


def test_one_is_ended_with_its_row_if_it_has_one(
    run: Run, store: SessionStore, gateway: GatewayThread, capsys: pytest.CaptureFixture[str]
) -> None:
    row = store.create(**fields_of_a_session(id="aaaaaaaaaaaa"))
    hold(store, ONE, ONE.model_copy(update={"session": row.id, "why": Why.MANY}))
    there(gateway, a_job())
    assert run("end", "--all") == 0
    assert f"Session {SESSION} of jan would be ended." in capsys.readouterr().out
    assert gateway.fake.cancels == []
    assert run("end", "--all", "--yes") == 0
    assert f"Session {SESSION} of jan is ended." in capsys.readouterr().out
    assert {(one.session, one.why) for one in gateway.fake.cancels} == {(SESSION, "operator"), (row.id, "operator")}
    assert gateway.fake.job_of(SESSION).state == "CANCELLED"
    over = store.get(row.id)
    assert over
    assert str(over.end_text) == "An operator ended this session, of which the hub was not sure."
    gateway.call(FakeGateway.become_unavailable)
    assert run("end", SESSION, "--yes") == 1
    assert f"Session {SESSION} of jan is not ended." in capsys.readouterr().err


def test_sessions_are_named_one_way(run: Run, store: SessionStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("end") == 1
    assert "Name the sessions, or say --all." in capsys.readouterr().err
    assert run("end", "cccccccccccc") == 1
    assert "No session of that name is left alone: cccccccccccc." in capsys.readouterr().err
