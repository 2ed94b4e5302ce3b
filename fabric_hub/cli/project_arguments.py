"""Arguments that several parts of ``fabric-hub projects`` take, and how they are checked."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import date
from typing import Any

from pydantic import TypeAdapter, ValidationError

from fabric_hub.config.mistakes import what_is_wrong
from fabric_hub.messages.translation import gettext as _

KINDS = ("research", "course", "client")


def checked(kind: Any) -> Callable[[str], Any]:
    """A check of an argument: what it must be is said as for the site's file."""
    adapter: TypeAdapter[Any] = TypeAdapter(kind)

    def check(text: str) -> Any:
        try:
            return adapter.validate_python(text)
        except ValidationError as error:
            raise argparse.ArgumentTypeError(what_is_wrong(error.errors()[0]).say()) from None

    return check


def day(text: str) -> date:
    """A day as an argument."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(_("{text} is not a day as 2027-03-31").format(text=repr(text))) from None
