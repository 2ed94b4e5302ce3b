from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from fabric_hub.config.settings import Members, Project, Settings
from fabric_hub.errors import FabricError
from fabric_hub.gateway.ledger import Ledger
from fabric_hub.messages.text import verbatim
from fabric_hub.rpc.follower import Follower
from fabric_hub.service.tasks import lease as lease_module
from fabric_hub.service.tasks import reconciler, strays
from fabric_hub.service.tasks.lease import Lease, lease_path
from fabric_hub.service.tasks.reconciler import Reconciler
from fabric_hub.sessions.held import HeldSessions, Why
from fabric_hub.sessions.store import SessionStore
from fabric_hub.slurm.model import CancelRequest, Snapshot
from fabric_hub.slurm.records import RecordMark, RecordStatement, Witnessed
from fabric_hub.slurm.unavailable import SlurmUnavailableError
from tests.support.builders import NOW, SESSION, a_job, a_snapshot, fields_of_a_session
from tests.support.kept_projects import KeptProjects
from tests.support.waiting import until_async


class TellingSlurm:
    """A source of snapshots: what it is told to say, at once when it is news."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._news = asyncio.Event()

    def say(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._news.set()
        self._news = asyncio.Event()

    async def snapshot(self, after: int | None = None, wait_s: float = 0.0, fresh: float | None = None) -> Snapshot:
        while after is not None and self._snapshot.serial <= after:
            await self._news.wait()
        return self._snapshot


class NotedCancels:
    """In the gateway's place: notes what it is asked to cancel; refuses for the users in ``refuses``."""

    def __init__(self, refuses: tuple[str, ...] = ()) -> None:
        self.asked: asyncio.Queue[CancelRequest] = asyncio.Queue()
        self.removed: asyncio.Queue[str] = asyncio.Queue()
        self.ledger = Ledger(None, "main")
        self.ledger.began_at = NOW - 1000  # before the jobs of these tests
        self._refuses = refuses

    async def records(self, told: RecordStatement) -> Witnessed:
        seen = self.ledger.told(told.lines[0])
        found = self.ledger.witnesses(told.sessions)
        return Witnessed(began_at=self.ledger.began_at, seen=seen, sessions=tuple(found.values()))

    async def cancel(self, request: CancelRequest) -> None:
        self.asked.put_nowait(request)
        if request.user in self._refuses:
            raise FabricError("Account root may not be used.", reason="account", status=403)

    async def remove(self, session: str, user: str) -> None:
        self.removed.put_nowait(session)


class AwayAtFirst(NotedCancels):
    """Does not answer the first two times that files are to be removed."""

    _tries = 0

    async def remove(self, session: str, user: str) -> None:
        self._tries += 1
        if self._tries <= 2:
            raise FabricError("The gateway does not answer.", reason="gateway", status=503)
        await super().remove(session, user)


class SlowFor(NotedCancels):
    """Never done with what it does for one user."""

    def __init__(self, user: str) -> None:
        super().__init__()
        self._user = user

    async def cancel(self, request: CancelRequest) -> None:
        await super().cancel(request)
        if request.user == self._user:
            await asyncio.Event().wait()


class AnsweringHub:
    """In JupyterHub's place: its users' servers, and the answers it gives to starts, the last one for ever."""

    def __init__(self, servers: dict[str, set[str]], *answers: int | Exception) -> None:
        self._servers, self._answers = servers, list(answers)
        self.started: asyncio.Queue[tuple[str, str, dict[str, Any]]] = asyncio.Queue()

    async def servers(self, user: str) -> dict[str, dict[str, Any]] | None:
        return {name: {} for name in self._servers[user]} if user in self._servers else None

    def knows(self, user: str) -> None:
        self._servers[user] = set()

    async def start(self, user: str, server: str, options: dict[str, Any]) -> httpx.Response:
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        self.started.put_nowait((user, server, options))
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer)


Running = Callable[..., Any]


@pytest.fixture
def lease(site: Settings) -> Lease:
    taken = Lease(lease_path(site))
    taken.take()
    return taken


