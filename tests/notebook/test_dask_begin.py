"""The first workers are submitted while their cluster starts: how they and its scheduler find each other."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from fabric_lab.dask import address
from fabric_lab.dask.shape import Begun, Place


def test_a_task_that_is_there_first_waits_for_its_scheduler(tmp_path: Path) -> None:
    address.make(tmp_path)
    assert (tmp_path / address.FILE).stat().st_mode & 0o777 == 0o600

    async def meet() -> str:
        waiting = asyncio.create_task(address.until_known(tmp_path, 10))
        await asyncio.sleep(0)
        assert not waiting.done()
        address.write(tmp_path, "tls://a:1")
        return await waiting

    assert asyncio.run(meet()) == "tls://a:1"


def test_half_an_address_is_none(tmp_path: Path) -> None:
    (tmp_path / address.FILE).write_text("tls://a:")
    assert address.read(tmp_path) == ""


def test_a_task_does_not_wait_for_ever_nor_for_a_cluster_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        asyncio.run(address.until_known(tmp_path, 10))
    address.make(tmp_path)
    with pytest.raises(TimeoutError, match=r"it did not start within 0\.1 s"):
        asyncio.run(address.until_known(tmp_path, 0.1))


def test_what_was_begun_is_handed_on_as_json() -> None:
    begun = Begun({"w-0": Place(7, 0), "w-1": Place(7, 1)}, 1)
    assert Begun.of(begun.dump()) == begun
