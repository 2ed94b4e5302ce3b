"""A configuration file by its text alone: which settings stand where, and what a hook does to its spawner. Pure."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from fabric_hub.types import Frozen

from .model import Setting, Value

# Methods of lists and tables that add to what is there.
_ADDING = frozenset({"append", "extend", "insert", "prepend", "update", "add"})


def settings(text: str, path: str) -> Iterator[Setting]:
    """The settings that a file's text shows, in its order; none where it is no Python.

    What is set by a loop or by ``setattr`` is not among them: that is known only when the file is run.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return
    names = {"c"} | {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and _name(node.value.func) == "get_config"
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    found: list[Setting] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) and node.value is not None:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if place := _place(target, names):
                    added = isinstance(node, ast.AugAssign)
                    found.append(_setting(place, node.lineno, path, _value(node.value, text, added)))
        elif isinstance(node, ast.Call) and (place := _added(node, names)):
            found.append(_setting(place, node.lineno, path, _value(node.args[-1] if node.args else None, text, True)))
    yield from sorted(found, key=lambda one: one.line)


def _setting(place: tuple[str, str], line: int, path: str, value: Value) -> Setting:
    return Setting(section=place[0], name=place[1], line=line, file=path, value=value, ran=False)


def _added(call: ast.Call, names: set[str]) -> tuple[str, str] | None:
    """Which setting a call adds to, if it does: ``c.JupyterHub.services.append(…)``."""
    function = call.func
    return _place(function.value, names) if isinstance(function, ast.Attribute) and function.attr in _ADDING else None


def _name(node: ast.AST | None) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _place(node: ast.AST, names: set[str]) -> tuple[str, str] | None:
    """``c.SECTION.NAME``, or with square brackets in place of a point."""
    parts: list[str] = []
    for _ in range(2):
        if isinstance(node, ast.Attribute):
            parts.append(node.attr)
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            parts.append(str(node.slice.value))
        else:
            return None
        node = node.value
    name, section = parts
    root = _name(node) in names or (isinstance(node, ast.Call) and _name(node.func) == "get_config")
    return (section, name) if root and section[:1].isupper() else None


def _value(node: ast.AST | None, text: str, added: bool) -> Value:
    shown = (ast.get_source_segment(text, node) or "") if node is not None else ""
    if added:
        return Value(kind="added", name=shown)
    try:
        plain = ast.literal_eval(node) if node is not None else None
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return Value(kind="unread", name=shown)
    return Value(plain=_json(plain))


def _json(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _json(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_json(item) for item in value]
    return value if value is None or isinstance(value, str | int | float | bool) else repr(value)


class Hook(Frozen):
    """What a hook sets on the spawner that it is given, by name, with the line."""

    sets: dict[str, int]


def hook(text: str, name: str, line: int = 0) -> Hook | None:
    """What a function of a file does to its first argument, itself or in functions of the file that it hands it to.

    :param line: where it is defined; 0: the last one of that name.
    :returns: None where the file's text does not show the function.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return None
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    functions = [node for node in ast.walk(tree) if isinstance(node, kinds)]
    named = [one for one in functions if getattr(one, "name", "<lambda>") == name]
    chosen = [one for one in named if not line or _begins(one) == line]
    if not chosen or not chosen[-1].args.args:
        return None
    sets: dict[str, int] = {}
    _follow(chosen[-1], 0, {getattr(one, "name", ""): one for one in functions}, sets, set())
    return Hook(sets=sets)


def _begins(function: Any) -> int:
    """The line that Python says a function begins on: its first decorator's, if it has one."""
    decorators: list[ast.expr] = getattr(function, "decorator_list", [])
    return min([int(function.lineno), *(one.lineno for one in decorators)])


def _follow(function: Any, which: int, functions: dict[str, Any], sets: dict[str, int], seen: set[int]) -> None:
    if id(function) in seen or which >= len(function.args.args):
        return
    seen.add(id(function))
    spawner = function.args.args[which].arg
    for node in ast.walk(function):
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                for part in target.elts if isinstance(target, ast.Tuple | ast.List) else [target]:
                    if attribute := _attribute(part, spawner):
                        sets.setdefault(attribute, node.lineno)
        if not isinstance(node, ast.Call):
            continue
        called = _name(node.func)
        if called == "setattr" and len(node.args) == 3 and _name(node.args[0]) == spawner:
            second = node.args[1]
            sets.setdefault(str(second.value) if isinstance(second, ast.Constant) else "setattr(…)", node.lineno)
        elif isinstance(node.func, ast.Attribute) and node.func.attr in _ADDING | {"setdefault"}:
            if attribute := _attribute(node.func.value, spawner):
                sets.setdefault(attribute, node.lineno)
        elif called in functions:
            for number, given in enumerate(node.args):
                if _name(given) == spawner:
                    _follow(functions[called], number, functions, sets, seen)


def _attribute(node: ast.AST, spawner: str) -> str:
    """The attribute of the spawner that is set, also where only a part of it is (``spawner.environment["X"] = …``)."""
    while isinstance(node, ast.Subscript):
        node = node.value
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not parts or _name(node) != spawner:
        return ""
    parts.reverse()
    return parts[1] if parts[0] == "child_spawner" and len(parts) > 1 else parts[0]
