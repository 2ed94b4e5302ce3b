"""No sentence that people read stands outside the catalogues, and every code is shown by a test."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fabric_hub.messages.text import REASONS
from scripts.make_messages import ROOT
from scripts.reference import messages as reference
from tests.support import syntax

# Rooms whose words reach a person: in a browser, by REST, or at a terminal. Two packages are not among them and stay in
# English: fabric_node, which has the standard library of Python 3.9 on a node and no catalogues there, and fabric_dev,
# the throw-away cluster of who develops.
ROOMS = (
    "fabric_hub/budgets",
    "fabric_hub/catalogue",
    "fabric_hub/cli",
    "fabric_hub/config",
    "fabric_hub/datasets",
    "fabric_hub/gateway",
    "fabric_hub/hub",
    "fabric_hub/images",
    "fabric_hub/launch",
    "fabric_hub/projects",
    "fabric_hub/rpc",
    "fabric_hub/service",
    "fabric_hub/sessions",
    "fabric_hub/slurm",
    "fabric_hub/unix",
    "extensions/fabric_lab",
)
MARKERS = frozenset({"N_", "P_", "_", "gettext", "ngettext"})
LOGS = frozenset({"debug", "info", "warning", "error", "exception", "critical", "log"})
# What a programmer reads, not a person: wrong calls, wrong types, and pydantic's refusals of what a program sent.
PROGRAMMERS = frozenset(
    {"ValueError", "TypeError", "AssertionError", "RuntimeError", "NotImplementedError", "KeyError"}
)
# Calls whose words describe a setting, an option or a metric.
DESCRIBED = frozenset(
    {"Field", "add_argument", "Gauge", "Counter", "Histogram", "Bool", "Float", "Int", "Unicode", "Instance"}
)
SENTENCE = re.compile(r"^[A-Z][a-z']*(?: [\w'{}.,:-]+){2,}.*[.:?]$|^[A-Z][a-z]+ [a-z]+ .*[a-z]{2,}", re.DOTALL)
# Files whose words no person reads in a browser: why stands beside each.
OTHERS: dict[str, str] = {
    "fabric_hub/catalogue/exchange/codes.py": "the standards' own labels, written into documents",
    "fabric_hub/catalogue/exchange/croissant.py": "written into documents, which are in English",
    "fabric_hub/catalogue/exchange/dcat.py": "written into documents, which are in English",
    "fabric_hub/catalogue/ingest.py": "a log's",
    "fabric_hub/cli/probe_facts.py": "Slurm's own, by which an answer is known",
    "fabric_hub/config/mistakes.py": "pydantic's own, in place of which ours are said",
    "fabric_hub/gateway/queries/scontrol.py": "Slurm's own, by which an answer is known",
    "fabric_hub/gateway/refusals.py": "Slurm's own, by which a refusal is known",
    "fabric_hub/images/wheel.py": "the system's own, by which a full disk is known",
    "fabric_hub/rpc/connections.py": "a log's",
    "fabric_hub/budgets/rolling.py": "a log's",
    "fabric_hub/hub/configuration.py": "JupyterHub's description of a scope",
    "fabric_hub/hub/patches/__init__.py": "the reference's",
    "fabric_hub/hub/proxy.py": "a setting's description",
    "fabric_hub/hub/with_parent.py": "a process of its own, without our packages",
    "fabric_hub/service/callers.py": "the reference's",
    "fabric_hub/service/project_callers.py": "the reference's",
    "fabric_hub/service/caller_kinds.py": "the reference's",
    "fabric_hub/service/tasks/hook.py": "a log's, and operators' in the log's language",
    "fabric_hub/service/metrics.py": "Prometheus's",
    "fabric_hub/service/daemon_metrics.py": "Prometheus's",
}
# Calls at a terminal whose words people read, whether they are sentences or not.
PRINTED = frozenset({"print", "add_argument", "add_parser", "ArgumentParser", "ArgumentTypeError"})


def sentences_outside(source: str) -> Iterator[tuple[int, str]]:
    """Lines and texts of the sentences in a module that no marker marks."""
    tree = syntax.parse(source)
    skipped: set[int] = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            skipped.add(id(body[0].value))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped.add(id(node.value))  # the docstring of a field
        name = ""
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in MARKERS | LOGS | PROGRAMMERS | DESCRIBED:
            skipped.update(id(child) for child in ast.walk(node))
        if isinstance(node, ast.Assert):
            skipped.update(id(child) for child in ast.walk(node))
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.JoinedStr):
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "{x}" for part in node.values)
            skipped.update(id(part) for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        if SENTENCE.match(text):
            yield node.lineno, text


def modules() -> Iterator[Path]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            if "migrations" not in path.parts and "node_modules" not in path.parts:
                yield path


@pytest.mark.parametrize("room", ROOMS)
def test_no_sentence_stands_outside_the_catalogues(room: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path in modules()
        if path.is_relative_to(ROOT / room) and str(path.relative_to(ROOT)) not in OTHERS
        for line, text in sentences_outside(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def words_printed(source: str) -> Iterator[tuple[int, str]]:
    """Lines and texts of words with a space between them that a command prints or describes itself with, unmarked."""
    for call in ast.walk(ast.parse(source)):
        if not isinstance(call, ast.Call):
            continue
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if name not in PRINTED:
            continue
        told = [keyword.value for keyword in call.keywords if keyword.arg in ("help", "description")]
        if name in ("print", "ArgumentTypeError"):
            told += call.args
        for node in told:
            text = ""
            if isinstance(node, ast.JoinedStr):
                text = "".join(str(part.value) if isinstance(part, ast.Constant) else "{x}" for part in node.values)
            elif isinstance(node, ast.Constant):
                text = str(node.value)
            if re.search(r"[a-z]{2,} [a-z]{2,}", text):
                yield call.lineno, text


def test_what_a_command_prints_and_how_it_describes_itself_is_in_the_catalogues() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path in sorted((ROOT / "fabric_hub" / "cli").rglob("*.py"))
        for line, text in words_printed(path.read_text(encoding="utf-8"))
    ]
    assert found == []
    assert list(words_printed('x.add_argument("--y", help="the whole thing")')) == [(1, "the whole thing")]
    assert list(words_printed('print(f"{name} is there now")')) == [(1, "{x} is there now")]
    assert not list(words_printed('print(_("it is there now"))'))


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('raise FabricError("The job is gone for good.")', ["The job is gone for good."]),
        ('x = f"Job {number} waits in the queue."', ["Job {x} waits in the queue."]),
        ('x = N_("The job is gone for good.")', []),
        ('log.info("The job is gone for good.")', []),
        ('def f():\n    """The job is gone for good."""', []),
        ('raise ValueError("The job is gone for good.")', []),
        ('x = "gpu:h200:2"', []),
    ],
)
def test_a_sentence_is_found(source: str, found: list[str]) -> None:
    assert [text for _, text in sentences_outside(source)] == found


def test_every_code_is_shown_by_a_test() -> None:
    """In a refusal, a wait or an end: by its code, or by the longest run of its English without parameters."""
    tests = "\n".join(
        path.read_text(encoding="utf-8")
        for path in sorted((ROOT / "tests").rglob("*.py"))
        if path != Path(__file__) and "support" not in path.parts
    )
    plain = re.sub(r'"\s*\n\s*f?"', "", tests)
    reasons = [reason for module in reference.modules() for reason in reference.reasons(module)]
    unseen = []
    for reason in reasons:
        runs = re.split(r"\{[^}]*\}", f"{reason.text}\0{reason.plural}".replace("\0", "{}"))
        longest = max((run.strip(" .,:;()") for run in runs), key=len)
        if f'"{reason.code}"' not in plain and longest not in plain and re.escape(longest) not in plain:
            unseen.append(f"{reason.code}: {reason.text}")
    assert unseen == []
    assert len(reasons) <= len(REASONS)
