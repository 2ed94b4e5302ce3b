"""What ``fabric-hub doctor`` looks at: each check names what it looked at, and the remedy when it is wrong."""

from __future__ import annotations

import os
import re
import shutil
import stat
import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from fabric_hub.config import settings
from fabric_hub.config.hub import HubSettings
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import NOTHING, Text, message_of, text_of, verbatim
from fabric_hub.messages.texts import backup as backup_texts
from fabric_hub.messages.texts import doctor as texts
from fabric_hub.messages.texts import site_file
from fabric_hub.projects.live import with_live_projects
from fabric_hub.unix import authorities, last_backup
from fabric_hub.unix.proxy_program import find_proxy

from . import daemons, doctor_folders, doctor_login, doctor_pools, kept_projects, moving, notes, probe_facts
from .findings import Finding, ask, exists, place, problem, right, skipped

OLDEST_SLURM = (22, 5)
OLDEST_NODE = 20

_COMMANDS = {
    "slurm-wlm": ("slurmctld", "slurmd", "sbatch", "squeue", "scancel", "sinfo"),
    "slurmdbd": ("slurmdbd", "sacctmgr"),
    "munge": ("munged", "munge"),
    "mariadb-server": ("mariadbd", "mariadb-install-db", "mariadb"),
    "util-linux": ("setpriv",),
    "squashfs-tools": ("mksquashfs",),
}


def machine() -> Iterator[Finding]:
    """What `fabric-hub up` needs of this machine."""
    path = "/usr/sbin:/usr/bin:/sbin:/bin"
    for package, commands in _COMMANDS.items():
        missing = [command for command in commands if not shutil.which(command, path=path)]
        if missing:
            yield problem(texts.PROGRAMS_MISSING(programs=tuple(missing), package=package))
        else:
            yield right(texts.PROGRAMS_THERE(package=package, programs=commands))
    proxy = find_proxy(Path(sys.prefix), Path(sysconfig.get_path("purelib")))
    if not proxy:
        yield problem(texts.NO_PROXY())
    else:
        yield _version(Path(proxy[0]))


def _version(node: Path) -> Finding:
    """Node.js runs the proxy; a proxy found on PATH brings its own."""
    if node.name != "node":
        return right(texts.PROXY(path=str(node)))
    said = ask([str(node), "--version"])[1]
    major = re.match(r"v(\d+)\.", said)
    if not major or int(major.group(1)) < OLDEST_NODE:
        if not said:
            return problem(texts.NODE_BROKEN(path=str(node), oldest=OLDEST_NODE))
        return problem(texts.NODE_OLD(path=str(node), version=said, oldest=OLDEST_NODE))
    return right(texts.PROXY_NODE(version=said))


def of_site(path: Path) -> Iterator[Finding]:
    """A site: its file, Slurm, the gateway, the images and the directories."""
    try:
        found = with_live_projects(settings.load(path))
    except FabricError as error:
        remedy = text_of(error.advice) or texts.CORRECT_LINE()
        for line in _lines(message_of(error)):
            yield problem(line, remedy)
        return
    yield right(texts.SITE_FILE(path=str(path)))
    told = (*notes.of_file(path.read_text(encoding="utf-8")), *notes.of_units(), *notes.of_address(found.hub))
    for note in told:
        about = texts.AT_KEY(key=note.key, about=note.about) if note.key else note.about
        yield Finding(state="NOTE", about=about, remedy=note.remedy or NOTHING)
    trust = notes.of_sessions_trust(found.hub)
    yield Finding(state="NOTE", about=trust.about, remedy=trust.remedy) if trust.remedy else right(trust.about)
    if found.slurm:
        yield from _slurm(found)
    yield from _images(found)
    yield from _directories(found)
    yield from doctor_login.of_site(found)
    yield from certificates(found.hub)
    yield newest_backup(found.hub)
    yield from daemons.of_site(found)
    yield from kept_projects.of_site(found)
    yield from doctor_folders.of_site(found)
    yield from doctor_pools.of_site(found)
    yield from probe_facts.of_site(found, path)


def _lines(said: Text) -> Iterator[Text]:
    """What is wrong with a site's file, each mistake by itself."""
    if said.code == site_file.MISTAKES.code:
        mistakes = said.params["mistakes"]
        yield site_file.HAS_MISTAKES(name=said.params["name"], n=len(mistakes))
        yield from mistakes
    else:
        yield said


def _slurm(found: Settings) -> Iterator[Finding]:
    assert found.slurm
    conf, clients = found.slurm.conf, found.slurm.bin_dir
    code, said = ask([str(clients / "sinfo"), "--version"], conf)
    version = re.search(r"(\d+)\.(\d+)", said)
    if code or not version:
        yield problem(texts.CLIENTS_FAIL(path=str(clients), said=said))
        return
    if (int(version.group(1)), int(version.group(2))) < OLDEST_SLURM:
        yield problem(texts.SLURM_OLD(version=said))
    else:
        yield right(verbatim(said))
    yield _munge(conf)
    code, said = ask([str(clients / "scontrol"), "ping"], conf)
    if code or "DOWN" in said:
        yield problem(texts.NO_SLURMCTLD(said=said))
    else:
        yield right(verbatim(said.splitlines()[0]))
    code, said = ask([str(clients / "sacctmgr"), "-n", "-P", "show", "cluster", "format=cluster"], conf)
    if code:
        yield problem(texts.NO_SLURMDBD(said=said))
    else:
        yield right(texts.SLURMDBD(clusters=tuple(said.split())) if said.split() else texts.SLURMDBD_EMPTY())


