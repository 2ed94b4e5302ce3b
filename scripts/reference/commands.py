"""Every command of ``fabric-hub``, with its arguments."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator

from fabric_dev.layout import default_directory
from fabric_hub import cli

from .markdown import NOTE, cell, plain, table


def commands(parser: argparse.ArgumentParser, about: str = "") -> Iterator[tuple[argparse.ArgumentParser, str]]:
    """A parser and all its sub-commands, depth first, each with its one-line help."""
    yield parser, about or parser.description or ""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {choice.dest: choice.help or "" for choice in action._choices_actions}
            for name, child in action.choices.items():
                yield from commands(child, helps.get(name, ""))


def arguments(parser: argparse.ArgumentParser) -> list[tuple[str, str]]:
    """A command's own arguments as (how it is written, what it means); hidden ones are left out."""
    found = []
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction | argparse._SubParsersAction) or action.help == argparse.SUPPRESS:
            continue
        default = action.default
        if default == default_directory():  # differs from user to user
            default = "/var/lib/fabric-hub for root, else ~/.local/state/fabric-hub"
        text = (action.help or "") % {**vars(action), "default": default, "prog": parser.prog}
        if action.option_strings and action.required:
            text += " (required)"
        found.append((_written(action), text))
    return found


def _written(action: argparse.Action) -> str:
    value = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    if action.choices:
        value = "{" + ",".join(map(str, action.choices)) + "}"
    if not action.option_strings:
        return value
    takes_value = action.nargs != 0 and not isinstance(action, argparse.BooleanOptionalAction)
    return ", ".join(action.option_strings) + (f" {value}" if takes_value else "")


def command_line_page() -> str:
    """Every command of ``fabric-hub``."""
    text = NOTE + "# Command line\n\n"
    text += "Exit status: 0 done, 1 refused or failed (the reason is printed), 2 wrong usage.\n"
    for parser, about in commands(cli.parser()):
        text += f"\n## {parser.prog}\n\n{_sentence(about)}\n\n"
        text += table(("argument", "meaning"), [(f"`{written}`", cell(what)) for written, what in arguments(parser)])
    return re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n"


def _sentence(text: str) -> str:
    text = plain(text)
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") or not text else ".")