@pytest.fixture
def running(site: Settings, store: SessionStore, lease: Lease, monkeypatch: pytest.MonkeyPatch) -> Running:
    """A reconciler that runs, with its waits made short."""
    monkeypatch.setattr(reconciler, "RETRY_S", 0.02)
    monkeypatch.setattr(reconciler, "LOOK_S", 0.05)
    monkeypatch.setattr(reconciler, "CLEAR_S", 0.05)

    @asynccontextmanager
    async def run(gateway: NotedCancels, hub: AnsweringHub, slurm: TellingSlurm) -> AsyncIterator[asyncio.Task[None]]:
        follower = Follower("snapshot", slurm.snapshot, Snapshot())
        worker = Reconciler(site, store, gateway, follower, hub, lease)  # type: ignore[arg-type]
        worker._started_at = time.time() + 60  # whatever the tests put on record is from before this hub
        task = asyncio.create_task(worker.run())
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await follower.stop()

    return run


async def next_of(queue: asyncio.Queue[Any]) -> Any:
    return await asyncio.wait_for(queue.get(), 10)


async def test_a_session_that_the_hub_forgot_is_started_again_as_it_was(running: Running, store: SessionStore) -> None:
    store.create(**fields_of_a_session(server_name="a", hours=2.5, datasets=["x"]))
    hub = AnsweringHub({"jan": set()}, 202)
    async with running(NotedCancels(), hub, TellingSlurm(a_snapshot())):
        assert await next_of(hub.started) == (
            "jan",
            "a",
            {"project": "physics", "profile": "cpu", "image": "base", "hours": 2.5, "datasets": ["x"]},
        )


@pytest.mark.parametrize("first", [503, 429, httpx.ConnectError("refused"), ValueError("a page, not JSON")])
async def test_a_hub_that_is_not_ready_is_asked_again(
    running: Running, store: SessionStore, first: int | Exception
) -> None:
    store.create(**fields_of_a_session())
    hub = AnsweringHub({"jan": set()}, first, 201)
    async with running(NotedCancels(), hub, TellingSlurm(a_snapshot())):
        await next_of(hub.started)
        await next_of(hub.started)


async def test_a_server_that_the_hub_still_has_is_not_started_again(running: Running, store: SessionStore) -> None:
    store.create(**fields_of_a_session(server_name="kept"))
    store.create(**fields_of_a_session(user="eve"))
    hub = AnsweringHub({"jan": {"kept"}, "eve": set()}, 201)
    async with running(NotedCancels(), hub, TellingSlurm(a_snapshot())):
        assert (await next_of(hub.started))[0] == "eve"
    assert hub.started.empty()


async def test_a_session_of_a_user_who_left_ends_and_then_its_job(
    running: Running, store: SessionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strays, "GRACE_S", 0.0)
    session = store.create(**fields_of_a_session())
    gateway = NotedCancels()
    slurm = TellingSlurm(a_snapshot(a_job(name=f"fabric-main-{session.id}")))
    async with running(gateway, AnsweringHub({}, 201), slurm):
        request = await next_of(gateway.asked)
    assert (request.session, request.user, request.why) == (session.id, "jan", "orphan")
    over = store.get(session.id)
    assert over is not None
    assert over.end_reason == "no-user"
    assert str(over.end_text) == "The hub has no user jan any more."


