"""JupyterHub without our patches: starts, users, services, pages, its database and its one thread."""

from __future__ import annotations

import asyncio
import importlib
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import batchspawner.api
import jupyterhub.apihandlers
import jupyterhub.user
import pytest
from certipy import Certipy
from cryptography import x509
from jupyterhub import orm, roles
from jupyterhub.app import JupyterHub
from jupyterhub.orm import new_session_factory
from jupyterhub.services.service import Service
from sqlalchemy import text
from tornado.web import HTTPError
from traitlets import Integer
from traitlets.config import Config

from fabric_hub.hub.patches.operators import INTO_SESSIONS
from fabric_hub.hub.proxy import unix_url
from tests.support.needed import is_needed
from tests.support.plain_hub import PlainSpawner, answering, plain_hub

# -- starts


class Form(PlainSpawner):
    """Has a form, takes what is in it, and notes each start."""

    started: list[str]
    options_form = "<input name=x>"

    def options_from_query(self, query_options: Any) -> Any:
        return query_options

    async def start(self) -> Any:
        type(self).started.append(self.name)
        return self.where


async def test_a_get_with_options_starts_a_server(tmp_path: Path) -> None:
    Form.started = []
    async with answering() as Form.where, plain_hub(tmp_path, Form) as hub:
        await hub.login()
        await hub.client.get("/hub/spawn/ann/by-link?opt-x=1")
        await hub.client.get("/hub/spawn/ann/looked-at")
        is_needed("start-by-post", "by-link" in Form.started and "looked-at" in hub.servers)


async def test_a_form_is_taken_with_its_token_in_the_address(tmp_path: Path) -> None:
    Form.started = []
    async with answering() as Form.where, plain_hub(tmp_path, Form) as hub:
        await hub.login()
        await hub.client.get("/hub/spawn/ann/one")
        token = {"_xsrf": hub.client.cookies["_xsrf"], "opt-x": "1"}
        answer = await hub.client.post("/hub/spawn/ann/one", params=token, data={"x": "1"})
        is_needed("start-token", "one" in Form.started and "opt-x" in answer.headers["location"])


class Twice(PlainSpawner):
    """The form that is read first is sent on when another one has begun the start."""

    options_form = "<input name=x>"
    begun: asyncio.Event
    answered: asyncio.Event

    async def _read(self, form: dict[str, list[str]]) -> Any:
        if form["x"] == ["first"]:
            await self.begun.wait()
        return {}

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.options_from_form = self._read

    async def start(self) -> Any:
        self.begun.set()
        await self.answered.wait()
        return self.where


async def test_a_form_that_was_sent_twice_is_answered_500(tmp_path: Path) -> None:
    Twice.begun, Twice.answered = asyncio.Event(), asyncio.Event()
    async with answering() as Twice.where, plain_hub(tmp_path, Twice) as hub:
        await hub.login()
        await hub.client.get("/hub/spawn/ann/one")
        first = asyncio.create_task(hub.post("/hub/spawn/ann/one", x="first"))
        second = asyncio.create_task(hub.post("/hub/spawn/ann/one", x="second"))
        statuses = [(await first).status_code, (await second).status_code]
        Twice.answered.set()
    assert statuses[1] == 302
    is_needed("double-click", statuses[0] == 500)


class Refusing(PlainSpawner):
    """Refuses every start."""

    async def start(self) -> Any:
        raise HTTPError(409, "Not today.")


async def test_a_refused_start_leaves_a_server_on_the_list(tmp_path: Path) -> None:
    async with plain_hub(tmp_path, Refusing) as hub:
        assert (await hub.rest("POST", "/users/ann/servers/tried")).status_code == 409
        is_needed("refused-starts", "tried" in hub.servers)


async def test_the_refusal_of_a_name_does_not_say_the_rule(tmp_path: Path) -> None:
    async with plain_hub(tmp_path, PlainSpawner) as hub:
        answer = await hub.rest("POST", "/users/ann/servers/Evening_Run")
        assert answer.status_code == 400
        is_needed("server-names", "hyphen" not in answer.json()["message"])


class Followed(PlainSpawner):
    """Starts for as long as its hub runs, and tells who follows that nothing changes."""

    following: int = 0
    waits: asyncio.Event

    async def start(self) -> Any:
        await self.waits.wait()
        return self.where

    async def progress(self) -> AsyncIterator[dict[str, Any]]:
        type(self).following += 1
        try:
            yield {"progress": 20, "message": "It waits."}
            await self.waits.wait()
        finally:
            type(self).following -= 1


async def test_a_start_is_followed_for_a_connection_that_is_closed(tmp_path: Path) -> None:
    Followed.following, Followed.waits = 0, asyncio.Event()
    settings = {"tornado_settings": {"slow_spawn_timeout": 0}}
    async with answering() as Followed.where, plain_hub(tmp_path, Followed, **settings) as hub:
        await hub.rest("POST", "/users/ann/servers/one")
        token = {"Authorization": f"token {hub.ann.new_api_token()}"}
        for _ in range(2):
            async with hub.client.stream("GET", "/hub/api/users/ann/servers/one/progress", headers=token) as events:
                async for line in events.aiter_lines():
                    if "It waits." in line:
                        break
        still = Followed.following
        Followed.waits.set()
    is_needed("progress-streams", still == 2)


