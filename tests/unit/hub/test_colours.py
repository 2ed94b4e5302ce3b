"""The colours of static/tokens.css are seen: WCAG 2.2, 1.4.3 for text, 1.4.11 for borders and the focus."""

from __future__ import annotations

import re

import pytest

from fabric_hub.config import colours
from fabric_hub.config.site import SiteSettings
from fabric_hub.hub.configuration import STATIC
from fabric_hub.hub.pages.site import style_of

TOKENS = (STATIC / "tokens.css").read_text(encoding="utf-8")
ON_GROUNDS = ("ink", "muted", "accent", "accent-hover", "ok", "wait", "fail", "fail-hover", "info", "client")


def tokens(theme: str) -> dict[str, str]:
    """The colours of a theme, by name."""
    block = TOKENS[TOKENS.index(f'html[data-bs-theme="{theme}"] {{') :].partition("}")[0]
    return dict(re.findall(r"--fabric-([\w-]+): (#[0-9a-f]{6});", block))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_colour_is_seen_where_it_stands(theme: str) -> None:
    colour = tokens(theme)
    grounds = (colour["canvas"], colour["surface"])
    weak = {name: colours.worst(colour[name], grounds) for name in ON_GROUNDS}
    assert {name: found for name, found in weak.items() if found[1] < 4.5} == {}
    assert colours.worst(colour["control"], grounds)[1] >= 3, "borders of what is filled in"
    for name in ("accent", "fail"):
        for filled in (name, f"{name}-hover"):
            assert colours.contrast(colour[f"on-{name}"], colour[filled]) >= 4.5, f"text on {filled}"


def test_a_sites_accent_is_checked_on_the_grounds_that_the_pages_have() -> None:
    light, dark = tokens("light"), tokens("dark")
    assert set(colours.LIGHT_GROUNDS) == {light["canvas"], light["surface"]}
    assert set(colours.DARK_GROUNDS) == {dark["canvas"], dark["surface"]}


@pytest.mark.parametrize("accent", ["#0f766e", "#7c2d92", "#000000", "#b04a0c", "#0000ff"])
def test_whatever_a_site_takes_its_text_and_its_buttons_are_read_in_both_themes(accent: str) -> None:
    site = SiteSettings(accent=accent)
    assert site.accents is not None
    light, dark = site.accents
    assert light == accent
    assert colours.worst(dark, colours.DARK_GROUNDS)[1] >= 4.5
    style = style_of(site)
    for theme, on_accent in (("light", colours.ON_LIGHT_ACCENT), ("dark", colours.ON_DARK_ACCENT)):
        block = style[style.index(f'[data-bs-theme="{theme}"]') :].partition("}")[0]
        for filled in re.findall(r"--fabric-accent(?:-hover)?:(#[0-9a-f]{6})", block):
            assert colours.contrast(on_accent, filled) >= 4.5
        assert f"--fabric-on-accent:{on_accent}" in block


def test_a_site_without_an_accent_has_the_hubs_own() -> None:
    assert style_of(SiteSettings()) == ""
    only_dark = SiteSettings(accent_dark="#ffd166").accents
    assert only_dark is not None
    assert only_dark[1] == "#ffd166"
    assert colours.worst(only_dark[0], colours.LIGHT_GROUNDS)[1] >= 4.5


def test_contrast_is_that_of_the_standard() -> None:
    assert colours.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert colours.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert colours.contrast("#abcdef", "#abcdef") == 1
