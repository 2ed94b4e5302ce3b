"""Ten minutes of GPUs, and the job's CPUs as an average, from readings as they come."""

from __future__ import annotations

from typing import Any

from fabric_lab.answers import GpuUsage
from fabric_lab.common.job_usage import JobReading, Place
from fabric_lab.server.readings import EVERY_S, POINTS, JobMeter, Readout, cpus_busy, point


def gpu(percent: float | None, used: int | None = 35 * 10**9) -> GpuUsage:
    return GpuUsage(
        index=0, device="0", name="NVIDIA H200", percent=percent, memory_used=used, memory_total=140 * 10**9, problem=""
    )


class Gpus:
    def __init__(self) -> None:
        self.reads = 0

    def __len__(self) -> int:
        return 1

    def read(self) -> list[GpuUsage]:
        self.reads += 1
        return [gpu(float(self.reads))]


def test_a_point_has_shares_and_says_where_nothing_was_told() -> None:
    assert point(gpu(87.0)) == {"use": 87.0, "memory": 25.0}
    assert point(gpu(None, None)) == {"use": None, "memory": None}


def test_busy_cpus_are_an_average_and_never_less_than_none() -> None:
    assert cpus_busy((0.0, 10.0), (5.0, 20.0)) == 2.0
    assert cpus_busy((0.0, 10.0), (5.0, 9.0)) == 0.0
    assert cpus_busy(None, (5.0, 9.0)) is None
    assert cpus_busy((5.0, 9.0), (5.0, 9.0)) is None


def test_the_meter_measures_over_two_seconds_and_knows_nothing_at_first() -> None:
    now, used = [0.0], [0.0]

    def read(*_: Any) -> JobReading:
        return JobReading("cgroup2", 2 << 30, 4 << 30, used[0])

    meter = JobMeter({"SLURM_CPUS_ON_NODE": "4"}, Place("cgroup2"), read, lambda: now[0])
    first = meter.use()
    assert first == {
        "source": "cgroup2", "memory": 2 << 30, "memory_limit": 4 << 30, "cpus_busy": None, "cpus": 4,
    }  # fmt: skip
    seen = []
    for now[0], used[0] in ((1.0, 1.0), (2.0, 4.0), (3.0, 5.0)):
        seen.append(meter.use()["cpus_busy"])
    assert seen == [1.0, 2.0, 2.0], "each against the latest reading that is two seconds old, or the oldest"


async def test_ten_minutes_are_kept_and_all_tabs_share_one_reading() -> None:
    now, gpus = [100.0], Gpus()
    meter = JobMeter({}, Place("processes"), lambda *_: JobReading("processes", None, None, None))
    readout = Readout(gpus, meter, lambda: now[0])  # type: ignore[arg-type]
    for moment in range(130):
        readout.keep([gpu(float(moment % 100))])
    told = await readout.answer()
    assert await readout.answer() == told
    assert gpus.reads == 1
    assert POINTS * EVERY_S == 600
    history = told["history"][0]["points"]
    assert len(history) == POINTS
    assert history[-1] == {"use": 29.0, "memory": 25.0}
    assert told["gpus"][0]["percent"] == 1.0
    assert told["job"] == {
        "source": "processes", "memory": None, "memory_limit": None, "cpus_busy": None, "cpus": None,
    }  # fmt: skip