async def test_a_session_of_a_project_that_is_not_known_yet_waits_and_is_taken_up_again(
    catalogue_site: Settings, store: SessionStore, lease: Lease, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a reboot the hub may be up before the catalogue service, and with a database of its own that is new."""
    monkeypatch.setattr(reconciler, "RETRY_S", 0.02)
    kept, hub = KeptProjects(catalogue_site, tmp_path), AnsweringHub({}, 201)
    session = store.create(**fields_of_a_session(user="mia", project="waves", account="fh-waves"))
    follower = Follower("snapshot", TellingSlurm(a_snapshot()).snapshot, Snapshot())
    worker = Reconciler(kept.settings, store, NotedCancels(), follower, hub, lease)  # type: ignore[arg-type]
    for _ in range(2 * reconciler.USER_TRIES):
        assert await worker._resumed(session) is False
    kept.publish(waves=Project(account="fh-waves", members=Members(member=("mia",))))
    assert await worker._resumed(session) is False  # JupyterHub is told of her
    hub.knows("mia")
    assert await worker._resumed(session) is True
    kept.publish()
    gone = store.create(**fields_of_a_session(user="bo", project="waves", account="fh-waves"))
    assert isinstance(await worker._resumed(gone), reconciler._Unwanted)  # as one that left the site's file
    await follower.stop()


async def test_while_slurm_is_silent_nothing_is_ended(running: Running) -> None:
    gateway, slurm = NotedCancels(), TellingSlurm(a_snapshot(a_job(), unavailable_since=NOW))
    async with running(gateway, AnsweringHub({}, 201), slurm):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(gateway.asked.get(), 0.3)
        slurm.say(a_snapshot(a_job(), serial=2))
        assert (await next_of(gateway.asked)).session == SESSION


async def test_a_service_that_another_one_has_followed_ends_nothing(
    running: Running, site: Settings, store: SessionStore, lease: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that an earlier hub left behind may know of sessions what is no longer so."""
    session = store.create(**fields_of_a_session())
    later = Lease(lease_path(site))
    later.take()
    gateway = NotedCancels()
    async with running(gateway, AnsweringHub({}, 201), TellingSlurm(a_snapshot(a_job()))):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(gateway.asked.get(), 0.5)
    kept = store.get(session.id)
    assert kept is not None
    assert kept.live
    assert (lease.held(), later.held()) == (False, True)
    monkeypatch.setattr(lease_module, "LOOK_S", 0.01)
    with pytest.raises(FabricError, match="Another service has taken the sessions' record"):
        await asyncio.wait_for(lease.keep(), 10)
    lease_path(site).unlink()
    assert not later.held(), "what cannot be known is no right"


async def test_one_orphan_that_cannot_be_ended_does_not_keep_the_others_alive(running: Running) -> None:
    other = "aaaaaaaaaaaa"
    jobs = [a_job(user="locked", account="phys"), a_job(job_id=8, name=f"fabric-main-{other}")]
    gateway = NotedCancels(refuses=("locked",))
    async with running(gateway, AnsweringHub({}, 201), TellingSlurm(a_snapshot(*jobs))):
        asked = {(await next_of(gateway.asked)).session for _ in range(2)}
    assert asked == {SESSION, other}


async def test_nobodys_clean_up_waits_behind_the_forged_names_of_another(running: Running) -> None:
    names = ["".join(letters) for letters in itertools.islice(itertools.product("abcdefg", repeat=12), 300)]
    forged = [a_job(job_id=100 + number, user="eve", name=f"fabric-main-{name}") for number, name in enumerate(names)]
    gateway = SlowFor("eve")
    async with running(gateway, AnsweringHub({}, 201), TellingSlurm(a_snapshot(*forged, a_job()))):
        assert (await next_of(gateway.asked)).user == "eve"
        assert (await next_of(gateway.asked)).user == "jan"
        later = [gateway.asked.get_nowait() for _ in range(gateway.asked.qsize())]
        assert [request for request in later if request.user == "eve"] == [], "one after the other"


async def test_keys_of_a_session_that_is_over_go_also_when_the_gateway_was_away(
    running: Running, store: SessionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strays, "GRACE_S", 0.0)
    over, live = (store.create(**fields_of_a_session(server_name=name)) for name in ("over", "live"))
    store.end(over.id, reason="stopped", text=verbatim("It was stopped."))
    gateway = AwayAtFirst()
    async with running(gateway, AnsweringHub({"jan": {"over", "live"}}, 201), TellingSlurm(a_snapshot())):
        assert await next_of(gateway.removed) == over.id
        assert gateway.removed.empty()
        store.end(live.id, reason="stopped", text=verbatim("It was stopped."))
        assert await next_of(gateway.removed) == live.id, "when it is over; the others' files go once"


async def test_a_job_that_still_ends_keeps_its_files(
    running: Running, store: SessionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strays, "GRACE_S", 0.0)
    ending, other = (store.create(**fields_of_a_session(server_name=name)) for name in ("ending", "other"))
    store.update(ending.id, job_id=7, submitted_at=NOW)
    for session in (ending, other):
        store.end(session.id, reason="stopped", text=verbatim("It was stopped."))
    name = f"fabric-main-{ending.id}"
    gateway, slurm = NotedCancels(), TellingSlurm(a_snapshot(a_job(name=name, state="COMPLETING")))
    async with running(gateway, AnsweringHub({"jan": {"ending", "other"}}, 201), slurm):
        assert await next_of(gateway.removed) == other.id
        slurm.say(a_snapshot(a_job(name=name, state="COMPLETED"), serial=2))
        assert await next_of(gateway.removed) == ending.id


async def test_a_hub_that_does_not_answer_does_not_keep_orphans_alive(running: Running, store: SessionStore) -> None:
    store.create(**fields_of_a_session())
    gateway = NotedCancels()
    hub = AnsweringHub({"jan": set()}, SlurmUnavailableError(verbatim("no")))
    async with running(gateway, hub, TellingSlurm(a_snapshot(a_job()))) as task:
        assert (await next_of(gateway.asked)).session == SESSION
        await next_of(hub.started)
        assert not task.done()


OTHERS = RecordMark(identity="f" * 32, generation=1)


async def test_what_another_record_submitted_is_held_and_ended_by_nobody(
    running: Running, store: SessionStore, caplog: pytest.LogCaptureFixture
) -> None:
    stray = "aaaaaaaaaaaa"
    gateway = NotedCancels()
    gateway.ledger.submitted(SESSION, "jan", OTHERS, None)
    jobs = a_job(), a_job(job_id=8, name=f"fabric-main-{stray}")
    async with running(gateway, AnsweringHub({}, 201), TellingSlurm(a_snapshot(*jobs))):
        assert (await next_of(gateway.asked)).session == stray, "and one that nobody submitted ends as before"
        (held,) = await until_async(HeldSessions(store.engine).all, "one is held", 10)
        assert (held.session, held.why) == (SESSION, Why.OTHER_RECORD)
        later = {(await next_of(gateway.asked)).session for _ in range(2)}
        assert later == {stray}
    assert "is not the one that the gateway was told of last, but another" in caplog.text


async def test_an_operators_word_puts_a_held_session_on_record_and_the_hub_takes_it_up(
    running: Running, store: SessionStore
) -> None:
    gateway, hub = NotedCancels(), AnsweringHub({"jan": set()}, 201)
    gateway.ledger.submitted(SESSION, "jan", OTHERS, None)
    async with running(gateway, hub, TellingSlurm(a_snapshot(a_job()))):
        await until_async(HeldSessions(store.engine).all, "it is held", 10)
        store.adopt({"id": SESSION, "created_at": NOW, "datasets": [], "job_id": 7, **fields_of_a_session()})
        assert (await next_of(hub.started))[0] == "jan"
        await until_async(lambda: not HeldSessions(store.engine).all(), "nothing is held any more", 10)
    assert gateway.asked.empty()


async def test_many_sessions_that_the_hub_refuses_wait_for_an_operator(running: Running, store: SessionStore) -> None:
    """As when a project has fallen out of the site's file by mistake."""
    made = [store.create(**fields_of_a_session(server_name=f"n{number}")) for number in range(6)]
    hub = AnsweringHub({"jan": set()}, 403)
    async with running(NotedCancels(), hub, TellingSlurm(a_snapshot())):
        book = HeldSessions(store.engine)
        await until_async(lambda: len(book.all()) == 6, "all are held", 10)
        store.end(made[0].id, reason="operator", text=verbatim("An operator ended it."))
        await until_async(lambda: len(book.all()) == 5, "one is no more", 10)
        for _ in range(12):
            await next_of(hub.started)
    assert len(store.live_all()) == 5, "the rest goes on to wait, though it is a handful now"


async def test_a_few_that_the_hub_refuses_end(running: Running, store: SessionStore) -> None:
    for number in range(5):
        store.create(**fields_of_a_session(server_name=f"n{number}"))
    async with running(NotedCancels(), AnsweringHub({"jan": set()}, 403), TellingSlurm(a_snapshot())):
        await until_async(lambda: not store.live_all(), "all are over", 10)
