"""Descriptions as HTML: CommonMark with tables, of which nothing runs and nothing is fetched.

Who describes a dataset is not who runs the hub: no HTML of theirs is taken over, an address leads to the web or to a
mailbox and to nothing else, and a picture is its text, for a browser would fetch it from elsewhere. Headings are below
those of the page that they stand on.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

# A description's first heading stands below the page's title and its sections.
_BELOW = 2
_LOWEST = 6
_SCHEMES = {"http", "https", "mailto"}


@lru_cache(maxsize=4096)  # a list of all datasets asks for each anew
def rendered(text: str) -> str:
    """A description in Markdown as HTML that a page may take as it is. Pure."""
    renderer = _renderer()
    tokens = renderer.parse(text)
    _harmless(tokens)
    html: str = renderer.renderer.render(tokens, renderer.options, {})
    return html


class _Plain(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # noqa: N802  (the library's name)
        """Whether a link may lead there: to the web or a mailbox, said in full."""
        try:
            parts = urlsplit(url)
        except ValueError:
            return False
        return parts.scheme.lower() in _SCHEMES and (bool(parts.netloc) or parts.scheme.lower() == "mailto")


@cache
def _renderer() -> MarkdownIt:
    return _Plain("commonmark", {"html": False}).enable("table")


def _harmless(tokens: Sequence[Token]) -> None:
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(_LOWEST, int(token.tag[1:]) + _BELOW)}"
        elif token.type == "link_open":
            token.attrSet("target", "_blank")
            token.attrSet("rel", "noopener noreferrer")
        elif token.type == "image":
            token.type, token.tag = "text", ""
            token.children, token.attrs = None, {}
        if token.children:
            _harmless(token.children)