# -- the end of a session


class Unreached(PlainSpawner):
    """Its servers never answer."""

    http_timeout = Integer(1)


@pytest.mark.long
async def test_who_stops_a_server_is_not_told_apart(tmp_path: Path, unused_tcp_port: int) -> None:
    Unreached.where = ("127.0.0.1", unused_tcp_port)
    async with plain_hub(tmp_path, Unreached) as hub:
        answer = await hub.rest("POST", "/users/ann/servers/lost")
        (given_up,) = Unreached.stops
    async with answering() as Unreached.where, plain_hub(tmp_path, Unreached) as hub:
        await hub.rest("POST", "/users/ann/servers/found")
        await hub.rest("DELETE", "/users/ann/servers/found")
        (by_person,) = Unreached.stops
    # what it answers is not even a failure: it takes its own time-out for that of a slow start
    is_needed("unreachable", given_up == by_person and answer.status_code == 201)


class Ended(PlainSpawner):
    """Ends while no hub runs."""


@pytest.mark.long
async def test_a_token_outlives_a_server_that_ended_while_the_hub_was_down(tmp_path: Path) -> None:
    Ended.over = None
    async with answering() as Ended.where, plain_hub(tmp_path, Ended) as hub:
        assert (await hub.rest("POST", "/users/ann/servers/one")).status_code == 201
        token = hub.ann.spawners["one"].api_token
    Ended.over = 0
    async with plain_hub(tmp_path, Ended) as hub:
        assert not hub.ann.spawners["one"].active
        is_needed("session-tokens", orm.APIToken.find(hub.app.db, token) is not None)


# -- services


async def test_a_service_takes_no_unix_socket_as_its_address(tmp_path: Path) -> None:
    path = tmp_path / "s.sock"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    ready = False
    async with await asyncio.start_unix_server(answer, path):
        with suppress(Exception):  # whatever it makes of such an address
            async with plain_hub(tmp_path, PlainSpawner, services=[{"name": "s", "url": unix_url(path)}]) as hub:
                hub.app._service_map["s"].timeout = 2
                ready = await hub.app.start_service("s", hub.app._service_map["s"])
    is_needed("service-socket", not ready)


@pytest.mark.long
async def test_a_managed_service_is_checked_with_a_servers_tls_context(tmp_path: Path) -> None:
    contexts: list[ssl.SSLContext] = []

    async def start_service(_self: Any, _name: str, _service: Service, context: ssl.SSLContext) -> bool:
        contexts.append(context)
        raise _EnoughError

    settings = {
        "internal_ssl": True,
        "internal_certs_location": str(tmp_path / "certs"),
        "services": [{"name": "s", "url": "https://127.0.0.1:1"}],
        "hub_port": 0,
    }
    async with plain_hub(tmp_path, PlainSpawner, **settings) as hub:
        hub.app.start_service = start_service.__get__(hub.app)
        with suppress(_EnoughError):
            await hub.app.start()
        hub.app.http_server.stop()
        hub.app.metrics_collector.stop()
    (context,) = contexts
    here, there = socket.socketpair()
    with here, there:
        try:
            context.wrap_socket(here, server_hostname="s", do_handshake_on_connect=False).close()
            works = True
        except ssl.SSLError:
            works = False
    is_needed("service-tls", not works)


class _EnoughError(Exception):
    """The hub need not go on."""


@pytest.mark.long
async def test_a_services_certificate_names_no_host(tmp_path: Path) -> None:
    settings = {
        "internal_ssl": True,
        "internal_certs_location": str(tmp_path / "certs"),
        "trusted_alt_names": ["DNS:hub.example.org"],
        "services": [{"name": "s", "url": "https://127.0.0.1:1", "command": ["true"]}],
    }
    async with plain_hub(tmp_path, PlainSpawner, **settings) as hub:
        service = hub.app._service_map["s"]
        await service.start()
        names = _names(Path(service.spawner.cert_paths["certfile"]))
        await service.stop()
    is_needed("service-certificates", "hub.example.org" not in names)


def _names(certificate: Path) -> list[str]:
    loaded = x509.load_pem_x509_certificate(certificate.read_bytes())
    try:
        found = loaded.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [str(name.value) for name in found]


# -- handlers


def test_an_admin_may_open_everybodys_server_and_the_role_cannot_be_changed(tmp_path: Path) -> None:
    db = new_session_factory(f"sqlite:///{tmp_path / 'hub.sqlite'}")()
    admin = next(role for role in roles.get_default_roles() if role["name"] == "admin")
    fewer = {**admin, "scopes": [scope for scope in admin["scopes"] if scope not in INTO_SESSIONS]}
    with pytest.raises(roles.RoleValueError):
        roles.create_role(db, fewer)
    db.close()
    is_needed("operators-stay-out", set(admin["scopes"]) >= INTO_SESSIONS)


