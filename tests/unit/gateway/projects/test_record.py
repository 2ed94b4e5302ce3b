"""What the gateway set in Slurm for projects is known after it began anew, and after it died in the midst of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from fabric_hub.errors import FabricError
from fabric_hub.gateway.projects.plan import Applied, Key
from fabric_hub.gateway.projects.record import Record
from fabric_hub.slurm.associations import CLOSED, NO_LIMIT, AddAccount, AddUser, Close, Reopen, SetBudget

DOOR, BUDGET, ANNA = Key("w", "", "submit"), Key("w", "", "budget"), Key("w", "anna", "submit")


def test_what_was_begun_and_what_was_done_are_told_apart_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "projects.sqlite"
    first = Record(path, "fabric")
    first.begin([AddAccount(account="w", parent="fabric"), AddUser(account="w", user="anna")])
    first.done([AddAccount(account="w", parent="fabric")])
    first.begin([SetBudget(account="w", minutes=60)])
    first.close()
    again = Record(path, "fabric")
    assert again.all() == {
        DOOR: Applied(NO_LIMIT),
        ANNA: Applied(None, trying=NO_LIMIT),
        BUDGET: Applied(None, trying=60),
    }
    assert path.stat().st_mode & 0o777 == 0o600
    assert Record(path, "another-parent").all() == {}


def test_what_cannot_be_kept_is_said_before_slurm_is_asked() -> None:
    record = Record(None, "fabric")
    record.close()
    with pytest.raises(FabricError) as error:
        record.begin([SetBudget(account="w", minutes=60)])
    assert error.value.reason == "gateway"
    assert str(error.value).startswith("The gateway cannot keep what it sets in Slurm for projects: ")


def test_the_limit_from_before_a_closing_is_kept_until_it_is_given_back() -> None:
    record = Record(None, "fabric")
    record.adopt({ANNA: 5})
    record.begin([Close(account="w", user="anna", before=5)])
    record.done([Close(account="w", user="anna", before=5)])
    assert record.all() == {ANNA: Applied(CLOSED, None, 5)}
    record.begin([Close(account="w", user="anna", before=CLOSED)])
    assert record.all()[ANNA].before == 5, "a closing that is repeated does not forget it"
    record.begin([Reopen(account="w", user="anna", limit=5)])
    record.done([Reopen(account="w", user="anna", limit=5)])
    assert record.all()[ANNA].value == 5
