"""``python -P recorder.py FD SECONDS [--look] FILE``: run a jupyterhub_config.py and say what it set.

A program of its own, of the standard library and traitlets only: the file is Python that may do anything, and what it
leaves behind ends with this process. The answer is JSON on file descriptor FD: settings with their lines, modules that
are missing, where it failed, and the classes that its sections are for. With ``--look`` nothing of the file is run; the
sections then come as arguments after it.

What a hub of ours has in lists and tables before such a file is read is there, in part, so that ``append`` and ``+=``
work and it is known whether the file drops it (:data:`OWN`).
"""

from __future__ import annotations

import ast
import importlib
import importlib.abc
import importlib.machinery
import importlib.metadata
import importlib.util
import inspect
import json
import os
import pkgutil
import signal
import sys
import types
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from traitlets.config import Config, Configurable
from traitlets.config.loader import LazyConfigValue

# By what it is known that they are still there.
OWN: dict[tuple[str, str], Any] = {
    ("JupyterHub", "services"): [{"name": "fabric"}],
    ("JupyterHub", "load_roles"): [{"name": "fabric-service"}],
    ("JupyterHub", "template_paths"): ["fabric_hub/hub/templates"],
    ("JupyterHub", "custom_scopes"): {"custom:fabric:session": {}},
    ("JupyterHub", "template_vars"): {"fabric_base": ""},
    ("JupyterHub", "tornado_settings"): {"fabric_hub": True, "headers": {}},
    ("JupyterHub", "jinja_environment_options"): {"extensions": []},
    ("Authenticator", "allowed_users"): {"member-of-a-project"},
    ("Authenticator", "admin_users"): set(),
}
_DEEPEST = 6
_MOST = 200  # entries of one list or table that are told
_LONGEST = 20_000  # characters of one text
# Packages whose classes are known; what another has made of its own is told.
_KNOWN = ("jupyterhub", "batchspawner", "wrapspawner", "traitlets", "builtins.object", "oauthenticator")

_files: set[str] = set()  # that are being run
_sections: dict[int, str] = {}  # names of sections, by their object
_set: list[tuple[str, str, str, int, Any]] = []
_touched: dict[tuple[str, str], tuple[str, int]] = {}


def _where() -> tuple[str, int]:
    """File and line that are being run, of the innermost of the files."""
    frame: types.FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_filename in _files:
            return frame.f_code.co_filename, frame.f_lineno
        frame = frame.f_back
    return "", 0


class Section(Config):
    """``c.SlurmSpawner``: notes the line of each setting."""

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        name = _sections.get(id(self))
        if name and (place := _where())[0]:
            _set.append((name, key, *place, value))

    def __getitem__(self, key: str) -> Any:
        value = super().__getitem__(key)
        if (name := _sections.get(id(self))) and (place := _where())[0]:
            _touched[name, key] = place
        return value

    def update(self, *others: Any, **more: Any) -> None:
        for key, value in dict(*others, **more).items():
            self[key] = value

    def setdefault(self, key: str, default: Any = None) -> Any:
        if key not in self:
            self[key] = default
        return self[key]


class Root(Config):
    """``c``: its sections are ours."""

    def __getitem__(self, key: str) -> Any:
        if key[:1].isupper() and not dict.__contains__(self, key):
            section = Section()
            _sections[id(section)] = key
            dict.__setitem__(self, key, section)
        return super().__getitem__(key)

    def __setitem__(self, key: str, value: Any) -> None:
        if key[:1].isupper() and isinstance(value, dict):
            self[key].update(value)
        else:
            super().__setitem__(key, value)

    def update(self, *others: Any, **more: Any) -> None:
        for key, value in dict(*others, **more).items():
            self[key] = value

    def merge(self, other: Any) -> None:
        self.update(other)


class _Stand(type):
    """What is asked of a module that is not installed: classes that can be called, subclassed and asked again."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _stand_in(f"{cls.__module__}.{cls.__qualname__}", name)


def _stand_in(module: str, name: str) -> Any:
    return _Stand(name, (), {"__module__": module, "__init__": lambda self, *args, **named: None})


class _Absent(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives the file that is run a stand-in for each module that it imports and that is not installed."""

    def __init__(self, tolerated: set[tuple[str, int]]) -> None:
        self.tolerated = tolerated  # imports whose absence the file itself expects
        self.found: dict[str, int] = {}

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        frame: types.FrameType | None = sys._getframe(1)
        while frame is not None and "importlib" in frame.f_code.co_filename:
            frame = frame.f_back
        file, line = (frame.f_code.co_filename, frame.f_lineno) if frame else ("", 0)
        if name.partition(".")[0] in self.found:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        if file not in _files or (file, line) in self.tolerated:
            return None
        self.found[name] = line
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        module = types.ModuleType(spec.name)
        module.__getattr__ = lambda name: _absent_attribute(spec.name, name)  # type: ignore[method-assign]
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        """There is nothing to run."""


