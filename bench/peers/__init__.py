"""``peers``: the peers' own material with ``DaskCluster`` in the place of their class.

dask-jobqueue's own tests, and the subjects of Dask's example notebooks, run in a real session on the embedded Slurm.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections import Counter
from pathlib import Path

from tests.support.dask_notebook import Session
from tests.support.embedded_run import EmbeddedRun

from .. import ours
from ..figures import Result, Row
from . import examples, suite
from .table import EXAMPLES, TESTS
from .verdict import Verdict, judge


def rows(name: str, verdict: Verdict) -> tuple[Row, ...]:
    """How many pass, fail and cannot apply; none may fail, and no reason may be out of date."""
    return (
        Row(f"{name}: pass", "", len(verdict.passed), None),
        Row(f"{name}: fail", "", len(verdict.failed), None, aim=0, of="ours"),
        Row(f"{name}: cannot apply", "", len(verdict.named), None),
        Row(f"{name}: reasons out of date", "", len(verdict.stale), None, aim=0, of="ours"),
    )


def notes(verdict: Verdict) -> list[str]:
    """What has failed, which reasons are out of date, and each reason with how many it is of."""
    counted = Counter(why for _, why in verdict.named)
    return [
        *(f"FAILED {text}" for text in verdict.failed),
        *(f"OUT OF DATE {text}" for text in verdict.stale),
        *(f"{number} cannot apply: {why}" for why, number in counted.most_common()),
    ]


def measure(run: EmbeddedRun, images: Path) -> tuple[str, Verdict, Verdict]:
    """Run both; returns dask-jobqueue's version as well."""
    with tempfile.TemporaryDirectory(prefix="fabric-peers-", dir=run.directory.parent) as name:
        directory = Path(name)
        directory.chmod(0o755)
        version = suite.prepare(directory / "material", images / "base" / "current")
        session = Session(run, "trainer", project="ml-course")
        try:
            notebooks = judge(examples.run(session, examples.load()), EXAMPLES)
            tests = judge(suite.run(session, directory / "material"), TESTS)
        finally:
            session.stop()
    return version, tests, notebooks


async def run(_arguments: argparse.Namespace, images: Path, _environment: Path) -> Result:
    """How many of dask-jobqueue's tests and of Dask's examples pass, fail, and cannot apply."""
    async with ours.running(images) as embedded:
        version, tests, notebooks = await asyncio.to_thread(measure, embedded, images)
    return Result(
        "peers",
        (*rows(f"tests of dask-jobqueue {version}", tests), *rows("Dask's examples", notebooks)),
        (
            *notes(tests),
            *notes(notebooks),
            *(f"{example.name} leaves out: {example.without}" for example in examples.load() if example.without),
        ),
        {
            name: {
                "passed": list(verdict.passed),
                "failed": list(verdict.failed),
                "cannot apply": dict(verdict.named),
                "stale": list(verdict.stale),
            }
            for name, verdict in (("tests", tests), ("examples", notebooks))
        },
    )
