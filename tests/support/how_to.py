"""The pages in docs/how-to as an operator reads them: commands, given at a booted machine's terminal, and files."""

from __future__ import annotations

import re
import shlex
import time

from scripts import dist

from .booted_machine import BootedMachine, console_blocks

HOW_TO = dist.ROOT / "docs/how-to"
DESK = "/srv/admin"  # where the operator keeps files


def page(name: str) -> str:
    return (HOW_TO / f"{name}.md").read_text()


def block_of(name: str, word: str) -> list[str]:
    """The one block of a page's commands in which a word occurs."""
    [found] = [block for block in console_blocks(page(name)) if any(word in line for line in block)]
    return found


def prompted(block: list[str]) -> list[str]:
    """What is typed in a block that shows the answers, too."""
    return [line.removeprefix("$ ") for line in block if line.startswith("$ ")]


def code_of(name: str, kind: str, word: str) -> str:
    """The one listing of a kind on a page in which a word occurs."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", page(name), re.MULTILINE | re.DOTALL)
    [text] = [text for its, text in found if its == kind and word in text]
    return str(text)


class Terminal:
    """Root at a terminal of the machine: gives the pages' commands one by one, and knows how long each took."""

    def __init__(self, machine: BootedMachine, **variables: str) -> None:
        self.machine, self.cwd = machine, DESK
        self._variables = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
        self.times: list[tuple[str, float, str]] = []

    def give(self, source: str, *commands: str, limit_s: float = 300) -> str:
        """Give commands of a page; the first that fails ends the test. What the last has printed."""
        said = ""
        for command in commands:
            began = time.monotonic()
            try:
                said = self.machine.do(f"{self._variables}cd {self.cwd}\n{command}\necho; pwd", limit_s)
            except AssertionError as error:
                raise AssertionError(f"{error}\n{self.journal()}") from error
            self.times.append((source, time.monotonic() - began, command))
            *lines, self.cwd = said.rstrip("\n").split("\n")
            said = "\n".join(lines)
        return said

    def journal(self) -> str:
        """The last that the project's units have written."""
        return self.machine.run("journalctl --no-pager --lines=80 --output=cat --unit='fabric-*'").stdout

    def table(self) -> str:
        """How long each command took, for people."""
        rows = [f"{seconds:7.1f} s  {source}: {command}" for source, seconds, command in self.times]
        return "\n".join([*rows, f"{sum(seconds for _, seconds, _ in self.times):7.1f} s  in all"])
