"""Tests on other generations of Debian, Python, Slurm and MariaDB, each in a root directory of its own.

    sudo .venv/bin/python -m scripts.generations [--suite SUITE]... [--quick] [--ready|--newcomer|--record|ARGUMENT ...]

A fresh root of a release gets this checkout's files, and in it ``scripts/setup`` installs what a fresh machine would
install; then the tests run. What setup has made is kept, by the digests of all lock files, so that the next run only
runs tests. Whoever is killed leaves no process and no mount (see scripts/roots.py).

``--quick`` is for every change: the root has setup's Debian packages from the start, Python packages are installed by
this checkout's uv, the wheel of the extension is this checkout's, and few tests run, two at a time. ``--ready`` makes
the root and its image alone, so that a later call of the same kind only runs tests. An ARGUMENT is pytest's.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import re
import shlex
import shutil
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from scripts import roots
from scripts.dist import ROOT, tracked

SUITES = ("bookworm", "trixie", "forky", "bullseye")
# what a machine has before anybody comes with this project: Debian's smallest, with certificates
MACHINE = ("ca-certificates", "make", "passwd", "procps", "iproute2")
WHERE = Path("/srv/fabric-hub")
IMAGES = "/srv/images"
UV = Path("/srv/uv")
QUICK_S, _TIMED_OUT = 600, 124
LOCKS = ("system-packages.txt", "scripts/setup", "requirements-dev.lock", "package-lock.json", "package.json")
# The contract suite: Slurm, MariaDB and Python as the product uses them, a session of a hub, a computation in it.
CONTRACT = (
    "tests/unit",
    "tests/contract",
    "tests/slurm",
    "tests/hub/test_quotas.py",
    "tests/hub/test_start.py",
    "tests/dask/test_computation.py",
    "tests/faults/test_hub_dies.py",
)
# What every change is tried with: Slurm through the gateway, one start of a session by a hub, one computation in it.
EVERY_CHANGE = ("-n", "2", "--no-loadscope-reorder", "tests/contract", "tests/dask/test_computation.py")
SETUP = "scripts/setup --trial"
# Where nodes have an older Python than the hub: the node agent, its tests and what these import. No package is
# installed but Debian's own; the tests that need a cluster stay out.
NODES = "bullseye"
NODE_MACHINE = ("python3", "python3-pytest", "python3-hypothesis", "squashfs-tools", "procps", "util-linux", "passwd")
NODE_FILES = (
    "fabric_node/*.py",
    "packaging/node.example.json",
    "scripts/make_node_program.py",
    "tests/__init__.py",
    "tests/support/__init__.py",
    "tests/support/crashing.py",
    "tests/support/scratch_node.py",
    "tests/support/waiting.py",
    "tests/unit/__init__.py",
    "tests/unit/node/*.py",
    "tests/node/*.py",
)
NEEDS_A_CLUSTER = ("tests/node/test_attacks.py", "tests/node/test_own_namespace.py")
# what the checkout no longer has goes, git knows the rest, and what setup makes of that is brought up to date
READY = (
    f"cd {WHERE} && xargs -r -d '\\n' rm -f <.gone && git init -q -b main && git add --all && "
    f"git rm -q --cached --ignore-unmatch .gone .laid && {SETUP} >/dev/null"
)
# before the tests: none of them has the time for all of its packages
IMAGE = f"mkdir -p {IMAGES} && .venv/bin/fabric-hub images build base --images {IMAGES} >/dev/null"
ABOUT = (
    '. /etc/os-release; echo "$PRETTY_NAME: $(python3 --version), Slurm $(slurmd -V | cut -d" " -f2), '
    'MariaDB $(mariadbd --version | grep -oE "[0-9.]+-MariaDB"), $(openssl version | cut -d" " -f1-2)"'
)
WITH_UV = f"export UV_LINK_MODE=copy SETUP_UV={UV}"
# What is tried where a processor is emulated: the command, and what a newcomer does, up to a cell in a session. No
# emulated slurmstepd enters a job container (setns answers EINVAL to its threads): below /tmp a run has none.
FOREIGN = (
    "uname -m; .venv/bin/fabric-hub --version; exec .venv/bin/python -m scripts.newcomer --dir /tmp/run --no-science"
)
# the wheel that the image holds, as setup has made it here; without it setup makes it there
WHEEL = "extensions/dist"
_SKIPPED = 77


@dataclass(frozen=True)
class Kind:
    """How a root gets what this project needs: Debian's packages from the start, and lines of bash for the rest."""

    name: str
    packages: tuple[str, ...]
    script: str
    quick: bool = False
    arch: str | None = None  # of Debian's names; another one than this machine's is emulated

    def digest(self, base: Path) -> str:
        """A name for what the script makes above a release."""
        return roots.digest(base.name, self.script, *((ROOT / lock).read_bytes() for lock in LOCKS))


