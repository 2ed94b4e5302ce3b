"""What a person started last and saved: kept by person, bounded, and gone with the person."""

from __future__ import annotations

from pathlib import Path

import pytest

from fabric_hub.errors import FabricError
from fabric_hub.messages.text import text_of
from fabric_hub.sessions.choices import LONGEST_NAME, MOST_SAVED, StartChoices
from fabric_hub.sessions.database import open_database

OPTIONS = {"project": "physics", "profile": "gpu", "image": "torch", "hours": 2.0, "datasets": ["wind-farm"]}


@pytest.fixture
def choices(tmp_path: Path) -> StartChoices:
    return StartChoices(open_database(f"sqlite:///{tmp_path}/sessions.sqlite"))


def test_the_last_choice_and_saved_ones_are_each_persons_own(choices: StartChoices) -> None:
    assert choices.of("jan") == (None, {})
    choices.remember("jan", {"profile": "cpu"})
    choices.remember("jan", OPTIONS)
    choices.save("jan", " Training ", OPTIONS)
    choices.save("jan", "Training", {"profile": "cpu"})
    choices.save("eve", "Training", OPTIONS)
    assert choices.of("jan") == (OPTIONS, {"Training": {"profile": "cpu"}})
    choices.remove("jan", "Training")
    choices.remove("jan", "")
    assert choices.of("jan") == (OPTIONS, {})
    assert choices.of("eve") == (None, {"Training": OPTIONS})


def test_a_person_who_is_forgotten_leaves_nothing(choices: StartChoices) -> None:
    choices.remember("jan", OPTIONS)
    choices.save("jan", "Training", OPTIONS)
    choices.forget("jan")
    assert choices.of("jan") == (None, {})


@pytest.mark.parametrize("name", ["", "  ", "x" * (LONGEST_NAME + 1), "two\nlines", "\x1b[31m"])
def test_what_is_no_name_is_refused(choices: StartChoices, name: str) -> None:
    with pytest.raises(FabricError, match="A preset needs a name of at most 40 characters") as refused:
        choices.save("jan", name, OPTIONS)
    assert text_of(refused.value.said).code == "preset-name"


def test_what_is_kept_of_a_person_is_bounded(choices: StartChoices) -> None:
    for number in range(MOST_SAVED):
        choices.save("jan", f"preset {number}", OPTIONS)
    with pytest.raises(FabricError, match="You can save at most 8 presets") as refused:
        choices.save("jan", "one more", OPTIONS)
    assert text_of(refused.value.said).code == "presets-most"
    choices.save("jan", "preset 3", {"profile": "cpu"})
    assert len(choices.of("jan")[1]) == MOST_SAVED
    large = {"datasets": ["x" * 40] * 1000}
    with pytest.raises(FabricError, match="This choice is too large to be saved") as refused:
        choices.save("jan", "preset 3", large)
    assert text_of(refused.value.said).code == "preset-too-large"
    choices.remember("jan", large)
    assert choices.of("jan")[0] is None
