"""The list of patches is whole and true: what it names is replaced, once, and nothing is replaced anywhere else."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from traitlets.config import Config

from fabric_hub.config.settings import Settings
from fabric_hub.hub import patches
from fabric_hub.hub.patches import PATCHES, proxy_program
from fabric_hub.hub.patches.patch import Patch
from fabric_hub.hub.patches.replace import original
from fabric_hub.hub.spawner import runtime
from tests.support import syntax
from tests.unit.hub.conftest import PLACES

ROOT = Path(patches.__file__).parents[3]
# Whose parts only the patches may replace.
LIBRARIES = {"jupyterhub", "tornado", "traitlets", "certipy", "oauthenticator", "batchspawner", "wrapspawner", "ssl"}
NEEDED = "\n".join(path.read_text() for path in (ROOT / patches.NEEDED_TESTS).glob("test_*.py"))


@pytest.fixture
def applied(site: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is there when a hub has started, with a configuration that was read twice."""
    monkeypatch.setattr(runtime, "_settings", None)
    monkeypatch.setattr(runtime, "_runtime", None)
    hub = site.hub.model_copy(update={"internal_ssl": True})
    for _ in range(2):
        patches.apply_all(Config(), site.model_copy(update={"hub": hub}), "fabric")
        proxy_program.apply(None, 0, "")


@pytest.mark.usefixtures("applied")
def test_what_the_list_names_is_replaced_and_once() -> None:
    for owner, name in PLACES:
        theirs = original(getattr(owner, name))
        assert theirs is not getattr(owner, name), f"{owner} {name} is the library's own"
        assert theirs is original(theirs), f"{owner} {name} is replaced twice"


def test_names_and_places_of_patches_are_there() -> None:
    assert len({patch.name for patch in PATCHES}) == len(PATCHES)
    for patch in PATCHES:
        import_module(patch.module if "." in patch.module else f"{patches.__name__}.{patch.module}")
        assert all(link.startswith("https://github.com/") for link in patch.upstream)


def test_every_patch_has_a_test_that_says_when_it_can_go() -> None:
    tests = set(re.findall(r"^(?:async )?def (test_\w+)", NEEDED, re.MULTILINE))
    assert {patch.needed_test for patch in PATCHES} == tests


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.name)
def test_nobody_hears_of_a_version_that_somebody_has_looked_at(patch: Patch) -> None:
    assert patches.unknown_version(patch) == ""


def test_another_version_is_told_in_the_log_and_the_hub_starts(
    site: Settings, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = {"jupyterhub": "6.2.0"}
    monkeypatch.setattr(patches, "version", lambda package: versions.get(package, "0.1"))
    patches.apply_all(Config(), site, "fabric")
    said = [record.getMessage() for record in caplog.records if record.name == patches.__name__]
    assert any(
        text.startswith("Patch start-by-post of jupyterhub was made for >=6.1.1,<6.2, and 6.2.0") for text in said
    )
    assert any("Patch held-port of tornado" in text for text in said)


def test_nothing_of_a_library_is_replaced_elsewhere() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sorted((ROOT / "fabric_hub").rglob("*.py"))
        if "patches" not in path.parts
        for line in _replacements(syntax.parse(path.read_text()))
    ]
    assert found == [], "this belongs into fabric_hub/hub/patches"


@pytest.mark.parametrize(
    "text",
    [
        "from jupyterhub.user import User\nUser.spawn = mine",
        "import jupyterhub.proxy\njupyterhub.proxy.Popen = mine",
        "import ssl\nsetattr(ssl.SSLContext, 'sslsocket_class', mine)",
        "from tornado import tcpserver\nvars(tcpserver)['bind_sockets'] = mine",
        "def f():\n    from jupyterhub import handlers\n    handlers.default_handlers[:] = []",
        "import jupyterhub.handlers as h\nh.default_handlers.append(mine)",
    ],
)
def test_each_way_to_replace_something_is_found(text: str) -> None:
    assert list(_replacements(syntax.parse(text))) == [len(text.splitlines())]
    assert (
        list(
            _replacements(
                syntax.parse(text.replace("jupyterhub", "json").replace("ssl", "os").replace("tornado", "re"))
            )
        )
        == []
    )


def _replacements(tree: ast.Module) -> Iterator[int]:
    """The lines that change a name that is imported from a library."""
    libraries = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [(alias.name, alias.asname or alias.name.split(".")[0]) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [(node.module or "", alias.asname or alias.name) for alias in node.names]
        else:
            continue
        libraries |= {local for module, local in names if module.split(".")[0] in LIBRARIES}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and _base(node.value) in libraries:  # the same by another name
            libraries |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AugAssign | ast.Delete):
            targets = [node.target] if isinstance(node, ast.AugAssign) else node.targets
            if any(_base(target) in libraries for target in targets if not isinstance(target, ast.Name)):
                yield node.lineno
        elif isinstance(node, ast.Call) and _changes(node, libraries):
            yield node.lineno


def _changes(call: ast.Call, libraries: set[str]) -> bool:
    if isinstance(call.func, ast.Name) and call.func.id in ("setattr", "delattr", "replace") and call.args:
        return _base(call.args[0]) in libraries
    changing = isinstance(call.func, ast.Attribute) and call.func.attr in ("append", "extend", "insert", "remove")
    return changing and _base(call.func) in libraries


def _base(node: ast.expr) -> str | None:
    """The name that an expression begins with: ``a`` of ``a.b[c].d`` and of ``vars(a)["b"]``."""
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Attribute | ast.Subscript):
            node = node.value
        elif isinstance(node, ast.Call) and node.args and isinstance(node.func, ast.Name) and node.func.id == "vars":
            node = node.args[0]
        else:
            return None
    return node.id
