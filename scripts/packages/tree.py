"""What the packages hold, as directories that look like the root of a machine.

The hub's package has a Python environment of its own in ``/opt/fabric-hub/.venv``, made from the lock file, so that it
neither needs nor changes a package of the machine's Python. The places are those of the install page.
"""

from __future__ import annotations

import compileall
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fabric_hub.images.wheel import clean_environment

HOME = "opt/fabric-hub"
UNITS = "usr/lib/systemd/system"
PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
_ENVIRONMENT = f"{HOME}/.venv"
_SHARE = f"{_ENVIRONMENT}/share/fabric-hub"
# Written for a shell of somebody's, with the place where it was built.
_ACTIVATE = ("activate", "activate.csh", "activate.fish", "Activate.ps1")


@dataclass(frozen=True)
class Package:
    """One package.

    :ivar name: what it is called.
    :ivar summary: one line.
    :ivar text: what it is, in some sentences.
    :ivar tree: the directory with its files.
    :ivar machine: it has programs for this kind of machine.
    :ivar python: it runs with this very version of Python; without it with any from 3.9 on, or none.
    :ivar units: that are stopped and disabled when it is removed.
    :ivar restarted: of these, those that an upgrade starts again where they run.
    :ivar accounts: it brings accounts and directories of systemd's (sysusers.d, tmpfiles.d).
    """

    name: str
    summary: str
    text: str
    tree: Path
    machine: bool = False
    python: str = ""
    needs_python: bool = True
    units: tuple[str, ...] = ()
    restarted: tuple[str, ...] = ()
    accounts: bool = False

    def wrapped(self) -> list[str]:
        """Its text in lines that both kinds of package allow."""
        return textwrap.wrap(self.text, 76)


def hub(root: Path, dist: Path, tree: Path, sbom: bytes) -> Package:
    """The hub, the gateway, the catalogue service and the proxy.

    :param root: the checkout.
    :param dist: what :mod:`scripts.dist` has built of it.
    :param tree: a directory to make.
    :param sbom: what it is made of; see :mod:`.sbom`.
    """
    packaging = root / "packaging"
    place = tree / _SHARE
    _link(tree, f"{HOME}/jupyterhub_config.py", ".venv/share/fabric-hub/jupyterhub_config.py")
    _link(tree, f"{HOME}/packaging", ".venv/share/fabric-hub/packaging")
    _link(tree, "usr/bin/fabric-hub", f"/{_ENVIRONMENT}/bin/fabric-hub")
    units = sorted(path for path in (packaging / "systemd").iterdir() if path.name != "fabric-node.service")
    for unit in units:
        _copy(unit, tree / UNITS / unit.name)
    for kind in ("sysusers.d", "tmpfiles.d"):
        _copy(packaging / kind / "fabric-hub.conf", tree / "usr/lib" / kind / "fabric-hub.conf")
    documents = tree / "usr/share/doc/fabric-hub"
    _copy(packaging / "site.example.toml", documents / "site.example.toml")
    documents.joinpath("sbom.cdx.json").write_bytes(sbom)
    (tree / "etc/fabric-hub").mkdir(parents=True)
    assert place.is_dir(), "the environment is made before"
    daemons = ("fabric-gateway.service", "fabric-catalogue.service", "fabric-hub.service")
    return Package(
        "fabric-hub",
        "JupyterHub for a shared GPU supercomputer run by Slurm",
        "Opens a notebook as a Slurm job: hub, proxy, gateway to Slurm and catalogue service,\n"
        "with a Python environment of their own. The install page says what to set up.",
        tree,
        machine=True,
        python=PYTHON,
        units=tuple(unit.name for unit in units),
        # not the proxy: whoever works in a session would be cut off; the page on upgrades says when to restart it
        restarted=daemons,
        accounts=True,
    )


