"""The catalogue service as it runs: what the hub asks of it, and what it does when things change or fail."""

from __future__ import annotations

import asyncio
import os
import pwd
import signal
import socket
import time
from collections.abc import Awaitable
from contextlib import suppress
from pathlib import Path

import pytest

from fabric_hub.catalogue.api import VerifiedLogin
from fabric_hub.catalogue.client import CatalogueServiceUnavailableError
from fabric_hub.catalogue.view import follower_of
from fabric_hub.datasets.model import Catalogue
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import message_of
from fabric_hub.projects.identity import Identity, LoggedIn, Login
from fabric_hub.rpc.follower import Follower
from tests.support.catalogue_process import CATALOGUE, MEMBER, NEEDS_OTHERS, ROOT, Daemon, as_operator, run_as

pytestmark = NEEDS_OTHERS


def outage(follower: Follower[Catalogue]) -> float | None:
    """Since when the catalogue service has not answered."""
    return follower.value.unavailable_since if follower.value else None


async def test_an_operators_change_reaches_the_hub_and_the_nodes_and_so_does_an_acceptance(daemon: Daemon) -> None:
    async with daemon.client as client:
        follower = follower_of(client)
        assert (await follower.fresh(time.time())).datasets == ()
        changed = asyncio.create_task(follower.changed())
        await asyncio.to_thread(daemon.offer)
        await asyncio.wait_for(changed, 60)
        await follower.fresh(time.time())
        await follower.stop()
        assert follower.value is not None
        assert [one.name for one in follower.value.datasets] == ["wind"]
        assert daemon.granted() == {}  # nobody has accepted yet

        await client.accept(MEMBER, "physics", "wind", "1", "research")
        uid = pwd.getpwnam(MEMBER).pw_uid if ROOT else os.geteuid()
        assert daemon.granted() == {"wind": [{"account": "phys", "uids": [uid], "until": None}]}
        assert [one.user for one in (await client.catalogue()).acceptances] == [MEMBER]
        await client.accept(MEMBER, "physics", "wind", "1", "research")  # again changes nothing
    events = [record["event"] for record in daemon.records()]
    assert events == ["described", "packed", "published", "granted", "accepted"]


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("ada", "physics", "nothing", "1", "research"), 404, "There is no dataset nothing."),
        (
            ("ada", "physics", "wind", "2", "research"),
            409,
            "Version 2 is not the current agreement of the dataset wind: that is version 1.",
        ),
        (
            ("ada", "physics", "wind", "1", "pleasure"),
            422,
            "pleasure is not a purpose for which the dataset wind may be used.",
        ),
        (("eve", "physics", "wind", "1", "research"), 403, "User eve is not a member of project physics."),
        (("ada", "chemistry", "wind", "1", "research"), 403, "User ada is not a member of project chemistry."),
    ],
)
async def test_an_acceptance_that_is_not_right_is_refused_and_leaves_nothing(
    daemon: Daemon, arguments: tuple[str, str, str, str, str], status: int, words: str
) -> None:
    await asyncio.to_thread(daemon.offer)
    before = len(daemon.records())
    async with daemon.client as client:
        with pytest.raises(FabricError) as refused:
            await client.accept(*arguments)
    assert (refused.value.status, refused.value.message) == (status, words)
    assert len(daemon.records()) == before


def a_login(subject: str, claim: str, provider: str = "uni") -> Login:
    identity = Identity(issuer=f"https://{provider}.example.org", subject=subject)
    return Login(identity=identity, provider=provider, account_claim=claim, name="Jan")


async def test_a_login_is_one_person_over_the_socket_and_a_second_identity_is_linked_by_who_has_both(
    daemon: Daemon,
) -> None:
    providers = "".join(
        f'[login.provider.{name}]\nissuer = "https://{name}.example.org"\nclient_id = "hub"\n'
        f'client_secret_file = "{daemon.directory}/secret"\n'
        for name in ("uni", "other")
    )
    daemon.site.write_text(f'[login]\naccounts.source = "claim"\n{providers}{daemon.site.read_text()}')
    mine, other = a_login("s1", "newcomer"), a_login("s1", "else", "other")
    async with daemon.client as client:
        assert await client.login(mine) == LoggedIn(user="newcomer", first=True)
        assert await client.login(mine.model_copy(update={"account_claim": "ada"})) == LoggedIn(user="newcomer")
        with pytest.raises(FabricError, match="The account newcomer is, or was, another person's here") as refused:
            await client.login(a_login("s2", "newcomer"))
        assert refused.value.status == 403
        with pytest.raises(FabricError, match="people may choose such a name at uni") as refused:
            await client.login(a_login("s3", "ada"))  # the owner of physics
        assert (refused.value.status, message_of(refused.value).code) == (403, "person-name-chosen")

        now = time.time()
        proven = VerifiedLogin(login=mine, verified_at=now), VerifiedLogin(login=other, verified_at=now)
        await client.link("newcomer", *proven)
        assert await client.login(other) == LoggedIn(user="newcomer")
        with pytest.raises(FabricError, match="The first login is not one of ada's"):
            await client.link("ada", *proven)
    told = [(one["event"], one.get("person")) for one in daemon.records()]
    assert told == [("first-login", 1), ("linked", 1)]


