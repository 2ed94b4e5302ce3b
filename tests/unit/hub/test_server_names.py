"""The rule for a session's name, and its words."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter

from fabric_hub.hub.patches.server_names import LONGEST, refusal
from fabric_hub.types import ServerName


@pytest.mark.parametrize("name", ["evening", "a", "run-2", "x" * LONGEST])
def test_a_name_that_follows_the_rule_is_taken(name: str) -> None:
    assert refusal(name) == ""
    TypeAdapter(ServerName).validate_python(name)  # what is a name to JupyterHub is one to us


@pytest.mark.parametrize("name", ["Evening", "a_b", "a--b", "-a", "a-", "x" * (LONGEST + 1), "<script>", "a b", "é"])
def test_another_is_refused_with_the_rule(name: str) -> None:
    said = refusal(name)
    assert repr(name)[1:-1] in said
    assert "small letters, digits and single hyphens between them, at most 30 characters" in said


def test_a_very_long_name_is_not_repeated_whole() -> None:
    assert len(refusal("X" * 10_000)) < 250
