"""Use and memory of the session's own GPUs, by NVML (NVIDIA's management library, through ``nvidia-ml-py``).

Slurm names a job's GPUs in CUDA_VISIBLE_DEVICES: by number, by UUID (which may be cut short), or as MIG slices. Nothing
else is read. Where there is no GPU nothing is imported; where NVML cannot be read, that is a word and never an error.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ..answers import GpuUsage
from . import facts
from .translation import N_, _

UNREADABLE = N_("GPU activity isn't available here.")


class Device(NamedTuple):
    """One GPU, or one MIG slice of it, that NVML lists. ``handle`` is NVML's own."""

    uuid: str
    handle: Any
    slices: tuple[Device, ...] = ()


def devices(environment: Mapping[str, str]) -> list[str]:
    """What CUDA_VISIBLE_DEVICES names, up to the first that means "no more", as CUDA reads it; unset is none."""
    return [gpu["device"] for gpu in facts.visible_gpus(environment, [])]


def find(name: str, listed: Sequence[Device]) -> Device | None:
    """The device that CUDA takes for a name; None for one that is not there, or that several fit.

    A number counts the GPUs in the order of their PCI addresses, as Slurm does. Where such a GPU is cut into
    slices CUDA takes the first one.
    """
    if name.isdigit():
        gpu = listed[int(name)] if int(name) < len(listed) else None
        return gpu.slices[0] if gpu and gpu.slices else gpu
    every = [one for gpu in listed for one in (gpu, *gpu.slices)]
    exact = [one for one in every if one.uuid == name]
    fits = exact or [one for one in every if name.startswith(("GPU-", "MIG-")) and one.uuid.startswith(name)]
    return fits[0] if len(fits) == 1 else None


class Gpus:
    """The session's GPUs. NVML is loaded at the first question, and again after it failed; usable from any thread."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._names = devices(environment)
        self._lock = threading.Lock()
        self._nvml: Any = None
        self._found: list[Device | None] = []
        self._seen_until: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._names)

    def read(self) -> list[GpuUsage]:
        """Use and memory now."""
        with self._lock:
            self._load()
            return [self._use(index, name) for index, name in enumerate(self._names)]

    def busiest(self) -> list[float] | None:
        """The highest use of each GPU since this was asked last, in percent; None when it is not known of every one.

        NVML keeps its samples of the last seconds: asked every ten, no burst is missed.
        """
        with self._lock:
            self._load()
            seen = [self._highest(device) for device in self._found]
        known = [percent for percent in seen if percent is not None]
        return known if len(known) == len(self._names) else None

    def _load(self) -> None:
        if self._nvml is not None or not self._names:
            return
        self._found = [None] * len(self._names)
        try:
            import pynvml  # type: ignore[import-not-found, import-untyped, unused-ignore]
        except ImportError:
            return
        try:
            pynvml.nvmlInit()
            listed = list(_listed(pynvml))
        except pynvml.NVMLError:
            return
        self._nvml = pynvml
        self._found = [find(name, listed) for name in self._names]

    def _use(self, index: int, name: str) -> GpuUsage:
        use = GpuUsage(
            index=index, device=name, name="", percent=None, memory_used=None, memory_total=None, problem=_(UNREADABLE)
        )
        device, nvml = self._found[index], self._nvml
        if device is None or nvml is None:
            return use
        try:
            memory = nvml.nvmlDeviceGetMemoryInfo(device.handle)
            use.update({"memory_used": int(memory.used), "memory_total": int(memory.total), "problem": ""})
            use["name"] = _text(nvml.nvmlDeviceGetName(device.handle))
        except nvml.NVMLError:
            self._nvml = None  # as after a reset of the driver: look for the devices anew
            return use
        with contextlib.suppress(nvml.NVMLError):
            use["percent"] = float(nvml.nvmlDeviceGetUtilizationRates(device.handle).gpu)
        return use

    def _highest(self, device: Device | None) -> float | None:
        nvml = self._nvml
        if device is None or nvml is None:
            return None
        try:
            highest = float(nvml.nvmlDeviceGetUtilizationRates(device.handle).gpu)
        except nvml.NVMLError:
            return None
        with contextlib.suppress(nvml.NVMLError):  # no new samples, or a GPU that keeps none
            found = nvml.nvmlDeviceGetSamples(
                device.handle, nvml.NVML_GPU_UTILIZATION_SAMPLES, self._seen_until.get(device.uuid, 0)
            )
            for sample in found[1]:
                highest = max(highest, float(sample.sampleValue.uiVal))
                self._seen_until[device.uuid] = max(self._seen_until.get(device.uuid, 0), int(sample.timeStamp))
        return highest


def _listed(nvml: Any) -> Iterator[Device]:
    for index in range(nvml.nvmlDeviceGetCount()):
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
        yield Device(_text(nvml.nvmlDeviceGetUUID(handle)), handle, tuple(_slices(nvml, handle)))


def _slices(nvml: Any, handle: Any) -> Iterator[Device]:
    try:
        enabled = nvml.nvmlDeviceGetMigMode(handle)[0] == nvml.NVML_DEVICE_MIG_ENABLE
        most = nvml.nvmlDeviceGetMaxMigDeviceCount(handle) if enabled else 0
    except nvml.NVMLError:
        return  # a GPU that knows nothing of slices
    for index in range(most):
        with contextlib.suppress(nvml.NVMLError):  # this place holds none
            one = nvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, index)
            yield Device(_text(nvml.nvmlDeviceGetUUID(one)), one)


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode(errors="replace")
