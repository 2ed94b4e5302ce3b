"""The session's own GPUs, by NVML: a real one where there is one, else a stand-in for NVIDIA's library."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from fabric_lab.common.gpu import Device, Gpus, devices, find

CODE = """
import json, os
from fabric_lab.common.gpu import Gpus
gpus = Gpus(os.environ)
print(json.dumps([gpus.read(), gpus.busiest(), gpus.busiest()]))
"""
SLICE = Device("MIG-cccc3333", "slice")
LISTED = [Device("GPU-aaaa1111", "first"), Device("GPU-bbbb2222", "second", (SLICE,))]


def asked(python: Path, **environment: str) -> Any:
    done = subprocess.run(
        [python, "-I", "-c", CODE],
        env={"PATH": os.defpath, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("listed", "expected"),
    [("0,1", ["0", "1"]), ("", []), ("NoDevFiles", []), ("-1", []), ("GPU-aaaa1111", ["GPU-aaaa1111"])],
)
def test_only_what_slurm_gave_is_named(listed: str, expected: list[str]) -> None:
    assert devices({"CUDA_VISIBLE_DEVICES": listed}) == expected
    assert devices({}) == []


def test_a_name_is_a_number_a_uuid_its_beginning_or_a_slice() -> None:
    assert find("0", LISTED) == LISTED[0]
    assert find("1", LISTED) == SLICE  # CUDA takes the first slice of a GPU that is cut
    assert find("GPU-bbbb2222", LISTED) == LISTED[1]
    assert find("GPU-aa", LISTED) == LISTED[0]
    assert find("MIG-cccc3333", LISTED) == SLICE
    for unknown in ("2", "GPU-", "GPU-dddd", "nonsense"):
        assert find(unknown, LISTED) is None


def test_without_a_gpu_nothing_is_read_and_nothing_is_wrong() -> None:
    gpus = Gpus({})
    assert (len(gpus), gpus.read()) == (0, [])


@pytest.mark.image
def test_without_nvml_it_is_a_word(python: Path) -> None:
    if Path("/proc/driver/nvidia").exists():
        pytest.skip("a real GPU is here")
    read, busiest, _ = asked(python, CUDA_VISIBLE_DEVICES="0")
    assert [gpu["problem"] for gpu in read] == ["GPU activity isn't available here."]
    assert busiest is None


@pytest.mark.image
def test_use_and_memory_of_the_gpu_that_is_ours_alone(python: Path, library: Path) -> None:
    read, busiest, again = asked(python, CUDA_VISIBLE_DEVICES="GPU-aaaa", LD_LIBRARY_PATH=str(library))
    assert read == [
        {
            "index": 0, "device": "GPU-aaaa", "name": "NVIDIA Test", "percent": 7.0, "memory_used": 20_000_000_000,
            "memory_total": 80_000_000_000, "problem": "",
        }
    ]  # fmt: skip
    assert busiest == [97.0]  # a burst between two looks is seen,
    assert again == [7.0]  # and counted once


@pytest.mark.image
def test_a_mig_slice_has_memory_but_no_use_and_so_is_never_called_idle(python: Path, library: Path) -> None:
    [gpu], busiest, _ = asked(python, CUDA_VISIBLE_DEVICES="MIG-cccc3333", LD_LIBRARY_PATH=str(library))
    assert (gpu["name"], gpu["percent"]) == ("NVIDIA Test MIG 1g.10gb", None)
    assert (gpu["memory_used"], gpu["memory_total"], gpu["problem"]) == (1_000_000_000, 10_000_000_000, "")
    assert busiest is None


@pytest.mark.image
@pytest.mark.parametrize(
    ("device", "expected"),
    [
        ("0", [7, 20_000_000_000, 80_000_000_000]),
        ("GPU-aaaa1111", [7, 20_000_000_000, 80_000_000_000]),
        ("MIG-cccc3333", [None, 1_000_000_000, 10_000_000_000]),
    ],
)
def test_a_dask_worker_tells_the_same_of_its_own_gpu(python: Path, library: Path, device: str, expected: Any) -> None:
    """The metrics that a cluster's status reads, from distributed itself."""
    names = ["gpu_utilization", "gpu_memory_used", "gpu-memory-total"]
    code = f"""
import asyncio, json
from distributed import Scheduler, Worker

async def measured():
    async with Scheduler(port=0, dashboard=False) as s, Worker(s.address) as w:
        return [s.workers[w.address].metrics[name] for name in {names}]

print(json.dumps(asyncio.run(measured())))
"""
    environment = {"PATH": os.defpath, "CUDA_VISIBLE_DEVICES": device, "LD_LIBRARY_PATH": str(library)}
    environment["DASK_TEMPORARY_DIRECTORY"] = str(library)
    done = subprocess.run(
        [python, "-I", "-c", code],
        env=environment,
        cwd=library,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == expected


@pytest.mark.image
@pytest.mark.gpu
def test_a_real_gpu_tells_its_use_and_memory(python: Path) -> None:
    if not Path("/proc/driver/nvidia/gpus").is_dir():
        pytest.skip("this machine has no NVIDIA GPU")
    [gpu], busiest, _ = asked(python, CUDA_VISIBLE_DEVICES="0")
    assert gpu["problem"] == ""
    assert gpu["name"].startswith("NVIDIA")
    assert 0 <= gpu["memory_used"] <= gpu["memory_total"]
    assert all(0 <= percent <= 100 for percent in busiest or [])
