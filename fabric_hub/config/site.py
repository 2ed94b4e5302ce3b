"""The part of the site's file that says whose hub this is, and how it looks; :mod:`.settings` reads it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from fabric_hub.messages.texts import site_file as texts
from fabric_hub.types import AbsolutePath, Frozen, said

from . import colours

PRODUCT = "Fabric Hub"

SiteName = Annotated[
    str,
    Field(pattern=r"^[^\x00-\x1f\x7f<>·]{1,40}$"),
    said("a name of at most 40 characters, without < > and ·", "Example AI Factory"),
]
Sentence = Annotated[
    str,
    Field(pattern=r"^[^\x00-\x1f\x7f<>]{0,200}$"),
    said("one sentence of at most 200 characters, without < and >", "Notebooks with GPUs"),
]
Colour = Annotated[str, Field(pattern=r"^(?:#[0-9a-fA-F]{6})?$"), said("a colour as #rrggbb", "#0f766e")]
WebPage = Annotated[
    str,
    Field(pattern=r"^(?:https?://[^\x00-\x20\x7f\"'<>\\]{1,500})?$"),
    said("the address of a page with https:// or http://", "https://docs.example.org/notebooks"),
]
Email = Annotated[
    str,
    Field(pattern=r"^(?:[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)?$"),
    said("an e-mail address", "support@example.org"),
]


class SiteSettings(Frozen):
    """Whose hub this is: its name, its colours and where people find help. Shown on every page, to everybody."""

    name: SiteName = Field(default=PRODUCT, description="In the bar, in titles, and on the login page.")
    about: Sentence = Field(default="", description="One sentence for the login page.")
    logo: AbsolutePath | None = Field(
        default=None,
        description="An SVG or PNG of at most 250 kB, shown 28 pixels high and at most 200 wide; an SVG without "
        "scripts and links.",
    )
    logo_dark: AbsolutePath | None = Field(default=None, description="The same for dark pages; default: logo.")
    accent: Colour = Field(
        default="",
        description="The colour of buttons, links and the focus, with a contrast of at least 4.5 to 1 on the pages' "
        "light grounds; default: #0f766e.",
    )
    accent_dark: Colour = Field(
        default="", description="The same on dark grounds; default: accent, as much lighter as is needed."
    )
    help_url: WebPage = Field(default="", description="Where Help in the bar leads. Empty: there is no such entry.")
    docs_url: WebPage = Field(
        default="", description="Where Documentation in JupyterLab's Help menu leads. Empty: there is no such entry."
    )
    support_email: Email = Field(default="", description="Whom people write to when something does not work.")
    request_url: WebPage = Field(
        default="",
        description="Where people ask for a project, in place of the hub's own page. Empty: they ask at the hub, where "
        "catalogue.requests_per_person is not 0.",
    )
    privacy_url: WebPage = Field(default="", description="The site's privacy statement.")
    accessibility_url: WebPage = Field(
        default="", description="The site's own accessibility statement; default: the hub's page /hub/accessibility."
    )

    welcome: bool = Field(
        default=True,
        description="Whether a person's first session writes Welcome.ipynb into the home and opens it. No file is ever "
        "replaced, and it is not opened again.",
    )

    @field_validator("accent")
    @classmethod
    def _seen_on_light(cls, value: str) -> str:
        return _seen(value, colours.LIGHT_GROUNDS, "#000000")

    @field_validator("accent_dark")
    @classmethod
    def _seen_on_dark(cls, value: str) -> str:
        return _seen(value, colours.DARK_GROUNDS, "#ffffff")

    @property
    def accents(self) -> tuple[str, str] | None:
        """The colours of buttons and links in light and in dark; None: the hub's own in both."""
        if not (self.accent or self.accent_dark):
            return None
        light = self.accent or colours.readable(self.accent_dark, colours.LIGHT_GROUNDS, "#000000")
        return light, self.accent_dark or colours.readable(self.accent, colours.DARK_GROUNDS, "#ffffff")


def _seen(value: str, grounds: tuple[str, ...], towards: str) -> str:
    if not value:
        return value
    ground, found = colours.worst(value, grounds)
    if found < colours.OF_TEXT:
        better = colours.readable(value, grounds, towards)
        raise ValueError(
            texts.ACCENT_NOT_SEEN(
                value=value, contrast=_down(found), ground=ground, least=colours.OF_TEXT, better=better
            )
        )
    return value


def _down(contrast: float) -> float:
    """With one decimal, never above what it is: 4.49 is not said to be 4.5."""
    return int(contrast * 10) / 10
