"""Before a hub starts with its site's own configuration: what of it does not work, by name and line.

The file has been run by then; the values are those of JupyterHub's configuration, the lines are looked up in the text.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import sentences, verbatim
from fabric_hub.messages.texts import moving as texts

from . import recorder, static
from .model import OldFile, SectionClass, Setting, Value, Verdict
from .verdicts import breaks, judge

log = logging.getLogger(__name__)


def refuse_what_breaks(c: Any, site: Settings, path: Path) -> None:
    """Refuse a hub's start with what would break it; what has no effect is said in its log.

    :param c: JupyterHub's configuration, after the site's own was read.
    :param path: of the site's own configuration.
    :raises FabricError: every setting that the hub does not work with, each with its line where the text shows it.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        text = ""  # JupyterHub has read it; only the lines are not known
    seen = tuple(one.model_copy(update={"ran": True}) for one in static.settings(text, str(path)))
    lines = {one.key: one.line for one in seen}
    found = [one for one in _guarded(c, lines) if breaks(one, site)]
    if found:
        said = texts.HUB_WOULD_NOT_START(path=str(path), n=len(found))
        told = [f"\n{path}:{one.line}: {one.key}: {breaks(one, site)}" for one in found]
        raise FabricError(sentences(verbatim(f"{said}{''.join(told)}\n"), said.hint))
    classes, _ = recorder.classes_of([one.section for one in seen], [])
    known = {name: SectionClass.model_validate(one) for name, one in classes.items()}
    for one in judge(OldFile(path=str(path), text=text, settings=seen, classes=known), site):
        if one.verdict is not Verdict.KEPT and not one.stops:
            log.warning("%s:%s: %s: %s", one.file, one.line, one.setting, one.why)


def _guarded(c: Any, lines: dict[str, int]) -> list[Setting]:
    """The settings of a configuration that can break a hub, with their values."""
    return [
        Setting(section=section, name=name, line=lines.get(f"{section}.{name}", 0), value=_value(c[section][name]))
        for section in ("JupyterHub", "Spawner", "WrapSpawner", "FabricSpawner", "ConfigurableHTTPProxy")
        if section in c
        for name in c[section]
        if section != "ConfigurableHTTPProxy" or f"{section}.{name}" in lines  # else it is ours
    ]


def _value(value: Any) -> Value:
    return Value.model_validate(recorder.value_of(value))
