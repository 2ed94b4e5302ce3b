#!/usr/bin/env python3
"""Record what the quota tools of a Debian release really say, for the tests of :mod:`fabric_hub.slurm.storage`.

    sudo apt-get install --no-install-recommends debootstrap cpio qemu-system-x86
    sudo .venv/bin/python scripts/record_quotas.py bookworm /var/tmp/quotas

A machine's own kernel may have no quotas, so this boots one of the release in an emulator, with a small root directory
of the same release. In it scripts/record_quotas_machine.sh makes ext4 and XFS with quotas of users and projects, has
accounts write to them and mounts them over NFS too; then every question below is put with exactly the arguments that
``storage.argv`` builds. Each answer becomes a file of
tests/unit/gateway/storage_answers/RELEASE. It takes a few minutes: no test boots it.
"""

from __future__ import annotations

import argparse
import base64
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from fabric_hub.config.quotas import StorageSettings  # noqa: E402
from fabric_hub.slurm import storage  # noqa: E402
from scripts.roots import NoRootError, mirror  # noqa: E402

PACKAGES = "quota,xfsprogs,e2fsprogs,busybox-static,kmod,nfs-kernel-server,rpcbind,netbase"
MODULES = ("drivers/virtio", "drivers/block", "fs", "lib", "crypto", "arch", "net")
LONG = "/srv/a-file-system-with-a-long-name"
LONG_USER = "wilhelmina-of-the-long-user-name"
NAMES = ("ann", "bob", "cas", "dee", "eva", "fay", "gus", "hal", "ivo", LONG_USER, "jan")
UIDS = {"root": 0, "ghost": 2999, **{name: 2001 + number for number, name in enumerate(NAMES)}}


@dataclass(frozen=True)
class Question:
    """One question: of which file system, whose quota, and who asks."""

    name: str
    path: str
    user: str
    asks: str
    project: str = ""
    first: str = ""  # what the machine does before

    @property
    def source(self) -> StorageSettings:
        kind = "project" if self.project else "quota"
        return StorageSettings.model_validate({"kind": kind, "path": self.path, "project": self.project})

    @property
    def argv(self) -> list[str]:
        return storage.argv(self.source, self.user, UIDS[self.user])


def questions() -> list[Question]:
    """What is asked in the machine; what was written and set there is in record_quotas_machine.sh."""
    of_users = {
        "under": "ann",
        "over_soft": "bob",
        "at_hard": "cas",
        "unset": "dee",
        "nothing": "eva",
        "unused": "fay",
        "files_over_soft": "gus",
        "files_at_hard": "hal",
        "grace_over": "ivo",
        "long_user": LONG_USER,
        "large": "jan",
    }
    of_projects = {"project_name": "alpha", "project_number": "3002", "project_unset": "beta", "project_unknown": "nix"}
    asked = []
    for kind, path in (("ext4", "/home"), ("xfs", "/scratch")):
        asked += [Question(f"{kind}_{case}", path, user, user) for case, user in of_users.items()]
        asked += [Question(f"{kind}_{case}", path, "ann", "root", name) for case, name in of_projects.items()]
        asked += [
            Question(f"{kind}_asked_by_root", path, "ann", "root"),
            Question(f"{kind}_project_asked_by_user", path, "ann", "ann", "alpha"),
            Question(f"{kind}_user_unknown", path, "ghost", "root"),
            Question(f"{kind}_of_another", path, "bob", "ann"),
        ]
    return [
        *asked,
        Question("long_path", LONG, "bob", "bob"),
        Question("long_path_project", LONG, "ann", "root", "3002"),
        Question("bind_mount", "/export", "ann", "ann"),
        Question("below_the_mount", "/home/files", "ann", "ann"),
        Question("link", "/link", "ann", "ann"),
        Question("projects_only", "/projects", "ann", "ann"),
        Question("counted_only", "/counted", "ann", "ann"),
        *(
            Question(f"nfs{version}_{case}", f"/net/home{version}", user, user)
            for version in (3, 4)
            for case, user in of_users.items()
            if case in ("under", "over_soft", "at_hard", "unset", "nothing", "files_over_soft", "large")
        ),
        Question("nfs_of_another", "/net/home4", "bob", "ann"),
        Question("nfs_of_a_part", "/net/part", "ann", "ann"),
        Question("nfs_no_quotas", "/net/plain", "ann", "ann"),
        Question("nfs_project", "/net/home4", "ann", "root", "alpha"),
        Question("nfs_project_asked_by_user", "/net/home4", "ann", "ann", "alpha"),
        Question("no_quotas", "/plain", "ann", "ann"),
        Question("not_there", "/nowhere", "ann", "ann"),
        Question("nfs_without_rquotad", "/net/home4", "ann", "ann", first="stop_rquotad"),
    ]


def script(asked: list[Question]) -> str:
    """The questions for the machine's shell, each with the environment that the gateway gives."""
    lines = []
    for question in asked:
        env = "env -i LC_ALL=C PATH=/usr/bin:/bin:/usr/sbin:/sbin HOME=/"
        uid = UIDS[question.asks]
        prefix = f"as {uid} {env}" if uid else env
        files = f">/answers/{question.name}.out 2>/answers/{question.name}.err"
        lines += [question.first] if question.first else []
        lines.append(f"code=0; {prefix} {shlex.join(question.argv)} {files} || code=$?")
        lines.append(f"echo $code >/answers/{question.name}.code")
    return "\n".join([*lines, "dpkg-query -W -f '${Version}' quota >/answers/version", "uname -r >/answers/kernel", ""])


