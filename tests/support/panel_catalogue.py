"""A small catalogue as the service tells it to a session, with real files below ``data``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def entry(name: str, title: str, **more: Any) -> dict[str, Any]:
    """A dataset that is public and complete, but for what is said otherwise."""
    version = {"version": "1", "kind": "image", "sha256": "0" * 64, "bytes": 1_234_567, "files": 2}
    return {
        "name": name,
        "title": title,
        "description": f"What {title} is.",
        "publisher": {"name": "Institute of Examples", "uri": "https://example.org/"},
        "contact": {"name": "Data desk", "email": "data@example.org", "url": None},
        "licence": "https://creativecommons.org/licenses/by/4.0/",
        "access": "public",
        "themes": ["TECH"],
        "keywords": [],
        "languages": ["ENG"],
        "personal_data": "none",
        "purposes": [],
        "agreement": None,
        "provenance": "Generated for this test.",
        "retention": "As long as it is used",
        "retain_until": None,
        "page": None,
        "latest": "1",
        "versions": [{**version, "formats": {"csv": 2}, "published_at": 1_790_000_000.0}],
        "path": f"/data/{name}",
        "state": "open",
        "why": "",
        "hint": "",
        "until": None,
        "requested": False,
        "waits": False,
        "refused": False,
        "may_request": more.get("state") == "not-granted",
        "told": "",
        "chosen": False,
        **more,
    }


def entries() -> list[dict[str, Any]]:
    """One of every state, and two for the gallery."""
    return [
        entry("wind-farm", "Wind farm, hourly output", themes=["ENER", "ENVI"], keywords=["demo", "turbines"]),
        entry("crop-trials", "Crop trials", themes=["AGRI"], keywords=["demo"]),
        entry(
            "patients",
            "Patients of a ward (synthetic)",
            access="restricted",
            themes=["HEAL"],
            personal_data="pseudonymised",
            purposes=[{"name": "care", "text": "Research into better care"}],
            agreement={"version": "3", "text": "Do no harm."},
            state="agreement",
            why="You have not accepted version 3 of its agreement.",
            hint="Accept it on its page.",
            until="2027-06-30",
        ),
        entry(
            "grid-faults",
            "Faults of a power grid",
            access="non-public",
            themes=["ENER"],
            state="not-granted",
            why="Project twin has no grant for grid-faults.",
            hint="Ask for it here.",
        ),
        entry("old-census", "Census of 1971", themes=["SOCI"], state="retired", why="It is retired since 2025."),
    ]


def told(*datasets: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What the service answers to ``GET /session/datasets``."""
    return {
        "enforced": True,
        "notice": "",
        "unavailable_since": None,
        "problem": "",
        "data_dir": "/data",
        "datasets_page": "/hub/datasets",
        "project": "twin",
        "datasets": [*(datasets or entries())],
        **more,
    }


def write_files(data: Path) -> None:
    """The files of ``wind-farm`` and ``crop-trials``, where a node would mount them."""
    for name in ("wind-farm", "crop-trials"):
        place = data / name / "1"
        place.mkdir(parents=True)
        (place / "readme.md").write_text(f"# {name}\n")
        (place / "output.csv").write_text("hour,megawatt\n0,1.5\n1,2.5\n")
        (place / "output-2.csv").write_text("hour,megawatt\n0,3.5\n")
        (place / "sites.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": []}))
