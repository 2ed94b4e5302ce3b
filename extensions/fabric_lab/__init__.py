"""What runs in a session: launcher, server extension, widget, and the JupyterLab front end.

Importing this package is cheap on purpose: the launcher starts here, and its
imports are what a person waits for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .dask.cluster import DaskCluster as DaskCluster
    from .dask.cluster import clusters as clusters
    from .kernel.quota_widget import quota as quota
    from .kernel.session_widget import session as session

    __version__: str

__all__ = ["DaskCluster", "__version__", "clusters", "quota", "session"]


def __getattr__(name: str) -> Any:
    if name == "session":
        from .kernel.session_widget import session

        return session
    if name == "quota":
        from .kernel.quota_widget import quota

        return quota
    if name in ("DaskCluster", "clusters"):
        from .dask import cluster

        return getattr(cluster, name)
    if name == "__version__":
        from importlib.metadata import version

        return version("fabric-lab")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "fabric_lab.server.extension"}]
