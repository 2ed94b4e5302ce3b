"""What sbatch refuses, and what Slurm hides or does not say, is told in words that say what to do."""

from __future__ import annotations

from datetime import UTC

import pytest

from fabric_hub.gateway import refusals
from fabric_hub.messages.formats import clock
from fabric_hub.messages.reader import Reader, reading
from fabric_hub.messages.texts import slurm_reasons
from fabric_hub.slurm import privacy, reasons
from fabric_hub.slurm.model import JobSpec, Snapshot
from fabric_hub.slurm.unavailable import SlurmUnavailableError
from tests.support.builders import NOW

SPEC = JobSpec(partition="gpu", account="lab", gres=("gpu:h200:2",), minutes=90, memory_mb=9000)


@pytest.mark.parametrize(
    ("said", "reason", "told"),
    [
        ("Invalid account or account/partition combination specified", "account",
         "Slurm does not let you use account lab in partition gpu."),
        ("User's group not permitted to use this partition", "access", "Slurm does not let you use partition gpu."),
        ("invalid partition specified: nope", "partition", "Partition gpu does not exist on this cluster."),
        ("Required partition not available (inactive or drain)", "partition-down",
         "Partition gpu takes no jobs at the moment."),
        ("Requested time limit is invalid (missing or exceeds some limit)", "time-limit",
         "1 h 30 min is longer than partition gpu allows."),
        ("Requested node configuration is not available", "too-large",
         "No node of partition gpu has all that was asked for: 1 CPU, memory 9000 MiB, gpu:h200:2."),
        ("Memory specification can not be satisfied", "memory",
         "No node of partition gpu has the memory asked for (9000 MiB)."),
        ("Invalid qos specification", "qos", "QOS (the default) does not exist, or account lab may not use it."),
        ("Requested reservation is invalid", "reservation",
         "Reservation (none) is not there, is over, or is not for account lab."),
        ("Invalid feature specification", "constraint", "No node of partition gpu has that feature."),
        ("Invalid generic resource (gres) specification", "gres", "The cluster has no such resource as gpu:h200:2."),
        ("Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)", "limit",
         ("The request is above a limit of account lab or of its QOS: its size, its time, or the number of jobs "
         "you may have.")),
        ("QOSMaxSubmitJobPerUserLimit", "submit-limit",
         "You have as many jobs in Slurm as account lab lets you have (QOSMaxSubmitJobPerUserLimit)."),
        ("QOSMaxGRESPerUser", "limit",
         "The request is above a limit of your account or QOS (QOSMaxGRESPerUser)."),
        ("AssocGrpGRESMinutes", "limit",
         "The request is above a limit of your account or QOS (AssocGrpGRESMinutes)."),
        ("Slurm temporarily unable to accept job: Resource temporarily unavailable", "queue-full",
         "Slurm's queue is full."),
        ("Invalid user id", "user", "Slurm does not know your account."),
        ("A shark ate the cable", "refused", "Slurm refused the job; it said: A shark ate the cable"),
    ],
)  # fmt: skip
def test_sbatchs_refusals_are_explained(said: str, reason: str, told: str) -> None:
    error = refusals.refused(f"sbatch: error: Batch job submission failed: {said}", SPEC)
    assert (error.reason, error.status) == (reason, 409)
    assert error.message == told
    assert error.hint


def test_what_a_specification_leaves_open_is_named_and_a_refusal_without_words_says_so() -> None:
    plain = JobSpec()
    late = refusals.refused("sbatch: error: Requested time limit is invalid", plain)
    assert late.message == "The time asked for is longer than partition (the default) allows."
    large = refusals.refused("sbatch: error: Memory required by task is not available", plain)
    assert large.message == "No node of partition (the default) has the memory asked for (the default)."
    assert refusals.refused("", plain).message == "Slurm refused the job, without a word."


def test_a_refusal_is_told_in_the_language_of_who_reads_it_with_the_sites_words_as_they_are() -> None:
    error = refusals.refused("Budget office says hello\nsbatch: error: Invalid user id", SPEC)
    with reading(Reader("nl")):
        assert error.say() == (
            "Slurm kent je account niet. Het cluster zegt: Budget office says hello "
            "Vraag de beheerders om je in Slurm op te nemen."
        )


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "Batch job submission failed: Unable to contact slurm controller (connect failure)",
            "Slurm's controller (slurmctld) does not answer.",
        ),
        (
            "slurm_load_jobs error: Zero Bytes were transmitted or received",
            "Slurm's controller (slurmctld) does not answer.",
        ),
        (
            "Munge encode failed: Failed to access /run/munge/munge.socket.2",
            "munge does not answer on the hub's host, so Slurm cannot check who asks.",
        ),
        (
            "slurm_load_jobs error: Protocol authentication error",
            "munge does not answer on the hub's host, so Slurm cannot check who asks.",
        ),
        ("accounting storage is not reached", "Slurm's database service (slurmdbd) does not answer."),
        (
            "Could not establish a configuration source",
            "Slurm's configuration (slurm.conf) cannot be read on the hub's host.",
        ),
    ],
)
def test_silence_is_never_taken_for_a_refusal(said: str, told: str) -> None:
    error = refusals.refused(said, SPEC)
    assert isinstance(error, SlurmUnavailableError)
    assert error.message == f"The session was not started. {told}"
    assert error.hint == "Nothing is lost: sessions keep running, and this page tries again."


URL = "https://ai.example.org/report"


