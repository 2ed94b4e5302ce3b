"""What is known of this session: pure functions over the job's environment and the hub's answer.

The server extension and the widget both answer with :func:`combine`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

from ..answers import Facts, Gpu
from ..schema import SessionInfo
from .environment import of_job

DRIVER = Path("/proc/driver/nvidia/gpus")


def visible_gpus(environment: Mapping[str, str], models: list[str]) -> list[Gpu]:
    """The GPUs that Slurm gave this job.

    :param environment: the job's; CUDA_VISIBLE_DEVICES holds numbers, or UUIDs of GPUs or MIG slices.
    :param models: model names of the node's GPUs; told only where all are the same.
    """
    listed = environment.get("CUDA_VISIBLE_DEVICES", "")
    devices = [device.strip() for device in listed.split(",")] if listed.strip() else []
    same = {"name": models[0]} if len(set(models)) == 1 else {}
    return [
        Gpu(index=index, device=device, **same)  # type: ignore[typeddict-item]
        for index, device in enumerate(devices)
        if device and device not in ("NoDevFiles", "-1")
    ]


def gpu_models(driver: Path = DRIVER) -> list[str]:
    """Model names as the NVIDIA driver lists them; empty where it is not loaded."""
    models = []
    try:
        for file in sorted(driver.glob("*/information")):
            for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
                key, _, value = line.partition(":")
                if key.strip() == "Model":
                    models.append(value.strip())
    except OSError:
        return []
    return models


def combine(
    environment: Mapping[str, str],
    hub: Mapping[str, object] | None,
    problem: str = "",
    models: list[str] | None = None,
    last: Mapping[str, object] | None = None,
) -> Facts:
    """The facts that the job's environment and the hub's answer give together.

    Slurm's word in the job's own environment counts for where it runs; the hub's
    for names and for when it ends (a limit can be changed while a job runs, or a reservation end before it).

    :param hub: the service's ``GET /session``, or None.
    :param problem: why ``hub`` is None, as a sentence.
    :param last: the hub's last answer, where ``hub`` is None: its word on the end still stands.
    """
    response = hub or {}
    ends_at = _time(response.get("ends_at")) or _time((last or {}).get("ends_at"))
    gpus = visible_gpus(environment, models or [])
    job_id = of_job(environment, "SLURM_JOB_ID")
    return Facts(
        session=environment.get("FABRIC_SESSION") or _text(response, "session"),
        project=environment.get("FABRIC_PROJECT") or _text(response, "project"),
        project_title=_text(response, "project_title"),
        profile=environment.get("FABRIC_PROFILE") or _text(response, "profile"),
        image=environment.get("FABRIC_IMAGE") or _text(response, "image"),
        node=of_job(environment, "SLURMD_NODENAME") or _text(response, "node"),
        job_id=int(job_id) if job_id.isdigit() else _whole(response.get("job_id")),
        gpus=gpus,
        gpu_count=len(gpus) or _whole(response.get("gpus")) or 0,
        ends_at=ends_at or _time(of_job(environment, "SLURM_JOB_END_TIME")),
        hub=cast("SessionInfo | None", hub),
        problem="" if hub is not None else problem,
    )


def _text(response: Mapping[str, object], key: str) -> str:
    value = response.get(key)
    return value if isinstance(value, str) else ""


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _time(value: object) -> float | None:
    if isinstance(value, str) and value.isdigit():
        value = int(value)
    return float(value) if isinstance(value, int | float) and value > 0 else None
