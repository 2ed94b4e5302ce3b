"""An export is written into the directory that was made for it, whoever owns what is above it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from fabric_hub.config.settings import Settings
from fabric_hub.privacy.export import Exported, write
from fabric_hub.privacy.person import Person


class _Meanwhile(dict[str, dict[str, list[Any]]]):
    """Documents; something happens when the first of them is about to be written."""

    do: Callable[[], object] = staticmethod(lambda: None)

    def items(self) -> Any:
        self.do()
        self.do = lambda: None
        return super().items()


def test_another_directory_that_is_put_in_its_place_gets_nothing(site: Settings, tmp_path: Path) -> None:
    target, away, elsewhere = (tmp_path / name for name in ("export", "away", "elsewhere"))
    elsewhere.mkdir()

    def swap() -> None:
        target.rename(away)
        target.symlink_to(elsewhere)

    documents = _Meanwhile(sessions={"readers": [{"user": "anna"}]})
    documents.do = swap
    write(Exported(documents), site, Person("anna"), target)
    assert sorted(path.name for path in away.iterdir()) == ["README.md", "sessions.json"]
    assert list(elsewhere.iterdir()) == []