async def test_requests_and_denials_are_recorded_once(daemon: Daemon) -> None:
    await asyncio.to_thread(daemon.offer)
    async with daemon.client as client:
        for _ in range(2):
            await client.request("ada", "physics", "wind", "For my thesis.")
            await client.event("denied", user="eve", project="physics", dataset="wind", why="not-granted")
        assert len((await client.catalogue()).requests) == 1
    told = [(record["event"], record["user"]) for record in daemon.records() if "user" in record]
    assert told == [("requested", "ada"), ("denied", "eve")]


async def status_of(call: Awaitable[None]) -> int:
    """The status that a verb answered with."""
    try:
        await call
    except FabricError as error:
        return error.status
    return 204


async def test_who_tries_one_made_up_name_after_the_other_fills_no_trail_and_hides_nobody_else(daemon: Daemon) -> None:
    await asyncio.to_thread(daemon.offer)
    async with daemon.client as client:
        for number in range(200):
            await client.event("denied", user="eve", project="physics", dataset=f"no-{number}", why="unknown")
        await client.event("denied", user="mallory", project="physics", dataset="wind", why="not-granted")
        answers = [await status_of(client.request("ada", "physics", "wind", f"Why {number}")) for number in range(210)]
        with pytest.raises(FabricError, match="User ada asks for and accepts more than can be recorded"):
            await client.request("ada", "physics", "wind", "Once more")
        await client.request(MEMBER, "physics", "wind", "For my thesis.")
    assert answers[:200] == [204] * 200
    assert answers[-1] == 429
    told = [record for record in daemon.records() if record["event"] == "denied"]
    names = [record["dataset"] for record in told if record["user"] == "eve" and "dataset" in record]
    assert names[:50] == [f"no-{number}" for number in range(50)]
    assert len(names) < 100
    assert [record["why"] for record in told if "dataset" not in record and record["user"] == "eve"]
    assert told[-1]["user"] == "mallory"


@pytest.mark.parametrize("declared", [True, False])
def test_a_request_of_any_size_takes_no_memory(daemon: Daemon, declared: bool) -> None:
    with socket.socket(socket.AF_UNIX) as hub:
        hub.settimeout(60)
        hub.connect(str(daemon.datasets.socket))
        length = b"content-length: 1073741824" if declared else b"transfer-encoding: chunked"
        hub.sendall(b"POST /v1/events HTTP/1.1\r\nhost: k\r\ncontent-type: application/json\r\n%b\r\n\r\n" % length)
        if not declared:
            with suppress(OSError):  # it hangs up
                for _ in range(200):
                    hub.sendall(b"100000\r\n" + bytes(1 << 20) + b"\r\n")
        else:
            assert hub.recv(4096).startswith(b"HTTP/1.1 413 ")
    assert daemon.process
    peak = next(line for line in Path(f"/proc/{daemon.process.pid}/status").read_text().splitlines() if "VmHWM" in line)
    assert int(peak.split()[1]) < 300_000, peak  # KiB


def test_a_catalogue_service_that_was_killed_starts_again_and_one_is_enough(daemon: Daemon) -> None:
    daemon.stop(signal.SIGKILL)
    daemon.start()
    second = run_as(CATALOGUE, "-m", "fabric_hub.catalogue", "--site", str(daemon.site))
    assert second.returncode == 1
    assert "Another catalogue service already answers" in second.stderr
    assert daemon.stop() == 0
    assert not daemon.datasets.socket.exists()
    daemon.start()


async def test_the_site_file_is_read_again_when_it_changes(daemon: Daemon) -> None:
    await asyncio.to_thread(daemon.offer)
    async with daemon.client as client:
        await client.accept(MEMBER, "physics", "wind", "1", "research")
        right = daemon.site.read_text()
        daemon.site.write_text(right + "[nonsense")
        await daemon.until(lambda: "not valid TOML" in "".join(daemon.log), "the log has the mistake")
        assert "not valid TOML" in str((await client.health()).problem)
        assert daemon.granted() != {}
        daemon.site.write_text(right.replace(f'member = ["{MEMBER}"]', 'member = ["eve"]'))
        await daemon.until(lambda: daemon.granted() == {}, "who left the project is not let in")
        assert not (await client.health()).problem


SHUT = """
import sys, time
from pathlib import Path
from fabric_hub.config import settings
from fabric_hub.catalogue.admin import opened
from fabric_hub.catalogue.restored import Restored
with opened(settings.load(Path(sys.argv[1]))) as desk:
    held = tuple(one.model_copy(update={"until": None}) for one in desk.store.grants())
    desk.store.restored(Restored(serial=desk.store.serial(), at=time.time(), grants=(), held=held))
    desk.tell()
"""


