"""Descriptions are rendered, and nothing in them runs, fetches or pretends."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabric_hub.datasets.markdown import rendered

TAGS = {"p", "em", "strong", "code", "pre", "ul", "ol", "li", "blockquote", "hr", "br", "a",
        "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"}  # fmt: skip
ATTRIBUTES = {"href", "title", "target", "rel", "class", "start", "style"}


class Seen(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs


def test_what_a_description_is_written_with_is_shown() -> None:
    html = rendered(
        "# Wind\nHourly *output*.\n\n- one\n- [two](https://example.org/a)\n\n| a | b |\n|--|--|\n| 1 | 2 |\n"
    )
    assert "<h3>Wind</h3>" in html
    assert "<em>output</em>" in html
    assert '<a href="https://example.org/a" target="_blank" rel="noopener noreferrer">two</a>' in html
    assert "<td>2</td>" in html


@pytest.mark.parametrize(
    "text",
    [
        "[x](javascript:alert(1))", "[x](data:text/html,x)", "[x](vbscript:x)",
        "[x](//evil.example/a)", "[x](/hub/logout)",
        "[x](HTTPS:/hub)", "<javascript:alert(1)>", "[x](\x01javascript:alert(1))",
    ],
)  # fmt: skip
def test_no_link_leads_elsewhere_than_to_the_web_or_a_mailbox(text: str) -> None:
    assert "<a" not in rendered(text)


def test_html_is_text_and_a_picture_is_its_words() -> None:
    html = rendered("<script>alert(1)</script>\n\n![A *map*](https://elsewhere.example/map.png) <b>x</b>")
    assert Seen(html).tags == {"p"}
    assert "A map" in html or "A *map*" in html
    assert "elsewhere" not in html


PARTS = [*"<>[]()!\"'`*_#|-&:/= \n\\a", "href", "script", "http://x", "on"]


@given(st.lists(st.sampled_from(PARTS), max_size=60).map("".join))
def test_whatever_is_written_only_harmless_tags_come_of_it(text: str) -> None:
    seen = Seen(rendered(text))
    assert seen.tags <= TAGS
    for name, value in seen.attributes:
        assert name in ATTRIBUTES
        if name == "href":
            assert re.match(r"(https?://|mailto:)", value or "", re.IGNORECASE)
        if name == "style":
            assert re.fullmatch(r"text-align:(left|right|center)", value or "")
