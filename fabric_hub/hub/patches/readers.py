"""Everything that JupyterHub makes for a request is made for whoever reads it; see :mod:`fabric_hub.hub.readers`."""

from __future__ import annotations

from functools import wraps
from typing import Any

from jupyterhub.handlers.base import BaseHandler

from fabric_hub.hub.readers import read_request

from .replace import replace


def apply() -> None:
    """Apply all of this module."""
    replace(BaseHandler, "prepare", _knowing_the_reader)


def _knowing_the_reader(prepare: Any) -> Any:
    """Set the reader where each request begins: before it is known who asks, and once it is, also for a refusal."""

    @wraps(prepare)
    async def prepared(self: Any) -> None:
        read_request(self, None)
        try:
            await prepare(self)
        finally:
            read_request(self, getattr(self, "_jupyterhub_user", None))

    return prepared