async def test_a_role_of_the_configuration_is_for_those_that_it_names(tmp_path: Path) -> None:
    members = [{"name": "member", "scopes": ["self"]}]
    async with plain_hub(tmp_path, PlainSpawner, load_roles=members) as hub:
        roles.grant_role(hub.app.db, hub.ann.orm_user, rolename="member")
        roles.assign_default_roles(hub.app.db, hub.ann.orm_user)
    async with plain_hub(tmp_path, PlainSpawner, load_roles=members) as hub:
        has = {role.name: role.scopes for role in hub.ann.orm_user.roles}
        is_needed("roles-follow-projects", has == {"user": ["self"]})  # all that is theirs, and no member any more


async def test_who_may_log_in_is_read_at_the_start(tmp_path: Path) -> None:
    async with plain_hub(tmp_path, PlainSpawner) as hub:
        hub.app.config.Authenticator.allowed_users.add("bob")
        asked = {"username": "bob", "password": "-"}
        is_needed("logins-follow-projects", await hub.app.authenticator.get_authenticated_user(None, asked) is None)


async def test_who_may_edit_people_takes_any_name(tmp_path: Path) -> None:
    async with answering() as PlainSpawner.where, plain_hub(tmp_path, PlainSpawner) as hub:
        hub.ann.orm_user.admin = True
        roles.assign_default_roles(hub.app.db, hub.ann.orm_user)
        answer = await hub.rest("PATCH", "/users/ann", json={"name": "bob"})
        is_needed("people-keep-their-names", answer.status_code == 200 and answer.json()["name"] == "bob")


def test_the_admin_page_is_always_there() -> None:
    settings = {name for name in JupyterHub.class_traits(config=True) if "admin" in name}
    is_needed("admin-page", not {name for name in settings if "page" in name or "ui" in name})


async def test_batchspawner_lets_a_notebook_set_any_attribute_of_its_spawner(tmp_path: Path) -> None:
    importlib.reload(batchspawner.api)  # what its import does to JupyterHub
    registered = [entry for entry in jupyterhub.apihandlers.default_handlers if entry[0] == "/api/batchspawner"]
    async with answering() as PlainSpawner.where, plain_hub(tmp_path, PlainSpawner) as hub:
        assert (await hub.rest("POST", "/users/ann/servers/one")).status_code == 201
        spawner = hub.ann.spawners["one"]
        headers = {"Authorization": f"token {spawner.api_token}"}
        await hub.client.post("/hub/api/batchspawner", json={"cmd": ["evil"]}, headers=headers)
        is_needed("batchspawner-api", registered and spawner.cmd == ["evil"])


def test_jupyterhubs_setting_for_pages_is_deprecated(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = JupyterHub(config=Config())
    said: list[str] = []
    monkeypatch.setattr(hub.log, "warning", said.append)
    hub.extra_handlers = [("/mine", HTTPError)]
    is_needed("own-pages", any("extra_handlers is deprecated" in text for text in said))


# -- languages


async def test_jupyterhubs_pages_are_in_english_whatever_a_browser_asks_for(tmp_path: Path) -> None:
    async with plain_hub(tmp_path, PlainSpawner) as hub:
        page = await hub.client.get("/hub/login", headers={"Accept-Language": "nl"})
        is_needed("readers", '<html lang="en">' in page.text and "Sign in" in page.text)


# -- the hub's one thread


def test_jupyterhubs_database_has_no_write_ahead_log(tmp_path: Path) -> None:
    session = new_session_factory(f"sqlite:///{tmp_path / 'jupyterhub.sqlite'}")()
    mode = session.execute(text("PRAGMA journal_mode")).scalar()
    session.close()
    session.get_bind().dispose()
    is_needed("write-ahead-log", mode != "wal")


def test_every_start_makes_a_tls_context(tmp_path: Path) -> None:
    certipy = Certipy(store_dir=str(tmp_path))
    certipy.create_ca("authority")
    certipy.create_signed_pair("hub", "authority")
    hub, authority = (certipy.store.get_files(name) for name in ("hub", "authority"))
    files = str(hub.key.file_path), str(hub.cert.file_path)
    made = [jupyterhub.user.make_ssl_context(*files, cafile=str(authority.cert.file_path)) for _ in range(2)]
    is_needed("one-tls-context", made[0] is not made[1])


async def test_all_starts_of_a_moment_begin_at_once(tmp_path: Path) -> None:
    class Slow(PlainSpawner):
        async def start(self) -> Any:
            await asyncio.Event().wait()

    names = {"one", "two", "three"}
    async with plain_hub(tmp_path, Slow) as hub:
        starts = [asyncio.create_task(hub.ann.spawn(name)) for name in names]
        await asyncio.sleep(0)  # each task's first step, and no more
        begun = hub.servers & names
        for start in starts:
            start.cancel()
        await asyncio.gather(*starts, return_exceptions=True)
    is_needed("starts-in-turn", begun == names)
