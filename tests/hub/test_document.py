"""A whole hub keeps to its service's document: through the proxy, with the hub's word on tokens, and a catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from schemathesis.specs.openapi.schemas import OpenApiSchema

from tests.support.dataset_hub import DatasetHub
from tests.support.held import configuration, hold
from tests.support.person import Person
from tests.support.service import REACHED_BY, ROOT

pytestmark = [pytest.mark.hub, pytest.mark.long]

EXAMPLES = 40
# It ends the session that calls, and with it what its token may; the service alone is held to it in the unit tests.
ENDING = f"{ROOT}/api/session/continue/end"


@pytest.fixture(scope="module")
def running(sandbox: Path) -> Iterator[DatasetHub]:
    """A hub with datasets, that lets running sessions have more time."""
    with DatasetHub(sandbox / "held", slurm={"extend": "as-gateway"}) as dataset_hub:
        yield dataset_hub


def token(person: Person) -> str:
    return person.api.headers["Authorization"].removeprefix("token ")


def scraper(dataset_hub: DatasetHub) -> str:
    """A token of an administrator's that reads metrics, and nothing else."""
    answer = dataset_hub.site.person("admin").api.post("/users/admin/tokens", json={"scopes": ["read:metrics"]})
    assert answer.status_code == 201, answer.text
    made: str = answer.json()["token"]
    return made


def of_session(dataset_hub: DatasetHub) -> tuple[str, int]:
    """The token of a new person's session, and its port."""
    person = dataset_hub.site.somebody()
    server = dataset_hub.site.started(person, project="twin", profile="small", image="base")
    return server.token, server.port


@pytest.mark.parametrize("who", ["anonymous", "session", "person", "operator", "prometheus"])
def test_every_answer_of_a_whole_hub_is_the_documents(running: DatasetHub, who: str) -> None:
    told, port = None, 8888
    if who == "session":
        told, port = of_session(running)
    elif who == "person":
        told = token(running.site.somebody())
    elif who == "operator":
        told = token(running.site.person("admin"))
    elif who == "prometheus":
        told = scraper(running)
    values: dict[str, list[Any]] = {
        "projects": ["twin"],
        "datasets": ["weather", "wind-farm", "grid"],
        "agreements": ["1"],
        "profiles": ["small", "gpu-1"],
        "ports": [port],
    }
    headers = {"Authorization": f"token {told}"} if told else {}
    asked = configuration(headers, values, EXAMPLES, in_sequence=True)
    document = schemathesis.openapi.from_url(f"{running.site.address}{ROOT}/api/openapi.json", config=asked)
    lasting = document.exclude(path=ENDING)
    assert isinstance(lasting, OpenApiSchema)
    found = hold(lasting)
    assert not found.wrong, "\n\n".join(found.wrong)
    theirs = {operation for operation, reached_by in REACHED_BY.items() if who in reached_by}
    assert found.reached == theirs - {f"POST {ENDING}"}
