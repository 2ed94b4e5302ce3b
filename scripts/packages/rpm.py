"""Packages for Enterprise Linux, by rpmbuild."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from .tree import Package, modes, run

_SPEC = """\
Name: {name}
Version: {version}
Release: 1
Summary: {summary}
License: BSD-3-Clause
Group: Applications/System
Packager: {maintainer}
{machine}
{requires}
AutoReqProv: no
%global debug_package %{{nil}}
%global __os_install_post %{{nil}}
%global _build_id_links none
%global _binary_payload w6.zstdio

%description
{text}

%install
cp -a {tree}/. %{{buildroot}}/

%changelog
* {day} {maintainer} - {version}-1
- Release {version}: see CHANGELOG.md of the project.

%files
%defattr(-,root,root,-)
{files}

{scripts}
"""


def build(package: Package, root: Path, version: str, maintainer: str, into: Path) -> Path:
    """Write ``NAME-VERSION-1.MACHINE.rpm``; its path."""
    tree, top = into / f".rpm-{package.name}", into / f".rpmbuild-{package.name}"
    for left in (tree, top):
        shutil.rmtree(left, ignore_errors=True)
    shutil.copytree(package.tree, tree, symlinks=True)
    licences = tree / "usr/share/licenses" / package.name
    licences.mkdir(parents=True)
    shutil.copyfile(root / "LICENSE", licences / "LICENSE")
    modes(tree)
    requires = f"/usr/bin/{package.python}" if package.python else "/usr/bin/python3" if package.needs_python else ""
    spec = top / "package.spec"
    top.mkdir(parents=True)
    spec.write_text(
        _SPEC.format(
            name=package.name,
            version=version,
            summary=package.summary,
            maintainer=maintainer,
            machine="" if package.machine else "BuildArch: noarch",
            requires=f"Requires: {requires}, systemd" if requires else "",
            text="\n".join(package.wrapped()),
            day=time.strftime("%a %b %d %Y", time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", "0")))),
            tree=tree,
            files="\n".join(_files(tree)),
            scripts=scripts(package),
        )
    )
    run(
        [
            "rpmbuild",
            "-bb",
            "--define",
            f"_topdir {top}",
            "--define",
            "_rpmfilename %{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}.rpm",
            spec,
        ]
    )
    (made,) = (top / "RPMS").rglob("*.rpm")
    built = into / made.name
    shutil.move(made, built)
    for left in (tree, top):
        shutil.rmtree(left)
    return built


def _files(tree: Path) -> list[str]:
    """What the package owns: no directory that another package brings."""
    others = {"etc", "opt", "usr"}
    found = []
    if (tree / "opt/fabric-hub").is_dir():
        found.append("/opt/fabric-hub")
    for path in sorted(tree.rglob("*")):
        name = path.relative_to(tree)
        if name.parts[0] == "opt" or (path.is_dir() and not path.is_symlink() and "fabric-hub" not in path.name):
            continue
        if path.is_dir() and not path.is_symlink():
            found.append(f"%dir /{name}")
        else:
            found.append(f'{"%doc " if name.parts[:3] == ("usr", "share", "doc") else ""}"/{name}"')
    assert others.isdisjoint(found)
    return found


def scripts(package: Package) -> str:
    """What rpm runs: its numbers say how many versions are left then."""
    units = " ".join(package.units)
    if not units:
        return ""
    accounts = ""
    if package.accounts:
        accounts = "systemd-sysusers /usr/lib/sysusers.d/fabric-hub.conf || :\n"
        accounts += "systemd-tmpfiles --create /usr/lib/tmpfiles.d/fabric-hub.conf || :\n"
    restarted = " ".join(package.restarted)
    return f"""\
%post
{accounts}systemctl daemon-reload || :
if [ $1 -ge 2 ]; then systemctl try-restart {restarted} || :; fi

%preun
if [ $1 -eq 0 ]; then systemctl disable --now {units} || :; fi

%postun
systemctl daemon-reload || :
"""