FRESH = Kind("setup", MACHINE, f"apt-get update -q && {SETUP} && apt-get clean && rm -rf /var/lib/apt/lists/*")


def quick() -> Kind:
    """The kind for every change."""
    script = f"{WITH_UV}; timeout {QUICK_S} {SETUP} && {IMAGE}"
    return Kind("quick", system_packages(), script, quick=True)


def foreign(arch: str) -> Kind:
    """The kind for another sort of processor: what running needs."""
    return Kind(f"on-{arch}", system_packages(), f"{WITH_UV}; scripts/setup", quick=True, arch=arch)


def system_packages() -> tuple[str, ...]:
    """Debian's packages that setup would install."""
    above = (ROOT / "system-packages.txt").read_text().split("\n# -- tests", 1)[0]
    packages = [line for line in above.splitlines() if line and not line.startswith("#")]
    return tuple(dict.fromkeys([*MACHINE, *packages]))


def files() -> list[Path]:
    """What the checkout holds, and what it would hold after the next commit."""
    return [name for name in tracked(ROOT) if (ROOT / name).is_file()]


def lay(upper: Path, stale: Iterable[str] = ()) -> list[str]:
    """Lay the checkout's files into what will be seen as a root; removing what is ``stale`` is left to the root."""
    into = upper / WHERE.relative_to("/")
    names = files()
    for name in names:
        (into / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, into / name)
    gone = set(stale) - {str(name) for name in names}
    (into / ".gone").write_text("".join(f"{name}\n" for name in sorted(gone)))
    return [str(name) for name in names]


def layer(suite: str, base: Path, kind: Kind) -> Path:
    """The layer that ``scripts/setup`` has made above a release, made now where the locks have changed.

    :raises NoRootError: a package that it needs cannot be fetched.
    """
    name = f"{suite}-{kind.name}-{kind.digest(base)}"
    made = roots.cache() / name
    if made.exists():
        return made  # whoever uses it holds its name with others: this waits for none of them
    with roots.locked(name):
        if made.exists():
            return made
        for old in roots.cache().glob(f"{suite}-{kind.name}-*[!k]"):
            with contextlib.suppress(BlockingIOError), (roots.cache() / f"{old.name}.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # nobody uses it
                roots.remove(old)
        with roots.run_of(base) as run:
            laid = lay(run.upper)
            if kind.quick:
                bring(run, kind.arch)
            log = roots.cache() / f"{suite}-{kind.name}.log"
            if status := run.run(f"cd {WHERE} && {kind.script}", log=log):
                said = log.read_text(errors="replace")
                if line := roots.unfetched(said):
                    raise roots.NoRootError(f"packages for {suite} cannot be fetched: {line}")
                if kind.quick and status == _TIMED_OUT:
                    raise roots.NoRootError(f"packages for {suite} are not there after {QUICK_S} s")
                raise SystemExit(f"{suite}: `{SETUP}` ended with status {status}:\n{said[-4000:]}")
            (run.upper / WHERE.relative_to("/") / ".laid").write_text(json.dumps(laid))
            run.upper.rename(made)
    return made


def bring(run: roots.Layers, arch: str | None = None) -> None:
    """Have a root see this checkout's uv, and the wheel of the extension that setup has made here.

    :param arch: what the root's processor is, where that is emulated. This machine's uv is not: it takes this
        machine's libraries, in the directories that Debian keeps apart for each sort of processor.
    """
    run.seen.append((ROOT / ".venv/bin/uv", UV, "ro"))
    if arch:
        run.seen += [(path, path, "ro") for path in (Path("/lib64"), *Path("/lib").glob("*-linux-gnu"))]
    if (ROOT / WHEEL).is_dir():
        shutil.copytree(ROOT / WHEEL, run.upper / WHERE.relative_to("/") / WHEEL, dirs_exist_ok=True)


@contextlib.contextmanager
def entered(suite: str, kind: Kind) -> Iterator[roots.Layers]:
    """A root of a release with this checkout's files, and all that setup has made."""
    began = time.monotonic()
    base = roots.debian(suite, kind.packages, arch=kind.arch)
    debian_s = time.monotonic() - began
    made = layer(suite, base, kind)
    setup_s = time.monotonic() - began - debian_s
    print(f"{suite}: Debian after {debian_s:.0f} s, setup after {setup_s:.0f} s more", flush=True)
    with roots.locked(made.name, shared=True), roots.run_of(made, base) as run:
        lay(run.upper, json.loads((made / WHERE.relative_to("/") / ".laid").read_text()))
        if kind.quick:
            bring(run, kind.arch)
        yield run


def test(suite: str, kind: Kind, arguments: list[str]) -> int:
    """Run tests in a release; pytest's status, or that of what failed before."""
    with entered(suite, kind) as run:
        run.run(ABOUT)
        began = time.monotonic()
        words = shlex.join(["-m", "not long", *arguments])
        script = f"{READY} && {IMAGE} && exec .venv/bin/python -m pytest -p no:cacheprovider {words}"
        status = run.run(script, {"FABRIC_TEST_IMAGES": IMAGES})
    print(f"{suite}: status {status} after {time.monotonic() - began:.0f} s of tests", flush=True)
    return status


def record(suite: str) -> int:
    """Record what the Slurm of a release answers (scripts/record_slurm.py), into this checkout."""
    place = Path("tests/unit/gateway/recorded")
    with entered(suite, FRESH) as run:
        status = run.run(f"{READY} && rm -rf {place} && exec .venv/bin/python -m scripts.record_slurm {place}")
        if not status:
            shutil.copytree(run.upper / WHERE.relative_to("/") / place, ROOT / place, dirs_exist_ok=True)
    return status


def newcomer(suite: str) -> int:
    """Do what a newcomer does (scripts/newcomer.py) in a fresh root of a release; 0 when it works."""
    base = roots.debian(suite, MACHINE)
    began = time.monotonic()
    with roots.run_of(base) as run:
        lay(run.upper)
        status = run.run(f"cd {WHERE} && apt-get update -q && make setup && exec .venv/bin/python -m scripts.newcomer")
    print(f"{suite}: status {status} after {time.monotonic() - began:.0f} s of a newcomer's", flush=True)
    return status


def test_foreign(suite: str, arch: str) -> int:
    """Try what is tried where a processor is emulated; 0 when it works."""
    with entered(suite, foreign(arch)) as run:
        run.run(ABOUT)
        began = time.monotonic()
        status = run.run(f"cd {WHERE}; {WITH_UV}; {FOREIGN}")
    print(f"{suite} on {arch}: status {status} after {time.monotonic() - began:.0f} s", flush=True)
    return status


def test_node(arguments: list[str]) -> int:
    """Run the node agent's tests where Python is 3.9; pytest's status."""
    began = time.monotonic()
    base = roots.debian(NODES, NODE_MACHINE)
    with roots.run_of(base) as run:
        into = run.upper / WHERE.relative_to("/")
        names = [path.relative_to(ROOT) for pattern in NODE_FILES for path in sorted(ROOT.glob(pattern))]
        for name in (name for name in names if str(name) not in NEEDS_A_CLUSTER):
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, into / name)
        shutil.copy2(ROOT / "tests/support/old_python.py", into / "tests/conftest.py")
        run.run('. /etc/os-release; echo "$PRETTY_NAME: $(python3 --version)"')
        # that its files are of Python 3.9 and need nothing else is shown here by running them
        words = shlex.join(["-p", "no:cacheprovider", "-k", "not standard_library_and_python_39", *arguments])
        status = run.run(f"cd {WHERE} && exec python3 -m pytest {words}")
    print(f"{NODES}: status {status}; {time.monotonic() - began:.0f} s", flush=True)
    return status


