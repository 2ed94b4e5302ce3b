"""A fact is a code with parameters; it is a sentence in the language and zone of whoever reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from fabric_hub.errors import FabricError
from fabric_hub.messages import text as texts
from fabric_hub.messages.reader import Reader, language_of, reading, zone_of
from fabric_hub.messages.text import P_, REASONS, Reason, Said, Text, WithTexts, sentences, verbatim
from fabric_hub.messages.texts import launch
from fabric_hub.rpc.problem import Problem

ABSENT = "of-a-newer-version"


@pytest.fixture
def reasons() -> Iterator[dict[str, Reason]]:
    """The reasons that there are, as they are again after the test."""
    before = dict(REASONS)
    yield before
    REASONS.clear()
    REASONS.update(before)


def test_a_text_is_english_in_a_log_and_has_the_hint_of_its_reason() -> None:
    text = launch.PROFILE_NOT_OF_PROJECT(profile="gpu", project="twin", profiles=("cpu", "rescue"))
    assert str(text) == "Profile gpu is not one of project twin."
    assert str(text.hint) == "It has cpu, rescue."
    error = FabricError(text)
    assert (error.reason, error.status) == ("profile", 403)
    assert error.text == "Profile gpu is not one of project twin. It has cpu, rescue."


def test_a_plural_follows_its_number_and_braces_in_a_parameter_stay(reasons: dict[str, Reason]) -> None:
    assert "test-jobs" not in reasons
    jobs = Reason("test-jobs", P_("{name} has {n} job.", "{name} has {n} jobs."))
    assert [str(jobs(n=n, name="{n}")) for n in (1, 2, 1.0, 0.5)] == [
        "{n} has 1 job.", "{n} has 2 jobs.", "{n} has 1.0 job.", "{n} has 0.5 jobs.",
    ]  # fmt: skip


def test_no_two_reasons_have_one_code() -> None:
    with pytest.raises(ValueError, match="two reasons have the code no-image"):
        Reason("no-image", "Another one.")


def test_a_parameter_that_is_missing_is_told_where_the_text_is_made() -> None:
    with pytest.raises(TypeError, match="project-no-profiles needs project"):
        launch.PROJECT_NO_PROFILES()


@pytest.mark.parametrize("template", ["{0}", "{}", "{a.b}", "{a[0]}", "{a!r}", "{a:>10}", "{a:{b}}"])
def test_a_sentence_has_names_and_known_kinds_only(template: str) -> None:
    with pytest.raises(ValueError, match="no parameter of a sentence"):
        texts.fields(template)


def test_a_text_travels_as_facts_with_its_sentence_and_is_the_same_again() -> None:
    told = sentences(launch.NO_IMAGE(), launch.WHICH_PROJECT(projects=("a", "b")))
    sent = told.model_dump_json()
    assert '"text":"This site offers no image. Which project? You are a member of several."' in sent
    assert Text.model_validate_json(sent) == told


def test_a_code_of_a_newer_process_stays_the_sentence_that_it_sent() -> None:
    read = Text.model_validate({"code": ABSENT, "params": {"x": 1}, "text": "Something new."})
    assert str(read) == "Something new."


def test_an_error_is_the_same_after_its_way_between_two_processes() -> None:
    error = FabricError(launch.PROFILE_HOURS(profile="gpu", n=8, hours=12.0))
    again = Problem.model_validate_json(Problem.of(error).model_dump_json()).error(error.status)
    assert (again.said, again.advice, again.reason, again.status) == (error.said, error.advice, "hours", 403)
    assert again.text == "Profile gpu allows at most 8 hours, not 12. Ask for less time."


class Decision(WithTexts):
    """A model as the core returns it."""

    allowed: bool
    why: Said
    hint: Said | None = None
    steps: tuple[Said, ...] = ()


def test_a_model_with_texts_has_sentences_as_json_and_their_facts_beside_them() -> None:
    made = Decision(allowed=False, why=launch.NO_IMAGE(), steps=(verbatim("one"), launch.NO_PROJECT(user="ann")))
    assert json.loads(made.model_dump_json()) == {
        "allowed": False,
        "why": "This site offers no image.",
        "hint": None,
        "steps": ["one", "ann isn't in a project yet."],
        "reasons": {
            "why": {"code": "no-image", "params": {}},
            "steps": [
                {"code": "verbatim", "params": {"words": "one"}},
                {"code": "no-project", "params": {"user": "ann"}},
            ],
        },
    }
    assert Decision.model_validate_json(made.model_dump_json()) == made
    told = Decision.model_validate({"allowed": False, "why": "As a version before this one wrote it."})
    assert str(told.why) == "As a version before this one wrote it."
    document = Decision.model_json_schema(mode="serialization")["properties"]
    assert (document["why"]["type"], document["reasons"]["type"]) == ("string", "object")


def test_words_of_others_are_said_as_they_are() -> None:
    assert str(verbatim("{project} %s")) == "{project} %s"
    assert not verbatim("")
    assert not sentences(None, verbatim(""))


def test_a_reader_has_their_own_zone_and_language(reasons: dict[str, Reason]) -> None:
    assert "test-begins" not in reasons
    at = datetime(2020, 11, 27, 0, 17, tzinfo=UTC).timestamp()
    text = Reason("test-begins", "{at:clock}")(at=at)
    assert text.say(Reader("en", ZoneInfo("Europe/Amsterdam"))) == "27 Nov 01:17"
    with reading(Reader("nl", ZoneInfo("Asia/Tokyo"))):
        assert text.say() == "27 nov 09:17"


@pytest.mark.parametrize(
    ("chosen", "accepted", "language"),
    [
        ("nl", "en", "nl"), (None, "nl-BE,nl;q=0.9,en;q=0.8", "nl"), (None, "en;q=0.5,nl;q=0.7", "nl"),
        (None, "de,fr", "en"), ("../../etc", "", "en"), (None, "nl;q=x,en", "en"), (None, "nl;q=0", "en"),
    ],
)  # fmt: skip
def test_a_language_is_what_was_chosen_else_the_browsers_else_english(
    chosen: str | None, accepted: str, language: str
) -> None:
    assert language_of(chosen, accepted) == language


def test_a_zone_that_is_none_counts_for_nothing() -> None:
    assert zone_of("Europe/Amsterdam") == ZoneInfo("Europe/Amsterdam")
    assert [zone_of(name) for name in (None, "", "../etc/passwd", "/etc/passwd", "No/Where", "x" * 99)] == [None] * 6
