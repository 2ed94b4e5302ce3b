"""What several tests of the catalogue service start from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.audit_files import six_records


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An audit log of six records in three months."""
    return six_records(tmp_path / "audit", monkeypatch)