def run(*argv: object, **more: Any) -> None:
    subprocess.run([str(word) for word in argv], check=True, timeout=900, **more)


def root_directory(release: str, work: Path, where: str) -> Path:
    """A root directory with the tools, and the release's kernel unpacked in it."""
    root = work / "root"
    if not (root / "complete").exists():
        shutil.rmtree(root, ignore_errors=True)
        run("debootstrap", "--variant=minbase", f"--include={PACKAGES}", release, root, where)
        fetch = "cd /tmp && apt-get download $(apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: //p')"
        run("chroot", root, "sh", "-c", fetch)
        run("dpkg-deb", "-x", next((root / "tmp").glob("linux-image-*.deb")), work / "kernel")
        (root / "complete").touch()
    return root


def pack(root: Path, work: Path, asked: list[Question]) -> tuple[Path, Path]:
    """The kernel, and the root directory as an archive that it starts from."""
    kernel = next((work / "kernel/boot").glob("vmlinuz-*"))
    version = kernel.name.removeprefix("vmlinuz-")
    tree = next((work / "kernel").glob(f"**/lib/modules/{version}"))
    into = root / "usr/lib/modules" / version
    shutil.rmtree(into, ignore_errors=True)
    for part in MODULES:
        if (tree / "kernel" / part).exists():
            shutil.copytree(tree / "kernel" / part, into / "kernel" / part)
    for listing in tree.glob("modules.*"):
        shutil.copy(listing, into)
    run("chroot", root, "depmod", version)
    shutil.copy(HERE / "record_quotas_machine.sh", root / "init")
    (root / "init").chmod(0o755)
    (root / "questions").write_text(script(asked))
    left_out = r"^\./(usr/share/(doc|locale|man|info|zoneinfo)|var/(cache|lib/apt)|tmp|proc|sys|dev)/"
    archive = work / "initrd"
    packing = f"find . | grep -vE {shlex.quote(left_out)} | cpio --quiet -o -H newc >{shlex.quote(str(archive))}"
    run("sh", "-c", packing, cwd=root)
    return kernel, archive


def boot(kernel: Path, archive: Path, work: Path) -> str:
    """Run the machine to its end; what it printed."""
    disks = []
    for number in range(6):
        disk = work / f"disk{number}.img"
        disk.unlink(missing_ok=True)
        disk.touch()
        os.truncate(disk, 512 << 20)
        disks += ["-drive", f"file={disk},if=virtio,format=raw,cache=unsafe"]
    argv = ["qemu-system-x86_64", "-accel", "tcg", "-m", "2048", "-nographic", "-no-reboot", "-nic", "none"]
    argv += ["-kernel", str(kernel), "-initrd", str(archive), "-append", "console=ttyS0 quiet panic=-1", *disks]
    done = subprocess.run(argv, check=True, timeout=900, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    text = done.stdout.decode("utf-8", "replace").replace("\r", "")
    (work / "console.txt").write_text(text)
    return text


def keep(console: str, asked: list[Question], release: str, into: Path) -> None:
    """One file for each answer: what was asked, then what came, to the letter."""
    found = re.search(r"^== ANSWERS BEGIN\n(.*)^== ANSWERS END$", console, re.MULTILINE | re.DOTALL)
    if found is None:
        raise SystemExit(f"The machine printed no answers:\n{console[-4000:]}")
    with tarfile.open(fileobj=io.BytesIO(base64.b64decode(found[1]))) as archive:
        answers = {
            member.name.removeprefix("./"): archive.extractfile(member).read().decode()  # type: ignore[union-attr]
            for member in archive
            if member.isfile()
        }
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    for question in asked:
        head = {
            "tool": f"quota {answers['version']}, Debian {release}, Linux {answers['kernel'].strip()}",
            "command": shlex.join(question.argv),
            "path": question.path,
            "user": f"{question.user} {UIDS[question.user]}",
            "project": question.project,
            "asked by": question.asks,
            "exit status": answers[f"{question.name}.code"].strip(),
        }
        text = "".join(f"{key}: {value}".rstrip() + "\n" for key, value in head.items())
        text += f"-- stdout\n{answers[question.name + '.out']}-- stderr\n{answers[question.name + '.err']}"
        (into / f"{question.name}.txt").write_text(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("release", help="a Debian release, as bookworm")
    parser.add_argument("work", type=Path, help="a directory for root directory, kernel and disks (about 1 GiB)")
    parser.add_argument("--mirror", help="where Debian is; without it, where this machine's apt gets it")
    given = parser.parse_args()
    work = given.work / given.release
    work.mkdir(parents=True, exist_ok=True)
    asked = questions()
    try:
        where = given.mirror or mirror(given.release)
    except NoRootError as error:
        raise SystemExit(f"{error}: give one with --mirror") from error
    root = root_directory(given.release, work, where)
    console = boot(*pack(root, work, asked), work)
    keep(console, asked, given.release, HERE.parent / "tests/unit/gateway/storage_answers" / given.release)


if __name__ == "__main__":
    main()
