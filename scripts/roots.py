"""Root directories of Debian releases: made by mmdebstrap or debootstrap, kept, and entered as a machine of its own.

They are made from the mirror that this machine's own apt uses and kept in ``$XDG_CACHE_HOME/fabric-hub``. What is
written in a root that is entered goes into a directory of the run, which goes with it. Processes and mounts of a run
are in namespaces that end with it, also when it is killed; a directory that a killed run has left is removed by the
next one. A root sees this machine's certificates and the settings of its package clients where they are here.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

HERE = Path(__file__).resolve().parent
UBUNTU = ("jammy", "noble")
_UBUNTU_KEYS = Path("/usr/share/keyrings/ubuntu-archive-keyring.gpg")
_PROGRAMS = ("unshare", "setpriv", "taskset", "pivot_root")
_SCRIPTS = Path("/usr/share/debootstrap/scripts")
_MAKE_S, _EMULATED_S = 1200, 3600
_FREE = 4 << 30
# A command and all that it mounts and starts end together, also when it or this process is killed.
_ENDING = ("setpriv", "--pdeathsig", "KILL")
_APART = (*_ENDING, "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private")
# apt, uv, npm and pip where what they fetch does not come
_UNFETCHED = re.compile(
    r"failed to (fetch|download)|unable to (fetch|connect)|(could not|temporary failure|failure in name) resolv|"
    r"(could not|cannot) (connect|initiate)|error sending request|dns error|connection (timed out|refused|reset)|"
    r"(operation|read|request) timed out|\b(ENOTFOUND|ETIMEDOUT|ECONNRESET|ECONNREFUSED|EAI_AGAIN)\b|no space left|"
    r"(no|not have) .*(wheel|version)s? .*(match|compatible)|not found in the package registry|no solution found|"
    r"could not find a version|unable to locate package|couldn't download",
    re.IGNORECASE,
)
_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
# the settings of package clients: variables, and files of this machine and of this account
_VARIABLES = re.compile(
    r"(PIP|UV|NPM_CONFIG)_\w+|(https?|no|all)_proxy|SSL_CERT_(FILE|DIR)|(REQUESTS|CURL)_CA_BUNDLE|NODE_EXTRA_CA_CERTS",
    re.IGNORECASE,
)
_FILES = ("/etc/pip.conf", "/etc/xdg/pip", "/etc/npmrc", "/etc/uv")
_OWN_FILES = (".config/pip", ".config/uv", ".npmrc", ".netrc")
_CACHES = (".cache/pip", ".cache/uv")
_HOME = Path(pwd.getpwuid(0).pw_dir)  # who is root in a root


class NoRootError(Exception):
    """A root cannot be made here, for want of something of this machine's: the message says of what."""


def cache() -> Path:
    """The directory of all roots.

    :raises NoRootError: it cannot be made.
    """
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    path = Path(home) / "fabric-hub"
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NoRootError(f"there is no directory for it: {error}") from error
    return path


def mirror(suite: str) -> str:
    """Where a release comes from: where this machine's own apt gets Debian, or Ubuntu's mirror as it is named.

    :raises NoRootError: that is not known.
    """
    if suite in UBUNTU:
        if not shutil.which("mmdebstrap") or not _UBUNTU_KEYS.is_file():
            raise NoRootError(f"Ubuntu takes mmdebstrap and its mirror's keys, {_UBUNTU_KEYS}")
        if not (named := os.environ.get("UBUNTU_MIRROR")):
            raise NoRootError("the variable UBUNTU_MIRROR names no mirror of Ubuntu")
        return named
    for path in (Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))):
        text = path.read_text() if path.is_file() else ""
        if found := re.search(r"^(?:URIs:|deb(?: \[.*?\])?)\s+(\S+/debian/?)(?:\s|$)", text, re.MULTILINE):
            return found[1]
    raise NoRootError("apt's sources name no Debian mirror")


def digest(*words: str | bytes) -> str:
    """A short name for all of these together."""
    found = hashlib.sha256()
    for word in words:
        found.update(hashlib.sha256(word if isinstance(word, bytes) else word.encode()).digest())
    return found.hexdigest()[:12]


