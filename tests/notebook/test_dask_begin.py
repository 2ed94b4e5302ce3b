"""The first workers are submitted while their cluster starts: how they and its scheduler find each other."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from fabric_lab.dask import queues, rendezvous, worker_status
from fabric_lab.dask.pools import Place, Presubmitted


def test_a_task_that_is_there_first_waits_for_its_scheduler(tmp_path: Path) -> None:
    rendezvous.make_address(tmp_path)
    assert (tmp_path / rendezvous.ADDRESS).stat().st_mode & 0o777 == 0o600

    async def meet() -> str:
        waiting = asyncio.create_task(rendezvous.until_address(tmp_path, 10))
        await asyncio.sleep(0)
        assert not waiting.done()
        rendezvous.write_address(tmp_path, "tls://a:1")
        return await waiting

    assert asyncio.run(meet()) == "tls://a:1"


def test_half_an_address_is_none(tmp_path: Path) -> None:
    (tmp_path / rendezvous.ADDRESS).write_text("tls://a:")
    assert rendezvous.read_address(tmp_path) == ""


def test_a_task_does_not_wait_for_ever_nor_for_a_cluster_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        asyncio.run(rendezvous.until_address(tmp_path, 10))
    rendezvous.make_address(tmp_path)
    with pytest.raises(TimeoutError, match=r"it did not start within 0\.1 s"):
        asyncio.run(rendezvous.until_address(tmp_path, 0.1))


def test_what_was_begun_is_handed_on_as_json() -> None:
    begun = Presubmitted({"w-0": Place(7, 0), "w-1": Place(7, 1)}, 1, "Your allocation ends on Friday")
    assert Presubmitted.of(begun.dump()) == begun


def sbatch_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, does: str) -> None:
    (tmp_path / "sbatch").write_text(f"#!/bin/sh\n{does}\n")
    (tmp_path / "sbatch").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")


def test_an_sbatch_that_says_more_than_the_id_is_understood_and_its_words_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sbatch_that(tmp_path, monkeypatch, "echo 'News: 12 nodes are back'; echo '4711;north'; echo 'sbatch: Hello' >&2")
    submitted = asyncio.run(queues.sbatch(["--array=0-1"], "#!/bin/sh\n"))
    assert submitted == (4711, "News: 12 nodes are back Hello")
    sbatch_that(tmp_path, monkeypatch, "echo 4712; echo '3 jobs of yours wait'")
    assert asyncio.run(queues.sbatch([], "")) == (4712, "3 jobs of yours wait")
    assert ("The cluster says", "Hello") in worker_status.lines({"workers": [], "said": "Hello"})


def test_what_a_site_says_to_a_refused_submission_is_in_the_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "sbatch: error: Renew at https://x.example\nsbatch: error: Batch job submission failed: Unspecified error"
    sbatch_that(tmp_path, monkeypatch, f"echo '{said}' >&2; echo 'from the wrapper'; exit 1")
    with pytest.raises(queues.SlurmError) as refused:
        asyncio.run(queues.sbatch([], ""))
    assert str(refused.value) == (
        "from the wrapper Renew at https://x.example Batch job submission failed: Unspecified error"
    )
