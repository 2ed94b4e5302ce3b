"""The gateway becomes its users and nobody else, and what it starts keeps none of its rights."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from fabric_hub.config.users import UserSettings
from fabric_hub.errors import FabricError
from fabric_hub.unix import accounts, command
from fabric_hub.unix.accounts import Account
from tests.support.embedded_run import ROOT
from tests.support.waiting import until

REPOSITORY = Path(__file__).parents[3]
# numbers that no account has: nothing needs to be made or removed
GATEWAY, USER = 64101, 64102

_PROBE = f"""
import asyncio, os
from fabric_hub.unix import capabilities
from fabric_hub.unix import command
from fabric_hub.unix.accounts import Account

user = Account("user", {USER}, {USER}, ({USER}, 64103), "/", "/bin/sh")
show = ["/bin/grep", "-E", "^(Uid|Gid|Groups|Cap...|NoNewPrivs):", "/proc/self/status"]

async def main():
    for account in (user, None):
        done = await command.run(show, env={{}}, timeout_s=10, account=account)
        print(done.stdout.decode() + done.words)
        print("--")
    try:
        await command.run(["/bin/sleep", "60"], env={{}}, timeout_s=0.5, account=user)
    except command.TimedOutError as error:
        print(error)
    print("children left:", open(f"/proc/{{os.getpid()}}/task/{{os.getpid()}}/children").read().split())

capabilities.drop_inheritance()
assert capabilities.can_become_others()
asyncio.run(main())
"""


@pytest.mark.root
@pytest.mark.skipif(not ROOT, reason="needs root: it becomes other users")
def test_children_of_a_gateway_with_two_capabilities_have_none() -> None:
    setpriv = [
        "setpriv", f"--reuid={GATEWAY}", f"--regid={GATEWAY}", "--clear-groups", "--inh-caps=-all,+setuid,+setgid",
        "--ambient-caps=+setuid,+setgid", "--bounding-set=-all,+setuid,+setgid",
    ]  # fmt: skip
    readable = subprocess.run([*setpriv, sys.executable, "-c", "import fabric_hub"], cwd=REPOSITORY, check=False)
    if readable.returncode:
        pytest.skip("this checkout is closed to other users")
    done = subprocess.run(
        [*setpriv, sys.executable, "-c", _PROBE],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    as_user, as_itself, rest = done.stdout.split("--\n")
    for text, uid in ((as_user, USER), (as_itself, GATEWAY)):
        status = dict(line.split(":\t", 1) for line in text.strip().splitlines())
        assert status["Uid"].split() == [str(uid)] * 4
        assert status["Gid"].split() == [str(uid)] * 4
        assert {name: int(status[name], 16) for name in ("CapEff", "CapPrm", "CapInh", "CapAmb")} == {
            "CapEff": 0, "CapPrm": 0, "CapInh": 0, "CapAmb": 0,
        }  # fmt: skip
        assert status["NoNewPrivs"] == "1"
    assert f"Groups:\t{USER} 64103" in as_user
    # it has no CAP_KILL, and yet ends what hangs
    assert "sleep did not answer within 0.5 s" in rest
    assert "children left: []" in rest


def test_a_program_sees_only_the_environment_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "no")
    done = asyncio.run(command.run(["/usr/bin/env"], env={"A": "b"}, timeout_s=10))
    assert done.stdout == b"A=b\n"


def test_what_hangs_is_ended_with_all_it_started(tmp_path: Path) -> None:
    mark = f"60.{os.getpid()}"
    with pytest.raises(command.TimedOutError):
        asyncio.run(command.run(["/bin/sh", "-c", f"sleep {mark} & sleep {mark}"], env={}, timeout_s=0.5))

    def running() -> list[bytes]:
        lines = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):  # it has just ended
                lines.append(path.read_bytes())
        return [line for line in lines if mark.encode() in line]

    until(lambda: not running(), "both are gone, which the kernel does when it gets to it")


def test_a_program_that_writes_without_end_is_ended() -> None:
    with pytest.raises(command.TooMuchOutputError):
        asyncio.run(command.run(["/usr/bin/yes"], env={}, timeout_s=10, max_output=1000))


@pytest.mark.parametrize(
    ("asked", "found", "uid", "told"),
    [
        ("root", "root", 0, "root"),
        ("daemon", "daemon", 1, "from uid 1000 on"),
        ("hub", "hub", 2000, "the hub's own"),
        ("Anna", "anna", 3000, "is written anna"),
    ],
)
def test_accounts_that_are_never_used(asked: str, found: str, uid: int, told: str) -> None:
    with pytest.raises(FabricError, match=told) as refused:
        accounts.check_entry(asked, found, uid, min_uid=1000, own_uid=2000)
    assert refused.value.status == 403


def test_root_and_strangers_are_refused_by_the_real_name_service() -> None:
    for user in ("root", "daemon", "nobody.of.that.name"):
        with pytest.raises(FabricError) as refused:
            accounts.resolve(user, UserSettings())
        assert refused.value.status == 403


def test_a_shared_account_is_the_gateways_own_with_a_home_for_each_user() -> None:
    users = UserSettings(shared_account=True, home="/demo/{user}")
    if ROOT:
        with pytest.raises(FabricError, match="never run as root"):
            accounts.resolve("anna", users)
        return
    account = accounts.resolve("anna", users)
    assert (account.uid, account.home) == (os.geteuid(), "/demo/anna")


def test_where_sessions_live() -> None:
    anna = Account("x-anna", 1234, 1234, (1234,), "/home/x-anna", "/bin/sh")
    assert accounts.session_root("anna", anna, UserSettings()) == "/home/x-anna/.fabric-hub"
    users = UserSettings(session_dir="/scratch/{user}/hub/")
    assert accounts.session_root("anna", anna, users) == "/scratch/anna/hub"


def test_where_rescue_sessions_live() -> None:
    anna = Account("x-anna", 1234, 1234, (1234,), "/home/x-anna", "/bin/sh")
    nowhere = UserSettings()
    assert accounts.session_root("anna", anna, nowhere, rescue=True) == "/home/x-anna/.fabric-hub"
    assert accounts.session_roots("anna", anna, nowhere) == ("/home/x-anna/.fabric-hub",)
    users = UserSettings(rescue_dir="/rescue/{user}")
    assert accounts.session_root("anna", anna, users) == "/home/x-anna/.fabric-hub"
    assert accounts.session_root("anna", anna, users, rescue=True) == "/rescue/anna"
    assert accounts.session_roots("anna", anna, users) == ("/home/x-anna/.fabric-hub", "/rescue/anna")