def _absent_attribute(module: str, name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return _stand_in(module, name)


def _tolerated(tree: ast.AST, file: str) -> set[tuple[str, int]]:
    """The lines of imports in a ``try`` that expects them to fail."""
    found: set[tuple[str, int]] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Try) and node.handlers:
            found |= {
                (file, inner.lineno)
                for part in node.body
                for inner in ast.walk(part)
                if isinstance(inner, ast.Import | ast.ImportFrom)
            }
    return found


def _dotted(kind: type) -> str:
    module = kind.__module__
    return kind.__qualname__ if module in ("builtins", "__main__") else f"{module}.{kind.__qualname__}"


def _plain(value: Any, depth: int = 0) -> Any:
    """A value as JSON."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return value[:_LONGEST]
    if isinstance(value, type):
        return _dotted(value)
    if depth < _DEEPEST and isinstance(value, dict):
        return {str(key): _plain(item, depth + 1) for key, item in list(value.items())[:_MOST]}
    if depth < _DEEPEST and isinstance(value, list | tuple):
        return [_plain(item, depth + 1) for item in value[:_MOST]]
    if depth < _DEEPEST and isinstance(value, set | frozenset):
        return sorted((_plain(item, depth + 1) for item in list(value)[:_MOST]), key=str)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return f"<{type(value).__name__}>"


def value_of(value: Any) -> dict[str, Any]:
    if isinstance(value, type):
        return {"kind": "class", "name": _dotted(value)}
    if isinstance(value, types.FunctionType | types.MethodType):
        own = value.__code__.co_filename in _files
        return {"kind": "function", "name": value.__name__, "line": value.__code__.co_firstlineno if own else 0}
    if isinstance(value, LazyConfigValue):
        return {"kind": "added", "plain": _plain(value.to_dict())}
    if value is None or isinstance(
        value, bool | int | float | str | dict | list | tuple | set | frozenset | os.PathLike
    ):
        return {"kind": "plain", "plain": _plain(value)}
    return {"kind": "object", "name": type(value).__name__}


def _own() -> Root:
    c = Root()
    for (section, name), value in OWN.items():
        c[section][name] = json.loads(json.dumps(value)) if not isinstance(value, set) else set(value)
    return c


def _run(path: str) -> dict[str, Any]:
    c, files = _own(), [path]
    finder = _Absent(set())
    sys.meta_path.append(finder)

    def load(name: str) -> None:
        source = Path(name).read_bytes()
        _files.add(name)
        code = compile(source, name, "exec")
        finder.tolerated |= _tolerated(ast.parse(source), name)
        namespace = {"c": c, "get_config": lambda: c, "load_subconfig": subconfig, "__file__": name}
        exec(code, namespace, namespace)

    def subconfig(fname: str, path: str | None = None) -> None:
        beside = os.path.join(path or os.path.dirname(files[-1]), fname)
        if os.path.exists(beside):
            files.append(beside)
            try:
                load(beside)
            finally:
                files.pop()

    fault = None
    try:
        load(path)
    except BaseException as error:  # the file may raise anything, SystemExit among it
        lines = [one.lineno for one in _traced(error) if one.filename == path]
        line = getattr(error, "lineno", None) if isinstance(error, SyntaxError) else None
        words = str(error).splitlines()
        fault = {"line": line or (lines[-1] if lines else 0), "error": f"{type(error).__name__}: {''.join(words[:1])}"}
    finally:
        sys.meta_path.remove(finder)
    return {
        "settings": list(_settings(c)),
        "missing": [{"module": name, "line": line} for name, line in finder.found.items()],
        "fault": fault,
    }


def _traced(error: BaseException) -> Iterator[Any]:
    trace = error.__traceback__
    while trace is not None:
        yield types.SimpleNamespace(filename=trace.tb_frame.f_code.co_filename, lineno=trace.tb_lineno)
        trace = trace.tb_next


def _settings(c: Root) -> Iterator[dict[str, Any]]:
    last = {(section, name): number for number, (section, name, *_) in enumerate(_set)}
    for number, (section, name, file, line, value) in enumerate(_set):
        final = last[section, name]
        said = value_of(c[section][name] if number == final else value)
        again = _set[final][3] if number != final else 0
        yield {"section": section, "name": name, "file": file, "line": line, "value": said, "again": again}
    for (section, name), (file, line) in _touched.items():
        if (section, name) in last or name not in c[section]:
            continue
        value, own = dict.__getitem__(c[section], name), OWN.get((section, name))
        lazy = isinstance(value, LazyConfigValue) and bool(value.to_dict())
        if lazy or (own is not None and value != own):
            added = {"kind": "added", "plain": _plain(value.to_dict() if lazy else value)}
            yield {"section": section, "name": name, "file": file, "line": line, "value": added}


def classes_of(wanted: Sequence[str], named: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """The classes of sections and of the spawners for Slurm, and the names of classes that cannot be loaded."""
    for module in ("jupyterhub.spawner", "jupyterhub.auth", "jupyterhub.proxy", "batchspawner", "wrapspawner"):
        _try(module)
    if "JupyterHub" in wanted:
        _try("jupyterhub.app")
    unloadable = [name for name in named if not _loads(name)]
    index = _index()
    if any(section not in index and section.endswith("Authenticator") for section in wanted) and _try("oauthenticator"):
        for found in pkgutil.iter_modules(sys.modules["oauthenticator"].__path__, "oauthenticator."):
            if ".tests" not in found.name:
                _try(found.name)
        index = _index()
    shown = dict.fromkeys([*wanted, "Spawner", "SlurmSpawner"])
    return {name: _class(index[name]) for name in shown if name in index}, unloadable


def _try(module: str) -> bool:
    try:
        importlib.import_module(module)
    except Exception:
        return False
    return True


def _loads(name: str) -> bool:
    """Whether JupyterHub finds a class by this name: dotted, or an entry point."""
    for group in ("jupyterhub.authenticators", "jupyterhub.spawners", "jupyterhub.proxies"):
        for entry in importlib.metadata.entry_points(group=group):
            if entry.name.lower() == name.lower():
                return _try(entry.module)
    module, _, kind = name.rpartition(".")
    return bool(module) and _try(module) and hasattr(sys.modules[module], kind)


def _index() -> dict[str, type]:
    found: dict[str, type] = {}
    waiting: list[type] = [Configurable]
    while waiting:
        kind = waiting.pop()
        found.setdefault(kind.__name__, kind)
        waiting += type.__subclasses__(kind)
    return found


def _class(kind: Any) -> dict[str, Any]:
    methods = [
        name
        for base in kind.__mro__
        if not _dotted(base).startswith(_KNOWN) and base is not object
        for name, value in vars(base).items()
        if inspect.isfunction(value) and not name.startswith("__")
    ]
    return {
        "bases": [base.__name__ for base in kind.__mro__ if issubclass(base, Configurable)],
        "traits": sorted(kind.class_trait_names(config=True)),
        "methods": sorted(set(methods)),
    }


def main(argv: Sequence[str]) -> None:
    out, seconds, rest = int(argv[0]), int(argv[1]), list(argv[2:])
    signal.alarm(seconds)  # whoever started this may be gone by then
    look = rest[0] == "--look"
    path, *sections = rest[1:] if look else rest
    said: dict[str, Any] = {"settings": [], "missing": [], "fault": None}
    if not look:
        said = _run(path)
        sections = [one["section"] for one in said["settings"]]
    named = [
        one["value"]["plain"]
        for one in said["settings"]
        if one["name"] in ("authenticator_class", "proxy_class") and isinstance(one["value"].get("plain"), str)
    ]
    spawners = [
        one["value"].get("name") or str(one["value"].get("plain"))
        for one in said["settings"]
        if one["name"] == "spawner_class"
    ]
    shown = [*sections, *(name.rpartition(".")[2] for name in spawners)]
    for name in spawners:
        _loads(name)  # a class of the site's own, from a module of its own
    said["classes"], said["unloadable"] = classes_of(shown, named)
    with os.fdopen(out, "w", encoding="utf-8") as answer:
        json.dump(said, answer)
    os._exit(0)  # threads and exit handlers of the file are not waited for


if __name__ == "__main__":
    main(sys.argv[1:])
