"""Three years of a winter wheat trial: cultivars and nitrogen on 96 plots in four blocks."""

from __future__ import annotations

import math
from pathlib import Path
from random import Random
from typing import Any

from .tables import write_csv, write_geojson

CORNER = (5.55, 52.53)  # longitude, latitude of the field's south-west corner
WIDTH_M, LENGTH_M, PATH_M = 3.0, 10.0, 1.5
CULTIVARS = {"Aurelia": 0.0, "Bravour": 0.6, "Cadans": -0.4, "Drieluik": 0.2, "Evenaar": 0.9, "Fries": -0.1}  # t/ha
NITROGEN = (0, 80, 160, 240)  # kg/ha
YEARS = {2023: 0.3, 2024: -1.1, 2025: 0.5}  # t/ha above the mean year


def write(directory: Path) -> None:
    """Write the dataset's files."""
    random = Random(19430819)
    plots = _layout(random)
    write_geojson(directory / "plots.geojson", [_feature(plot) for plot in plots])
    blocks = {block: random.gauss(0, 0.25) for block in range(1, 5)}
    yields, greenness = [], []
    for year, weather in YEARS.items():
        for plot in plots:
            harvest = _harvest(plot, weather + blocks[plot["block"]] + random.gauss(0, 0.3))
            protein = 9.2 + 0.016 * plot["nitrogen"] - 0.25 * (harvest - 8) + random.gauss(0, 0.2)
            yields.append((year, plot["plot"], round(harvest, 2), round(protein, 1), round(76 + random.gauss(0, 1), 1)))
            greenness += [(year, plot["plot"], day, _ndvi(random, day, harvest)) for day in range(60, 211, 15)]
    columns = ("year", "plot", "yield_t_ha", "protein_percent", "hectolitre_kg")
    write_csv(directory / "yields.csv", columns, yields)
    write_csv(directory / "ndvi.csv", ("year", "plot", "day_of_year", "ndvi"), greenness)
    (directory / "README.md").write_text(__doc__ + _README, encoding="utf-8")


def _layout(random: Random) -> list[dict[str, Any]]:
    """Every treatment once in every block, in an order drawn by lot."""
    plots = []
    for block in range(1, 5):
        treatments = [(cultivar, nitrogen) for cultivar in CULTIVARS for nitrogen in NITROGEN]
        random.shuffle(treatments)
        for column, (cultivar, nitrogen) in enumerate(treatments):
            plot = f"{block}{column + 1:02d}"
            plots.append({"plot": plot, "block": block, "column": column, "cultivar": cultivar, "nitrogen": nitrogen})
    return plots


def _feature(plot: dict[str, Any]) -> dict[str, Any]:
    west, south = plot["column"] * (WIDTH_M + PATH_M), (plot["block"] - 1) * (LENGTH_M + 2 * PATH_M)
    corners = [(0.0, 0.0), (WIDTH_M, 0.0), (WIDTH_M, LENGTH_M), (0.0, LENGTH_M), (0.0, 0.0)]
    ring = [_degrees(west + east, south + north) for east, north in corners]
    said = {key: plot[key] for key in ("plot", "block", "cultivar")} | {"nitrogen_kg_ha": plot["nitrogen"]}
    return {
        "type": "Feature",
        "id": plot["plot"],
        "properties": said,
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


def _degrees(east: float, north: float) -> list[float]:
    """Metres from the field's corner as longitude and latitude."""
    latitude = CORNER[1] + north / 111_320
    return [round(CORNER[0] + east / (111_320 * math.cos(math.radians(CORNER[1]))), 7), round(latitude, 7)]


def _harvest(plot: dict[str, Any], other: float) -> float:
    """In t/ha: a quadratic response to nitrogen with its top near 190 kg/ha, and the cultivar's own."""
    nitrogen, cultivar = int(plot["nitrogen"]), CULTIVARS[plot["cultivar"]]
    return max(1.0, 5.2 + 0.0414 * nitrogen - 0.000109 * nitrogen**2 + cultivar + other)


def _ndvi(random: Random, day: int, harvest: float) -> float:
    """Greenness from tillering to ripeness; a better crop is greener at its top, in late May."""
    top = 0.62 + 0.028 * harvest
    rise, fall = 1 / (1 + math.exp(-(day - 95) / 12)), 1 / (1 + math.exp((day - 188) / 7))
    return round(min(0.97, 0.16 + (top - 0.16) * rise * fall + random.gauss(0, 0.012)), 3)


_README = """
Generated from the response that such trials show, with made-up cultivars: nobody's field.

| file | holds |
|---|---|
| `plots.geojson` | the 96 plots (3 m by 10 m) with block, cultivar and nitrogen |
| `yields.csv` | yield (t/ha at 15 % moisture), protein (%) and hectolitre weight (kg) per plot and year |
| `ndvi.csv` | greenness of each plot every 15 days from March to July |

`plot` joins the three. Design: randomised complete blocks, six cultivars by four nitrogen levels.
"""
