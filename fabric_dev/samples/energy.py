"""A year of weather, wind power, solar power and household load at one place, hour by hour."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from .tables import write_csv

LATITUDE, LONGITUDE = 52.1, 5.2  # degrees
START = datetime(2025, 1, 1, tzinfo=UTC)
HOURS = 8760
TURBINE_MW, TURBINES = 3.0, 6
PV_KW = 10.0
HOUSEHOLDS = ("apartment", "family", "heat-pump")


def write(directory: Path) -> None:
    """Write the dataset's files."""
    random = Random(20250101)
    weather = list(_weather(random))
    columns = ("time_utc", "wind_speed_m_s", "temperature_c", "cloud_cover", "irradiance_w_m2")
    write_csv(directory / "weather.csv", columns, weather)
    generation = ((time, _wind_mw(speed), _pv_kw(sun, warm)) for time, speed, warm, _, sun in weather)
    write_csv(directory / "generation.csv", ("time_utc", "wind_farm_mw", "rooftop_pv_kw"), generation)
    loads = ((time, *_loads(random, hour, warm)) for hour, (time, _, warm, _, _) in enumerate(weather))
    write_csv(
        directory / "households.csv", ("time_utc", *(f"{name}_kw".replace("-", "_") for name in HOUSEHOLDS)), loads
    )
    (directory / "README.md").write_text(__doc__ + _README, encoding="utf-8")


def _weather(random: Random) -> Iterator[tuple[str, float, float, float, int]]:
    """Wind and clouds are autoregressive, with a memory of about a day; wind speeds follow a Weibull law (k = 2)."""
    wind, cloud, front = 0.0, 0.0, 0.0
    for hour in range(HOURS):
        time = START + timedelta(hours=hour)
        season = math.cos(2 * math.pi * (hour / HOURS - 0.04))  # 1 in mid January
        wind = 0.97 * wind + math.sqrt(1 - 0.97**2) * random.gauss(0, 1)
        cloud = 0.94 * cloud + math.sqrt(1 - 0.94**2) * random.gauss(0, 1)
        front = 0.99 * front + math.sqrt(1 - 0.99**2) * random.gauss(0, 1)
        scale = 8.6 + 1.6 * season
        speed = scale * math.sqrt(-math.log(1 - min(_normal(wind), 1 - 1e-9)))
        cover = _normal(cloud + 0.75 + 0.35 * season)
        height = _sun_height(time)
        warm = 10.5 - 7.5 * season + 3 * front + 3.5 * math.sin(2 * math.pi * (time.hour - 9) / 24) * (1 - 0.6 * cover)
        yield time.isoformat(), round(speed, 2), round(warm, 1), round(cover, 2), round(_irradiance(height, cover))


def _normal(value: float) -> float:
    """The normal distribution: the share of values below."""
    return 0.5 * (1 + math.erf(value / math.sqrt(2)))


def _sun_height(time: datetime) -> float:
    """The sine of the sun's height (Cooper's declination; the equation of time is left out)."""
    day = time.timetuple().tm_yday
    declination = math.radians(23.45) * math.sin(2 * math.pi * (284 + day) / 365)
    angle = math.radians(15 * (time.hour + 0.5 - 12) + LONGITUDE)
    latitude = math.radians(LATITUDE)
    return math.sin(latitude) * math.sin(declination) + math.cos(latitude) * math.cos(declination) * math.cos(angle)


def _irradiance(height: float, cover: float) -> float:
    """On the level, in W/m2: Haurwitz's clear sky, dimmed by clouds as Kasten and Czeplak found."""
    return 0.0 if height <= 0 else 1098 * height * math.exp(-0.057 / height) * (1 - 0.75 * cover**3.4)


def _wind_mw(speed: float) -> float:
    """The farm's power: cubic from 3 m/s to 12.5 m/s, full to 25 m/s, then stopped; 8 % lost in wakes."""
    if not 3 <= speed < 25:
        return 0.0
    share = min(1.0, (speed**3 - 27) / (12.5**3 - 27))
    return round(TURBINES * TURBINE_MW * share * 0.92, 3)


def _pv_kw(sun: int, warm: float) -> float:
    """A roof's power: panels lose 0.4 % per degree above 25 °C, and the rest of the system loses 14 %."""
    panel = warm + 0.03 * sun
    return round(PV_KW * sun / 1000 * (1 - 0.004 * (panel - 25)) * 0.86, 3)


def _loads(random: Random, hour: int, warm: float) -> Iterator[float]:
    time = START + timedelta(hours=hour + 1)  # local winter time
    weekend = time.weekday() >= 5
    morning = math.exp(-(((time.hour - (9.5 if weekend else 7.5)) / 1.6) ** 2))
    evening = math.exp(-(((time.hour - 19) / 2.4) ** 2))
    noon = math.exp(-(((time.hour - 13) / 3) ** 2)) * (0.6 if weekend else 0.2)
    for base, peak, heating in ((0.09, 0.4, 0.0), (0.18, 0.9, 0.0), (0.18, 0.9, 0.08)):
        used = base + peak * (0.6 * morning + evening + noon) * random.lognormvariate(-0.08, 0.4)
        yield round(used + heating * max(0.0, 16 - warm), 3)


_README = """
Generated with physics, not measured: no real turbine, roof or household is in it.

| file | rows | columns |
|---|---|---|
| `weather.csv` | 8760 hours of 2025 | wind speed at hub height, temperature, cloud cover (0 to 1), irradiance |
| `generation.csv` | the same hours | six turbines of 3 MW, a roof of 10 kW |
| `households.csv` | the same hours | mean load in kW of an apartment, a family's house, and one with a heat pump |

Times are UTC and name the beginning of the hour. Place: 52.1 N, 5.2 E.
"""
