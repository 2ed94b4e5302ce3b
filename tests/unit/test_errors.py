from __future__ import annotations

from fabric_hub.errors import FabricError
from fabric_hub.messages.text import verbatim
from fabric_hub.slurm.unavailable import SlurmUnavailableError


def test_a_refusal_reads_as_one_paragraph_of_what_happened_and_what_to_do() -> None:
    error = FabricError("Project x is closed.", reason="project-closed", hint="Ask its owner.")
    assert str(error) == error.text == "Project x is closed. Ask its owner."
    assert (error.reason, error.status) == ("project-closed", 400)


def test_without_a_hint_no_space_is_left_over() -> None:
    assert FabricError("It is over.", reason="over").text == "It is over."


def test_a_silent_slurm_is_a_503_that_says_nothing_is_lost() -> None:
    error = SlurmUnavailableError(verbatim("Slurm does not answer."), since=12.5)
    assert isinstance(error, FabricError)
    assert (error.status, error.reason, error.since) == (503, "slurm-unavailable", 12.5)
    assert "Nothing is lost" in error.text
    assert SlurmUnavailableError(verbatim("x"), hint=verbatim("Wait.")).hint == "Wait."
