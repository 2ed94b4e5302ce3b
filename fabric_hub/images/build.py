"""Realising an image: a virtual environment from a lock file, proved, then switched to at once.

``images_dir/NAME/<id>`` is one build, named after everything that went into it;
``images_dir/NAME/current`` is the live one. A build without ``image.json`` was
interrupted and is made again. Sessions keep running in the build they started in.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import stat
import sys
import tempfile
import time
from pathlib import Path

from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import images as texts

from . import recipe
from .wheel import Say, clean_environment, digest, extension_wheel, locked, run

PYTHON = Path("/usr/bin/python3")  # readable by every user; one below somebody's home is not
MARK = "image.json"
EXPORTERS = "nbconvert.exporters"
KEEP_BUILDS = 2
KEEP_RETIRED_S = 30 * 86400.0  # a session may still run in a build that was replaced


def find_uv() -> Path:
    """uv, from the environment that this runs in."""
    beside = Path(sys.executable).parent / "uv"
    found = str(beside) if beside.is_file() else shutil.which("uv")
    if not found:
        raise FabricError(texts.NO_UV(python=sys.executable))
    return Path(found)


def python_version() -> str:
    """Which interpreter the images are made with: changes when the machine's own Python does."""
    if not PYTHON.is_file():
        raise FabricError(texts.NO_PYTHON(python=str(PYTHON)))
    code = "import sys, sysconfig; print(sys.version, sysconfig.get_platform())"
    return run([str(PYTHON), "-I", "-c", code], doing=texts.ASKING_PYTHON(), cwd=Path("/"))


def _variant(image: recipe.Image, wanted: str | None) -> str:
    return image.variant(wanted, has_gpu=Path("/dev/nvidiactl").exists())


def identify(name: str, variant: str | None = None, *, root: Path | None = None) -> str:
    """The id that :func:`build` would give an image now."""
    root = root or recipe.source_root()
    image = recipe.load(name, root)
    return recipe.build_id(image, _variant(image, variant), digest(root), python_version())


def build(name: str, images_dir: Path, say: Say, *, variant: str | None = None, root: Path | None = None) -> Path:
    """Make an image ready to use and switch ``current`` to it. At once when nothing changed.

    :param name: a directory of ``images/``.
    :param images_dir: the site's ``images.dir``; made when it is not there.
    :param say: takes one line of progress at a time.
    :param variant: which of the recipe's lock files; default: what fits this machine.
    :param root: what holds the recipes; default: :func:`recipe.source_root`.
    :returns: the build's own directory (not the link).
    :raises FabricError: unknown image, a missing tool, a full disk, a failed step or test.
    """
    root = root or recipe.source_root()
    image = recipe.load(name, root)
    lock = image.directory / image.recipe.locks[_variant(image, variant)]
    build_id = identify(name, variant, root=root)
    home = images_dir / name
    target = home / build_id
    try:
        for directory in (images_dir, home):
            if not directory.is_dir():
                directory.mkdir(parents=True)
                directory.chmod(0o755)
        with locked(home / ".lock"):
            if not (target / MARK).is_file():
                _realise(image, lock, target, root, say)
            if _switch(home, build_id):
                say(texts.SAY_LIVE(image=name, build=build_id))
                _prune(home, say)
    except OSError as error:
        raise FabricError(texts.CANNOT_BUILD(image=name, path=str(images_dir), why=str(error))) from error
    _warn_when_hidden(target, say)
    return target


def _realise(image: recipe.Image, lock: Path, target: Path, root: Path, say: Say) -> None:
    wheel = extension_wheel(root, say)
    uv = str(find_uv())
    python = target / "bin" / "python"
    started = time.monotonic()
    if target.exists():
        say(texts.SAY_REMOVING_UNFINISHED(build=target.name))
        shutil.rmtree(target)
    try:
        say(texts.SAY_INSTALLING(image=image.name))
        create = [uv, "venv", "--quiet", "--python", str(PYTHON), "--no-project", "--no-config", str(target)]
        run(create, doing=texts.MAKING_ENVIRONMENT(image=image.name), cwd=image.directory)
        # copies, not hard links into uv's cache: what is here must never change with it
        install = [uv, "pip", "install", "--quiet", "--no-config", "--python", str(python), "--link-mode", "copy"]
        install += ["--compile-bytecode", "--no-deps"]
        run(
            [*install, "--require-hashes", "-r", str(lock)],
            doing=texts.INSTALLING(image=image.name),
            cwd=image.directory,
        )
        run([*install, str(wheel)], doing=texts.INSTALLING_WHEEL(wheel=wheel.name), cwd=image.directory)
        _isolate_kernel(target)
        _prefer_others_exporters(target)
        say(texts.SAY_TESTING(image=image.name))
        _prove(image, target)
        _open_to_all(target)
        mark = {"name": image.name, "title": image.recipe.title, "lock": lock.name, "built_at": time.time()}
        _write_whole(target / MARK, json.dumps(mark))
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise
    say(texts.SAY_READY(image=image.name, seconds=round(time.monotonic() - started)))


