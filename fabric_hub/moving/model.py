"""What is known of a configuration file, and what is said of it. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from pydantic import Field

from fabric_hub.messages.text import NOTHING, Said, WithTexts
from fabric_hub.types import Frozen


class Value(Frozen):
    """What a setting was set to.

    ``plain`` is JSON: numbers, texts, lists, tables; a class within stands there as its dotted name. ``added`` is what
    was appended to a list or table that the hub has itself. ``unread`` is an expression that was not run; ``name`` is
    its text.
    """

    kind: Literal["plain", "class", "function", "added", "object", "unread"] = "plain"
    plain: Any = None
    name: str = ""  # of the class, the function, the object's type; of an unread one, its text
    line: int = 0  # where a function is defined

    @property
    def text(self) -> str:
        """A plain text; "" for anything else."""
        return self.plain if self.kind == "plain" and isinstance(self.plain, str) else ""


class Setting(Frozen):
    """One place of the file that sets ``c.SECTION.NAME``. ``ran``: running the file came past it."""

    section: str
    name: str
    line: int
    file: str = ""
    value: Value = Value()
    ran: bool = True
    again: int = 0  # the line that sets it again, later; 0: none

    @property
    def key(self) -> str:
        return f"{self.section}.{self.name}"


class SectionClass(Frozen):
    """The class that a section of the configuration is for, as it is installed here."""

    bases: tuple[str, ...]  # its name first, then those of the classes that it is made of
    traits: tuple[str, ...]  # what can be configured
    methods: tuple[str, ...] = ()  # what the file itself, or another package, made of its own


class Missing(Frozen):
    """A module that the file imports and that is not installed here."""

    module: str
    line: int


class Fault(Frozen):
    """Why running a file ended before its end."""

    line: int
    error: str


class Recorded(Frozen):
    """What the process says that ran a file, or looked up the classes of its sections."""

    settings: tuple[Setting, ...] = ()
    classes: dict[str, SectionClass] = Field(default_factory=dict)
    unloadable: tuple[str, ...] = ()
    missing: tuple[Missing, ...] = ()
    fault: Fault | None = None


class Unrun(StrEnum):
    """Why a file was only looked at."""

    ASKED = "asked"
    NOT_OURS = "not-ours"  # root does not run what somebody else can write
    TOO_LONG = "too-long"
    DIED = "died"


class OldFile(Frozen):
    """A configuration file, read."""

    path: str
    text: str
    settings: tuple[Setting, ...] = ()
    classes: dict[str, SectionClass] = Field(default_factory=dict)  # by section
    unloadable: tuple[str, ...] = ()  # names of classes in settings that cannot be loaded
    missing: tuple[Missing, ...] = ()
    fault: Fault | None = None
    unrun: Unrun | None = None  # None: it was run
    ran_as: str = ""

    def last(self, section: str, name: str) -> Setting | None:
        """The setting that counts, if there is one."""
        found = [one for one in self.settings if one.section == section and one.name == name and not one.again]
        return found[-1] if found else None

    def inherited(self, section: str, name: str) -> Setting | None:
        """What counts for a class: its own section, else those of the classes that it is made of."""
        known = self.classes.get(section)
        for base in known.bases if known else (section,):
            if found := self.last(base, name):
                return found
        return None


class Verdict(StrEnum):
    """What becomes of a setting."""

    KEPT = "kept"
    REPLACED = "replaced"
    UNUSED = "unused"
    REFUSED = "refused"


class Judged(WithTexts):
    """What is said of one line. ``why`` says by what it is replaced, or why it is not used or refused."""

    file: str
    line: int
    setting: str
    verdict: Verdict
    why: Said = NOTHING
    ran: bool = True
    stops: bool = False  # the hub does not start with it