@contextlib.contextmanager
def locked(name: str, *, shared: bool = False) -> Iterator[None]:
    """Hold a name in the cache: alone while it is made, with others while it is used."""
    with (cache() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield


def debian(suite: str, packages: Iterable[str], *, arch: str | None = None) -> Path:
    """The directory with a release of Debian, made now where it is not there yet.

    :param packages: what is installed beside Debian's smallest.
    :param arch: of another kind of machine; its programs are run by ``qemu-user``.
    :raises NoRootError: a program, the right or the mirror is missing here.
    """
    check()
    if arch and not _runs(arch):
        raise NoRootError(f"no program of {arch} runs here: install qemu-user-static and arch-test")
    packages = tuple(packages)
    root = cache() / f"{suite}{f'-{arch}' if arch else ''}-{digest(suite, arch or '', *packages)}"
    with locked(root.name):
        if not root.exists():
            _make(root, suite, packages, arch)
    return root


def _make(root: Path, suite: str, packages: tuple[str, ...], arch: str | None) -> None:
    where = mirror(suite)
    try:
        httpx.head(f"{where.rstrip('/')}/dists/{suite}/Release", follow_redirects=True, timeout=20).raise_for_status()
    except httpx.HTTPError as error:
        raise NoRootError(f"the mirror does not answer for {suite}: {type(error).__name__}") from error
    fresh = root.with_name(f".{root.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    argv = _maker(suite, packages, arch, fresh, where)
    limit_s = _EMULATED_S if arch else _MAKE_S
    try:
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=limit_s)
    except subprocess.TimeoutExpired as error:
        raise NoRootError(f"the mirror is too slow: {suite} is not made after {limit_s} s") from error
    if done.returncode:
        if line := unfetched(done.stdout):
            raise NoRootError(f"packages of {suite} cannot be fetched: {line}")
        raise RuntimeError(f"{argv[len(_APART)]} of {suite} failed:\n{done.stdout[-2000:]}")
    for name in ("apt/apt.conf.d", "dpkg/dpkg.cfg.d"):
        (fresh / "etc" / name / "99mmdebstrap").unlink(missing_ok=True)  # were for the making
    for package in (fresh / "var/cache/apt/archives").glob("*.deb"):
        package.unlink()  # it is installed
    fresh.rename(root)


def _maker(suite: str, packages: tuple[str, ...], arch: str | None, fresh: Path, where: str) -> list[str]:
    """The command that makes a root; mmdebstrap, where it is here, takes half of debootstrap's time."""
    argv = [*_APART]
    if shutil.which("mmdebstrap"):
        argv += ["mmdebstrap", "--variant=minbase", '--aptopt=Acquire::Retries "3"', "--dpkgopt=force-unsafe-io"]
        argv += [f"--architectures={arch}"] if arch else []
        argv += ["--components=main,universe", f"--keyring={_UBUNTU_KEYS}", "--include=apt"] if suite in UBUNTU else []
        return [*argv, f"--include={','.join(packages)}", suite, str(fresh), where]
    argv += ["debootstrap", "--variant=minbase", f"--include={','.join(packages)}"]
    argv += [f"--arch={arch}"] if arch else []
    argv += [suite, str(fresh), where]
    if not (_SCRIPTS / suite).exists():
        argv.append(str(_SCRIPTS / "sid"))  # a release that is newer than this debootstrap
    return argv


def _runs(arch: str) -> bool:
    """Whether this machine runs programs of another sort of processor, itself or emulated."""
    test = shutil.which("arch-test")
    return bool(test) and subprocess.run([test or "", arch], stdout=subprocess.DEVNULL).returncode == 0


def unfetched(said: str) -> str:
    """The last line in which a package client says that it could not get something; empty where none does."""
    lines = [line.strip() for line in said.splitlines() if _UNFETCHED.search(line)]
    return lines[-1][:300] if lines else ""


def check() -> None:
    """:raises NoRootError: this machine cannot make or enter a root."""
    if os.geteuid() != 0:
        raise NoRootError("only root can make a root directory and enter it")
    for program in _PROGRAMS:
        if not shutil.which(program):
            raise NoRootError(f"{program} is not installed")
    if not shutil.which("mmdebstrap") and not shutil.which("debootstrap"):
        raise NoRootError("neither mmdebstrap nor debootstrap is installed")
    if (free := shutil.disk_usage(cache()).free) < _FREE:
        raise NoRootError(f"{cache()} has {free >> 20} MiB left, and a root with a run takes up to {_FREE >> 20}")
    with tempfile.TemporaryDirectory(dir=cache()) as room:
        script = (
            f"cd {room} && mkdir lower upper work root && mkdir lower/proc && "
            "mount -t overlay root -o lowerdir=lower,upperdir=upper,workdir=work root && mount -t proc proc root/proc"
        )
        done = subprocess.run([*_APART, "sh", "-c", script], capture_output=True, text=True)
    if done.returncode:
        raise NoRootError(f"this machine lets nobody enter a root: {' '.join(done.stderr.split())}")


def settings() -> dict[str, str]:
    """The variables by which this machine's package clients are told where they find packages and certificates."""
    return {name: value for name, value in os.environ.items() if _VARIABLES.fullmatch(name)}


def binds() -> list[tuple[Path, Path, str]]:
    """What of this machine a root sees for its package clients: source, path in the root, ``ro`` or ``rw``."""
    here, there = Path.home(), _HOME
    found = [(Path(name), Path(name), "ro") for name in _FILES]
    found += [(here / name, there / name, "ro") for name in _OWN_FILES]
    for name in _CACHES:
        (here / name).mkdir(parents=True, exist_ok=True)
        found.append((here / name, there / name, "rw"))
    found = [bind for bind in found if bind[0].exists()]
    files = [path for source, _, mode in found if mode == "ro" for path in (source, *source.rglob("*"))]
    texts = [path.read_text(errors="replace") for path in files if path.is_file()] + list(settings().values())
    named = {Path(word) for text in texts for word in re.findall(r"(?:^|[\s=,:]|file://)(/[^\s,;]+)", text)}
    for path in sorted(named):
        # a directory of packages, or a certificate; of /etc/ssl the root has its own, with this machine's bundle
        if len(path.parts) > 2 and path.parts[1] not in ("etc", "root", "usr", "tmp") and path.exists():
            top = Path(*path.parts[:3])
            found.append((top, top, "ro"))
    return list(dict.fromkeys(found))


@dataclass
class Layers:
    """A root that can be entered: ``lower`` is read, top first; ``upper`` takes what is written in it."""

    lower: tuple[Path, ...]
    upper: Path
    work: Path
    seen: list[tuple[Path, Path, str]] = field(default_factory=list)

    def prepare(self) -> None:
        """This machine's name, resolver, certificates and apt's ways, as the root is to have them."""
        etc = self.upper / "etc"
        (etc / "apt/apt.conf.d").mkdir(parents=True, exist_ok=True)
        (etc / "ssl/certs").mkdir(parents=True, exist_ok=True)
        (etc / "hostname").write_text("generation\n")
        (etc / "hosts").write_text("127.0.0.1 localhost generation\n::1 localhost\n")
        for path in (Path("/etc/resolv.conf"), _BUNDLE):
            if path.exists():
                shutil.copyfile(path, self.upper / path.relative_to("/"))
        if (own := Path("/usr/local/share/ca-certificates")).exists():
            shutil.copytree(own, self.upper / own.relative_to("/"), dirs_exist_ok=True)
        said = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout
        ours = [line for line in said.splitlines() if line.startswith("Acquire::") and "::Languages" not in line]
        (etc / "apt/apt.conf.d/90host").write_text("\n".join(ours) + "\n")

    def run(self, script: str, variables: Mapping[str, str] | None = None, *, log: Path | None = None) -> int:
        """Run lines of bash in the root, up to the first that fails; their status.

        :param variables: the environment, beside that of package clients.
        :param log: what is printed goes there; without it, where this process prints.
        """
        self.work.mkdir(exist_ok=True)
        shown = self.work / "binds"
        shown.write_text("".join(f"{source}\t{path}\t{mode}\n" for source, path, mode in [*binds(), *self.seen]))
        environment = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(_HOME),
            "LC_ALL": "C.UTF-8",
            **settings(),
            **(variables or {}),
        }
        clean = ["env", "--ignore-environment", *(f"{name}={value}" for name, value in environment.items())]
        lower = ":".join(map(str, self.lower))
        argv = [*_ENDING, str(HERE / "in-root")]
        argv += [lower, str(self.upper), str(self.work), str(shown), *clean, "bash", "-euo", "pipefail", "-c", script]
        with contextlib.ExitStack() as stack:
            output = stack.enter_context(log.open("w")) if log else None
            done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False)
        return done.returncode


@contextlib.contextmanager
def run_of(*lower: Path) -> Iterator[Layers]:
    """A root with a directory of its own for what is written, which goes at the end."""
    runs = cache() / "runs"
    runs.mkdir(exist_ok=True)
    _sweep(runs)
    directory = Path(tempfile.mkdtemp(dir=runs))
    directory.chmod(0o755)  # other accounts of the root pass through it
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        upper = directory / "upper"
        upper.mkdir()
        layers = Layers(lower, upper, directory / "work")
        layers.prepare()
        try:
            yield layers
        finally:
            remove(directory)


def _sweep(runs: Path) -> None:
    """Remove what killed runs have left; one that goes on holds its lock."""
    for directory in runs.iterdir():
        with contextlib.suppress(OSError), (directory / "lock").open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            remove(directory)


def remove(directory: Path) -> None:
    """Remove a directory of this cache; nothing is mounted in it, but for namespaces that have ended."""
    assert directory.is_relative_to(cache()), directory
    shutil.rmtree(directory, ignore_errors=True)
