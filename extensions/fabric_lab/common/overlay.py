"""The session's own environment above its image: what ``%pip install`` and a terminal's ``pip`` write to.

An image belongs to the site and nobody may change it. So the session has a virtual environment on its node's disk
whose packages are found before the image's, and which has all of the image's besides. It lasts as long as the session.
It is made by hand, of six small files: the standard library's venv would take longer than all the rest of the start.
"""

from __future__ import annotations

import shlex
import sys
import sysconfig
from pathlib import Path

# In pyvenv.cfg: the image that an environment stands on.
IMAGE = "fabric-image"
# A home's pip.conf may say "user = yes", as on many clusters; pip reads this file after it.
PIP = "[global]\ndisable-pip-version-check = yes\n[install]\nuser = no\n"


def make(directory: Path) -> Path:
    """Make the environment in a directory that is not there yet; returns its interpreter."""
    programs, packages = directory / "bin", _packages(directory)
    for path in (programs, packages):
        path.mkdir(parents=True)
    base = Path(sys._base_executable)  # type: ignore[attr-defined]
    for name in ("python", "python3", f"python{sys.version_info.major}.{sys.version_info.minor}"):
        (programs / name).symlink_to(base)
    python = programs / "python"
    image = Path(sys.prefix).resolve()  # the build that the session has started in, also when there is a newer one
    (directory / "pyvenv.cfg").write_text(
        f"home = {base.parent}\ninclude-system-site-packages = false\n{IMAGE} = {image}\n"
    )
    (directory / "pip.conf").write_text(PIP)
    # not a bare path: the image's own .pth files count, too
    (packages / "fabric-image.pth").write_text(f"import site; site.addsitedir({str(_packages(image))!r})\n")
    for name in ("pip", "pip3"):
        (programs / name).write_text(f'#!/bin/sh\nexec {shlex.quote(str(python))} -m pip "$@"\n')
        (programs / name).chmod(0o755)
    return python


def _packages(prefix: Path) -> Path:
    return Path(sysconfig.get_path("purelib", "venv", {"base": str(prefix)}))


def image_python(prefix: str = sys.prefix, executable: str = sys.executable) -> str:
    """The interpreter that other nodes have, too: the image's, where this one is a session's own above it."""
    try:
        lines = Path(prefix, "pyvenv.cfg").read_text().splitlines()
    except OSError:
        return executable
    found = [value.strip() for name, _, value in (line.partition("=") for line in lines) if name.strip() == IMAGE]
    return str(Path(found[0], "bin", "python")) if found else executable
