"""What asks a daemon on its socket gets its answers as types, and its silence and refusals as errors with codes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

from fabric_hub.catalogue.client import CatalogueClient
from fabric_hub.errors import FabricError
from fabric_hub.gateway.client import GatewayClient, GatewayUnavailableError
from fabric_hub.messages.reader import Reader, reading
from fabric_hub.messages.text import Text, sentences
from fabric_hub.messages.texts import gateway, slurm_reasons
from fabric_hub.messages.texts.launch import NO_IMAGE
from fabric_hub.rpc import client, server
from fabric_hub.rpc.client import UnixClient
from fabric_hub.rpc.server import answer_with_problems, bind, serve
from fabric_hub.slurm.unavailable import SlurmUnavailableError
from fabric_hub.types import Frozen


class Word(Frozen):
    text: str


@asynccontextmanager
async def a_daemon(path: Path, answer: Callable[[], Awaitable[object]]) -> AsyncIterator[None]:
    """A gateway with one verb."""
    app = FastAPI()
    answer_with_problems(app, "gateway")

    @app.get("/word")
    async def word(number: int = 0) -> object:
        return await answer()

    stop, ready = asyncio.Event(), asyncio.Event()
    serving = asyncio.create_task(serve(app, path, stop, who="gateway", closing=lambda: None, ready=ready))
    await ready.wait()
    try:
        yield
    finally:
        stop.set()
        await serving


def code_of(error: FabricError) -> str:
    assert isinstance(error.said, Text)
    return error.said.code


async def asked(path: Path, kind: type[UnixClient] = GatewayClient, query: str = "", timeout_s: float = 30) -> Word:
    async with kind(path, timeout_s=timeout_s) as client:
        return await client.ask(Word, "GET", f"/word{query}")


async def test_a_daemon_that_is_not_there_is_named_with_its_socket_and_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "gateway.sock"
    with pytest.raises(GatewayUnavailableError) as silent:
        await asked(path)
    assert code_of(silent.value) == "daemon-not-running"
    assert silent.value.message.startswith(f"The gateway is not running: nothing answers on {path} (")
    assert silent.value.hint == "Nothing is lost: sessions keep running. The operators must start the gateway."
    with reading(Reader("nl")):
        assert silent.value.say().startswith("De gateway draait niet: op ")
    with pytest.raises(FabricError, match=r"The daemon is not running: .* The operators must start it\."):
        await asked(path, UnixClient)
    with pytest.raises(FabricError, match="The catalogue service is not running: ") as other:
        await asked(path, CatalogueClient)
    assert other.value.hint == "Running sessions keep their datasets. The operators must start the catalogue service."


async def test_an_answer_of_another_version_a_fault_and_a_wrong_request_say_so(tmp_path: Path) -> None:
    path = tmp_path / "gateway.sock"

    async def other() -> object:
        return {"text": "one", "more": 1}

    async with a_daemon(path, other):
        with pytest.raises(FabricError) as found:
            await asked(path)
        assert code_of(found.value) == "daemon-other-version"
        assert found.value.message == f"On {path} answers no gateway of this version (1 field differs)."
        with pytest.raises(FabricError) as wrong:
            await asked(path, query="?number=x")
        assert (code_of(wrong.value), wrong.value.reason, wrong.value.status) == ("daemon-malformed", "malformed", 422)
        with pytest.raises(FabricError, match=r"Another gateway already answers on .*another socket in the site's"):
            bind(path, "gateway")

    async def fault() -> object:
        raise ZeroDivisionError

    async with a_daemon(path, fault):
        with pytest.raises(FabricError, match="The gateway failed at this request") as failed:
            await asked(path)
        assert (failed.value.reason, failed.value.status) == ("fault", 500)

    async def stranger() -> object:
        return PlainTextResponse("no", status_code=418)

    async with a_daemon(path, stranger):
        with pytest.raises(FabricError, match=r"The gateway answered with status 418\.") as strange:
            await asked(path)
        assert (code_of(strange.value), strange.value.status) == ("daemon-status", 502)


async def test_a_daemon_that_is_slow_is_said_to_be_so(tmp_path: Path) -> None:
    path = tmp_path / "gateway.sock"
    let_go = asyncio.Event()

    async def slow() -> object:
        await let_go.wait()
        return {"text": "late"}

    async with a_daemon(path, slow):
        with pytest.raises(GatewayUnavailableError, match="did not answer in time") as late:
            await asked(path, timeout_s=0.2)
        assert code_of(late.value) == "daemon-too-slow"
        let_go.set()


async def test_a_refusal_keeps_its_codes_on_the_way_and_is_told_in_the_language_of_who_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "gateway.sock"

    async def refuses() -> object:
        raise FabricError(NO_IMAGE())

    async with a_daemon(path, refuses):
        with pytest.raises(FabricError) as refused:
            await asked(path)
        assert refused.value.said == NO_IMAGE()

    async def is_silent() -> object:
        problem = sentences(gateway.FATE_NOT_KNOWN(job=7), slurm_reasons.DATABASE_SILENT())
        raise SlurmUnavailableError(problem, since=12.5)

    async with a_daemon(path, is_silent):
        with pytest.raises(SlurmUnavailableError) as silent:
            await asked(path)
        assert silent.value.since == 12.5
        assert silent.value.message == (
            "What became of job 7 is not known now. Slurm's database service (slurmdbd) does not answer."
        )
        with reading(Reader("nl")):
            assert silent.value.say() == (
                "Wat er van job 7 geworden is, is nu niet bekend. De databasedienst van Slurm (slurmdbd) antwoordt "
                "niet. Er gaat niets verloren: sessies draaien door, en deze pagina probeert het opnieuw."
            )


def test_a_socket_that_cannot_be_made_is_named_with_what_its_directory_must_be(tmp_path: Path) -> None:
    with pytest.raises(FabricError) as refused:
        bind(tmp_path / "not-there" / "catalogue.sock", "catalogue service")
    assert code_of(refused.value) == "daemon-no-socket"
    assert refused.value.message.startswith("The catalogue service's socket ")
    assert refused.value.hint.startswith("Its directory must exist and be the catalogue service's;")


def test_a_daemon_keeps_an_idle_connection_longer_than_clients_use_it() -> None:
    """Otherwise it closes one in the moment in which a request comes, which then looks like a daemon that is gone."""
    assert server.IDLE_S > 2 * client.IDLE_S
