"""The catalogue service of an embedded run: an account and places of its own, started and removed with the rest."""

from __future__ import annotations

import asyncio
import os
import pwd
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from fabric_hub.catalogue.client import CatalogueClient
from fabric_hub.errors import FabricError
from tests.conftest import new_prefix
from tests.support.embedded_run import ROOT, EmbeddedRun, fabric_hub
from tests.support.waiting import until_async

CONNECT = """
import socket, sys
with socket.socket(socket.AF_UNIX) as client:
    try:
        client.connect(sys.argv[1])
        print("answers")
    except OSError as error:
        print(error)
"""


@pytest.fixture(scope="module")
def run(sandbox: Path) -> Iterator[EmbeddedRun]:
    """A run without Slurm and without its hub: the catalogue service alone."""
    started = EmbeddedRun.start(sandbox / "catalogue", "--prefix", new_prefix(), "--local", "--until", "gateway")
    yield started
    started.remove()
    if ROOT:
        assert not [entry.pw_name for entry in pwd.getpwall() if entry.pw_dir.startswith(f"{sandbox}/catalogue/")]


def _socket(run: EmbeddedRun) -> Path:
    datasets = run.settings.catalogue
    assert datasets is not None
    return datasets.socket


async def _answer(run: EmbeddedRun) -> None:
    async with CatalogueClient(_socket(run)) as client:

        async def health() -> Any:
            with suppress(FabricError):
                return await client.health()

        found = await until_async(health, "the catalogue service answers", 60, seen=run.logs)
        assert not found.problem


async def test_it_answers_and_its_trail_is_whole(run: EmbeddedRun) -> None:
    await _answer(run)
    done = await asyncio.to_thread(fabric_hub, "audit", "verify", "--site", str(run.site))
    assert done.returncode == 0, done.stderr
    assert "is whole" in done.stdout


@pytest.mark.root
def test_it_runs_as_its_own_account_without_any_right(run: EmbeddedRun) -> None:
    status = Path(f"/proc/{run.pid('catalogue')}/status").read_text()
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert set(fields["Uid"].split()) == {str(pwd.getpwnam(run.unix_name("catalogue")).pw_uid)}
    assert fields["Groups"].split() == []
    assert fields["CapEff"] == fields["CapPrm"] == fields["CapBnd"] == f"{0:016x}"
    assert fields["NoNewPrivs"] == "1"


@pytest.mark.root
@pytest.mark.parametrize(
    ("name", "said"), [("hub", "answers"), ("gateway", "denied"), ("student1", "denied"), ("operator", "denied")]
)
def test_of_all_accounts_only_the_hubs_reaches_it(run: EmbeddedRun, name: str, said: str) -> None:
    assert said in run.as_user(name, "/usr/bin/python3", "-c", CONNECT, str(_socket(run))).stdout


@pytest.mark.root
@pytest.mark.parametrize("name", ["hub", "gateway", "student1"])
@pytest.mark.parametrize("path", ["catalogue/catalogue.sqlite", "published/grants.json", "published/events"])
def test_nobody_else_reads_what_is_the_catalogue_services(run: EmbeddedRun, name: str, path: str) -> None:
    assert (run.directory / path).exists()
    refused = run.as_user(name, "ls" if path.endswith("events") else "cat", str(run.directory / path))
    assert "Permission denied" in refused.stderr


async def test_one_that_was_killed_is_started_again(run: EmbeddedRun) -> None:
    before = run.pid("catalogue")
    os.kill(before, signal.SIGKILL)
    await _answer(run)
    assert run.pid("catalogue") != before