def _interrupted(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)


def main() -> int:
    """0 when the tests have passed in every suite; 77 where no root can be made here, and why."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--suite", action="append", help=f"a release of Debian; without it {', '.join(SUITES)}")
    parser.add_argument("--record", action="store_true", help="record what Slurm answers, in place of the tests")
    parser.add_argument("--quick", action="store_true", help="a root, and few tests, for every change")
    parser.add_argument("--ready", action="store_true", help="make the root, in place of the tests")
    parser.add_argument("--arch", choices=("arm64",), help="emulate it, and start the command and a cluster there")
    parser.add_argument("--newcomer", action="store_true", help="make run and a session, in place of the tests")
    parser.add_argument("--optional", action="store_true", help="where no root can be made here, say so and succeed")
    known, arguments = parser.parse_known_args()
    for name in known.suite or ():
        if not re.fullmatch(r"[a-z]+", name):
            parser.error(f"{name!r} is no name of a release")
    signal.signal(signal.SIGTERM, _interrupted)
    failed = []
    kind = quick() if known.quick else FRESH
    tests = [*EVERY_CHANGE] if known.quick else [*CONTRACT]
    for suite in known.suite or SUITES:
        try:
            if known.ready:
                with entered(suite, kind):
                    status = 0
            elif known.arch:
                status = test_foreign(suite, known.arch) if suite != NODES else 0
            elif known.newcomer:
                status = newcomer(suite) if suite != NODES else 0
            elif known.record:
                status = record(suite) if suite != NODES else 0
            elif suite == NODES:
                status = test_node(arguments or ["-q", "tests"])
            else:
                status = test(suite, kind, arguments or ["-q", *tests])
            failed += [suite] if status else []
        except roots.NoRootError as error:
            print(f"SKIPPED {suite}: {error}", flush=True)
            return 0 if known.optional else _SKIPPED
    if failed:
        print(f"Failed in: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
