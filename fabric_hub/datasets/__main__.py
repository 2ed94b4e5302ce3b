"""``python -m fabric_hub.datasets``, as an earlier release's unit starts it; gone with the next release."""

import runpy
import sys

if __name__ == "__main__":
    print(
        "fabric_hub.datasets is called fabric_hub.catalogue now: install fabric-catalogue.service of this release.",
        file=sys.stderr,
    )
    runpy.run_module("fabric_hub.catalogue", run_name="__main__", alter_sys=True)
