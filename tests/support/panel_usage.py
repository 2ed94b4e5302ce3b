"""Quota, use and time as the service tells them to a session."""

from __future__ import annotations

import time
from typing import Any


def quota(*, minutes: float = 57.5, **more: Any) -> dict[str, Any]:
    """What the service answers to ``GET /session/quota``: a project that has used 80 of 200 GPU-hours."""
    now = time.time()
    balance = {"running": 1.0, "rate_per_day": 10.0, "lasts_until": now + 12 * 86400}
    return {
        "session": "abcdefgh2345",
        "user": "ann",
        "project": "twin",
        "project_title": "Digital Twin",
        "account": "twin-acc",
        "profile": "gpu-1",
        "gpus": 1,
        "gpu_hours": {"limit": 200.0, "used": 80.0, "left": 120.0, **balance},
        "user_gpu_hours": {"limit": None, "used": 12.5, "left": None, "running": 1.0},
        "trend": [
            {"day": f"2026-11-{day:02}", "gpu_hours": float(day % 7), "mine": (day % 7) / 4} for day in range(1, 21)
        ],
        "storage": [
            {
                "title": "Home", "path": "/home/ann", "used": 81 * 10**9, "limit": 100 * 10**9, "files_used": 1200,
                "files_limit": 1_000_000, "at": now - 180, "problem": "",
            },
            {
                "title": "Project space", "path": "/projects/twin", "used": 3 * 10**12, "limit": 4 * 10**12,
                "files_used": None, "files_limit": None, "at": now - 180, "problem": "",
            },
        ],
        "time": {
            "started_at": now - 3600,
            "ends_at": now + minutes * 60,
            "why": "limit",
            "text": "This session ends at 99:99 HUB (time limit).",  # by a clock that is no browser's
            "reasons": {"text": {"code": "ends-by-limit", "params": {"at": 0}}},
            "can_extend": True,
            "extend_most_minutes": 120,
            "extend_why_not": "",
        },
        "idle": {"minutes": 30, "gpu_percent": 5, "warn_minutes": 5},
        "warnings": [],
        "age_s": 20.0,
        "unavailable_since": None,
        "problem": "",
        **more,
    }  # fmt: skip


def limited_above(*, used: float) -> dict[str, Any]:
    """A project that has used 100 of 1,000 GPU-hours, below an account that has used so many of 5,000."""
    until = time.time() + 86400
    faculty = {"name": "account faculty", "limit": 5000.0, "used": used, "left": 5000.0 - used, "profiles": []}
    return {
        "limit": 1000.0, "used": 100.0, "left": 5000.0 - used, "rate_per_day": 1.0, "lasts_until": until,
        "of": "account twin-acc", "limited_by": "account faculty",
        "above": [faculty | {"rate_per_day": 50.0, "lasts_until": until}],
    }  # fmt: skip


def answers(**more: Any) -> dict[str, dict[str, Any]]:
    """All verbs of the service, of a session that has done nothing unusual."""
    return {
        "GET /quota": quota(**more),
        "POST /idle": {"state": "active", "idle_for_s": 0, "stop_at": None, "text": "", "next_report_s": 5},
        "POST /continue": successor("starting"),
        "GET /continue": successor("ready"),
        "POST /extend": {"ends_at": time.time() + 7200, "minutes": 60, "text": "This session ends an hour later."},
    }


def successor(state: str) -> dict[str, Any]:
    return {
        "server_name": "session-2",
        "url": "/user/ann/session-2/",
        "state": state,
        "session": "bcdefgh23456",
        "text": "The next session waits for a node.",
        "reopen": [],
    }
