"""``kill -9`` of the hub at any moment: no session is lost, none is submitted twice, no job stays without an owner."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import httpx
import pytest

from fabric_hub.messages.text import verbatim
from fabric_hub.slurm.model import Job, job_name
from tests.support.gateway import NODES, FakeGateway
from tests.support.person import words
from tests.support.small_site import UNIX_PREFIX, SmallSite
from tests.support.waiting import until

pytestmark = pytest.mark.hub


def test_sessions_survive_a_hub_that_dies_and_orphans_do_not(new_site: Callable[..., SmallSite]) -> None:
    site = new_site()
    runs, waits, stranger = site.somebody(), site.somebody(), site.somebody()
    runs.start()
    server = runs.until_ready()
    site.hold()
    waits.start_later()
    pending, running = site.session_of(waits), site.session_of(runs)

    site.kill()
    # meanwhile: a job of this hub that is nobody's session, and one whose name claims somebody else's
    orphan = Job(job_id=900, name=job_name("small", "aaaaaaaaaaaa"), user=UNIX_PREFIX + stranger.name, state="RUNNING")
    forged = Job(job_id=901, name=job_name("small", running.id), user=UNIX_PREFIX + stranger.name, state="RUNNING")
    others = Job(job_id=902, name=job_name("another", "bbbbbbbbbbbb"), user=UNIX_PREFIX + runs.name, state="RUNNING")
    for job in (orphan, forged, others):
        site.gateway.call(partial(FakeGateway.add, job=job))
    # nor does Slurm show a node that could run them now: what is on record is adopted all the same
    site.gateway.call(lambda fake: fake.set_nodes(NODES[:0]))
    site.up()

    assert runs.until_ready()["url"] == server["url"]
    assert site.http.get(server["url"] + "x").status_code == 200, "and the proxy knows its way again"
    until(lambda: (waits.servers().get("") or {}).get("pending") == "spawn", "the waiting session is taken up again")
    site.gateway.call(lambda fake: fake.set_nodes(NODES))
    site.begin(pending.id)
    waits.until_ready()
    assert site.session_of(waits).id == pending.id
    assert [len(site.requests_of(person)) for person in (runs, waits)] == [1, 1], "submitted exactly once"
    assert "Logging error" not in site.log.read_text()

    until(lambda: site.state_of("aaaaaaaaaaaa") == "CANCELLED", "the orphan is ended")
    live = {job.job_id for job in site.gateway.call(lambda fake: fake.live())}
    assert {901, 902} <= live, "a name that claims a session of another account is not that session's job"
    assert site.state_of(pending.id) == "RUNNING"

    assert runs.stop().status_code == 204
    assert waits.stop().status_code == 204
    assert site.jobs_of(waits) == []
    site.reset()
    runs.start()
    runs.until_ready()
    old, new = site.sessions[running.id], site.sessions[site.session_of(runs).id]
    assert [server.tell("GET", "/session").status_code for server in (old, new)] == [401, 200]
    assert [_word(site, server.token).status_code for server in (old, new)] == [403, 200], "JupyterHub's own word"


def _word(site: SmallSite, token: str) -> httpx.Response:
    return site.http.get("/hub/api/user", headers={"Authorization": f"token {token}"})


def test_a_session_that_no_longer_answers_a_new_hub_ends_with_the_reason(
    new_site: Callable[..., SmallSite],
) -> None:
    """Slurm still calls its job running, as after a crash of a node that slurmctld has not noticed yet."""
    site = new_site("c.Spawner.http_timeout = 3\n")
    person = site.somebody()
    person.start()
    person.until_ready()
    session = site.session_of(person)
    waiting = site.somebody()
    site.hold()
    waiting.start_later()
    pending = site.session_of(waiting)
    site.kill()
    site.sessions[session.id].close()
    site.store.end(pending.id, reason="stopped", text=verbatim("While no hub was there."))
    site.up()
    lost = site.request(pending.id).environment["JUPYTERHUB_API_TOKEN"]
    assert _word(site, lost).status_code == 403, "nobody knows its server any more: its token is gone all the same"
    person.until_gone()
    ended = site.store.get(session.id)
    assert ended
    assert ended.end_reason == "unreachable"
    assert ended.end_text
    assert str(ended.end_text) in words(person.log_in().browser.get(f"/user/{person.name}/"))
    until(lambda: site.state_of(session.id) == "CANCELLED", "its job is ended")


def test_a_session_stopped_while_the_gateway_was_gone_ends_when_it_is_back(new_site: Callable[..., SmallSite]) -> None:
    site = new_site()
    person = site.somebody()
    person.start()
    person.until_ready()
    session = site.session_of(person)
    site.gateway.down()
    person.stop()
    person.until_gone()
    site.gateway.up()
    assert site.state_of(session.id) == "RUNNING"
    until(lambda: site.state_of(session.id) == "CANCELLED", "the reconciler ends the job", limit_s=60)
