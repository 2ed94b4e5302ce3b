"""Packages for Debian and Ubuntu, by dpkg-deb."""

from __future__ import annotations

import gzip
import os
import shutil
import sys
from email.utils import formatdate
from pathlib import Path

from .tree import Package, modes, run

_CONTROL = """\
Package: {name}
Version: {version}
Architecture: {machine}
Maintainer: {maintainer}
Section: science
Priority: optional
Depends: {depends}
Description: {summary}
{text}
"""
_SCRIPT = "#!/bin/sh\nset -e\n{body}exit 0\n"
_RUNNING = "[ -d /run/systemd/system ]"


def build(package: Package, root: Path, version: str, maintainer: str, into: Path) -> Path:
    """Write ``NAME_VERSION_MACHINE.deb``; its path.

    :param root: the checkout, for licence and changes.
    """
    tree = into / f".deb-{package.name}"
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(package.tree, tree, symlinks=True)
    documents = tree / "usr/share/doc" / package.name
    documents.mkdir(parents=True, exist_ok=True)
    (documents / "copyright").write_text((root / "LICENSE").read_text())
    for name, text in {
        "changelog.gz": (root / "CHANGELOG.md").read_text(encoding="utf-8"),
        "changelog.Debian.gz": _changes(package, version, maintainer),
    }.items():
        with gzip.GzipFile(documents / name, "wb", 9, mtime=0) as file:
            file.write(text.encode())
    modes(tree)
    machine = run(["dpkg", "--print-architecture"]).strip() if package.machine else "all"
    (tree / "DEBIAN").mkdir(mode=0o755)
    control = _CONTROL.format(
        name=package.name,
        version=f"{version}-1",
        machine=machine,
        maintainer=maintainer,
        depends=_depends(package),
        summary=package.summary,
        text="\n".join(f" {line}" for line in package.wrapped()),
    )
    (tree / "DEBIAN/control").write_text(control)
    for name, body in scripts(package).items():
        path = tree / "DEBIAN" / name
        path.write_text(_SCRIPT.format(body=body))
        path.chmod(0o755)
    built = into / f"{package.name}_{version}-1_{machine}.deb"
    run(["dpkg-deb", "--build", "--root-owner-group", "-Zxz", "-z1", tree, built])
    shutil.rmtree(tree)
    return built


def _changes(package: Package, version: str, maintainer: str) -> str:
    """Debian's own changelog of a package: what changed is in the project's."""
    at = formatdate(int(os.environ.get("SOURCE_DATE_EPOCH", "0")))
    entry = f"{package.name} ({version}-1) unstable; urgency=medium\n\n  * Release {version}: see changelog.gz.\n"
    return f"{entry}\n -- {maintainer}  {at}\n"


def _depends(package: Package) -> str:
    if package.python:
        major, minor = sys.version_info[:2]
        return f"python3 (>= {major}.{minor}), python3 (<< {major}.{minor + 1}), systemd, ca-certificates"
    if package.needs_python:
        return "python3 (>= 3.9), systemd"
    return "python3"


def scripts(package: Package) -> dict[str, str]:
    """What dpkg runs, by its names for the moments; text for /bin/sh."""
    units = " ".join(package.units)
    after = before = gone = ""
    if package.accounts:
        after += "    systemd-sysusers /usr/lib/sysusers.d/fabric-hub.conf\n"
        after += "    systemd-tmpfiles --create /usr/lib/tmpfiles.d/fabric-hub.conf\n"
    if units:
        after += f"    if {_RUNNING}; then\n        systemctl daemon-reload\n"
        after += '        if [ -n "$2" ]; then\n'
        after += f"            systemctl try-restart {' '.join(package.restarted)}\n        fi\n    fi\n"
        before = f'if [ "$1" = remove ] && {_RUNNING}; then\n    systemctl disable --now {units}\nfi\n'
        gone = f"if {_RUNNING}; then\n    systemctl daemon-reload\nfi\n"
    found = {}
    if after:
        found["postinst"] = f'if [ "$1" = configure ]; then\n{after}fi\n'
    if before:
        found["prerm"], found["postrm"] = before, gone
    return found
