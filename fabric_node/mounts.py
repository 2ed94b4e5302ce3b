"""Looks at the gates and mounts of this node, and does the steps of a plan."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import struct
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from . import kernel
from .config import Config
from .gate_names import GateNames
from .grants import LATEST, Source
from .jobs import Job
from .plan import BASE_STEPS, HOST, Action, Seen, SeenGate, SeenPlace
from .troubles import Troubles
from .trust import NodeError, open_for, open_path

_T = TypeVar("_T")
_TMPFS = "fabric-datasets"
# A link in a gate, seen by those whom it lets in, that says which dataset it is.
_NAME = ".name"
# Before the name of what cannot be a dataset's: a gate that a crash left without its link, or one of another key.
_NAMELESS = "?"
_CUT_S = 2.0
# https://dr-emann.github.io/squashfs/squashfs.html: magic, ..., version 4.0 at 28, bytes used at 40
_HEADER_BYTES = 96


def open_source(config: Config, source: Source) -> int:
    """A file descriptor of what a version is mounted from, after every check.

    :raises NodeError: it is not there, not where datasets may be, not whole, or somebody else could have written it.
    """
    if source.kind == "directory":
        for prefix in config.directories:
            if source.path == prefix or source.path.startswith(prefix + "/"):
                flags = os.O_PATH | os.O_DIRECTORY
                return open_for(source.path, flags, config.owners, below=prefix)
        raise NodeError(f"{source.path} is below none of the directories that this node may show.")
    if not source.path.startswith(config.store + "/"):
        raise NodeError(f"{source.path} is not below the store of images, {config.store}.")
    handle = open_for(source.path, os.O_RDONLY, config.owners)
    try:
        _check_image(handle, source)
    except BaseException:
        os.close(handle)
        raise
    return handle


def _check_image(handle: int, source: Source) -> None:
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode):
        raise NodeError(f"{source.path} is not a regular file.")
    if status.st_size != source.bytes:
        raise NodeError(f"{source.path} has {status.st_size} bytes; the catalogue says {source.bytes}.")
    try:
        header = os.pread(handle, _HEADER_BYTES, 0)
    except OSError as error:
        raise NodeError(f"{source.path} cannot be read: {error.strerror}.") from error
    if len(header) < _HEADER_BYTES or header[:4] != b"hsqs" or struct.unpack_from("<HH", header, 28) != (4, 0):
        raise NodeError(f"{source.path} is not a SquashFS 4.0 image.")
    if struct.unpack_from("<Q", header, 40)[0] > status.st_size:
        raise NodeError(f"{source.path} is cut short.")


class Mounts:
    """The node's gates. Every method whose name is an :class:`Action`'s kind does that step."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._names = GateNames(config.names_key)
        self._slow: threading.Thread | None = None  # cuts off an image whose file server did not answer

    def make_directories(self) -> None:
        """The directories that everything else is in.

        :raises NodeError: somebody else than root can write to one, or to one above it.
        """
        config = self._config
        # no entry of ds/ or data/ can be listed: which datasets are open is for those who have them open
        for path, mode in ((config.run, 0o755), (config.base, 0o700), (config.gates, 0o711), (config.jobs, 0o700),
                           (config.namespaces, 0o700),
                           (config.state, 0o700), (config.outbox, 0o700), (config.data_dir, 0o711)):  # fmt: skip
            os.makedirs(path, mode=0o755, exist_ok=True)
            os.chmod(path, mode)
            os.close(open_path(path, os.O_PATH | os.O_DIRECTORY, frozenset({0})))
        self._names.make_key()

    # ---- looking

    def look(self, places: Iterable[str]) -> Seen:
        """What is there, in these places; a place that is gone is left out."""
        identities, bases, twins = self._bases()
        found: dict[str, SeenPlace] = {}
        for place in places:
            with contextlib.suppress(FileNotFoundError):
                found[place] = self._inside(place, lambda place=place: self._place(place, identities))  # type: ignore[misc]
        return Seen(bases, found, twins)

    def _inside(self, place: str, work: Callable[[], _T]) -> _T:
        if place == HOST:
            return work()
        namespace = kernel.namespace_at(place)
        if namespace is None:
            raise FileNotFoundError(errno.ENOENT, "the job's mount namespace is gone", place)
        try:
            return kernel.inside(namespace, work)
        finally:
            os.close(namespace)

    def _bases(self) -> tuple[dict[tuple[str, str], str], dict[str, bool], dict[str, str]]:
        mounted: dict[str, list[kernel.Mounted]] = {}
        for mount in kernel.mounts_below(self._config.base):
            mounted.setdefault(os.path.basename(mount.target), []).append(mount)
        identities: dict[tuple[str, str], str] = {}
        bases, twins = {}, {}
        for key in sorted(os.listdir(self._config.base)):
            mine = mounted.get(key, [])
            bases[key] = len(mine) == 1 and mine[0].safe and not kernel.is_cut_off(mine[0])
            if bases[key]:
                first = identities.setdefault(mine[0].identity, key)
                if first != key:
                    twins[key] = first
        return identities, bases, twins

    def _place(self, place: str, identities: Mapping[tuple[str, str], str]) -> SeenPlace:
        gates, data = self._config.gates, self._config.data_dir
        mounted: dict[str, list[kernel.Mounted]] = {}
        for mount in kernel.mounts_below(gates) + kernel.mounts_below(data):
            mounted.setdefault(mount.target, []).append(mount)
        if place != HOST and not all(self._is_ours(mounted.get(path, [])) for path in (gates, data)):
            return SeenPlace(ready=False)
        found = {}
        for entry in os.scandir(gates):
            shown: dict[str, str | None] = {}
            latest, name = None, ""
            for inner in os.scandir(entry.path):
                if inner.is_symlink():  # or half of one, from a crash
                    latest = os.readlink(inner.path) if inner.name == LATEST else latest
                    name = os.readlink(inner.path) if inner.name == _NAME else name
                    continue
                mine = mounted.get(inner.path, [])
                good = len(mine) == 1 and mine[0].safe
                shown[inner.name] = identities.get(mine[0].identity) if good else None
            known = name if self._names.of(name) == entry.name else _NAMELESS + entry.name
            found[known] = SeenGate(kernel.readers(entry.path), shown, latest)
        links = set()
        for entry in os.scandir(data):
            if entry.is_symlink() and os.path.dirname(os.readlink(entry.path)) == gates:
                right = os.readlink(entry.path) == os.path.join(gates, self._names.of(entry.name))
                links.add(entry.name if right else _NAMELESS + entry.name)
        return SeenPlace(True, found, frozenset(links))

    @staticmethod
    def _is_ours(mounted: list[kernel.Mounted]) -> bool:
        return bool(mounted) and (mounted[-1].fs_type, mounted[-1].source) == ("tmpfs", _TMPFS)

    # ---- doing

    def do(self, steps: Iterable[Action], sources: Mapping[str, Source | None], opened: Mapping[str, int]) -> Troubles:
        """Do a plan's steps. One that fails takes those with it that build on it, and no other.

        :param sources: by key, of the bases that are to be mounted.
        :param opened: file descriptors of sources that are open already, by key.
        :returns: what failed.
        """
        troubles = Troubles()
        by_place: dict[str, list[Action]] = {}
        for step in steps:
            if step.kind in BASE_STEPS:
                self._flush(by_place, troubles)
                try:
                    if step.kind == "mount_base":
                        self.mount_base(step, sources[step.key], opened.get(step.key))
                    else:
                        getattr(self, step.kind)(step)
                except (OSError, NodeError) as error:
                    troubles.add(step, error)
            else:
                by_place.setdefault(step.place, []).append(step)
        self._flush(by_place, troubles)
        return troubles

    def _flush(self, by_place: dict[str, list[Action]], troubles: Troubles) -> None:
        for place, steps in by_place.items():
            # copies of the bases are taken here: a job's namespace need not have the bases in it
            copies = self._copies(steps, troubles)
            try:
                self._inside(place, lambda steps=steps, copies=copies: self._steps(steps, copies, troubles))  # type: ignore[misc]
            except OSError as error:
                for step in steps:
                    troubles.add(step, error)
            finally:
                for copy in copies.values():
                    os.close(copy)
        by_place.clear()

    def _copies(self, steps: list[Action], troubles: Troubles) -> dict[Action, int]:
        copies = {}
        for step in steps:
            if step.kind == "show":
                try:
                    if step.key in troubles.bases:
                        raise NodeError(troubles.bases[step.key])
                    copies[step] = kernel.clone_mount(os.path.join(self._config.base, step.key))
                except (OSError, NodeError) as error:
                    troubles.add(step, error)
        return copies

    def _steps(self, steps: list[Action], copies: Mapping[Action, int], troubles: Troubles) -> None:
        for step in steps:
            if troubles.spoil(step):
                continue
            try:
                if step.kind == "show":
                    self.show(step, copies[step])
                else:
                    getattr(self, step.kind)(step)
            except OSError as error:
                troubles.add(step, error)

    def _gate(self, step: Action) -> str:
        nameless = step.name.startswith(_NAMELESS)
        return os.path.join(self._config.gates, step.name[1:] if nameless else self._names.of(step.name))

    def _link(self, step: Action) -> str:
        return os.path.join(self._config.data_dir, step.name.removeprefix(_NAMELESS))

    def mount_base(self, step: Action, source: Source | None, handle: int | None) -> None:
        """Mount an image or a directory where only root can enter."""
        if source is None:
            raise NodeError("Its image is not known while the published grants cannot be read.")
        target = os.path.join(self._config.base, step.key)
        os.makedirs(target, mode=0o700, exist_ok=True)
        mine = open_source(self._config, source) if handle is None else handle
        try:
            kernel.unmount(target)
            mount = kernel.mount_image if source.kind == "image" else kernel.mount_directory
            mount(mine, target)
        except OSError as error:
            raise NodeError(f"{source.path} cannot be mounted: {error.strerror}.") from error
        finally:
            if handle is None:
                os.close(mine)

    def unmount_base(self, step: Action) -> None:
        """Take a base away; open files stay open."""
        target = os.path.join(self._config.base, step.key)
        kernel.unmount(target)
        with contextlib.suppress(FileNotFoundError):
            os.rmdir(target)

    def cut_base(self, step: Action) -> None:
        """Take a base away that nobody here may read any more: also from what is open of it, or mounted elsewhere."""
        # open before the mount goes: a device that nobody uses may become another image's
        opened = [kernel.device_of(mount) for mount in kernel.mounts_below(os.path.join(self._config.base, step.key))]
        failed: list[OSError] = []

        def cut() -> None:
            for device in filter(None, opened):
                try:
                    kernel.cut_off(device)
                except OSError as error:
                    failed.append(error)
                finally:
                    os.close(device)

        # the kernel first lets end what is being read: a file server that hangs must hold up nobody here
        cutting = threading.Thread(target=cut, name="cut", daemon=True)
        cutting.start()
        cutting.join(0 if self._slow is not None and self._slow.is_alive() else _CUT_S)
        self.unmount_base(step)
        if failed:
            raise failed[0]
        if cutting.is_alive():
            self._slow = cutting
            raise NodeError("Its file server does not answer; what is open of it is cut off when it does.")

    def prepare(self, step: Action) -> None:
        """Give a job's namespace its own gates and data directory, which nothing outside of it can see."""
        # a namespace may share its mounts with the node (Slurm's Shared=true): from now on it only receives them
        kernel.mount("none", "/", None, kernel.MS_SLAVE | kernel.MS_REC)
        for path, mode in ((self._config.gates, 0o711), (self._config.data_dir, 0o755)):
            kernel.unmount(path)
            flags = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
            kernel.mount(_TMPFS, path, "tmpfs", flags, f"mode={mode:o},size=1m")

    def make(self, step: Action) -> None:
        """Make a gate that lets nobody in."""
        with contextlib.suppress(FileExistsError):
            os.mkdir(self._gate(step), 0o700)
        kernel.set_readers(self._gate(step), frozenset())
        with contextlib.suppress(FileExistsError):
            os.symlink(step.name, os.path.join(self._gate(step), _NAME))

    def readers(self, step: Action) -> None:
        """Let exactly these uids through a gate."""
        kernel.set_readers(self._gate(step), step.uids)

    def show(self, step: Action, copy: int) -> None:
        """Mount a base's copy behind a gate."""
        target = os.path.join(self._gate(step), step.version)
        with contextlib.suppress(FileExistsError):
            os.mkdir(target, 0o755)
        kernel.unmount(target)
        kernel.attach_mount(copy, target)

    def hide(self, step: Action) -> None:
        """Take a version away from behind a gate."""
        target = os.path.join(self._gate(step), step.version)
        kernel.unmount(target)
        os.rmdir(target)

    def latest(self, step: Action) -> None:
        """Let the link ``latest`` lead to a version, or (an empty version) take it away."""
        link, fresh = os.path.join(self._gate(step), LATEST), os.path.join(self._gate(step), f".{LATEST}")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(fresh if step.version else link)
        if step.version:
            os.symlink(step.version, fresh)
            os.rename(fresh, link)

    def remove(self, step: Action) -> None:
        """Remove a gate, and whatever is still mounted behind it."""
        for mount in kernel.mounts_below(self._gate(step)):
            kernel.unmount(mount.target)
        kernel.remove_tree(self._gate(step))

    def link(self, step: Action) -> None:
        """Let the data directory lead to a gate."""
        if os.path.islink(self._link(step)):
            os.unlink(self._link(step))
        os.symlink(self._gate(step), self._link(step))

    def unlink(self, step: Action) -> None:
        """Take the link of a gate away."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._link(step))

    def place_of(self, job: Job) -> str:
        """Where a job sees its datasets: in its own mount namespace where Slurm made one, else on this node.

        Slurm's job_container/tmpfs keeps it as BASE/JOB/.ns, or as BASE/NODE/JOB/.ns where one machine can play several
        nodes; BASE is a directory of root's. A job that had one never falls back to the node, where others would see
        what it has open. Slurm 22.05 takes its file away with the first step that ends: ours stays.
        """
        if job.namespace or not self._config.containers:
            return job.namespace
        kept = os.path.join(self._config.namespaces, job.stem)
        # kept for a look at somebody else's job, or by one that died before it was recorded
        if self._is_namespace(kept):
            return kept
        base = self._config.containers.replace("%n", job.node).replace("%h", os.uname().nodename.split(".")[0])
        for path in (f"{base}/{job.job}/.ns", f"{base}/{job.node}/{job.job}/.ns"):
            if self._is_namespace(path):
                self._keep(path, kept)
                return kept
        return HOST

    @staticmethod
    def _is_namespace(path: str) -> bool:
        namespace = kernel.namespace_at(path)
        if namespace is not None:
            os.close(namespace)
        return namespace is not None

    def _keep(self, path: str, kept: str) -> None:
        directory = self._config.namespaces
        if not any(mount.target == directory for mount in kernel.mounts_below(directory)):
            kernel.mount(directory, directory, None, kernel.MS_BIND)
        # a namespace can be kept only where mounts do not spread into others: it could hold itself
        kernel.mount("none", directory, None, kernel.MS_PRIVATE)
        os.close(os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
        kernel.unmount(kept)
        kernel.mount(path, kept, None, kernel.MS_BIND)

    def keep_only(self, stems: frozenset[str]) -> None:
        """Let the namespaces of all other jobs go, and with them what is mounted in there."""
        for name in os.listdir(self._config.namespaces):
            if name not in stems:
                path = os.path.join(self._config.namespaces, name)
                kernel.unmount(path)
                os.unlink(path)
