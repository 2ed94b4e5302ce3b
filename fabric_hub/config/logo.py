"""A site's logo: read once, and only what can do nothing in a browser: a PNG, or an SVG without scripts and links."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

from fabric_hub.messages.text import Text, verbatim
from fabric_hub.messages.texts import site_file as texts

from .mistakes import Mistake
from .site import SiteSettings

MOST_BYTES: Final = 250_000
_PNG = b"\x89PNG\r\n\x1a\n"
_SVG = "{http://www.w3.org/2000/svg}svg"
# What draws nothing of its own, but runs, loads or leads somewhere.
_ACTIVE = frozenset(
    {
        "script",
        "foreignobject",
        "iframe",
        "object",
        "embed",
        "audio",
        "video",
        "image",
        "a",
        "animate",
        "set",
        "handler",
    }
)


class LogoError(Exception):
    """What is wrong with a file that is to be a logo.

    :ivar text: it, in words.
    """

    def __init__(self, text: Text) -> None:
        super().__init__(str(text))
        self.text = text


@dataclass(frozen=True)
class Logo:
    """A file that was checked: its bytes and their media type."""

    content: bytes
    media_type: str

    @property
    def version(self) -> str:
        """Short, and another one for other bytes."""
        return hashlib.sha256(self.content).hexdigest()[:12]


def read(path: Path) -> Logo:
    """Read a logo.

    :raises LogoError: it cannot be read, is too large, or is no PNG and no SVG that only draws.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise LogoError(texts.LOGO_UNREADABLE(path=str(path), why=verbatim(error.strerror or ""))) from error
    if len(content) > MOST_BYTES:
        raise LogoError(texts.LOGO_TOO_LARGE(path=str(path), most=MOST_BYTES))
    if content.startswith(_PNG):
        return Logo(content, "image/png")
    _only_draws(path, content)
    return Logo(content, "image/svg+xml")


def mistakes(site: SiteSettings) -> list[Mistake]:
    """What is wrong with a site's logos, each under its setting."""
    found = []
    for name, path in (("logo", site.logo), ("logo_dark", site.logo_dark)):
        try:
            if path:
                read(path)
        except LogoError as error:
            found.append(Mistake(f"site.{name}", error.text))
    return found


def _only_draws(path: Path, content: bytes) -> None:
    try:
        text = content.decode("utf-8")
        # entities: a small file could be a very large picture
        root = None if "<!" in _without_comments(text) else ET.fromstring(text)
    except (UnicodeDecodeError, ET.ParseError, ValueError):
        root = None
    if root is None or root.tag != _SVG:
        raise LogoError(texts.LOGO_NO_PICTURE(path=str(path)))
    active = next(_active(root), None)
    if active:
        raise LogoError(texts.LOGO_ACTIVE(path=str(path), part=active))


def _without_comments(text: str) -> str:
    before, *rest = text.split("<!--")
    return before + "".join(part.partition("-->")[2] for part in rest)


def _active(root: ET.Element) -> Iterator[str]:
    """The parts of an SVG that do more than draw what stands in the file itself."""
    for element in root.iter():
        tag = element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
        if tag.lower() in _ACTIVE:
            yield f"<{tag}>"
        if tag.lower() == "style" and _leads_out(element.text or ""):
            yield "<style>"
        for key, value in element.attrib.items():
            name = key.rpartition("}")[2].lower()
            link = name in ("href", "src") and not value.strip().startswith("#")
            if name.startswith("on") or link or _leads_out(value):
                yield f"{name}=…"


def _leads_out(text: str) -> bool:
    """Whether a style loads something: ``@import``, or a ``url()`` that is not of the file itself."""
    plain = "".join(text.lower().split())
    urls = plain.split("url(")[1:]
    return "@import" in plain or "\\" in plain or any(not url.lstrip("\"'").startswith("#") for url in urls)
