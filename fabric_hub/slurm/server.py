"""``python -m fabric_hub.slurm.server``, as an earlier release's unit starts it; gone with the next release."""

import runpy
import sys

if __name__ == "__main__":
    print(
        "fabric_hub.slurm.server is called fabric_hub.gateway now: install fabric-gateway.service of this release.",
        file=sys.stderr,
    )
    runpy.run_module("fabric_hub.gateway", run_name="__main__", alter_sys=True)
