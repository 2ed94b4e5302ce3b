"""An audit log of several months on a real disk."""

from __future__ import annotations

import time
from collections.abc import Collection
from pathlib import Path

import pytest

from fabric_hub.catalogue.audit.log import AuditLog, Entry, files

MONTHS = (1_793_000_000.0, 1_793_000_100.0, 1_796_000_000.0, 1_796_000_100.0, 1_796_000_200.0, 1_799_000_000.0)


def in_order(names: Collection[str]) -> dict[str, int]:
    """Numbers for people where a test has no catalogue: by their names' order."""
    return {name: number for number, name in enumerate(sorted(names), 1)}


def event(number: int) -> Entry:
    """One that a node told."""
    return Entry(event="opened", user="jan", project="physics", dataset="wind", node="gpu1", job=number, uid=1001)


def six_records(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write an audit log of six records in three months; returns its directory."""
    audit_log = AuditLog(directory, in_order)
    for number, at in enumerate(MONTHS, 1):
        monkeypatch.setattr(time, "time", lambda at=at: at)
        audit_log.append(event(number))
    monkeypatch.undo()
    assert [len(path.read_bytes().splitlines()) for path in files(audit_log.directory)] == [2, 3, 1]
    return audit_log.directory


def truncate(directory: Path) -> None:
    """Its last file goes."""
    files(directory)[-1].unlink()
