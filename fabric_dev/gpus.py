"""The GPUs of the embedded nodes: the machine's own, or simulated ones.

Slurm sets CUDA_VISIBLE_DEVICES from the number at the end of a device file's name, and takes only
character devices. Both kinds are therefore links ``dev/nvidiaN`` in the run's own directory: N is
nvidia-smi's index also where a container shows /dev/nvidia3 alone, and making a link needs no rights.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .layout import Layout

SIMULATED_TYPE = "h200"
SIMULATED_PER_NODE = 2
NODES = 2
SHARDS_PER_GPU = 4


@dataclass(frozen=True)
class Gpus:
    """What the GPU nodes have. ``per_node[i]`` are the device indices of node gpu<i+1>."""

    real: bool
    type: str
    per_node: tuple[tuple[int, ...], ...]

    @property
    def most(self) -> int:
        return max(len(node) for node in self.per_node)


def type_of(name: str) -> str:
    """Slurm's type name for nvidia-smi's product name: "NVIDIA A100-SXM4-80GB" is "a100"."""
    match = re.search(r"\b([A-Za-z]{1,4}) ?(\d{1,4}[A-Za-z]?)\b", name.removeprefix("NVIDIA "))
    return (match.group(1) + match.group(2)).lower() if match else "gpu"


def split(listing: str) -> Gpus:
    """The GPUs of a ``nvidia-smi -L`` listing over two nodes; simulated ones when it names none."""
    found = re.findall(r"^GPU (\d+): (.+?) \(UUID", listing, re.MULTILINE)
    if not found:
        indices = range(SIMULATED_PER_NODE * NODES)
        return Gpus(False, SIMULATED_TYPE, (tuple(indices[:SIMULATED_PER_NODE]), tuple(indices[SIMULATED_PER_NODE:])))
    real = [int(index) for index, _ in found]
    half = (len(real) + 1) // 2
    return Gpus(True, type_of(found[0][1]), (tuple(real[:half]), tuple(real[half:])))


def detect() -> Gpus:
    """The machine's GPUs as nvidia-smi lists them, or simulated ones."""
    try:
        listing = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return split("")
    return split(listing.stdout if listing.returncode == 0 else "")


def link_devices(layout: Layout, gpus: Gpus) -> None:
    """Write the device files that gres.conf names."""
    layout.devices.mkdir(exist_ok=True)
    for old in layout.devices.glob("nvidia*"):
        old.unlink()
    real = sorted(Path("/dev").glob("nvidia[0-9]*"), key=lambda path: int(path.name.removeprefix("nvidia")))
    for place, index in enumerate(index for node in gpus.per_node for index in node):
        target = real[place] if gpus.real and place < len(real) else Path("/dev/null")
        (layout.devices / f"nvidia{index}").symlink_to(target)
