"""What people read says what the code does, and leads somewhere."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import pytest

from fabric_hub import cli
from fabric_node import __main__ as node
from scripts import check_docs, make_reference
from scripts.reference.markdown import ROOT


def test_every_setting_of_the_site_file_has_a_description() -> None:
    assert check_docs.undescribed_settings() == []


def test_every_command_has_a_help_text() -> None:
    assert check_docs.undescribed_commands() == []


@pytest.mark.parametrize("parser", [cli.parser, node.parser], ids=["fabric-hub", "fabric-node"])
def test_every_argument_of_every_command_has_a_help_text(parser: Callable[[], argparse.ArgumentParser]) -> None:
    assert check_docs.undescribed_arguments(parser()) == []


def test_an_argument_without_a_help_text_is_found_however_deep_its_command() -> None:
    top = argparse.ArgumentParser(prog="tool")
    inner = top.add_subparsers().add_parser("one").add_subparsers().add_parser("two")
    inner.add_argument("name", metavar="NAME")
    inner.add_argument("--fast", action="store_true", help="sooner")
    inner.add_argument("--json", action="store_true")
    assert check_docs.undescribed_arguments(top) == ["tool one two NAME", "tool one two --json"]


def test_every_call_of_our_apis_has_a_description() -> None:
    assert check_docs.undescribed_verbs() == []


def test_no_page_of_the_reference_has_the_indentation_of_the_code() -> None:
    # Python takes it out of docstrings from 3.13 on: the pages must be the same with every Python
    pages = {path.name: text for path, text in make_reference.pages().items() if path.suffix == ".md"}
    indented = [(name, line) for name, text in pages.items() for line in text.splitlines() if line.startswith("    ")]
    assert indented == []


def test_the_generated_reference_is_up_to_date() -> None:
    assert make_reference.stale(make_reference.pages()) == [], "run make docs"


def test_no_file_names_a_path_of_a_developers_machine() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: which files are the project's is not known")
    assert check_docs.private_paths(check_docs.project_files()) == []


def test_a_path_of_a_developers_machine_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_docs, "ROOT", tmp_path)
    page = tmp_path / "page.md"
    home = "/" + "root"
    page.write_text(f"fine: /home/alice/x, /srv{home}/x\nnot fine: {home}/project\nnot fine: {tmp_path}/x\n")
    assert check_docs.private_paths([page]) == [f"page.md:2: {home}", f"page.md:3: {tmp_path}"]
