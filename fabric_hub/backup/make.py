"""Taking a backup: all comes to rest for a moment, each snapshot is taken, and copies are made while it goes on.

While nothing writes (milliseconds), each database's state is held by a connection of our own, and the audit log's head
is read: its records are only ever added to, so what stands before that head is its state. A change of the catalogue is
recorded in the audit log within its transaction, so both are of one moment, and so are hub and record.
"""

from __future__ import annotations

import contextlib
import fcntl
import io
import json
import os
import secrets
import shutil
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from fabric_hub import __version__
from fabric_hub.catalogue.audit.log import Head, files, locked, read_head
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import backup as texts
from fabric_hub.unix import state_lock

from . import manifest
from .databases import Source, source
from .helper import Helper, Line
from .manifest import DatabaseName, DatabaseState, Manifest, Part
from .parts import AUDIT, EXTRACT, PartOf, file_of, parts_of

SITE_FILE = "site.toml"
# Copies of databases on their way into a part; one of a backup that was killed is removed after a day.
DRAFT, STALE_S = ".backup-", 86400.0


def backup(settings: Settings, site: Path, directory: Path, *, with_secrets: bool) -> Manifest:
    """Take a backup of a site's state while it runs.

    :param site: the site's file; it is put beside the parts, to be read.
    :param directory: where to; must not exist. It is this process's account's alone.
    :param with_secrets: whether the hub's keys are in it.
    :raises FabricError: it failed; nothing of it is kept.
    """
    directory = directory.absolute()
    draft = directory.with_name(f".{directory.name}.partial")
    if os.path.lexists(directory):
        raise FabricError(texts.BACKUP_EXISTS(directory=str(directory)))
    try:
        shutil.rmtree(draft, ignore_errors=True)  # of one that was killed
        draft.mkdir(mode=0o700)
        made = _take(settings, draft, with_secrets=with_secrets)
        _write(draft / SITE_FILE, site.read_bytes())
        _write(draft / manifest.FILE, made.model_dump_json(indent=2).encode() + b"\n")
        _sync(draft)
        draft.rename(directory)
        _sync(directory.parent)
    except OSError as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise FabricError(
            texts.BACKUP_FAILED(cause=f"{error.filename or ''} {error.strerror or error}".strip())
        ) from error
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return made


