"""JupyterHub with our spawner, pages and configuration: the process that people's browsers talk to.

``from fabric_hub.hub import complete, configure`` is what a site's jupyterhub_config.py takes from here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .configuration import complete as complete
    from .configuration import configure as configure

__all__ = ["complete", "configure"]


def __getattr__(name: str) -> Any:
    """Both are loaded when they are asked for: other modules of this package need no JupyterHub."""
    if name in __all__:
        from . import configuration

        return getattr(configuration, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
