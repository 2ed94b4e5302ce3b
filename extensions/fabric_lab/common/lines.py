"""Text that others wrote, as a line of ours. It imports nothing: every start of a session needs it."""

from __future__ import annotations


def one_line(text: object, longest: int = 500) -> str:
    """Somebody else's text as one printable line; "" when it is not text."""
    return "".join(c if c.isprintable() else " " for c in text)[:longest].strip() if isinstance(text, str) else ""
