"""Whether a patch of a library is still needed."""

from __future__ import annotations

import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

from fabric_hub.hub.patches import PATCHES


def is_needed(name: str, fault: object) -> None:
    """Fail where the fault that a patch is for is gone."""
    patch = next(patch for patch in PATCHES if patch.name == name)
    found = platform.python_version()
    with suppress(PackageNotFoundError):
        found = version(patch.package) if patch.package != "python" else found
    assert fault, f"{patch.package} {found} no longer needs patch {name}: remove it"