def environment(root: Path, dist: Path, tree: Path) -> Path:
    """Make the hub's environment in a package's tree, and its proxy; the environment's directory.

    It is made where it is built, and then reads as if it had been made where it is installed.
    """
    home = tree / _ENVIRONMENT
    run(["/usr/bin/" + PYTHON, "-m", "venv", "--without-pip", home])
    python = str(home / "bin/python")
    pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check", "install", "--quiet"]
    pip += ["--no-compile", "--no-deps"]
    run([*pip, "--require-hashes", "--requirement", dist / "requirements.lock"])
    (wheel,) = dist.glob("fabric_hub-*.whl")
    run([*pip, "--no-index", wheel])
    proxy = tree / _SHARE / "proxy"
    npm = ["npm", "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    run([*npm, "--prefix", proxy])
    (proxy / "configurable-http-proxy").chmod(0o755)
    _link(tree, f"{_ENVIRONMENT}/bin/configurable-http-proxy", "../share/fabric-hub/proxy/configurable-http-proxy")
    for name in ("python", "python3", PYTHON):
        link = home / "bin" / name
        link.unlink(missing_ok=True)
        link.symlink_to(f"/usr/bin/{PYTHON}" if name == PYTHON else PYTHON)
    for name in _ACTIVATE:
        (home / "bin" / name).unlink(missing_ok=True)
    _as_if_installed(home, f"/{_ENVIRONMENT}")
    return home


def _as_if_installed(home: Path, at: str) -> None:
    """Put the place where it is installed in the place of the one where it was made, and compile with that."""
    for path in [home / "pyvenv.cfg", *(home / "bin").iterdir()]:
        if path.is_symlink() or str(home).encode() not in (content := path.read_bytes()):
            continue
        path.write_bytes(content.replace(str(home).encode(), at.encode()))
    (library,) = (home / "lib").iterdir()
    for cache in library.rglob("__pycache__"):
        shutil.rmtree(cache)
    compileall.compile_dir(library, quiet=2, stripdir=str(home), prependdir=at, workers=os.cpu_count() or 1)


def node(root: Path, dist: Path, tree: Path) -> Package:
    """The node agent: one program for Python 3.9 or newer, of the standard library alone."""
    program = tree / "usr/sbin/fabric-node"
    _copy(dist / "fabric-node", program)
    program.chmod(0o755)
    unit = root / "packaging/systemd/fabric-node.service"
    text = unit.read_text().replace("/usr/local/sbin/fabric-node", "/usr/sbin/fabric-node")
    target = tree / UNITS / unit.name
    target.parent.mkdir(parents=True)
    target.write_text(text)
    _copy(root / "packaging/node.example.json", tree / "usr/share/doc/fabric-hub-node/node.example.json")
    (tree / "etc/fabric-hub").mkdir(parents=True)
    return Package(
        "fabric-hub-node",
        "Opens datasets of Fabric Hub on a compute node",
        "Runs as root on every node and lets exactly those users into a dataset who may use it.\n"
        "It needs Python 3.9 or newer and nothing else of it than the standard library.",
        tree,
        units=("fabric-node.service",),
        restarted=("fabric-node.service",),
    )


def extension(root: Path, dist: Path, tree: Path) -> Package:
    """The extension of sessions as a wheel, for images that a site makes by other means than ``fabric-hub images``."""
    (wheel,) = dist.glob("fabric_lab-*.whl")
    _copy(wheel, tree / "usr/share/fabric-hub/wheels" / wheel.name)
    return Package(
        "fabric-hub-extension",
        "Notebook extension of Fabric Hub, as a wheel for images",
        "Datasets, usage and Dask clusters in JupyterLab. Images that fabric-hub builds hold it already;\n"
        "this package is for a site that makes images by other means.",
        tree,
        needs_python=False,
    )


def run(argv: Sequence[str | Path], cwd: Path | None = None) -> str:
    """Run a step and return what it printed; ends this program with the last lines where it fails."""
    words = [str(word) for word in argv]
    done = subprocess.run(
        words, cwd=cwd, env=clean_environment(os.environ), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode:
        last = "\n".join(done.stdout.strip().splitlines()[-15:])
        sys.exit(f"{last}\n{words[0]} failed with status {done.returncode}.")
    return done.stdout


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o644)


def _link(tree: Path, at: str, to: str) -> None:
    path = tree / at
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to(to)


def modes(tree: Path) -> None:
    """Directories 0755; files 0755 where they can be run, else 0644: whatever this account's umask is."""
    for path in [tree, *tree.rglob("*")]:
        if path.is_symlink():
            continue
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
