"""What a session's server makes of its end: tabs hear when it comes near, and when somebody took it back."""

from __future__ import annotations

from typing import Any

import pytest
from fabric_lab.server.ending import SOON_S, Ending

NOW = 1_800_000_000.0


class Tabs:
    """Jupyter's event logger, as far as it is needed: what was emitted."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def register_event_schema(self, schema: dict[str, Any]) -> None:
        assert {"ending", "changed"} == set(schema["properties"]["what"]["enum"])

    def emit(self, *, schema_id: str, data: dict[str, str]) -> None:
        self.heard.append(data["what"])


@pytest.fixture
def tabs() -> Tabs:
    return Tabs()


@pytest.fixture
def log() -> list[str]:
    return []


@pytest.fixture
def ending(tabs: Tabs, log: list[str]) -> Ending:
    made = Ending(log.append)
    made.speak_through(tabs)
    return made


def test_an_end_that_is_near_is_said_once(ending: Ending, tabs: Tabs, log: list[str]) -> None:
    ending.known(NOW + SOON_S + 1, NOW)
    assert (ending.since, tabs.heard) == (None, [])
    ending.known(NOW + 90, NOW)
    ending.known(NOW + 90, NOW + 20)
    assert ending.since is not None
    assert (tabs.heard, log) == (["ending"], ["This session ends in about 90 s: open notebooks are being saved."])


def test_an_operators_end_that_is_withdrawn_is_taken_back_and_slurms_signal_is_not(ending: Ending, tabs: Tabs) -> None:
    ending.known(NOW + 90, NOW)
    ending.known(None, NOW + 20)  # nobody knows
    assert ending.since is not None
    ending.known(NOW + 7200, NOW + 20)
    assert tabs.heard == ["ending", "changed"]
    withdrawn: float | None = ending.since
    assert withdrawn is None
    ending.known(NOW + 90, NOW + 40)
    ending._caught()
    ending.known(NOW + 7200, NOW + 60)
    assert ending.since is not None
