"""The service keeps to its own document, whoever calls: Schemathesis makes requests, and holds the answers to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis

from tests.support.held import Held, configuration, hold
from tests.support.service import BY_NAME, IDENTITIES, REACHED_BY, ROOT, Identity, Service

EXAMPLES = 10
MANY_EXAMPLES = 500
NEEDS_OTHERS = {
    f"POST {ROOT}/api/session/continue",
    f"POST {ROOT}/api/session/extend",
    f"POST {ROOT}/api/session/datasets/{{name}}",
    f"POST {ROOT}/api/session/datasets/{{name}}/request",
    f"POST {ROOT}/api/datasets/{{name}}/acceptance",
    f"POST {ROOT}/api/datasets/{{name}}/request",
}
# A service that cannot know says so with 503, and fails in no other way.
IN_TROUBLE = {"not_a_server_error": {"expected-statuses": ["2xx", "4xx", "503"]}}


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = Service(tmp_path)
    yield made
    made.close()


def held(service: Service, who: Identity, examples: int, **checks: object) -> Held:
    asked = configuration(who.headers, {"projects": [who.project]}, examples, checks)
    return hold(schemathesis.openapi.from_asgi(f"{ROOT}/api/openapi.json", service, config=asked))


def test_every_operation_of_the_document_is_reached_by_somebody(service: Service) -> None:
    paths = schemathesis.openapi.from_asgi(f"{ROOT}/api/openapi.json", service).raw_schema["paths"]
    assert {f"{verb.upper()} {path}" for path, verbs in paths.items() for verb in verbs} == REACHED_BY.keys()
    assert all(REACHED_BY.values())


@pytest.mark.parametrize("who", IDENTITIES, ids=lambda who: who.name)
def test_every_answer_is_the_documents_and_everybody_reaches_exactly_what_is_theirs(
    service: Service, who: Identity
) -> None:
    theirs = {operation for operation, reached_by in REACHED_BY.items() if who.name in reached_by}
    # to whom nothing but health answers, it does not matter what they send
    found = held(service, who, EXAMPLES if len(theirs) > 1 else 0)
    assert not found.wrong, "\n\n".join(found.wrong)
    assert found.reached == theirs


@pytest.mark.parametrize("name", ["session", "person"])
def test_a_service_that_nobody_answers_keeps_to_its_document(service: Service, name: str) -> None:
    service.alone()
    found = held(service, BY_NAME[name], EXAMPLES, **IN_TROUBLE)
    assert not found.wrong, "\n\n".join(found.wrong)
    assert not found.reached & NEEDS_OTHERS


@pytest.mark.long
@pytest.mark.timeout(1800)  # a minute of computing, on a machine that may be crowded
@pytest.mark.parametrize("name", ["session", "person"])
def test_every_answer_to_many_more_requests_is_the_documents(service: Service, name: str) -> None:
    found = held(service, BY_NAME[name], MANY_EXAMPLES)
    assert not found.wrong, "\n\n".join(found.wrong)
