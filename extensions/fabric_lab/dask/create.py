"""``python -P -m fabric_lab.dask.create``: start a cluster for the session's JupyterLab panel.

Reads :class:`.cluster.DaskCluster`'s words as JSON from standard input and answers ``{"name"}`` or ``{"error"}``. In a
process of its own: the session's server does not load distributed for it.
"""

from __future__ import annotations

import json
import sys

from ..client import HubError
from .cluster import DaskCluster
from .pools import PlanError
from .rendezvous import ClusterError, new_name


def main() -> int:
    """Start the cluster and leave it; 1 when it cannot be started."""
    out, sys.stdout = sys.stdout, sys.stderr
    try:
        words = json.load(sys.stdin)
        # one without a name would end with this process
        cluster = DaskCluster(**{**words, "name": words.get("name") or new_name()})
        answer = {"name": cluster.name}
        cluster.disconnect()
    except (ClusterError, HubError, PlanError) as error:
        answer = {"error": str(error)}
    print(json.dumps(answer), file=out, flush=True)
    return 1 if "error" in answer else 0


if __name__ == "__main__":
    sys.exit(main())