@pytest.mark.parametrize(
    ("site", "last", "reason", "told"),
    [
        (f"Project is suspended: the report is overdue, see {URL}",
         "Invalid account or account/partition combination specified", "account", "account lab"),
        (f"Your credentials for this project expired: renew at {URL}", "Unspecified error", "refused", "credentials"),
        (f"slurmdbd and munge: authentication error? See {URL}", "Unspecified error", "refused", "munge"),
        (f"Connection refused by policy, see {URL}", "Requested time limit is invalid", "time-limit", "1 h 30 min"),
        (f"queue is full of interactive jobs, see {URL}", "Invalid qos specification", "qos", "QOS"),
    ],
)  # fmt: skip
def test_a_sites_own_sentence_is_told_and_taken_for_nothing_else(site: str, last: str, reason: str, told: str) -> None:
    said = (
        f"sbatch: error: {site}\nsbatch: error: Batch job submission failed: {last}\nmodule: cluster news at /etc/motd"
    )
    error = refusals.refused(said, SPEC)
    assert not isinstance(error, SlurmUnavailableError)
    assert (error.reason, error.status) == (reason, 409)
    assert told in error.message
    assert site in error.message
    assert "cluster news" in error.message


def test_of_several_lines_only_the_clients_own_last_one_says_that_slurm_is_silent() -> None:
    munge = (
        "sbatch: error: If munged is up, restart with --num-threads=10\n"
        "sbatch: error: Munge encode failed: Failed to access /run/munge/munge.socket.2: No such file or directory\n"
        "sbatch: error: slurm_send_node_msg: auth_g_create: REQUEST_SUBMIT_BATCH_JOB has authentication error\n"
        "sbatch: error: Batch job submission failed: Protocol authentication error\n"
        "Note: jobs of more than 8 hours wait longer\n"
    )
    error = refusals.refused(munge, SPEC)
    assert isinstance(error, SlurmUnavailableError)
    assert "munge does not answer" in error.message
    assert error.message.endswith("The cluster says: Note: jobs of more than 8 hours wait longer")


def test_slurmctlds_word_before_sbatchs_own_says_which_limit_it_is() -> None:
    said = (
        "sbatch: error: QOSMaxSubmitJobPerUserLimit\nsbatch: error: Batch job submission failed: "
        "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)"
    )
    error = refusals.refused(said, SPEC)
    assert error.reason == "submit-limit"
    assert "(QOSMaxSubmitJobPerUserLimit)" in error.message
    assert "The cluster says" not in error.message


@pytest.mark.parametrize(
    ("out", "words", "expected"),
    [
        ("4711", "", (4711, "")),
        ("4711;north", "", (4711, "")),
        ("Dear user, 12 jobs of yours wait\n12\n4711", "", (4711, "Dear user, 12 jobs of yours wait 12")),
        ("4711;north\nsubmitted at 10:03\n", "", (4711, "submitted at 10:03")),
        ("4711", f"sbatch: Your allocation ends on Friday, see {URL}",
         (4711, f"Your allocation ends on Friday, see {URL}")),
        ("Submitted batch job", "", (None, "Submitted batch job")),
        ("", "", (None, "")),
    ],
)  # fmt: skip
def test_the_job_id_is_the_last_line_of_its_form_and_the_rest_is_the_sites(
    out: str, words: str, expected: tuple[int | None, str]
) -> None:
    assert refusals.submitted(out, words) == expected


def test_a_slurm_that_is_silent_or_hides_something_says_since_when_and_how() -> None:
    assert not reasons.silence(None)
    assert not reasons.silence(Snapshot(now=NOW))
    silent = Snapshot(now=NOW, unavailable_since=NOW, problem=slurm_reasons.CONTROLLER_SILENT())
    assert str(reasons.silence(silent)) == (
        f"Slurm has not answered since {clock(NOW)}. Slurm's controller (slurmctld) does not answer."
    )
    hidden = privacy.why_hidden("jobs", {"jobs"}, "fabric-gateway")
    narrowed = silent.model_copy(update={"narrowed": True, "problem": hidden})
    assert str(reasons.silence(narrowed)) == (
        f"Since {clock(NOW)} Slurm does not show the hub all of its sessions. "
        "Slurm hides the sessions' jobs from the hub: slurm.conf has PrivateData=jobs, and the gateway's account "
        "fabric-gateway is no Operator in Slurm. The operators can give it that right; fabric-hub doctor says how."
    )
    assert Snapshot.model_validate_json(narrowed.model_dump_json()) == narrowed
    with reading(Reader("nl", UTC)):
        assert "Slurm verbergt de jobs van de sessies voor de hub" in reasons.silence(narrowed).say()


@pytest.mark.parametrize(
    ("word", "what"),
    [
        ("nodes", "the nodes"), ("reservations", "reservations"), ("partitions", "partitions"),
        ("accounts", "accounts and their limits"), ("users", "users and their limits"),
        ("usage", "what accounts have used"),
    ],
)  # fmt: skip
def test_what_slurm_hides_is_named(word: str, what: str) -> None:
    assert str(privacy.why_hidden(word, set(), "gw")) == (
        f"Slurm's answers to the hub lack {what}, though they are there. The operators should look at PrivateData in "
        "slurm.conf and slurmdbd.conf, and at the rights of the gateway's account gw: fabric-hub doctor"
    )


def test_a_question_that_slurm_refuses_says_what_the_gateway_lacks() -> None:
    assert str(privacy.why_refused("sacct", "gw")) == (
        "Slurm does not let the gateway's account gw see what sacct asks for (PrivateData in slurm.conf). "
        "The operators can give it the right of an Operator; fabric-hub doctor says how."
    )
    assert str(privacy.HIDDEN[privacy.CLOUD]) == "powered-down nodes of a cloud"
