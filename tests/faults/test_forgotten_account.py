"""The name service forgets an account while its session waits and the hub starts again: nothing is ended."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from fabric_dev.processes import tail
from tests.support.broken_site import BrokenSite
from tests.support.waiting import until

pytestmark = [pytest.mark.slurm, pytest.mark.hub, pytest.mark.root, pytest.mark.timeout(300)]


@contextmanager
def forgotten(name: str) -> Iterator[None]:
    """An account goes by another name while a block lasts."""
    subprocess.run(["usermod", "--login", f"x-{name}", name], check=True)
    try:
        yield
    finally:
        subprocess.run(["usermod", "--login", name, f"x-{name}"], check=True)


def test_a_waiting_session_is_taken_up_when_its_account_is_known_again(site: BrokenSite) -> None:
    person = site.person("staff")
    site.run.slurm("scontrol", "update", "PartitionName=gpu", "State=DOWN")
    try:
        site.hands.submit(person.start, "", project="bakery", profile="gpu-1", image="tiny")
        session = site.session_of(person)
        site.kill()
        with forgotten(site.run.unix_name("staff")):
            site.up()
            log = site.run.directory / "log" / "hub.log"
            codes = "[account-unknown, account-forgotten]"
            later = f"Session {session.id} is submitted later: {codes} There is no Unix account"
            until(lambda: later in log.read_text(), "the hub has asked in vain", 60, seen=lambda: tail(log, 60))
            assert site.session(session.id).live
            assert site.state_of(session.job_id) == "PENDING"
    finally:
        site.run.slurm("scontrol", "update", "PartitionName=gpu", "State=UP")
    person.until_ready()
    assert site.session_of(person).id == session.id
    assert site.jobs_of(session) == [session.job_id], "submitted once"
