"""Our GPU-hours are Slurm's: the same jobs, summed up by us and by sreport."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime, timedelta

import pytest

from fabric_hub.budgets.history import bounds, summed
from fabric_hub.gateway.queries.queries import Queries

from .conftest import Lab

pytestmark = pytest.mark.slurm


def test_gpu_hours_agree_with_sreport_to_a_thousandth(lab: Lab) -> None:
    began = datetime.now().astimezone()
    plan = (("student1", 2, 9), ("student2", 1, 6), ("student1", 1, 4))
    numbers = [lab.submit(lab.ask(gpus=gpus), user=user, seconds=seconds) for user, gpus, seconds in plan]
    for number in numbers:
        lab.until(number, "COMPLETED")
    # slurmdbd hears of the ends a moment later
    ended = f"sacct -nX -A {lab.account} -S now-1hour -o State | grep -c COMPLETED"
    lab.run.slurm("timeout", "50", "sh", "-c", f"until [ $({ended}) = 3 ]; do sleep 0.2; done")
    first = began.replace(minute=0, second=0, microsecond=0)
    last = datetime.now().astimezone().replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    start, end = (f"{at:%Y-%m-%dT%H:%M:%S}" for at in (first, last))
    # slurmdbd rolls up at the full hour; sacctmgr makes it do so now
    lab.run.slurm("sacctmgr", "-i", "roll", start, end, "0")
    said = lab.run.slurm(
        "sreport", "-n", "-P", "-t", "Seconds", "cluster", "AccountUtilizationByUser", f"accounts={lab.account}",
        "-T", "gres/gpu", f"start={start}", f"end={end}",
    )  # fmt: skip
    theirs = {}
    for line in said.splitlines():
        _, account, login, _, _, used = line.split("|")
        if account == lab.account:
            theirs[login] = int(used)

    slurm = lab.run.settings.slurm
    assert slurm is not None
    ours: dict[str, float] = {}
    days = {first.date(), (last - timedelta(seconds=1)).date()}
    for day in days:
        jobs = asyncio.run(Queries(slurm).accounting(*bounds(day), [lab.account]))
        assert {job.account for job in jobs} == {lab.account}
        for row in summed(lab.run.settings, jobs, {}, day, time.time()):
            ours[row.user] = ours.get(row.user, 0.0) + row.gpu_hours * 3600
    assert sorted(ours) == ["student1", "student2"]
    assert sum(ours.values()) >= 2 * 9 + 6 + 4
    for user, seconds in ours.items():
        assert seconds == pytest.approx(theirs[lab.run.unix_name(user)], rel=1e-3), (ours, said)
    assert sum(ours.values()) == pytest.approx(theirs[""], rel=1e-3), (ours, said)