async def test_only_a_steward_of_the_sites_file_as_it_is_now_confirms_what_a_restore_shut(daemon: Daemon) -> None:
    await asyncio.to_thread(daemon.offer)
    async with daemon.client as client:
        await client.accept(MEMBER, "physics", "wind", "1", "research")
        granted = daemon.granted()
        done = await asyncio.to_thread(as_operator, SHUT, daemon.site)
        assert done.returncode == 0, done.stderr
        assert daemon.granted() == {}
        before, right = len(daemon.records()), daemon.site.read_text()
        with pytest.raises(FabricError, match="ada is not a steward of the dataset wind") as refused:
            await client.decide("ada", "physics", "wind", confirm=True)
        assert refused.value.status == 403
        daemon.site.write_text(f'{right}[catalogue.stewards]\n"*" = ["ada"]\nother = ["eve"]\n')
        assert await status_of(client.decide("eve", "physics", "wind", confirm=True)) == 403
        assert len(daemon.records()) == before
        await client.decide("ada", "physics", "wind", confirm=True)
        assert daemon.granted() == granted
        assert await status_of(client.decide("ada", "physics", "wind", confirm=False)) == 404
    confirmed = daemon.records()[-1]
    told = {key: confirmed.get(key) for key in ("event", "user", "by", "project", "dataset", "responsible", "account")}
    assert told == {
        "event": "confirmed", "user": "ada", "by": "steward ada", "project": "physics", "dataset": "wind",
        "responsible": ["ada"], "account": "phys",
    }  # fmt: skip


async def test_only_an_operator_of_the_sites_file_answers_a_request_and_grants_only_where_it_lets_the_hub(
    daemon: Daemon,
) -> None:
    await asyncio.to_thread(daemon.offer)
    revoke = "import sys\nfrom pathlib import Path\nfrom fabric_hub.config import settings\n"
    revoke += "from fabric_hub.catalogue.admin import opened\n"
    revoke += "with opened(settings.load(Path(sys.argv[1]))) as desk:\n    desk.revoke('wind', 'physics')\n"
    done = await asyncio.to_thread(as_operator, revoke, daemon.site)
    assert done.returncode == 0, done.stderr
    asked = "physics", "wind"
    right = daemon.site.read_text()
    async with daemon.client as client:
        await client.accept(MEMBER, "physics", "wind", "1", "research")
        await client.request(MEMBER, *asked, "for my thesis")
        with pytest.raises(FabricError, match="ada is not an operator of this site") as refused:
            await client.answer("ada", *asked, grant=True)
        assert refused.value.status == 403
        operators = '[login]\nadmins = ["ada"]\n'
        daemon.site.write_text(operators + right)
        with pytest.raises(FabricError, match="The hub may not grant the dataset wind to project physics") as refused:
            await client.answer("ada", *asked, grant=True)
        assert (refused.value.status, daemon.records()[-1]["event"], daemon.granted()) == (403, "denied", {})

        await client.answer("ada", *asked, grant=False, why="Ask your owner first.")
        known = await client.catalogue()
        assert [(one.user, one.why) for one in known.declined] == [(MEMBER, "Ask your owner first.")]
        assert known.requests == ()
        assert await status_of(client.answer("ada", *asked, grant=False)) == 404, "nobody asks any more"

        await client.request(MEMBER, *asked)
        assert (await client.catalogue()).declined == (), "who asks again has a new answer to wait for"
        daemon.site.write_text(operators + right.replace("[catalogue]", '[catalogue]\nfrom_hub = ["grants"]'))
        await client.answer("ada", *asked, grant=True)
        assert list(daemon.granted()) == ["wind"]
        assert (await client.catalogue()).requests == ()
    told = [(one["event"], one.get("by"), one.get("why")) for one in daemon.records() if one.get("user") == "ada"]
    assert told == [
        ("denied", "operator ada", "grant-from-hub"),
        ("declined", "operator ada", "Ask your owner first."),
        ("granted", "operator ada", None),
    ]


async def test_without_a_catalogue_service_the_client_says_so_and_the_follower_keeps_what_it_has(
    daemon: Daemon,
) -> None:
    async with daemon.client as client:
        follower = follower_of(client)
        await follower.fresh(time.time())
        follower.follow()
        await asyncio.to_thread(daemon.stop)
        await daemon.until(lambda: outage(follower) is not None, "the follower has noticed")
        assert follower.value is not None
        with pytest.raises(CatalogueServiceUnavailableError, match="is not running") as refused:
            await client.catalogue()
        assert refused.value.status == 503
        await asyncio.to_thread(daemon.start)
        await daemon.until(lambda: outage(follower) is None, "the follower has come back")
        await follower.stop()
