"""A line of the log has the code of what it tells."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator

import pytest

from fabric_hub.errors import FabricError
from fabric_hub.hub.spawner.failures import RefusedRequestError, SessionFailure
from fabric_hub.messages.logs import coded, with_codes
from fabric_hub.messages.reader import Reader, reading
from fabric_hub.messages.text import sentences, verbatim
from fabric_hub.messages.texts.launch import NO_IMAGE, NO_PROJECT

log = logging.getLogger("fabric_hub.of_this_test")


@pytest.fixture(autouse=True)
def factory(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.INFO)
    before = logging.getLogRecordFactory()
    with_codes()
    yield
    logging.setLogRecordFactory(before)


def test_a_refusal_and_a_text_are_logged_with_their_code_in_english(caplog: pytest.LogCaptureFixture) -> None:
    with reading(Reader("nl")):
        log.warning("%s did not start: %s", "ann", FabricError(NO_IMAGE()))
        log.warning("It waits: %(why)s", {"why": NO_IMAGE()})
        log.warning(FabricError(NO_PROJECT(user="ann")))
    assert caplog.messages == [
        "ann did not start: [no-image] This site offers no image. Ask an operator to build one.",
        "It waits: [no-image] This site offers no image.",
        "[no-project] ann isn't in a project yet. Ask a project owner to add you.",
    ]


def test_others_words_have_no_code_and_several_sentences_have_all_theirs() -> None:
    assert coded(verbatim("Slurm says no.")) == "Slurm says no."
    assert coded(FabricError("Slurm says no.")) == "Slurm says no."
    several = sentences(NO_IMAGE(), verbatim("100% so."), NO_PROJECT(user="ann"))
    assert coded(several).startswith("[no-image, no-project] This site offers no image. 100% so. ann ")


def test_a_traceback_has_the_code_and_other_lines_stay_as_they_are(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise FabricError(NO_IMAGE())
    except FabricError:
        log.exception("Failed to start %d", 7)
        raised = sys.exc_info()
    assert raised[1] is not None
    log.info("done %d%%", 100)
    log.info("100% without arguments")
    assert caplog.messages == ["[no-image] Failed to start 7", "done 100%", "100% without arguments"]


def test_asked_twice_a_code_is_written_once(caplog: pytest.LogCaptureFixture) -> None:
    with_codes()
    log.info("%s", NO_IMAGE())
    assert caplog.messages == ["[no-image] This site offers no image."]


def test_what_the_hub_refuses_is_said_to_who_asked_and_logged_in_english_with_its_code() -> None:
    with reading(Reader("nl")):
        unknown, failed = RefusedRequestError(NO_PROJECT(user="100%")), SessionFailure(FabricError(NO_IMAGE()))
        said = unknown.jupyterhub_message, failed.jupyterhub_message
    assert said == (
        "100% zit nog niet in een project.",
        "Deze site biedt geen image aan. Vraag een beheerder om er een te bouwen.",
    )
    assert unknown.get_message() == "[no-project] 100% isn't in a project yet."
    assert failed.get_message().startswith("[no-image] This site offers no image. ")