def _munge(conf: Path | None) -> Finding:
    """munge, on the socket that slurm.conf names."""
    text = (conf or Path("/etc/slurm/slurm.conf")).read_text(errors="replace") if (conf and conf.exists()) else ""
    socket = re.search(r"^\s*AuthInfo\s*=\S*?socket=([^,\s]+)", text, re.MULTILINE | re.IGNORECASE)
    code, said = ask(["munge", "-n", *([f"--socket={socket.group(1)}"] if socket else [])])
    if code:
        return problem(texts.NO_MUNGE(said=said))
    return right(texts.MUNGE_ON(socket=socket.group(1)) if socket else texts.MUNGE())


def _images(found: Settings) -> Iterator[Finding]:
    for name, image in found.image.items():
        python = found.images.dir / name / "current" / "bin" / "python"
        built = exists(python)
        if built is None:
            yield skipped(
                texts.IMAGE_PLACE(image=name, path=str(found.images.dir)), texts.MAY_NOT_LOOK(), texts.AS_ROOT()
            )
        elif not built and image.when_built:
            yield skipped(
                texts.IMAGE_ITSELF(image=name), texts.WHEN_BUILT(), verbatim(f"fabric-hub images build {name}")
            )
        elif not built:
            yield problem(texts.NOT_BUILT(image=name, path=str(found.images.dir)))
        elif closed := closed_to_others(python.parent.resolve()):
            yield problem(texts.IMAGE_CLOSED(image=name, path=str(closed)))
        else:
            yield right(texts.IMAGE(image=name, build=python.parents[1].resolve().name))


def closed_to_others(directory: Path) -> Path | None:
    """The first directory on the way (itself included) that other accounts cannot pass; None when they can."""
    for step in [*reversed(directory.parents), directory]:
        if not step.stat().st_mode & stat.S_IXOTH:
            return step
    return None


def certificates(hub: HubSettings) -> Iterator[Finding]:
    """Whether a certificate of internal TLS ends within the next 60 days."""
    what = texts.CERTIFICATES()
    if not hub.internal_ssl:
        return
    try:
        found = authorities.certificates(hub.state_dir / "certs")
    except PermissionError:
        yield skipped(what, texts.MAY_NOT_LOOK(), texts.AS_ROOT())
        return
    except (OSError, ValueError) as error:
        yield problem(texts.CERTIFICATES_UNREADABLE(why=str(error), path=str(hub.state_dir / "certs")))
        return
    now = time.time()
    if not found:
        yield skipped(what, texts.CERTIFICATES_TO_COME(), texts.START_FIRST())
    elif soon := authorities.ending(found, now):
        told = backup_texts.CERTIFICATES_END_SOON(name=soon[0].name, day=soon[0].end)
        state: Literal["NOTE", "PROBLEM"] = "NOTE" if soon[0].end > now else "PROBLEM"
        yield Finding(state=state, about=told, remedy=told.hint or NOTHING)
    else:
        first = min(found, key=lambda one: one.end)
        yield right(backup_texts.CERTIFICATE_ENDS(name=first.name, day=first.end, n=int((first.end - now) / 86400)))


def newest_backup(hub: HubSettings) -> Finding:
    """Whether there is a backup, and a new one; where this account may look, also whether it is whole still."""
    try:
        found = last_backup.read(hub.state_dir)
    except PermissionError:
        return skipped(backup_texts.WHAT_BACKUPS(), texts.MAY_NOT_LOOK(), texts.AS_ROOT())
    if found is None:
        none = backup_texts.BACKUP_NONE()
        return Finding(state="NOTE", about=none, remedy=none.hint or NOTHING)
    age = max(0.0, time.time() - found.at)
    about = {"age": age, "directory": found.directory}
    if age > last_backup.OLD_S:
        return problem(backup_texts.BACKUP_OLD(**about))
    directory = Path(found.directory)
    if exists(directory) is False:
        gone = backup_texts.BACKUP_GONE(directory=found.directory)  # it may be on another host
        return Finding(state="NOTE", about=gone, remedy=gone.hint or NOTHING)
    if _is_our_own(directory):
        from fabric_hub.backup.series import whole  # which takes a second to import

        made = whole(directory)
        if made is None or made.id != found.id:
            return problem(backup_texts.BACKUP_DAMAGED(directory=found.directory))
    return right(backup_texts.BACKUP_NEW(**about))


def _is_our_own(directory: Path) -> bool:
    """Whether nobody else can have put something into a directory that the hub's account names."""
    try:
        found = directory.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o022


def _directories(found: Settings) -> Iterator[Finding]:
    state = found.hub.state_dir
    if own := found.hub.extra_config:
        if exists(own):
            yield from moving.of_site(own, found)
        else:
            yield place("hub.extra_config", own, texts.WRITE_OR_TAKE_OUT(path=str(own), key="hub.extra_config"))
    try:
        mode = state.stat().st_mode
    except PermissionError:
        yield skipped(texts.PLACE(what="hub.state_dir", path=str(state)), texts.MAY_NOT_LOOK(), texts.AS_ROOT())
    except OSError as error:
        yield problem(texts.STATE_DIR_FAILS(path=str(state), why=error.strerror or ""))
    else:
        if mode & 0o077:
            yield problem(texts.STATE_DIR_OPEN(path=str(state)))
        else:
            yield right(texts.STATE_DIR(path=str(state)))
    homes = found.users.home.partition("{user}")[0]
    if homes and not os.path.isdir(homes):
        yield problem(texts.NO_HOMES(path=homes))
