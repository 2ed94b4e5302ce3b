"""A node is made ready before a session begins: that may fail, or take long, and neither is the session's fault."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.broken_site import BrokenSite
from tests.support.person import words
from tests.support.waiting import until

pytestmark = [pytest.mark.slurm, pytest.mark.hub, pytest.mark.root, pytest.mark.timeout(300)]

LIMIT_S = 10
SMALL = {"project": "proteins", "profile": "small", "image": "tiny"}


@contextmanager
def prolog(site: BrokenSite, *lines: str) -> Iterator[None]:
    """A Prolog of the nodes while a block lasts."""
    program = site.hold.with_name("prolog")
    program.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    program.chmod(0o755)
    with site.run.while_in_slurm(f"Prolog={program}"):
        yield


@pytest.fixture
def hurried(site: BrokenSite) -> Iterator[BrokenSite]:
    """A hub that gives a session's script few seconds to bring its server up."""
    extra = site.hold.with_name("hurried.py")
    extra.write_text(f"c.FabricSlurmSpawner.start_limit_s = {LIMIT_S}\n")
    before = site.run.site.read_text()
    site.run.site.write_text(before.replace("[hub]\n", f'[hub]\nextra_config = "{extra}"\n', 1))
    site.kill()
    site.up()
    yield site
    site.run.site.write_text(before)
    site.kill()  # the next test starts another


def test_a_prolog_that_fails_is_told_as_the_nodes_and_not_as_somebodys_wish(site: BrokenSite) -> None:
    person = site.person("researcher")
    before = site.last_ended(person)
    try:
        with prolog(site, "exit 1"):
            start = site.hands.submit(person.start, "", **SMALL)
            until(lambda: site.last_ended(person) != before, "the start has failed", 60)
            end = site.last_ended(person)
            person.until_gone()
    finally:
        # it may come back by itself (ReturnToService), and then it cannot be resumed
        site.run.slurm("sh", "-c", "scontrol update NodeName=cpu1 State=RESUME 2>/dev/null || true")
        until(lambda: site.run.slurm("sinfo", "-h", "-n", "cpu1", "-o", "%T") in ("idle", "mixed"), "it is back", 60)
    told = "Slurm could not make node cpu1 ready for the session and took it out of service: Prolog error."
    assert start.result(30).status_code in (202, 424)
    assert end
    assert (end.end_reason, str(end.end_text).startswith(told)) == ("node-not-ready", True), end.end_text
    assert told in words(person.log_in().browser.get("/hub/home"))


def test_the_time_in_which_a_node_is_made_ready_counts_against_no_limit(
    hurried: BrokenSite,
) -> None:
    person = hurried.person("researcher")
    with prolog(hurried, f"sleep {2 * LIMIT_S}"):
        start = hurried.hands.submit(person.start, "", **SMALL)
        session = hurried.session_of(person)
        hurried.until_state(session.job_id, "RUNNING")
        told = next(event["message"] for event in person.progress() if event["progress"] == 50)
        assert "Slurm makes the node ready (Prolog)" in told
        person.until_ready()
    assert start.result(30).status_code in (201, 202)
    assert hurried.session_of(person).job_id == session.job_id
