"""Importing Jupyter without the parts that a session never uses.

Nearly all of a notebook server's start is Python imports (docs/start-up.md has
the figures). Nothing of Jupyter is copied or changed on disk: while the modules
below are imported, a name that they bind but a session never needs is a small
stand-in. Every cut falls back to the plain import when it does not fit the
installed release.
"""

from __future__ import annotations

import importlib
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any


@contextmanager
def standing_in(modules: dict[str, ModuleType | None]) -> Iterator[None]:
    """Let ``import NAME`` find these objects; None makes the import fail. Undone at the end.

    A module that is loaded already stays as it is.
    """
    placed = [name for name in modules if name not in sys.modules]
    for name in placed:
        sys.modules[name] = modules[name]  # type: ignore[assignment]
    try:
        yield
    finally:
        for name in placed:
            if name in sys.modules and sys.modules[name] is modules[name]:
                del sys.modules[name]


def _module(name: str, **attributes: Any) -> ModuleType:
    module = ModuleType(name)
    module.__dict__.update(attributes)
    return module


def import_server() -> None:
    """Import ``jupyter_server.serverapp``, without the grammar behind jsonschema's "iri" format.

    jsonschema imports rfc3987_syntax under ``suppress(ImportError)`` and checks one
    format less without it; compiling that grammar takes longer than the whole rest.
    """
    with standing_in({"rfc3987_syntax": None}):
        import jupyter_server.serverapp  # noqa: F401


def import_hub() -> ModuleType:
    """Import and return ``jupyterhub.singleuser.extension`` without the hub's own handlers and database.

    ``jupyterhub.log`` wants one class of the hub's pages (to log health checks
    quietly) and the hub's metrics; ``jupyterhub.scopes`` wants tables that only a
    hub has, ``jupyterhub.utils`` an exception of SQLAlchemy; the HTTP client
    (aiohttp) is loaded at its first use.
    """
    from jupyter_server.prometheus.log_functions import prometheus_log_method

    async def fetch(*args: Any, **kwargs: Any) -> Any:
        return await importlib.import_module("jupyterhub.httpclient").fetch(*args, **kwargs)

    handlers = _module("jupyterhub.handlers", __path__=[])
    sqlalchemy = _module("sqlalchemy", __path__=[])
    stand_ins: dict[str, ModuleType | None] = {
        "jupyterhub.handlers": handlers,
        "jupyterhub.handlers.pages": _module("jupyterhub.handlers.pages", HealthCheckHandler=type("None_", (), {})),
        "jupyterhub.metrics": _module("jupyterhub.metrics", prometheus_log_method=prometheus_log_method),
        "jupyterhub.httpclient": _module("jupyterhub.httpclient", fetch=fetch),
        "sqlalchemy": sqlalchemy,
        "sqlalchemy.exc": _module("sqlalchemy.exc", SQLAlchemyError=type("SQLAlchemyError", (Exception,), {})),
        "jupyterhub.orm": _Deferred("jupyterhub.orm"),
        "jupyterhub.roles": _Deferred("jupyterhub.roles"),
        "aiohttp": _Deferred("aiohttp"),
    }
    before = set(sys.modules)
    try:
        with standing_in(stand_ins):
            return importlib.import_module("jupyterhub.singleuser.extension")
    except (ImportError, AttributeError) as error:
        logging.getLogger(__name__).warning("A fast start does not fit this JupyterHub (%s); starting plainly.", error)
        for name in set(sys.modules) - before:
            if name == "jupyterhub" or name.startswith("jupyterhub."):
                del sys.modules[name]
        return importlib.import_module("jupyterhub.singleuser.extension")


class _Deferred(ModuleType):
    """A module that is imported when its first attribute is asked for."""

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        return getattr(importlib.import_module(self.__name__), attribute)


def import_lab() -> None:
    """Import ``jupyterlab.labapp`` without running yarn.

    Importing it asks for its own version through a class that first runs
    ``node yarn.js config`` to learn a package registry, which only source
    extensions need; where there is no Node.js it goes on without.
    """
    with standing_in({"rfc3987_syntax": None}):
        commands: Any = importlib.import_module("jupyterlab.commands")
    if hasattr(commands, "_yarn_config"):
        commands._yarn_config = lambda logger=None: {"yarn config": {}, "npm config": {}}
    importlib.import_module("jupyterlab.labapp")
