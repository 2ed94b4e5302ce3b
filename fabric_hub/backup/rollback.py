"""Back to an earlier release: its schema under today's content, so that what began since the upgrade is not lost.

The backup that was made before the upgrade says which schema that release knows. Each database goes back in one
transaction: where a step fails, it is as it was.
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from pathlib import Path

from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import backup as texts
from fabric_hub.sessions.database import downgrade, revision_of
from fabric_hub.unix import state_lock

from . import manifest
from .databases import Source, source, sqlite_path
from .helper import Helper, Line
from .manifest import Manifest
from .parts import PartOf, kept, parts_of
from .restore import check_part


def rollback(settings: Settings, directory: Path) -> dict[str, tuple[str, str]]:
    """Bring the schema of each database back to that of a backup; the content stays.

    :param directory: a backup that was made before the upgrade.
    :returns: by database that changed, the schema before and after.
    :raises FabricError: a daemon works on the state, or a step back failed.
    """
    found = manifest.read(directory)
    parts = [part for part in parts_of(settings) if part.name in found.parts]
    for part in parts:
        check_part(part, found.parts[part.name], found)
    changed: dict[str, tuple[str, str]] = {}
    with ExitStack() as stack:
        helpers = [
            stack.enter_context(Helper(partial(_one_part, part=part, of=found), part.owner, texts.RESTORE_FAILED))
            for part in parts
        ]
        for helper in helpers:
            helper.hear()
        for helper in helpers:
            helper.say(do="go")
            changed |= {name: (old, new) for name, (old, new) in helper.hear()["changed"].items()}
    return changed


def _one_part(line: Line, part: PartOf, of: Manifest) -> None:
    state_lock.take(part.state_dir)
    states = of.parts[part.name].databases
    jupyterhub = states.get("jupyterhub")
    if jupyterhub is not None and (there := _revision(part)) not in (None, jupyterhub.revision):
        raise FabricError(texts.JUPYTERHUB_STAYS(revision=there, wanted=jupyterhub.revision or ""))
    line.say(done="ready")
    line.hear()
    changed = {}
    for name, state in states.items():
        ours, url = kept(name), part.urls[name]
        path = sqlite_path(url)
        if ours is None or state.revision is None or (path is not None and not path.exists()):
            continue
        before = revision_of(url)
        if before != state.revision:
            downgrade(url, ours, state.revision)
            changed[name] = before or "", state.revision
    line.say(changed=changed)


def _revision(part: PartOf) -> str | None:
    """The schema of JupyterHub's own database."""
    found: Source | None = source("jupyterhub", part.urls["jupyterhub"])
    if found is None:
        return None
    try:
        return found.snapshot().revision
    finally:
        found.close()
