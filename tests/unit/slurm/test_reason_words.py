"""Every reason for which Slurm lets a job wait is said in words that somebody understands."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from fabric_hub.messages.reader import Reader, reading
from fabric_hub.messages.texts import slurm_reasons as texts
from fabric_hub.slurm.model import Reservation
from fabric_hub.slurm.reasons import explain
from tests.support.builders import NOW, a_job, a_node, a_snapshot

# All that job_reason_string() of that release returns, and all that its squeue(1) and job_reason_codes name.
RECORDED = sorted((Path(__file__).parent / "reason_words").glob("*.txt"))
MANUAL = Path("/usr/share/man/man1/squeue.1.gz")


def _waits(reason: str) -> str:
    return explain(a_job(state="PENDING", reason=reason, account="lab", qos="short", partition="gpu")).code


def test_three_releases_are_recorded() -> None:
    assert [path.stem for path in RECORDED] == ["22.05", "24.11", "26.05"]


@pytest.mark.parametrize("path", RECORDED, ids=[path.stem for path in RECORDED])
def test_every_reason_of_a_release_has_words_of_its_own_in_both_languages(path: Path) -> None:
    words = path.read_text(encoding="utf-8").split()
    assert len(words) > 190
    for word in words:
        said = explain(a_job(state="PENDING", reason=word, account="lab", qos="short", partition="gpu"))
        assert said.code != texts.UNKNOWN_REASON.code, word
        with reading(Reader("nl")):
            assert said.say() != str(said), word


@pytest.mark.skipif(not MANUAL.exists(), reason="the manual pages of Slurm's clients are not installed")
def test_every_reason_of_the_installed_manual_is_recorded() -> None:
    text = gzip.decompress(MANUAL.read_bytes()).decode("utf-8")
    section = text.partition('.SH "JOB REASON CODES"')[2].partition("\n.SH ")[0]
    named = set(re.findall(r"^\\fB(\w+)\\fR", section, re.MULTILINE))
    assert len(named) > 20
    assert named <= {word for path in RECORDED for word in path.read_text(encoding="utf-8").split()}


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("Constraints", "job-constraints-now"),
        ("BurstBufferResources", "job-burst-buffer"),
        ("BurstBufferStageIn", "job-burst-buffer-fills"),
        ("BurstBufferOperation", "job-burst-buffer-failed"),
        ("DeadLine", "job-deadline-missed"),
        ("FedJobLock", "job-federation-lock"),
        ("InactiveLimit", "job-inactive"),
        ("MaxPoweredUpNodes", "job-powered-up-nodes"),
        ("MpiPortsBusy", "job-mpi-ports"),
        ("NvidiaImexChannels", "job-imex-channels"),
        ("OutOfMemory", "job-out-of-memory"),
        ("PowerReserved", "job-power"),
        ("ReservationInvalid", "job-reservation-invalid"),
        ("Reservation spring is invalid", "job-reservation-invalid"),
        ("Reservation_spring_was_deleted", "job-reservation-gone"),
        ("SchedDefer", "job-deferred"),
        ("QOSTimeLimit", "job-qos-limit"),
        ("Job is at or exceeds QOS short's group wall limit of 10 with 12", "job-qos-limit"),
        ("Job is at or exceeds association (acc=lab/user=/part=) group wall limit 1 with 2", "job-account-limit"),
        ("InvaildReason", "job-no-valid-reason"),
        ("BlockMaxError", "job-block-failed"),
        ("MaxGRESRunMinsPerUser", "job-minutes-in-use"),
        ("AssocGrpEnergyRunMinutes", "job-minutes-in-use"),
        ("AssocGrpEnergy", "job-all-in-use"),
        ("AssocGrpUnknown", "job-all-in-use"),
        ("MaxGRESPerAccount", "job-above-accounts"),
        ("Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions",
         "job-nodes-down-or-promised"),
        ("uid 1004 not in group permitted to use this partition (gpu). groups allowed: staff",
         "job-group-not-allowed"),
        ("job requeued in held state", "job-held-after-requeue"),
    ],
)  # fmt: skip
def test_a_reason_says_what_to_do_about_it(reason: str, code: str) -> None:
    assert _waits(reason) == code


def test_what_is_counted_has_a_name() -> None:
    for reason, counted in (("AssocGrpEnergy", "All energy that"), ("AssocGrpUnknown", "All resources that")):
        assert counted in str(explain(a_job(state="PENDING", reason=reason, account="lab")))


KEPT = "ReqNodeNotAvail, Reserved for maintenance"


@pytest.mark.parametrize(
    ("starts", "ends", "nodes", "code"),
    [
        (NOW + 4 * 3600, NOW + 8 * 3600, "gpu[1-4]", "job-maintenance-from"),
        (NOW - 3600, NOW + 3600, "gpu1", "job-maintenance-until"),
        (NOW - 7200, NOW - 3600, "gpu1", "job-nodes-not-available"),
        (NOW + 3600, NOW + 7200, "cpu1", "job-nodes-not-available"),
    ],
)
def test_a_job_that_maintenance_keeps_waiting_says_until_when(
    starts: float, ends: float, nodes: str, code: str
) -> None:
    kept = Reservation(name="spring", starts_at=starts, ends_at=ends, nodes=nodes, maintenance=True)
    snapshot = a_snapshot(nodes=(a_node(),), reservations=(kept,))
    job = a_job(state="PENDING", reason=KEPT, partition="gpu")
    said = explain(job, snapshot)
    assert said.code == code
    if code == "job-maintenance-from":
        assert said.params["fits"] == 3 * 3600 + 55 * 60, "in whole five minutes"
        assert "up to 3 h 55 min is possible" in str(said)
    other = kept.model_copy(update={"maintenance": False})
    assert explain(job, a_snapshot(nodes=(a_node(),), reservations=(other,))).code == "job-nodes-not-available"