def _take(settings: Settings, draft: Path, *, with_secrets: bool) -> Manifest:
    parts = parts_of(settings)
    with ExitStack() as stack:
        targets, helpers = {}, {}
        for part in parts:
            file = f"{part.name}.tar"
            target = stack.enter_context(
                os.fdopen(os.open(draft / file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "wb")
            )
            targets[part.name] = file
            helpers[part.name] = stack.enter_context(
                Helper(
                    partial(_one_part, part=part, target=target, with_secrets=with_secrets),
                    part.owner,
                    texts.BACKUP_FAILED,
                )
            )
        started = 0.0
        for part in parts:  # one after the other: the hub is kept waiting least
            helpers[part.name].say(do="rest")
            helpers[part.name].hear()
            started = started or time.monotonic()
        at = time.time()
        taken = {}
        for part in parts:
            helpers[part.name].say(do="snapshot")
        for part in parts:
            taken[part.name] = helpers[part.name].hear()
        held = time.monotonic() - started
        for part in parts:
            helpers[part.name].say(do="copy")
        for part in parts:
            helpers[part.name].hear()
    catalogue = taken.get("catalogue", {})
    return Manifest(
        id=secrets.token_hex(8),
        release=__version__,
        hub_id=settings.hub.id,
        at=at,
        held_s=held,
        secrets=with_secrets,
        parts={
            name: Part(
                file=file,
                sha256=manifest.digest(draft / file),
                bytes=(draft / file).stat().st_size,
                databases={key: DatabaseState.model_validate(state) for key, state in taken[name]["databases"].items()},
            )
            for name, file in targets.items()
        },
        serial=catalogue.get("serial", 0),
        audit=Head.model_validate(catalogue.get("audit") or {}),
    )


def _one_part(line: Line, part: PartOf, target: io.BufferedWriter, with_secrets: bool) -> None:
    """What the helper of one account does; the parent says when."""
    state_lock.hold(part.state_dir)  # no restore meanwhile
    with ExitStack() as stack:
        sources: dict[DatabaseName, Source] = {}
        for name, url in part.urls.items():
            found = source(name, url)
            if found is not None:
                stack.callback(found.close)
                sources[name] = found
        line.hear()
        for one in sources.values():
            one.rest()
        with _log_at_rest(part.audit) as log:
            line.say(done="rest")
            line.hear()
            states = {name: one.snapshot() for name, one in sources.items()}
            head = read_head(log) if log else Head()
            for one in sources.values():
                one.release()
        serial = _serial(sources)
        databases = {name: state.model_dump(mode="json") for name, state in states.items()}
        line.say(done="snapshot", databases=databases, serial=serial, audit=head.model_dump())
        line.hear()
        _pack(part, target, with_secrets, sources, states, head)
    line.say(done="copy")


@contextlib.contextmanager
def _log_at_rest(directory: Path | None) -> Iterator[Path | None]:
    """Nobody appends to the audit log meanwhile; its writers take the database first, and so did we."""
    if directory is None or not directory.is_dir():
        yield None
        return
    with locked(directory, fcntl.LOCK_SH):
        yield directory


def _serial(sources: dict[DatabaseName, Source]) -> int:
    found = sources.get("catalogue")
    return int(found.query("SELECT serial FROM counter")[0][0]) if found else 0


def _pack(
    part: PartOf,
    target: io.BufferedWriter,
    with_secrets: bool,
    sources: dict[DatabaseName, Source],
    states: dict[DatabaseName, DatabaseState],
    head: Head,
) -> None:
    for stale in part.state_dir.glob(f"{DRAFT}*"):  # of one that was killed
        if stale.stat().st_mtime < time.time() - STALE_S:
            shutil.rmtree(stale, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=DRAFT, dir=part.state_dir) as place:
        with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for name, one in sources.items():
                copy = Path(place) / file_of(name, states[name].kind)
                one.copy(copy)
                _add(tar, copy.name, copy)
                copy.unlink()
            if "catalogue" in sources:
                _add_bytes(tar, EXTRACT, json.dumps(_extract(sources["catalogue"], states["catalogue"])).encode())
            for name_of_file in (*part.files, *(part.secrets if with_secrets else ())):
                _add_tree(tar, part.state_dir, name_of_file)
            if part.audit is not None:
                _add_log(tar, part.audit, head)
    target.flush()
    os.fsync(target.fileno())


def _extract(catalogue: Source, state: DatabaseState) -> dict[str, Any]:
    """What a restore decides by, as plain values: grants, what is offered how, and the projects' Slurm accounts."""
    # the tables of an earlier release that the catalogue service has not been started on since
    keeps_projects = (state.revision or "") >= "0004"
    projects = catalogue.query("SELECT name, account FROM projects ORDER BY name") if keeps_projects else []
    grants = catalogue.query('SELECT dataset, project, until, "by", at FROM grants ORDER BY dataset, project')
    datasets = catalogue.query("SELECT name, entry, published_at, retired_at FROM datasets ORDER BY name")
    return {
        "grants": [
            {"dataset": dataset, "project": project, "until": str(until) if until else None, "by": by, "at": at}
            for dataset, project, until, by, at in grants
        ],
        "datasets": {
            name: {"access": (json.loads(entry) if isinstance(entry, str) else entry).get("access"),
                   "offered": published is not None and retired is None}
            for name, entry, published, retired in datasets
        },
        "projects": dict(projects),
    }  # fmt: skip


def _add(tar: tarfile.TarFile, name: str, path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = os.fstat(handle).st_size, 0o600, int(os.fstat(handle).st_mtime)
        tar.addfile(info, file)


def _add_bytes(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(content), 0o600
    tar.addfile(info, io.BytesIO(content))


def _add_tree(tar: tarfile.TarFile, root: Path, name: str) -> None:
    path = root / name
    if path.is_symlink():
        return
    if path.is_file():
        _add(tar, name, path)
    elif path.is_dir():
        for child in sorted(path.iterdir()):
            _add_tree(tar, root, f"{name}/{child.name}")


def _add_log(tar: tarfile.TarFile, directory: Path, head: Head) -> None:
    """The audit log up to a head: whole files before that of the head, and of this one what it had."""
    for path in files(directory) if head.file else []:
        if path.name > head.file:
            continue
        with path.open("rb") as file:
            info = tarfile.TarInfo(f"{AUDIT}/{path.name}")
            info.size = head.size if path.name == head.file else path.stat().st_size
            info.mode = 0o600
            tar.addfile(info, file)
    if head.file:
        _add_bytes(tar, f"{AUDIT}/head.json", head.model_dump_json().encode() + b"\n")


def _write(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