def _isolate_kernel(target: Path) -> None:
    """Let the kernel ignore PYTHON* variables and the user's own site-packages, made for another Python.

    Not with -I: IPython would then leave the notebook's own directory out of its path, too.
    """
    path = target / "share/jupyter/kernels/python3/kernel.json"
    try:
        spec = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FabricError(texts.NO_IPYKERNEL(path=str(path))) from None
    # Jupyter replaces a plain "python" by the interpreter that it runs in itself: this image's
    flags = ("-I", "-s", "-E")
    spec["argv"] = ["python", "-s", "-E", *[argument for argument in spec["argv"][1:] if argument not in flags]]
    path.write_text(json.dumps(spec, indent=1), encoding="utf-8")


def _prefer_others_exporters(target: Path) -> None:
    """Where another package has an exporter of the name of one of nbconvert's own, take nbconvert's out of its list.

    Else nbconvert takes either of the two, by the order in which the file system lists their directories.
    """
    packages = next(target.glob("lib/python3*/site-packages"))
    listed = list(importlib.metadata.distributions(path=[str(packages)]))
    others = {
        entry.name
        for package in listed
        if package.name != "nbconvert"
        for entry in package.entry_points.select(group=EXPORTERS)
    }
    for path in packages.glob("nbconvert-*.dist-info/entry_points.txt"):
        section, kept = "", []
        for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
            section = line.strip() if line.startswith("[") else section
            if section != f"[{EXPORTERS}]" or line.partition("=")[0].strip() not in others:
                kept.append(line)
        path.write_text("".join(kept), encoding="utf-8")


def _prove(image: recipe.Image, target: Path) -> None:
    """Import what the recipe promises and run its test, with an empty home, as a new user would have it."""
    with tempfile.TemporaryDirectory(prefix="fabric-image-") as home:
        environment = clean_environment(os.environ)
        environment |= {"HOME": home, "PATH": f"{target / 'bin'}:/usr/bin:/bin", "VIRTUAL_ENV": str(target)}
        environment = {k: v for k, v in environment.items() if not k.startswith(("JUPYTER", "IPYTHON", "XDG_"))}
        imports = [str(target / "bin/python"), "-I", "-c", f"import {', '.join(('sys', *image.recipe.modules))}"]
        doing = texts.IMPORTING(image=image.name)
        run(imports, doing=doing, cwd=image.directory, environment=environment, timeout_s=900)
        command, *arguments = image.recipe.test
        inside = target / "bin" / command
        argv = [str(inside) if inside.exists() else command, *arguments]
        run(argv, doing=texts.TESTING(image=image.name), cwd=image.directory, environment=environment, timeout_s=900)


def _open_to_all(target: Path) -> None:
    """Everybody may read (and run what its owner may), nobody else may write."""
    for directory, folders, files in os.walk(target):
        for name in (".", *folders, *files):
            path = Path(directory, name)
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                continue
            runs = stat.S_ISDIR(mode) or mode & stat.S_IXUSR
            wanted = stat.S_IMODE(mode) & ~0o022 | (0o755 if runs else 0o644)
            if wanted != stat.S_IMODE(mode):
                path.chmod(wanted)


def _write_whole(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(text, encoding="utf-8")
    beside.chmod(0o644)
    beside.rename(path)


def _switch(home: Path, build_id: str) -> bool:
    """Point ``current`` at a build in one step; says whether that changed anything."""
    current = home / "current"
    before = os.readlink(current) if current.is_symlink() else None
    if before == build_id:
        return False
    if before and (home / before / MARK).is_file():
        os.utime(home / before / MARK)  # when it was retired
    beside = home / ".current.new"
    beside.unlink(missing_ok=True)
    beside.symlink_to(build_id)
    beside.rename(current)
    return True


def to_remove(retired_at: dict[str, float], current: str, now: float) -> list[str]:
    """Which finished builds may go: not the live one, not the one before, none replaced within 30 days.

    :param retired_at: build id to Unix time at which it was made or replaced.
    """
    others = sorted((b for b in retired_at if b != current), key=lambda b: retired_at[b], reverse=True)
    return [b for b in others[KEEP_BUILDS - 1 :] if now - retired_at[b] > KEEP_RETIRED_S]


def _prune(home: Path, say: Say) -> None:
    builds = {mark.parent.name: mark.stat().st_mtime for mark in home.glob(f"*/{MARK}") if not mark.parent.is_symlink()}
    for old in to_remove(builds, os.readlink(home / "current"), time.time()):
        say(texts.SAY_REMOVING_OLD(build=old))
        (home / old / MARK).unlink()  # from here on it is unfinished: never used half removed
        shutil.rmtree(home / old)


def _warn_when_hidden(target: Path, say: Say) -> None:
    for directory in target.resolve().parents:
        if not directory.stat().st_mode & stat.S_IXOTH:
            say(texts.SAY_HIDDEN(path=str(directory)))
            return
