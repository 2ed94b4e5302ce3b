"""Memory and CPU of a job, from files as the kernel writes them in each kind of cgroup, and from none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from fabric_lab.common import job_usage
from fabric_lab.common.job_usage import Asked, Place, Process

STEP = "/system.slice/slurmstepd.scope/job_4711/step_batch/user/task_0"
V1 = "/slurm/uid_1000/job_4711/step_batch/task_0"
V1_LISTED = f"9:name=systemd:/x\n4:memory:{V1}\n3:cpuset:{V1}\n2:cpu,cpuacct:{V1}\n1:freezer:/\n0::/init\n"


@pytest.fixture
def files(tmp_path: Path) -> Callable[[Mapping[str, str]], Path]:
    """``files({"a/b": "text"})``: these files below a directory, which is returned."""

    def write(contents: Mapping[str, str]) -> Path:
        for name, text in contents.items():
            file = tmp_path / name.lstrip("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return tmp_path

    return write


def test_a_job_in_version_2_is_read_at_its_own_level_without_what_can_be_dropped(
    files: Callable[[Mapping[str, str]], Path],
) -> None:
    job = "/system.slice/slurmstepd.scope/job_4711"
    root = files(
        {
            f"{job}/memory.current": "3221225472\n",
            f"{job}/memory.max": "4294967296\n",
            f"{job}/memory.stat": "anon 2147483648\nfile 1073741824\ninactive_file 1073741824\nactive_file 0\n",
            f"{job}/memory.events": "low 0\nhigh 0\nmax 11\noom 2\noom_kill 2\noom_group_kill 0\n",
            f"{job}/cpu.stat": "usage_usec 12500000\nuser_usec 12000000\nsystem_usec 500000\n",
        }
    )
    where = job_usage.place(f"0::{STEP}\n", "4711", root)
    assert where == Place("cgroup2", root / job[1:], root / STEP[1:], root / job[1:])
    reading = job_usage.read(where, Asked(1, 8), 1, root / "no-proc")
    assert reading == ("cgroup2", 2 << 30, 4 << 30, 12.5)
    assert job_usage.killed_for_memory(where) == 2


def test_a_job_in_version_1_is_read_at_its_own_level_and_its_killed_are_added_up_from_the_step_on(
    files: Callable[[Mapping[str, str]], Path],
) -> None:
    job, oom = "/slurm/uid_1000/job_4711", "oom_kill_disable 0\nunder_oom 0\noom_kill {}\n"
    root = files(
        {
            f"memory{job}/memory.usage_in_bytes": "4294950912",
            f"memory{job}/memory.limit_in_bytes": "4294967296",
            f"memory{job}/memory.stat": "inactive_file 7\ntotal_inactive_file 1073741824\n",
            f"memory{job}/memory.oom_control": oom.format(0),
            f"memory{job}/step_batch/memory.oom_control": oom.format(1),
            f"memory{V1}/memory.oom_control": oom.format(2),
            "memory/slurm/memory.oom_control": oom.format(50),  # other jobs'
            f"cpu,cpuacct{job}/cpuacct.usage": "2500000000\n",
        }
    )
    where = job_usage.place(V1_LISTED, "4711", root)
    assert where.source == "cgroup1"
    assert job_usage.read(where, Asked(None, 8), 1, root / "no-proc") == (
        "cgroup1", 4294950912 - 1073741824, 4 << 30, 2.5,
    )  # fmt: skip
    assert job_usage.killed_for_memory(where) == 3


@pytest.mark.parametrize(
    "listed",
    ["", "0::/\n", "0::/system.slice/slurmd.service\n", "4:memory:/slurm/uid_1/job_47/step_0\n", "0::/../job_4711/x\n"],
)
def test_a_cgroup_of_others_is_not_the_jobs(listed: str, files: Callable[[Mapping[str, str]], Path]) -> None:
    root = files(
        {"memory.current": "1", "system.slice/slurmd.service/memory.current": "1", "job_4711/memory.current": "1"}
    )
    assert job_usage.place(listed, "4711", root) == Place("processes")
    assert job_usage.place(listed, "", root) == Place("processes")


def test_a_cgroup_without_a_limit_counts_nobody_as_killed_for_it(files: Callable[[Mapping[str, str]], Path]) -> None:
    root = files({"memory.current": "5", "memory.max": "max\n", "memory.events": "oom_kill 3\n"})
    assert job_usage.memory(Place("cgroup2", root, root)) == (5, None)
    assert job_usage.killed_for_memory(Place("cgroup2", root, root)) is None
    root = files(
        {"memory.usage_in_bytes": "5", "memory.limit_in_bytes": "9223372036854771712", "memory.oom_control": ""}
    )
    assert job_usage.memory(Place("cgroup1", root, root)) == (5, None)


def test_a_processs_line_is_read_whatever_its_name_is() -> None:
    ticks = job_usage.TICKS
    line = f"41 (a) b (c) S 7 41 41 0 -1 4194560 100 0 0 0 {3 * ticks} {ticks} {2 * ticks} 0 20 0 1 0 5\n"
    assert job_usage.process(line) == Process(41, 7, "a) b (c", 6.0)
    assert job_usage.process("") is None
    assert job_usage.process("41 (gone) Z 7\n") is None


def test_the_processes_of_a_session_are_those_of_its_step_or_else_its_own() -> None:
    def one(pid: int, parent: int, name: str = "python") -> Process:
        return Process(pid, parent, name, 1.0)

    stepd, adopted, other = one(10, 1, "slurmstepd"), one(14, 10, "dask"), one(20, 1, "slurmstepd")
    mine = [one(11, 10, "sh"), one(12, 11), one(13, 12, "kernel")]
    listed = [one(1, 0, "init"), stepd, *mine, adopted, other, one(21, 20)]
    assert {found.pid for found in job_usage.of_session(listed, 12)} == {11, 12, 13, 14}
    without = [one for one in listed if one.name != "slurmstepd"]
    assert {found.pid for found in job_usage.of_session(without, 12)} == {12, 13}
    assert job_usage.of_session([], 12) == []


def test_without_a_cgroup_shares_of_memory_are_added_up_and_the_limit_is_what_was_asked_for(
    files: Callable[[Mapping[str, str]], Path],
) -> None:
    ticks = job_usage.TICKS
    root = files(
        {
            "12/stat": f"12 (python) S 1 1 1 0 -1 0 0 0 0 0 {ticks} 0 0 0 20 0 1 0 5",
            "12/smaps_rollup": "55d0-7ffe ---p 0 00:00 0 [rollup]\nRss: 900 kB\nPss: 100 kB\nPss_Dirty: 9 kB\n",
            "13/stat": f"13 (python) S 12 1 1 0 -1 0 0 0 0 0 {ticks} {ticks} 0 0 20 0 1 0 5",
            "13/smaps_rollup": "Rss: 900 kB\nPss: 50 kB\n",
            "99/stat": "99 (other) S 1 1 1 0 -1 0 0 0 0 0 9 9 0 0 20 0 1 0 5",
            "99/smaps_rollup": "Pss: 7 kB\n",
        }
    )
    reading = job_usage.read(Place("processes"), Asked(4 << 30, 2), 12, root)
    assert reading == ("processes", 150 << 10, 4 << 30, 3.0)
    assert job_usage.shares([1234], root) is None


def test_what_was_asked_for_is_slurms_word_also_after_the_session_has_left_its_names() -> None:
    assert job_usage.asked({"SLURM_CPUS_ON_NODE": "4", "SLURM_MEM_PER_NODE": "4096"}) == Asked(4 << 30, 4)
    assert job_usage.asked({"FABRIC_JOB_CPUS": "4", "FABRIC_JOB_MEMORY_PER_CPU_MB": "512"}) == Asked(2 << 30, 4)
    assert job_usage.asked({"SLURM_MEM_PER_CPU": "512"}) == Asked(None, None)
    assert job_usage.asked({"SLURM_CPUS_ON_NODE": "4;rm", "SLURM_MEM_PER_NODE": "0"}) == Asked(None, None)
