"""Stand-ins for NVIDIA's libraries, for machines without a GPU: compiled here, found by LD_LIBRARY_PATH."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SOURCES = {"libnvidia-ml.so.1": "nvml.c", "libcuda.so.1": "cuda.c"}


def compiled(directory: Path, *options: str, names: tuple[str, ...] = tuple(SOURCES)) -> Path:
    """The directory, with the stand-ins in it; skips the test where they cannot be, or must not.

    :param options: the compiler's.
    :param names: which libraries.
    """
    compiler = shutil.which("cc")
    if not compiler:
        pytest.skip("no C compiler for the stand-ins of NVIDIA's libraries")
    if Path("/proc/driver/nvidia").exists():
        pytest.skip("a real GPU is here: the stand-ins are for machines without")
    for name in names:
        source = Path(__file__).parent / SOURCES[name]
        argv = [compiler, "-shared", "-fPIC", "-w", *options, "-o", str(directory / name), str(source)]
        subprocess.run(argv, check=True, timeout=60)
    return directory
