"""The idle policy on what a real GPU tells: work with pauses and slow data are left alone, a forgotten notebook is not.

**A second of a recording stands for a minute of the policy**, so that half an hour is recorded in half a minute. It is
told to the policy as a session would tell it: nobody touches the notebook, no cell runs, only the GPU speaks.
With FABRIC_GPU_TRACES=DIR the recordings are kept there, as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from fabric_hub.budgets.idle import Report
from fabric_hub.budgets.schemas import IdlePolicy
from tests.unit.budgets.test_idle import MINUTE, played

pytestmark = [pytest.mark.image, pytest.mark.timeout(300)]

needs_gpu = pytest.mark.skipif(
    not Path("/proc/driver/nvidia/gpus").is_dir(), reason="this machine has no NVIDIA GPU whose use could be recorded"
)

SCRIPT = Path(__file__).parents[1] / "support" / "gpu_trace.py"
POLICY = IdlePolicy(minutes=15, gpu_percent=5, warn_minutes=5)
SECONDS = 40  # well over twice the policy's minutes, a second standing for each


def recorded(python: Path, work: str, seconds: int, **environment: str) -> list[list[float] | None]:
    """The highest use of each GPU in each second of some work (see ``gpu_trace.py``)."""
    done = subprocess.run(
        [python, "-I", SCRIPT, work, str(seconds)],
        # CUDA numbers GPUs as NVML and Slurm do
        env={"PATH": os.defpath, "CUDA_VISIBLE_DEVICES": "0", "CUDA_DEVICE_ORDER": "PCI_BUS_ID", **environment},
        capture_output=True,
        text=True,
        timeout=seconds + 120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    if kept := os.environ.get("FABRIC_GPU_TRACES"):
        Path(kept, f"{work}.json").write_text(json.dumps({**told, "a_second_stands_for_s": MINUTE}) + "\n")
    assert len(told["percent"]) == seconds
    percent: list[list[float] | None] = told["percent"]
    return percent


def states(trace: list[list[float] | None], policy: IdlePolicy = POLICY) -> list[str]:
    """What a session is answered minute by minute whose GPU is used like that, second by second."""
    reports = [
        Report(idle_s=number * MINUTE, busy=False, gpu_percent=None if percent is None else tuple(percent))
        for number, percent in enumerate(trace)
    ]
    return [answer.state for answer in played(reports, policy=policy)]


@pytest.mark.gpu
@needs_gpu
@pytest.mark.parametrize("work", ["training", "loading"])
def test_work_on_a_real_gpu_is_never_stopped_whatever_its_pauses(python: Path, work: str) -> None:
    trace = recorded(python, work, SECONDS)
    assert None not in trace, "the use of this GPU cannot be read: a slice (MIG) has none"
    found = states(trace)
    assert len(found) == SECONDS
    assert "stop" not in found, trace
    assert found.count("active") >= SECONDS / 10, trace


@pytest.mark.gpu
@needs_gpu
def test_a_forgotten_notebook_that_holds_a_real_gpu_is_warned_and_stopped(python: Path) -> None:
    trace = recorded(python, "forgotten", SECONDS)
    found = states(trace)
    assert found[-1] == "stop", trace
    assert "warn" in found[:-1], trace


def test_a_recording_is_what_nvml_tells_in_each_second_and_is_kept(
    python: Path,
    library: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The recorder and the judgement as they are, with stand-ins for NVIDIA's libraries: a GPU of 7 % for ever."""
    monkeypatch.setenv("FABRIC_GPU_TRACES", str(tmp_path))
    environment = {"CUDA_VISIBLE_DEVICES": "GPU-aaaa", "LD_LIBRARY_PATH": str(library)}
    trace = recorded(python, "loading", 6, **environment)
    assert trace == [[7.0]] * 6  # the burst from before the recording is none of it
    kept = json.loads((tmp_path / "loading.json").read_text())
    assert (kept["gpu"], kept["work"], kept["percent"]) == ("NVIDIA Test", "loading", trace)
    assert states(trace, IdlePolicy(minutes=4, gpu_percent=5, warn_minutes=2)) == ["active"] * 6
    assert states(trace, IdlePolicy(minutes=4, gpu_percent=8, warn_minutes=2)) == [
        "idle", "idle", "warn", "warn", "stop",
    ]  # fmt: skip
