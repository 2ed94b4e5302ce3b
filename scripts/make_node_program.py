"""Make the node's program: one file, for any Python from 3.9 on, with nothing else to install.

``python -m scripts.make_node_program fabric-node`` writes it; the same source gives the same bytes.
"""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
_MAIN = "import sys\nfrom fabric_node.__main__ import main\nsys.exit(main())\n"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)


def make(target: Path) -> None:
    """Write the program; only its owner may change it."""
    content = io.BytesIO()
    files = {"__main__.py": _MAIN}
    for path in sorted((ROOT / "fabric_node").glob("*.py")):
        files[path.relative_to(ROOT).as_posix()] = path.read_text(encoding="utf-8")
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name, _LONG_AGO), text, zipfile.ZIP_DEFLATED)
    # isolated: neither the caller's environment nor a user's own packages reach a program that runs as root
    target.write_bytes(b"#!/usr/bin/python3 -I\n" + content.getvalue())
    target.chmod(0o755)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    make(Path(sys.argv[1]))
