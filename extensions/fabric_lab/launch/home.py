"""Jupyter's files in the home directory that this session leaves out, and why: for the page, which tells its person.

Whatever is in a home, the image's kernel and extensions come up. What keeps them from it, or cannot be read, is left
out; Jupyter says so in its log, where nobody looks. Here it is noted while the server is made, and looked up in the
home when the page asks.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from traitlets.config import Application, Config
from traitlets.config.loader import ConfigFileNotFound, JSONFileConfigLoader, PyFileConfigLoader

from ..answers import LeftOut
from ..common.environment import ASIDE
from ..common.translation import N_, _

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

LONGEST = 400
NOT_IMPORTED = N_("it cannot be imported: {error}. Packages in ~/.local/lib are not used in sessions")
# Where Jupyter keeps a person's settings, kernels and extensions.
PLACES = ("~/.jupyter", "~/.local/share/jupyter")


def words(error: BaseException) -> str:
    """What went wrong, on one line."""
    if isinstance(error, json.JSONDecodeError):
        return _("it is not valid JSON: {error} (line {line}, column {column})").format(
            error=error.msg, line=error.lineno, column=error.colno
        )
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(f"{type(error).__name__}: {error}".split())[:LONGEST]


def short(path: str | Path) -> str:
    """A path with ``~`` for the home directory."""
    home, text = os.path.expanduser("~"), str(path)
    return f"~{text[len(home) :]}" if text.startswith(f"{home}/") else text


class Noted(logging.Handler):
    """What failed while the server was made: files of settings by path, extensions by name."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.files: dict[str, str] = {}
        self.extensions: dict[str, str] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what the manager of extensions says: "NAME | …", with the exception."""
        name = record.args[0] if isinstance(record.args, tuple) and record.args else None
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(name, str) and error:
            missing = error.__context__
            why = _(NOT_IMPORTED).format(error=missing) if isinstance(missing, ImportError) else words(error)
            self.extensions.setdefault(name, why)

    @contextmanager
    def reading(self, loader: PyFileConfigLoader | JSONFileConfigLoader) -> Iterator[None]:
        """Keep why a file cannot be used."""
        try:
            yield
        except ConfigFileNotFound:
            raise
        except BaseException as error:
            self.files[str(loader.full_filename)] = words(error)
            raise

    def words_of(self, error: BaseException) -> str:
        """Why the server was not made, with the file where that is known."""
        said = [f"{short(path)}: {why}" for path, why in self.files.items() if why == words(error)]
        return (said or [words(error)])[0]


noted = Noted()


class PyFile(PyFileConfigLoader):
    """A file of settings in Python."""

    def load_config(self) -> Config:
        """The settings; a file that fails is noted."""
        with noted.reading(self):
            return super().load_config()


class JsonFile(JSONFileConfigLoader):
    """A file of settings in JSON."""

    def load_config(self) -> Config:
        """The settings; a file that fails is noted."""
        with noted.reading(self):
            return super().load_config()


def note_files() -> None:
    """From now on note the files of settings that fail, of the server and of all its extensions."""
    Application.python_config_loader_class = PyFile
    Application.json_config_loader_class = JsonFile


def without_broken(directories: list[str], own: Path, place: Path) -> tuple[list[str], dict[str, str]]:
    """JupyterLab's search path for its extensions; one that cannot be read would fail every page.

    :param own: the home's directory in that path.
    :param place: where to make one of links, without the broken ones; made only where there are some.
    :returns: the path, and why each broken one (a directory below ``own``) is left out.
    """
    broken: dict[str, str] = {}
    good = []
    for file in sorted((*own.glob("[!@]*/package.json"), *own.glob("@*/*/package.json"))):
        try:
            package = json.loads(file.read_text(encoding="utf-8"))
            package["name"], package["version"]
            install = file.with_name("install.json")
            if install.exists():
                json.loads(install.read_text(encoding="utf-8"))
        except (OSError, ValueError, TypeError, KeyError) as error:
            lacks = _("no {field} in it").format(field=error) if isinstance(error, KeyError) else ""
            broken[str(file.parent)] = lacks or words(error)
        else:
            good.append(file.parent)
    if not broken:
        return directories, {}
    for directory in good:
        link = place / directory.relative_to(own)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(directory)
    return [str(place) if Path(one) == own else one for one in directories], broken


def enabled_by(directory: Path) -> dict[str, Path]:
    """Server extensions that a home's JSON files turn on, each with its file; what cannot be read says nothing."""
    found: dict[str, Path] = {}
    for file in (directory / "jupyter_server_config.json", *sorted(directory.glob("jupyter_server_config.d/*.json"))):
        with suppress(OSError, ValueError, LookupError, TypeError, AttributeError):
            enabled = json.loads(file.read_text(encoding="utf-8"))["ServerApp"]["jpserver_extensions"]
            found |= {name: file for name, on in enabled.items() if on}
    return found


def left_out(server: ServerApp, lab: Mapping[str, str], environment: Mapping[str, str]) -> list[LeftOut]:
    """All that this session leaves out. Reads the home directory: not for the server's own thread.

    :param lab: broken extensions of JupyterLab (see :func:`without_broken`).
    """
    if environment.get(ASIDE):
        return [LeftOut(kind="everything", name="", place=_places(PLACES), why=environment[ASIDE])]
    if environment.get("FABRIC_RESCUE"):
        there = [place for place in PLACES if _has_files(Path(place).expanduser())]
        return [LeftOut(kind="rescue", name="", place=_places(there), why="")] if there else []
    own = Path(server.config_dir)
    settings = [
        LeftOut(kind="settings", name=Path(path).name, place=short(path), why=why)
        for path, why in noted.files.items()
        if Path(path).is_relative_to(own)
    ]
    specs: Any = server.kernel_spec_manager
    kernels = [
        LeftOut(kind="kernel", name=Path(path).name, place=short(path), why=why)
        for path, why in (specs.unreadable() if hasattr(specs, "unreadable") else {}).items()
    ]
    extensions = [
        LeftOut(kind="server-extension", name=name, place=short(file), why=noted.extensions[name])
        for name, file in enabled_by(own).items()
        if name in noted.extensions
    ]
    panels = [
        LeftOut(kind="lab-extension", name=Path(path).name, place=short(path), why=why) for path, why in lab.items()
    ]
    return [*settings, *kernels, *extensions, *panels]


def _places(places: Sequence[str]) -> str:
    """One place, or two."""
    return _("{one} and {other}").format(one=places[0], other=places[1]) if len(places) > 1 else places[0]


def _has_files(directory: Path) -> bool:
    try:
        return any(directory.iterdir())
    except OSError:
        return False
