"""A hub that has lost its record ends nobody: its sessions are held, and an operator takes them up or ends them."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import pytest

from fabric_hub.sessions.held import HeldSessions
from fabric_hub.slurm.model import Job, job_name
from tests.support.embedded_run import fabric_hub
from tests.support.gateway import FakeGateway
from tests.support.person import words
from tests.support.small_site import UNIX_PREFIX, SmallSite
from tests.support.waiting import until

pytestmark = pytest.mark.hub


def held(site: SmallSite) -> set[str]:
    return {one.session for one in HeldSessions(site.store.engine).all()}


def test_a_lost_record_ends_nobody_and_its_sessions_are_taken_up_or_ended(
    new_site: Callable[..., SmallSite],
) -> None:
    site = new_site()
    goes_on, ends = site.somebody(), site.somebody()
    for person in (goes_on, ends):
        person.start()
    url = goes_on.until_ready()["url"]
    ends.until_ready()
    kept, other = site.session_of(goes_on).id, site.session_of(ends).id

    def ports() -> bool:
        found = site.gateway.call(lambda fake: fake.ledger.witnesses([kept, other]))
        return all(one.port for one in found.values())

    until(ports, "the gateway knows where both listen")
    site.kill()
    site.lose_record()
    stray = Job(
        job_id=900, name=job_name("small", "aaaaaaaaaaaa"), user=UNIX_PREFIX + "person50", state="RUNNING",
        submitted_at=time.time(),
    )  # fmt: skip
    site.gateway.call(partial(FakeGateway.add, job=stray))
    site.up()

    until(lambda: site.state_of("aaaaaaaaaaaa") == "CANCELLED", "what no hub has submitted is ended")
    until(lambda: held(site) == {kept, other}, "what another record has submitted is held")
    assert [site.state_of(session) for session in (kept, other)] == ["RUNNING", "RUNNING"]
    goes_on, ends = site.person(goes_on.name), site.person(ends.name)  # their tokens were in the lost database
    page = words(goes_on.log_in().browser.get("/hub/home"))
    job = site.gateway.call(lambda fake: fake.job_of(kept)).job_id
    assert f"A session of yours runs that this hub has no record of: job {job} on node gpu1." in page
    assert "Ask the operators: they can let you open it again." in page

    at = ("--site", str(site.directory / "site.toml"))
    told = fabric_hub("sessions", "list", *at).stdout
    assert "2 sessions run that this hub does not know to be its own; they are left alone." in told
    assert "Nothing was done. Add --yes to do it." in fabric_hub("sessions", "adopt", "--all", *at).stdout
    assert site.store.live_all() == []
    done = fabric_hub("sessions", "adopt", kept, "--yes", *at)
    assert done.returncode == 0, done.stderr
    assert goes_on.until_ready()["url"] == url
    assert site.http.get(url + "x").status_code == 200, "the proxy knows its way again"
    assert site.sessions[kept].tell("GET", "/session").status_code == 200, "with the token that its job has"
    row = site.store.get(kept)
    assert row
    assert (row.live, row.job_id, row.project, row.node) == (True, job, "twin", "gpu1")
    assert len(site.requests_of(goes_on)) == 1, "nothing was submitted for it"

    done = fabric_hub("sessions", "end", other, "--yes", *at)
    assert done.returncode == 0, done.stderr
    assert site.state_of(other) == "CANCELLED"
    until(lambda: held(site) == set(), "nothing is held any more")
    assert site.state_of(kept) == "RUNNING"
    assert goes_on.stop().status_code == 204
    until(lambda: site.state_of(kept) == "CANCELLED", "it ends as any other")
