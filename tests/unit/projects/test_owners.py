"""Whoever owns a project is not told to ask its owner."""

from __future__ import annotations

import pytest

from fabric_hub.config.settings import Settings
from fabric_hub.projects.owners import said_to, warned_to


@pytest.mark.parametrize(
    ("sentence", "to_an_owner"),
    [
        ("It is used up. Ask its owner for more.", "It is used up. Ask the operators for more."),
        ("Ask the owner of the project for more.", "Ask the operators for more."),
        (
            "Ask for 2 h or less, or the owner of the project for more.",
            "Ask for 2 h or less, or the operators for more.",
        ),
        ("Choose a smaller profile.", "Choose a smaller profile."),
    ],
)
def test_an_owner_is_sent_to_the_operators_and_nobody_else_is(site: Settings, sentence: str, to_an_owner: str) -> None:
    physics = site.project["physics"]
    assert said_to("ada", physics, sentence) == to_an_owner
    assert said_to("jan", physics, sentence) == sentence
    assert said_to("ada", site.project["course"], sentence) == sentence
    assert said_to("ada", None, sentence) == sentence


@pytest.mark.parametrize(
    ("subject", "user", "whom"),
    [
        ("project:physics", "ada", "the operators"),
        ("project:physics", "jan", "its owner"),
        ("user:physics/ada", "ada", "the operators"),
        ("user:physics/jan", "jan", "its owner"),
        ("project:course", "ada", "its owner"),
        ("project:gone", "ada", "its owner"),
        ("storage:ada:/home/ada", "ada", "its owner"),
    ],
)
def test_a_warning_says_whom_its_reader_can_ask(site: Settings, subject: str, user: str, whom: str) -> None:
    text = "It is used up. Ask {} for more."
    assert warned_to(user, site, subject, text.format("its owner")) == text.format(whom)
