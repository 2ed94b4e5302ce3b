"""The site's logo is served as it was checked, and a browser that opens it runs nothing of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from traitlets.config import Config

from fabric_hub.config.settings import parse
from fabric_hub.hub.configuration import configure
from fabric_hub.hub.csp import directives
from fabric_hub.hub.pages import accessibility, site
from scripts.make_accessibility import Look, together
from tests.support.builders import site_text

from .test_configuration import _as_before  # noqa: F401

DRAWING = '<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0h9v9z"/></svg>'


def test_templates_get_the_sites_own_words_and_the_address_of_each_logo(tmp_path: Path) -> None:
    light, dark = tmp_path / "light.svg", tmp_path / "dark.svg"
    light.write_text(DRAWING)
    dark.write_text(DRAWING.replace("9", "8"))
    own = f"[site]\nname = 'Example'\nlogo = '{light}'\n"
    plain = site.of_pages(parse(site_text(tmp_path)))
    assert (plain.name, plain.logo, plain.logo_dark, plain.style) == ("Fabric Hub", "", "", "")
    assert plain.accessibility_url.endswith("/hub/accessibility")
    one = site.of_pages(parse(own + site_text(tmp_path)))
    assert one.name == "Example"
    assert one.logo.startswith("/hub/site/logo/light?v=")
    assert one.logo_dark.partition("?v=")[2] == one.logo.partition("?v=")[2]
    both = site.of_pages(parse(f"{own}logo_dark = '{dark}'\n" + site_text(tmp_path)))
    assert both.logo == one.logo
    assert both.logo_dark != one.logo_dark, "another picture has another address, for browsers keep it for a year"


def test_a_hub_does_not_start_with_a_logo_that_it_would_not_serve(tmp_path: Path) -> None:
    picture, file = tmp_path / "logo.svg", tmp_path / "site.toml"
    picture.write_text(DRAWING.replace("<path", "<script/><path"))
    file.write_text(f"[site]\nlogo = '{picture}'\n" + site_text(tmp_path))
    with pytest.raises(SystemExit, match=rf"site\.toml:2: site\.logo: {picture} has <script>"):
        configure(Config(), file)


def test_a_hub_with_hosts_of_its_users_shows_its_logo_there() -> None:
    assert "https://hub.example.org" in directives("https://hub.example.org")["img-src"]


def look(page: str, title: str, language: str, **more: object) -> Look:
    fields = {"theme": "light", "width": 1280, "axe": "4.11.0", "day": "2026-11-30", "rules": 20}
    return Look.model_validate({"page": page, "title": title, "language": language, **fields, **more})


def test_looks_at_pages_of_one_title_are_a_line_of_the_statement() -> None:
    found = together(
        [
            look("login", "Sign in", "en"),
            look("login", "Inloggen", "nl", theme="dark", width=390, rules=4, faults=("target-size",)),
            look("login-refused", "Sign in", "en", day="2026-12-01"),
            look("login-refused", "Inloggen", "nl"),
            look("home", "Your sessions", "en"),
        ]
    )
    assert [(page.title("en"), page.checks, page.rules, page.faults) for page in found.pages] == [
        ("Sign in", 4, 64, ("target-size",)),
        ("Your sessions", 1, 20, ()),
    ]
    assert (found.pages[0].title("nl"), found.pages[1].title("nl")) == ("Inloggen", "Your sessions")
    assert (found.day, found.widths) == ("2026-12-01", (1280, 390))
    with pytest.raises(ValueError, match="no look at a page"):
        together([])


def test_the_release_has_the_results_of_its_own_tests() -> None:
    found = accessibility.results()
    assert found.pages
    assert found.widths == (1280, 390, 320)
    assert [page.faults for page in found.pages if page.faults] == []
