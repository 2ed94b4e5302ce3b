"""Vibration of a ball bearing, healthy and with three faults, and pictures of its raceways."""

from __future__ import annotations

import math
from pathlib import Path
from random import Random

from .tables import write_csv, write_png

RATE_HZ, SAMPLES = 12_000, 6_000
SPEEDS_RPM = (1730, 1772, 1797)
# How often a fault is struck per turn: 9 balls of 7.94 mm on a pitch circle of 39.04 mm (a 6205), contact angle 0.
BALLS, RATIO = 9, 7.94 / 39.04
ORDERS = {
    "healthy": 0.0,
    "outer-race": BALLS / 2 * (1 - RATIO),
    "inner-race": BALLS / 2 * (1 + RATIO),
    "ball": (1 - RATIO**2) / RATIO,
}
RESONANCE_HZ, DECAY_S = 3_100.0, 0.0009
PICTURES, SIZE = 24, 64


def write(directory: Path) -> None:
    """Write the dataset's files."""
    random = Random(6205)
    vibration, pictures = directory / "vibration", directory / "raceways"
    vibration.mkdir()
    pictures.mkdir()
    recordings = []
    for condition, order in ORDERS.items():
        for speed in SPEEDS_RPM:
            name = f"{condition}-{speed}.csv"
            signal = _signal(random, condition, order, speed / 60)
            write_csv(vibration / name, ("acceleration_g",), ((f"{value:.4f}",) for value in signal))
            recordings.append((f"vibration/{name}", condition, speed, RATE_HZ, round(order * speed / 60, 2)))
    columns = ("file", "condition", "speed_rpm", "rate_hz", "fault_hz")
    write_csv(directory / "recordings.csv", columns, recordings)
    labels = []
    for number in range(1, PICTURES + 1):
        damaged = number % 3 == 0
        write_png(pictures / f"{number:02d}.png", _picture(random, damaged=damaged))
        labels.append((f"raceways/{number:02d}.png", "spalled" if damaged else "sound"))
    write_csv(directory / "pictures.csv", ("file", "label"), labels)
    (directory / "README.md").write_text(__doc__ + _README, encoding="utf-8")


def _signal(random: Random, condition: str, order: float, turns_s: float) -> list[float]:
    """Unbalance and noise; each stroke on the fault rings the housing, and slips by about 1 % of its period.

    A fault of the inner race goes through the load zone once a turn, one of a ball with the cage.
    """
    phase = random.uniform(0, 2 * math.pi)
    values = [
        0.05 * math.sin(2 * math.pi * turns_s * sample / RATE_HZ + phase) + random.gauss(0, 0.035)
        for sample in range(SAMPLES)
    ]
    if not order:
        return values
    zone_hz = {"outer-race": 0.0, "inner-race": turns_s, "ball": turns_s / 2 * (1 - RATIO)}[condition]
    period, time = 1 / (order * turns_s), random.uniform(0, 1 / (order * turns_s))
    ringing = int(8 * DECAY_S * RATE_HZ)
    while time < SAMPLES / RATE_HZ:
        force = 0.9 * (1 + 0.7 * math.cos(2 * math.pi * zone_hz * time)) / 1.7 * random.uniform(0.8, 1.2)
        first = math.ceil(time * RATE_HZ)
        for sample in range(first, min(first + ringing, SAMPLES)):
            after = sample / RATE_HZ - time
            values[sample] += force * math.exp(-after / DECAY_S) * math.sin(2 * math.pi * RESONANCE_HZ * after)
        time += period * random.gauss(1, 0.01)
    return values


def _picture(random: Random, *, damaged: bool) -> list[list[int]]:
    """A ground surface: marks run along the rows, lit from the left; a spall is a dark pit with a bright rim."""
    marks = [random.gauss(150, 14) for _ in range(SIZE)]
    across, down, radius = random.uniform(16, 48), random.uniform(16, 48), random.uniform(4, 9)
    rows = []
    for y in range(SIZE):
        row = []
        for x in range(SIZE):
            grey = marks[y] + 0.4 * (SIZE / 2 - x) + random.gauss(0, 5)
            if damaged:
                away = math.hypot(x - across, 1.4 * (y - down)) / radius
                grey += -90 * math.exp(-(away**4)) + 40 * math.exp(-(((away - 1.2) / 0.15) ** 2))
            row.append(max(0, min(255, round(grey))))
        rows.append(row)
    return rows


_README = """
Generated from the kinematics of a 6205 deep groove ball bearing; no machine was recorded.

| file | holds |
|---|---|
| `recordings.csv` | file, condition, speed, sampling rate and the frequency at which the fault is struck |
| `vibration/*.csv` | 0.5 s of acceleration in g at 12 kHz |
| `pictures.csv` | file and label (`sound`, `spalled`) |
| `raceways/*.png` | 64 by 64 pixels, grey |

The fault's frequency shows in the spectrum of the envelope around 3.1 kHz, where the housing rings.
"""
