"""The list of who may call what is what the service, the gateway and the catalogue service do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, cast

import fastapi.routing
import httpx
import pytest
from fastapi import FastAPI
from starlette.routing import Mount

from fabric_hub.catalogue.server import create_app as catalogue_app
from fabric_hub.config.settings import Settings
from fabric_hub.gateway.server import create_app as gateway_app
from fabric_hub.service.app import make_app, serve_static
from fabric_hub.service.callers import CATALOGUE, GATEWAY, HUB, SERVICE, Caller, Line
from fabric_hub.service.deps import ServiceContext, SessionCaller
from fabric_hub.sessions.store import SessionStore
from tests.support.builders import fields_of_a_session

TOKEN = {"Authorization": "token any"}
# What else a session's token has. With it a person's is a session's as soon as it has that scope, too.
FOR_ONE_SERVER = ["access:servers!server=jan/"]
UNITS = Path(__file__).parents[3] / "packaging" / "systemd"
CHECKS = {resolve_name(caller.check) for caller in Caller if caller.check.startswith("fabric_hub.service.")}


def operations(app: FastAPI) -> Iterator[tuple[str, set[Any]]]:
    """Every call that an application answers, with the functions of the dependencies that its route names."""
    # what is included is not in app.routes itself, with newer releases
    routes: Iterable[Any] = getattr(fastapi.routing, "iter_route_contexts", iter)(app.routes)
    for route in routes:
        if isinstance(getattr(route, "original_route", route), Mount):
            yield f"GET {route.path}/{{path}}", set()
            continue
        dependant = getattr(route, "dependant", None)
        calls = {one.call for one in dependant.dependencies} if dependant else set()
        for verb in route.methods - {"HEAD"}:
            yield f"{verb} {route.path}", calls


def wrong(app: FastAPI, lines: Iterable[Line]) -> set[str]:
    """What is not as its line says."""
    callers, found = {line.operation: line.caller for line in lines}, dict(operations(app))
    missing = {f"{operation} has no line" for operation in found.keys() - callers.keys()}
    gone = {f"{operation} does not exist" for operation in callers.keys() - found.keys()}
    otherwise = {
        f"{operation} is not checked for {callers[operation].name}"
        for operation in found.keys() & callers.keys()
        if found[operation] & CHECKS != {check for check in CHECKS if check is _check(callers[operation])}
    }
    return missing | gone | otherwise


def _check(caller: Caller) -> Any:
    return resolve_name(caller.check) if ":" in caller.check else None


@pytest.fixture
def service(site: Settings, store: SessionStore, tmp_path: Path) -> FastAPI:
    async def nothing(*_: str) -> None:
        return None

    app = make_app(ServiceContext(site, store, nothing, nothing))
    serve_static(app, tmp_path)
    return app


def test_every_route_of_the_service_has_its_line_and_the_check_that_the_line_says(service: FastAPI) -> None:
    assert wrong(service, SERVICE) == set()


def test_a_route_without_a_line_a_line_without_a_route_and_another_check_are_found(service: FastAPI) -> None:
    @service.get("/services/fabric/api/new")
    async def new() -> None: ...

    @service.get("/services/fabric/api/mine")
    async def mine(session: SessionCaller) -> None: ...

    lines = (*SERVICE, Line("GET /old", Caller.ANYBODY), Line("GET /services/fabric/api/mine", Caller.PERSON))
    assert wrong(service, lines) == {
        "GET /services/fabric/api/new has no line",
        "GET /old does not exist",
        "GET /services/fabric/api/mine is not checked for PERSON",
    }


async def test_every_scope_that_a_line_names_is_needed(site: Settings, store: SessionStore) -> None:
    scopes: list[str] = []

    async def identify(_token: str) -> dict[str, Any]:
        return {"name": "jan", "kind": "user", "scopes": [*scopes, *FOR_ONE_SERVER]}

    async def nothing() -> None:
        return None

    store.create(**fields_of_a_session())
    transport = httpx.ASGITransport(make_app(ServiceContext(site, store, identify, nothing)))
    async with httpx.AsyncClient(transport=transport, base_url="http://service", headers=TOKEN) as client:
        for line, missing in [(one, scope) for one in SERVICE for scope in one.caller.scopes]:
            scopes[:] = {*line.caller.scopes} - {missing}
            verb, path = line.operation.split()
            answer = await client.request(verb, path.replace("{name}", "wind-farm"), json={})
            assert (answer.status_code, answer.json()["reason"]) == (403, "scope"), f"{line} without {missing}"


def test_every_verb_of_gateway_and_catalogue_service_has_its_line() -> None:
    assert wrong(gateway_app(cast("Any", None)), GATEWAY) == set()
    assert wrong(catalogue_app(cast("Any", None)), CATALOGUE) == set()


def test_the_units_let_the_hubs_account_alone_to_the_sockets_of_gateway_and_catalogue_service() -> None:
    units = {path.name: path.read_text() for path in UNITS.glob("*.service")}
    assert {line.caller.check for line in (*GATEWAY, *CATALOGUE)} == {
        "packaging/systemd/fabric-gateway.service",
        "packaging/tmpfiles.d/fabric-hub.conf",
    }
    gateway = units["fabric-gateway.service"]
    assert re.search(r"^Group=fabric-hub$", gateway, re.MULTILINE)
    assert re.search(r"^RuntimeDirectoryMode=0750$", gateway, re.MULTILINE)
    made = (UNITS.parent / "tmpfiles.d/fabric-hub.conf").read_text()
    assert re.search(r"^d /run/fabric-catalogue +2750 +fabric-catalogue +fabric-hub +-$", made, re.MULTILINE)
    others = [text for text in units.values() if text is not gateway and "fabric-hub" in _groups(text)]
    assert all("User=fabric-hub\n" in text for text in others)


def _groups(unit: str) -> set[str]:
    found = re.findall(r"^(?:Group|SupplementaryGroups)=(.*)$", unit, re.MULTILINE)
    return {group for names in found for group in names.split()}


def test_what_anybody_may_call_has_a_reason_and_nothing_is_listed_twice() -> None:
    for lines in (SERVICE, HUB, GATEWAY, CATALOGUE):
        assert len({line.operation for line in lines}) == len(lines)
        assert all(line.note for line in lines if line.caller is Caller.ANYBODY)
