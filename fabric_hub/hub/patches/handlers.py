"""JupyterHub's lists of pages and API calls: one call goes, our pages come.

JupyterHub advises services instead of pages of one's own, and its setting for them (``extra_handlers``) warns whoever
uses it. Why ours are the hub's: :mod:`fabric_hub.hub.pages.datasets`, :mod:`fabric_hub.hub.session_calls`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jupyterhub.apihandlers
import jupyterhub.handlers

from fabric_hub.hub.spawner import bases  # noqa: F401  (its import puts the call there that must go)


def apply(pages: Sequence[tuple[Any, ...]]) -> None:
    """Apply all of this module.

    :param pages: our own, as (pattern below the hub's prefix, handler[, its arguments]); they replace earlier ones.
    """
    remove_batchspawner_api()
    handlers = jupyterhub.handlers.default_handlers
    handlers[:] = [entry for entry in handlers if not entry[1].__module__.startswith("fabric_hub.")] + list(pages)


def remove_batchspawner_api() -> None:
    """Take away POST /hub/api/batchspawner.

    Importing batchspawner registers it; it lets any notebook set any attribute of its spawner, a shell command among
    them, and so run code as the hub.
    """
    handlers = jupyterhub.apihandlers.default_handlers
    handlers[:] = [entry for entry in handlers if not entry[1].__module__.startswith("batchspawner")]
