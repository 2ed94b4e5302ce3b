"""Whose hub this is, on its pages: the name, the logo, the colours, and where people find help."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from jupyterhub.handlers.base import BaseHandler
from tornado import web

from fabric_hub.config import colours, logo
from fabric_hub.config.settings import Settings
from fabric_hub.config.site import SiteSettings

LOGO_PATH: Final = "/site/logo"
# Somebody may open a logo by itself: even one that could do something does nothing then.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"
_YEAR_S = 365 * 86400
# How far a button's colour changes below the pointer.
_HOVER = 0.2


@dataclass(frozen=True)
class SiteOfPages:
    """What every template has of the site, as ``fabric_site``.

    :ivar logo: the address of the logo for light pages, ``logo_dark`` for dark ones; both "" where there is none.
    :ivar style: the site's own colours as CSS; "" for the hub's.
    """

    name: str
    about: str
    logo: str
    logo_dark: str
    style: str
    help_url: str
    request_url: str
    support_email: str
    privacy_url: str
    accessibility_url: str


def of_pages(settings: Settings) -> SiteOfPages:
    """What the pages say and show of a site, for :func:`fabric_hub.hub.configuration.configure`."""
    site, hub = settings.site, settings.hub.pages_url + "/hub"
    logos = _logos(site)
    return SiteOfPages(
        name=site.name,
        about=site.about,
        logo=_address(hub, "light", logos),
        logo_dark=_address(hub, "dark", logos),
        style=style_of(site),
        help_url=site.help_url,
        request_url=site.request_url,
        support_email=site.support_email,
        privacy_url=site.privacy_url,
        accessibility_url=site.accessibility_url or f"{hub}/accessibility",
    )


def style_of(site: SiteSettings) -> str:
    """The variables of static/tokens.css that a site's accent changes. Pure."""
    if site.accents is None:
        return ""
    light, dark = site.accents
    in_light = _variables(light, colours.mixed(light, "#000000", _HOVER), colours.ON_LIGHT_ACCENT)
    in_dark = _variables(dark, colours.mixed(dark, "#ffffff", _HOVER), colours.ON_DARK_ACCENT)
    return f':root,html[data-bs-theme="light"]{in_light}html[data-bs-theme="dark"]{in_dark}'


def _variables(accent: str, hover: str, on_accent: str) -> str:
    return f"{{--fabric-accent:{accent};--fabric-accent-hover:{hover};--fabric-on-accent:{on_accent}}}"


def _logos(site: SiteSettings) -> dict[str, logo.Logo]:
    paths = {"light": site.logo or site.logo_dark, "dark": site.logo_dark or site.logo}
    return {theme: logo.read(path) for theme, path in paths.items() if path}


def _address(hub: str, theme: str, logos: dict[str, logo.Logo]) -> str:
    return f"{hub}{LOGO_PATH}/{theme}?v={logos[theme].version}" if theme in logos else ""


class SiteLogo(BaseHandler):  # type: ignore[misc]
    """``GET /hub/site/logo/light`` and ``dark``: for everybody, as on the login page; the bytes that were checked."""

    def initialize(self, logos: dict[str, logo.Logo]) -> None:
        self.logos = logos

    async def get(self, theme: str) -> None:
        if theme not in self.logos:
            raise web.HTTPError(404)
        picture = self.logos[theme]
        self.set_header("Content-Type", picture.media_type)
        self.set_header("Content-Security-Policy", _POLICY)
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cache-Control", f"public, max-age={_YEAR_S}, immutable")
        self.finish(picture.content)


def pages(settings: Settings) -> list[tuple[Any, ...]]:
    """The site's logo, for JupyterHub's list of pages."""
    return [(rf"{LOGO_PATH}/(light|dark)", SiteLogo, {"logos": _logos(settings.site)})]
