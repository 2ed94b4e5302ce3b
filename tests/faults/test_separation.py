"""Hub, gateway and users are different accounts, and none can do another's work."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import httpx
import pytest

from fabric_hub.sessions.notify import notify_path
from fabric_hub.sessions.store import Session
from tests.support.broken_site import BrokenSite
from tests.support.person import Person
from tests.support.session_process import environment_of, server_process

pytestmark = [pytest.mark.slurm, pytest.mark.hub, pytest.mark.root]

CONNECT = """
import socket, sys
kind = {"stream": socket.SOCK_STREAM, "dgram": socket.SOCK_DGRAM}[sys.argv[2]]
try:
    socket.socket(socket.AF_UNIX, kind).connect(sys.argv[1])
except OSError as error:
    print(type(error).__name__)
else:
    print("connected")
"""


def _status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def _runs(
    site: BrokenSite, name: str, profile: str = "small", image: str = "tiny", **options: str
) -> tuple[Person, Session]:
    person = site.person(name)
    person.start("", profile=profile, image=image, **options)
    person.until_ready()
    return person, site.session_of(person)


def test_the_hubs_account_can_do_nothing_in_slurm_for_anyone(site: BrokenSite) -> None:
    _, session = _runs(site, "researcher", project="proteins")
    job = str(session.job_id)
    refused = site.run.as_user("hub", "sbatch", "--account=proteins", "--output=/dev/null", input="#!/bin/sh\ntrue\n")
    assert refused.returncode != 0
    assert "Invalid account" in refused.stderr
    mine = site.run.unix_name("researcher")
    forged = site.run.as_user("hub", "sbatch", f"--uid={mine}", "--account=proteins", input="#!/bin/sh\ntrue\n")
    assert forged.returncode != 0
    for verb in (["scancel", job], ["scancel", "--signal=USR1", job]):
        assert "denied" in site.run.as_user("hub", *verb).stderr
    for verb in (
        ["update", f"JobId={job}", "TimeLimit=1"], ["update", f"JobId={job}", "Comment=x"], ["hold", job],
        ["requeue", job], ["suspend", job], ["update", "PartitionName=cpu", "State=DOWN"],
        ["update", "NodeName=cpu1", "State=DOWN", "Reason=x"], ["reconfigure"], ["shutdown"],
    ):  # fmt: skip
        done = site.run.as_user("hub", "scontrol", *verb)
        assert done.returncode != 0, verb
        said = (done.stdout + done.stderr).lower()
        assert any(word in said for word in ("denied", "permission", "not permitted", "invalid user id")), (verb, said)
    account = site.run.as_user("hub", "sacctmgr", "-i", "modify", "account", "proteins", "set", "GrpJobs=0")
    assert account.returncode != 0 or "denied" in account.stderr.lower() + account.stdout.lower()
    assert site.state_of(session.job_id) == "RUNNING"


def test_the_gateway_may_become_users_and_the_hub_may_nothing(site: BrokenSite) -> None:
    both = f"{(1 << 7) | (1 << 6):016x}"
    gateway, hub = _status(site.run.pid("gateway")), _status(site.hub_pid)
    assert {gateway["CapEff"], gateway["CapPrm"], gateway["CapBnd"]} == {both}
    assert {hub["CapEff"], hub["CapPrm"], hub["CapBnd"], hub["CapInh"], hub["CapAmb"]} == {f"{0:016x}"}
    assert {gateway["CapInh"], gateway["CapAmb"]} == {f"{0:016x}"}, "no child inherits any"
    assert gateway["NoNewPrivs"] == hub["NoNewPrivs"] == "1"
    uids = {gateway["Uid"].split()[0], hub["Uid"].split()[0]}
    assert len(uids) == 2
    assert "0" not in uids
    assert site.run.as_user("hub", "cat", f"/proc/{site.run.pid('gateway')}/environ").returncode != 0


def test_nobody_but_the_hub_reaches_the_gateways_socket_and_its_own(site: BrokenSite) -> None:
    _runs(site, "researcher", project="proteins")  # the hub has hung its notify socket
    gateway, listener = site.settings.gateway.socket, notify_path(site.settings)
    assert listener.exists()
    for user in ("student1", "researcher"):
        for path, kind in ((gateway, "stream"), (listener, "dgram")):
            done = site.run.as_user(user, "/usr/bin/python3", "-c", CONNECT, str(path), kind)
            assert done.stdout.strip() == "PermissionError", (user, path)
    done = site.run.as_user("gateway", "/usr/bin/python3", "-c", CONNECT, str(listener), "dgram")
    assert done.stdout.strip() == "PermissionError"
    done = site.run.as_user("hub", "/usr/bin/python3", "-c", CONNECT, str(gateway), "stream")
    assert done.stdout.strip() == "connected"
    for private in ("sessions.sqlite", "jupyterhub.sqlite", "cookie_secret", "certs"):
        for user in ("student1", "gateway"):
            assert site.run.as_user(user, "ls", str(site.settings.hub.state_dir / private)).returncode != 0


def test_two_users_children_share_nothing(site: BrokenSite) -> None:
    """WrapSpawner keeps a child's configuration in one dict that its peers share between all users."""
    first, one = _runs(site, "researcher", project="proteins")
    second, two = _runs(site, "student1", project="ml-course")
    site.kill()
    site.up()
    for person, session in ((first, one), (second, two)):
        assert person.servers()[""]["ready"]
        assert site.session_of(person).id == session.id
    database = sqlite3.connect(f"file:{site.settings.hub.state_dir / 'jupyterhub.sqlite'}?mode=ro", uri=True)
    query = "select users.name, spawners.state from spawners join users on users.id = user_id"
    rows = database.execute(query).fetchall()
    database.close()
    states = {name: json.loads(state) for name, state in rows if state and json.loads(state).get("session")}
    assert {name: state["session"] for name, state in states.items()} == {"researcher": one.id, "student1": two.id}
    assert all(not state.get("child_conf") for state in states.values())
    mine, theirs = (environment_of(server_process(session)) for session in (one, two))
    assert (mine["HOME"], theirs["HOME"]) == (str(site.run.home("researcher")), str(site.run.home("student1")))
    first.stop()
    first.until_gone()
    assert second.servers()[""]["ready"], "stopping one leaves the other"
    assert site.state_of(two.job_id) == "RUNNING"


@pytest.mark.image
def test_a_sessions_own_token_opens_no_other_session(site: BrokenSite) -> None:
    """With Jupyter's real servers, as who runs code in one session would try it on another."""
    mine, _ = _runs(site, "researcher", profile="cpu", image="base", project="proteins")
    theirs, _ = _runs(site, "student1", profile="cpu", image="base", project="ml-course")
    token = mine.run_cell("from fabric_lab import access; print(access.token())").strip()
    headers = {"Authorization": f"token {token}"}

    def ask(person: Person, verb: str, path: str) -> int:
        url = f"{site.address}/user/{person.name}/api/{path}"
        return httpx.request(verb, url, headers=headers, timeout=30, follow_redirects=False).status_code

    assert ask(mine, "GET", "contents") == 200, "the token is right"
    for verb, path in (("GET", "contents"), ("GET", "kernels"), ("POST", "kernels"), ("POST", "terminals")):
        assert ask(theirs, verb, path) == 403, (verb, path)
