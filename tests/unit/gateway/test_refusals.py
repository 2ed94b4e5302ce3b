"""What the gateway cannot do is told by its reason: of clients that fail, of sources that are silent, of more time."""

from __future__ import annotations

import os
import pwd
import time
from pathlib import Path
from typing import Any

import pytest

from fabric_hub.config.settings import Settings, SlurmSettings
from fabric_hub.config.users import UserSettings
from fabric_hub.errors import FabricError
from fabric_hub.gateway.jobs import extend, session_dir
from fabric_hub.gateway.jobs.clients import Clients, run_client
from fabric_hub.gateway.jobs.own_jobs import _named
from fabric_hub.gateway.queries.on_demand import AccountingReader, check_window
from fabric_hub.gateway.queries.queries import Queries, UnavailableError
from fabric_hub.gateway.service import Gateway
from fabric_hub.messages.texts.slurm_reasons import SLURM_NOT_YET
from fabric_hub.slurm.accounting import LONGEST_WINDOW_S
from fabric_hub.slurm.limits.model import Association, Enforcement, Limits
from fabric_hub.slurm.model import ExtendRequest, Snapshot
from fabric_hub.slurm.unavailable import SlurmUnavailableError
from fabric_hub.unix.accounts import Account
from tests.support.builders import a_job, a_site

SAVE = "Save your work, and continue in a new session."
UNCHANGED = "The session's time was not changed."


@pytest.fixture
def me() -> Account:
    entry = pwd.getpwuid(os.geteuid())
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, (), entry.pw_dir, "/bin/sh")


def a_program(directory: Path, name: str, body: str) -> None:
    """One of Slurm's clients, as a script."""
    program = directory / name
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)


def slurm(directory: Path, **more: Any) -> SlurmSettings:
    return SlurmSettings.model_validate({"bin_dir": str(directory), **more})


async def test_a_cancel_that_slurm_refuses_or_does_not_answer_says_so(tmp_path: Path, me: Account) -> None:
    clients = Clients(a_site(tmp_path), slurm(tmp_path))
    a_program(tmp_path, "scancel", "echo 'scancel: error: Kill job error on job id 7: Not today' >&2; exit 1")
    with pytest.raises(FabricError) as refused:
        await clients.scancel(7, me)
    assert refused.value.message == "Slurm did not cancel job 7; it said: Kill job error on job id 7: Not today"
    assert (refused.value.reason, refused.value.status) == ("cancel", 409)
    a_program(tmp_path, "scancel", "echo 'scancel: error: Unable to contact slurm controller' >&2; exit 1")
    with pytest.raises(SlurmUnavailableError) as silent:
        await clients.scancel(7, me)
    assert silent.value.message == "Job 7 was not cancelled. Slurm's controller (slurmctld) does not answer."
    a_program(tmp_path, "scancel", "echo 'scancel: error: Invalid job id specified' >&2; exit 1")
    await clients.scancel(7, me)


async def test_a_client_that_cannot_be_run_is_named_and_so_is_as_whom(tmp_path: Path, me: Account) -> None:
    with pytest.raises(FabricError, match=f"{tmp_path}/scontrol cannot be run: ") as own:
        await run_client([f"{tmp_path}/scontrol"], {}, None, 5.0)
    assert (own.value.reason, own.value.status) == ("gateway", 503)
    with pytest.raises(FabricError, match=f"{tmp_path}/scancel cannot be run as {me.name}: "):
        await run_client([f"{tmp_path}/scancel"], {}, me, 5.0)
    a_program(tmp_path, "scontrol", "exec sleep 60")
    with pytest.raises(SlurmUnavailableError, match=r"Slurm is too slow: scontrol did not answer within 0\.2 s\."):
        await run_client([f"{tmp_path}/scontrol"], {}, None, 0.2)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("exit 1", "sinfo failed without a word."),
        ("echo 'sinfo: error: Out of cheese' >&2; exit 1", "sinfo failed: Out of cheese"),
        ("printf 'half a line'", "sinfo's answer cannot be read: the answer stops in the middle of a record"),
        ("exec sleep 60", "Slurm is too slow: sinfo did not answer within 1 s."),
    ],
)
async def test_a_question_without_an_answer_says_how(tmp_path: Path, body: str, says: str) -> None:
    a_program(tmp_path, "sinfo", body)
    with pytest.raises(UnavailableError) as silent:
        await Queries(slurm(tmp_path, query_timeout_s=1)).nodes()
    assert str(silent.value.text).startswith(says)


