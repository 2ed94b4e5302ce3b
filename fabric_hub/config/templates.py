"""Templates of projects in the site's file (``catalogue.templates.NAME``); :mod:`.catalogue` reads them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from fabric_hub.types import Frozen, OneLine, Slug


class TemplateSettings(Frozen):
    """What a project made by this template begins with."""

    title: OneLine = Field(description="What operators read; also the title of a starter project.")
    kind: Literal["research", "course", "client"] = Field(default="research", description="What sort of project it is.")
    budget_gpu_hours: float | None = Field(
        default=None, ge=0, le=1e9, allow_inf_nan=False, description="GPU-hours granted in all; absent: as asked for."
    )
    days: int | None = Field(
        default=None,
        ge=1,
        le=3660,
        description="How many days it lasts from the day on which it is made; absent: as asked for.",
    )
    profiles: tuple[Slug, ...] = Field(default=(), description="Its profiles, the default first; empty: all.")
    images: tuple[Slug, ...] = Field(default=(), description="Its images, the default first; empty: all.")
