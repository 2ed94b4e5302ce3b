"""What every test keeps to, so that it gives the same whenever it comes and beside whatever else runs."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]
CLOCKS = re.compile(r"\b(time\.(time|monotonic)|datetime\.(now|today)|date\.today)$")


def at_import(tree: ast.AST) -> Iterator[ast.expr]:
    """What is worked out as a module is read: parameters of tests and defaults, which a run meets an hour later."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from node.decorator_list
            yield from node.args.defaults
            yield from (default for default in node.args.kw_defaults if default)


def clocks_of(text: str) -> list[int]:
    calls = (
        node for part in at_import(ast.parse(text)) for node in ast.walk(part) if isinstance(node, ast.Call)
    )  # fmt: skip
    return [call.lineno for call in calls if CLOCKS.search(ast.unparse(call.func))]


def test_no_parameter_of_a_test_is_of_the_moment_at_which_it_was_read() -> None:
    example = "import time\n@mark.parametrize('at', [time.time() + 900])\ndef test_it(at): ...\n"
    assert clocks_of(example) == [2]
    found = {path.relative_to(TESTS).as_posix(): clocks_of(path.read_text()) for path in TESTS.rglob("*.py")}
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_no_two_modules_make_one_directory_of_a_run() -> None:
    """A worker that gets both would find it there."""
    named = [
        (name, path.relative_to(TESTS).as_posix())
        for path in TESTS.rglob("*.py")
        for name in set(re.findall(r"\bsandbox / \"([\w-]+)\"", path.read_text()))
    ]
    twice = {name for name, count in Counter(name for name, _ in named).items() if count > 1}
    assert sorted(one for one in named if one[0] in twice) == []
