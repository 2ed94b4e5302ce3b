"""Holds a service to its document, as one of its callers: what Schemathesis sends, and what it found."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hypothesis.configuration
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder
from schemathesis.engine.run import PhaseName
from schemathesis.specs.openapi.schemas import OpenApiSchema

from tests.conftest import sandbox_directory

# what Hypothesis, which draws what is sent, keeps for itself
hypothesis.configuration.set_hypothesis_home_dir(sandbox_directory() / "hypothesis")

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")


# The phases that have something to send for every operation.
SENDING = (PhaseName.COVERAGE, PhaseName.FUZZING)


def configuration(
    headers: Mapping[str, str],
    values: Mapping[str, list[Any]],
    examples: int,
    checks: Mapping[str, Any] | None = None,
    *,
    in_sequence: bool = False,
) -> SchemathesisConfig:
    """What is sent by whom.

    :param headers: those of every request: who calls.
    :param values: that the site has, by the name of a dictionary; they take the place of those in the file.
    :param examples: so many are drawn for each operation, beside all that its schema's limits ask for; may be 0.
    :param checks: settings of checks that differ.
    :param in_sequence: also requests that follow from the answers to others, where the site keeps what those changed.
    """
    told = tomllib.loads(CONFIGURATION.read_text())
    told["headers"] = dict(headers)
    if examples:
        told["generation"]["max-examples"] = examples
    else:
        told["phases"]["fuzzing"]["enabled"] = False
    told["checks"] = {**told.get("checks", {}), **(checks or {})}
    told["phases"]["stateful"]["enabled"] = in_sequence
    for name, those in values.items():
        told["dictionaries"][name] = {"values": those}
    return SchemathesisConfig.from_dict(told)


@dataclass
class Held:
    """What came of it.

    ``reached`` are the operations that gave the caller what was asked for (2xx), as ``GET /path``; ``wrong`` is what is
    not as the document says, with the request.
    """

    reached: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)


def hold(document: OpenApiSchema) -> Held:
    """Send all requests, one after another."""
    held = Held()
    for event in from_schema(document).execute():
        match event:
            case events.NonFatalError():
                held.wrong.append(f"{event.label}: {event.value}")
            case events.ScenarioFinished():
                held.reached.update(_reached(event.recorder))
                held.wrong.extend(_wrong(event.recorder))
                if event.status is Status.SKIP and event.phase in SENDING:
                    held.wrong.append(f"{event.label}: nothing was sent ({event.skip_reason})")
    return held


def _reached(recorder: ScenarioRecorder) -> Iterator[str]:
    for number, interaction in recorder.interactions.items():
        operation = recorder.cases[number].value.operation
        as_told = interaction.request.method == operation.method.upper()  # others are tried on its path, too
        if as_told and interaction.response and 200 <= interaction.response.status_code < 300:
            yield operation.label


def _wrong(recorder: ScenarioRecorder) -> Iterator[str]:
    for number, checks in recorder.checks.items():
        for check in checks:
            if found := check.failure_info:
                answer = recorder.interactions[number].response
                text = answer.text if answer else "no answer"
                yield f"{recorder.label}: {check.name}: {found.failure.message}\n{found.code_sample}\n{text}"
