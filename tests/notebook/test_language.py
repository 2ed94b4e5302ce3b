"""A session speaks the language that the hub has chosen for its person: its server, its kernels, its widgets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.answering_hub import AnsweringHub
from tests.support.kernel import Kernel
from tests.support.running_session import RunningSession, session_environment

from .test_widget import run_cells, text_of

pytestmark = [pytest.mark.image, pytest.mark.usefixtures("usage_known")]


@pytest.fixture
def dutch(python: Path, hub: AnsweringHub, tmp_path: Path) -> Iterator[RunningSession]:
    chosen = {"FABRIC_LANGUAGE": "nl", "FABRIC_ZONE": "Europe/Amsterdam"}
    with RunningSession(python, tmp_path, session_environment(hub.url, **chosen)) as running:
        yield running.announced_by(hub)


def test_a_session_refuses_and_shows_its_widget_in_dutch_and_asks_the_hub_for_dutch(
    dutch: RunningSession, hub: AnsweringHub
) -> None:
    status, said = dutch.get("fabric/datasets/wind-farm", method="POST")
    assert (status, json.loads(said)) == (
        503,
        {"message": "De node van deze sessie opent geen datasets: er draait geen datasetdienst.", "reason": "node"},
    )
    _, told = dutch.get("fabric/readings")
    assert json.loads(told)["gpus"][0]["problem"] == "GPU-activiteit is hier niet te zien."
    kernel = Kernel(dutch)
    try:
        kernel.send("from fabric_lab import quota; print(quota(), flush=True)")
        kernel.until_printed("80,0 van 200 GPU-uren gebruikt, nog 120 (40%)")
    finally:
        kernel.close()
    assert hub.readers == {("nl", "Europe/Amsterdam")}


def test_a_language_that_leads_elsewhere_is_english(python: Path, hub: AnsweringHub, tmp_path: Path) -> None:
    environment = session_environment(hub.url, FABRIC_LANGUAGE="../../x")
    [printed] = run_cells(python, tmp_path, environment, "from fabric_lab import session; print(session)")
    assert "Project:   Digital Twin" in text_of(printed)
    assert hub.readers == {("en", "")}
