"""Two years of daily sales of a baker with three shops, for a forecast of how much bread to bake."""

from __future__ import annotations

import math
from datetime import date, timedelta
from pathlib import Path
from random import Random

from .tables import write_csv

FIRST, DAYS = date(2024, 1, 1), 731
SHOPS = {"market": 1.25, "station": 1.0, "suburb": 0.75}
PRODUCTS = {  # mean pieces a day, price in euro, share on Saturday, effect of ten degrees more
    "wholemeal": (95, 3.10, 1.5, -0.02),
    "white": (60, 2.80, 1.6, -0.01),
    "spelt": (28, 3.90, 1.7, 0.0),
    "croissant": (120, 1.45, 1.9, 0.03),
    "currant-bun": (70, 0.95, 1.3, -0.04),
    "apple-tart": (22, 3.25, 1.8, -0.05),
    "baguette": (45, 2.20, 1.6, 0.12),
    "oliebol": (0, 1.10, 1.0, 0.0),
}
CLOSED = {(1, 1), (12, 25), (12, 26), (4, 27)}


def write(directory: Path) -> None:
    """Write the dataset's files."""
    random = Random(31122024)
    days, sales = [], []
    mild = 0.0
    for number in range(DAYS):
        day = FIRST + timedelta(days=number)
        mild = 0.8 * mild + random.gauss(0, 1.5)
        warm = 10.5 - 7.5 * math.cos(2 * math.pi * (day.timetuple().tm_yday - 15) / 365.25) + mild
        rain = round(random.expovariate(1 / 4.0), 1) if random.random() < 0.45 else 0.0
        closed = day.weekday() == 6 or (day.month, day.day) in CLOSED
        days.append((day, round(warm, 1), rain, int(closed)))
        if closed:
            continue
        for shop, size in SHOPS.items():
            for product, (mean, price, saturday, warmth) in PRODUCTS.items():
                demand = _demand(day, product, mean) * size * (saturday if day.weekday() == 5 else 1.0)
                demand *= math.exp(warmth * (warm - 10) / 10) * (1 - 0.012 * min(rain, 12))
                sold = max(0, round(random.gauss(demand, math.sqrt(demand) + 0.05 * demand)))
                if demand:
                    sales.append((day, shop, product, sold, price))
    write_csv(directory / "days.csv", ("date", "temperature_c", "rain_mm", "closed"), days)
    write_csv(directory / "sales.csv", ("date", "shop", "product", "sold", "price_eur"), sales)
    (directory / "README.md").write_text(__doc__ + _README, encoding="utf-8")


def _demand(day: date, product: str, mean: float) -> float:
    """Pieces on an ordinary day of a shop of mean size; oliebollen are for December."""
    if product == "oliebol":
        return 0.0 if day.month != 12 else 500.0 if day.day == 31 else 12.0 + 3 * day.day
    growth = 1 + 0.03 * (day - FIRST).days / 365
    return mean * growth * (0.8 if day.month in (7, 8) else 1.0) * (1.25 if (day.month, day.day) == (12, 24) else 1.0)


_README = """
Generated: the baker does not exist. In a real engagement such figures are a client's secret, which is why
only the client's project can see that this dataset exists.

| file | one row per |
|---|---|
| `sales.csv` | day, shop and product: pieces sold and price |
| `days.csv` | day: weather, and whether the shops were closed |
"""