async def test_a_question_that_nobody_can_ask_says_so(tmp_path: Path, me: Account) -> None:
    with pytest.raises(UnavailableError, match=f"{tmp_path}/squeue cannot be used: "):
        await Queries(slurm(tmp_path)).jobs()
    theirs = a_job(user="ann")
    with pytest.raises(UnavailableError, match="Account ann is no user's here, and cannot be asked about its jobs"):
        await Queries(slurm(tmp_path), UserSettings(unix_name="x-{user}")).job(theirs)
    with pytest.raises(UnavailableError, match=f"squeue calls the owner of job {theirs.job_id} 'ann', not {me.name}"):
        _named((theirs,), me)


def test_a_window_of_accounting_that_is_too_long_says_how_long_it_may_be() -> None:
    with pytest.raises(FabricError) as refused:
        check_window(0.0, LONGEST_WINDOW_S + 1)
    days = LONGEST_WINDOW_S / 86400
    assert refused.value.message == f"A window of accounting is at most {days:g} days long."
    assert (refused.value.status, refused.value.hint) == (422, "Ask day by day.")


class Known:
    """Limits as they were last told."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits

    async def read(self) -> Limits:
        return self.limits


async def test_accounting_that_is_not_known_now_says_of_what_and_why(tmp_path: Path) -> None:
    a_program(tmp_path, "sacct", "echo 'sacct: error: slurm_persist_conn_open: failed' >&2; exit 1")
    asks = Queries(slurm(tmp_path))
    with pytest.raises(SlurmUnavailableError) as unknown:
        await AccountingReader(asks, Known(Limits(problem=SLURM_NOT_YET())), lambda: ["lab"]).read(0.0, 60.0)
    assert unknown.value.message == "Which accounts there are is not known now. Slurm has not answered yet."
    with pytest.raises(SlurmUnavailableError) as silent:
        await AccountingReader(asks, Known(Limits(at=1.0)), lambda: ["lab"]).read(0.0, 60.0)
    assert silent.value.message == (
        "Slurm's accounting is not known now. Slurm's database service (slurmdbd) does not answer."
    )


async def test_a_home_that_is_slow_and_a_helper_that_fails_are_told_apart(
    tmp_path: Path, me: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def read() -> None:
        await session_dir.read_log(me, str(tmp_path), "a" * 12, timeout_s=0.5)

    def python(body: str, mode: int = 0o755) -> None:
        a_program(tmp_path, "python", body)
        (tmp_path / "python").chmod(mode)
        monkeypatch.setattr("sys._base_executable", str(tmp_path / "python"))

    where = f"{tmp_path}/{'a' * 12}"
    python("exec sleep 60")
    with pytest.raises(FabricError) as slow:
        await read()
    assert slow.value.message == f"The directory {where} did not answer within 0.5 s."
    python("echo no JSON")
    with pytest.raises(FabricError) as failed:
        await read()
    assert failed.value.message == f"The directory {where} could not be used: JSONDecodeError."
    python("true", 0o644)
    with pytest.raises(FabricError) as closed:
        await read()
    assert closed.value.message == f"The gateway cannot run {tmp_path}/python as {me.name}: Permission denied."
    assert (closed.value.reason, closed.value.status) == ("gateway", 503)


def test_a_site_without_slurm_has_no_gateway(tmp_path: Path) -> None:
    with pytest.raises(FabricError) as refused:
        Gateway(a_site(tmp_path).model_copy(update={"slurm": None}))
    assert refused.value.message == "The site's file has no [slurm] section, so there is no gateway."


NOW_S = 3600
RUNNING = a_job(job_id=7, user="ann", account="lab", partition="gpu", state="RUNNING", node="gpu1", tres="cpu=1")


def wish(**changes: Any) -> ExtendRequest:
    fields = {"session": "a" * 12, "user": "ann", "job_id": 7, "account": "lab", "partition": "gpu", "minutes": 120}
    return ExtendRequest.model_validate({**fields, **changes})


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"job_id": 8}, "The session's job does not run."),
        ({"account": "other"}, "Job 7 is in account lab; its session was started in other."),
        ({"partition": "cpu"}, "Job 7 is in partition gpu; its session was started in cpu."),
    ],
)
def test_only_the_job_on_record_gets_more_time(changes: dict[str, Any], told: str) -> None:
    assert extend.held([RUNNING], wish()) == RUNNING
    with pytest.raises(FabricError) as refused:
        extend.held([RUNNING], wish(**changes))
    assert (refused.value.message, refused.value.reason) == (told, "extend")


@pytest.mark.parametrize(
    ("answers", "message", "hint"),
    [
        ({"partition": "echo 'PartitionName=gpu MaxTime=01:00:00'"},
         "Partition gpu allows a job at most 1 hour.", SAVE),
        ({"reservation": "echo 'ReservationName=monday StartTime={soon} EndTime={late} Duration=1 Nodes=gpu1'"},
         "Node gpu1 is reserved from ", f"Ask for less time. {SAVE}"),
        ({"reservation": "echo ReservationName=monday StartTime=never"},
         f"{UNCHANGED} scontrol's answer cannot be read: ", "Nothing is lost"),
        ({"partition": "echo 'slurm_load_partitions error: Zero Bytes were transmitted' >&2; exit 1"},
         f"{UNCHANGED} Slurm's controller (slurmctld) does not answer.", "Nothing is lost"),
        ({"partition": "echo 'scontrol: error: A shark' >&2; exit 1"},
         f"{UNCHANGED} A shark", "Nothing is lost"),
        ({"update": "echo 'slurm_update error: Access/permission denied' >&2; exit 1"},
         "Slurm does not let a running job have more time here.", f"{SAVE} Operators: "),
        ({"update": "echo 'slurm_update error: Not on a Monday' >&2; exit 1"},
         "Slurm gives job 7 no more time; it said: ", SAVE),
        ({"update": "echo 'scontrol: error: Unable to contact slurm controller' >&2; exit 1"},
         f"{UNCHANGED} Slurm's controller (slurmctld) does not answer.", "Nothing is lost"),
    ],
)  # fmt: skip
async def test_more_time_that_slurm_does_not_give_says_why(
    tmp_path: Path, me: Account, answers: dict[str, str], message: str, hint: str
) -> None:
    now = time.time()
    job = RUNNING.model_copy(update={"started_at": now - NOW_S, "ends_at": now + 60, "limit_s": 3660, "user": me.name})
    here = {
        "partition": "echo 'PartitionName=gpu MaxTime=UNLIMITED'", "reservation": "echo 'No reservations'",
        "hostnames": "echo gpu1", "update": "true",
    }  # fmt: skip
    here |= {name: body.format(soon=int(now + 600), late=int(now + 9000)) for name, body in answers.items()}
    a_program(
        tmp_path,
        "scontrol",
        f"""case "$*" in
*hostname*) {here["hostnames"]};;
*partition*) {here["partition"]};;
*reservation*) {here["reservation"]};;
*update*) {here["update"]};;
esac""",
    )
    limits = Limits(
        at=now,
        enforcement=Enforcement(),
        associations=(Association(account="lab"), Association(account="lab", user=me.name, parent="lab")),
    )
    extender = extend.Extender(slurm(tmp_path, extend="as-gateway"), 30.0)
    with pytest.raises(FabricError) as refused:
        await extender.extend(job, "gpu1", me, 120, limits, Snapshot(jobs=(job,)))
    assert refused.value.message.startswith(message)
    assert refused.value.hint.startswith(hint)


def test_a_session_longer_than_the_sites_longest_is_told_that(site: Settings) -> None:
    assert site.slurm is not None
    generous = site.model_copy(update={"slurm": site.slurm.model_copy(update={"extend": "as-gateway"})})
    with pytest.raises(FabricError, match="No session of this site may be longer than ") as refused:
        extend.check(generous, 10**6)
    assert (refused.value.hint, refused.value.status) == (SAVE, 403)
