"""What a person reads of a session of theirs that the hub does not know to be its own."""

from __future__ import annotations

from fabric_hub.hub.pages.held import said_of
from fabric_hub.sessions.held import Held, Why
from tests.support.builders import NOW, SESSION

ONE = Held(session=SESSION, user="jan", unix_account="jan", job_id=7, node="gpu1", why=Why.OTHER_RECORD, since=NOW)


def test_it_is_said_which_job_it_is_where_and_what_can_be_done() -> None:
    assert str(said_of(ONE.model_copy(update={"openable": True}))) == (
        "A session of yours runs that this hub has no record of: job 7 on node gpu1. "
        "Ask the operators: they can let you open it again. You can end it from a login node: scancel 7"
    )


def test_one_that_waits_or_cannot_be_opened_says_so_and_when_it_ends() -> None:
    said = str(said_of(ONE.model_copy(update={"node": "", "ends_at": NOW})))
    assert said.startswith("A session of yours waits that this hub has no record of: job 7. It ends by itself at ")
    assert "It cannot be opened again; what it computes goes on until it ends." in said


def test_one_on_record_whose_end_waits_for_an_operator_is_called_unsure() -> None:
    said = str(said_of(ONE.model_copy(update={"why": Why.MANY})))
    assert said.startswith("A session of yours cannot be opened now, and nothing has ended it: job 7.")
