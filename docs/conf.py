"""How the project's pages become a site (``make site``): Sphinx reads the Markdown that people read in the checkout.

Everything that a page loads is in the site itself: style, scripts and the index of its search.
"""

import re
from pathlib import Path

from sphinx.application import Sphinx

from fabric_hub import __version__

project = "Fabric Hub"
version = release = __version__
html_title = f"Fabric Hub {__version__}"
html_theme = "furo"
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0f766e", "color-brand-content": "#0f766e"},
    "dark_css_variables": {"color-brand-primary": "#2dd4bf", "color-brand-content": "#2dd4bf"},
}
html_show_copyright = False
html_copy_source = False
extensions = ["myst_parser"]
myst_heading_anchors = 6  # as GitHub makes them
nitpicky = True

# The first page is the README. What else stands at the top and in docs/ has a place in the menu, or is a warning.
root_doc = "README"
include_patterns = ["*.md", "docs/**.md"]
exclude_patterns = [".*", "*.egg-info", "bench", "build", "extensions", "fabric_*", "images", "scripts", "tests"]
INDEX = "docs/index"
BESIDE = {"The project": ["CONTRIBUTING", "SECURITY", "CHANGELOG"]}


def menu(index: str) -> dict[str, list[str]]:
    """The pages of the menu by section, as the lists of the index name them.

    :param index: the index's Markdown: a bold line begins a section, the first link of an item is its page.
    """
    sections: dict[str, list[str]] = {}
    pages: list[str] = []
    for line in index.splitlines():
        if heading := re.fullmatch(r"\*\*(.+)\*\*", line):
            pages = sections.setdefault(heading[1], [])
        elif item := re.match(r"- \[[^]]+\]\(([^):#]+)\.md\)", line):
            pages.append(f"docs/{item[1]}")
    return sections


def add_menu(app: Sphinx, name: str, source: list[str]) -> None:
    """Give the first page the menu, which Sphinx asks for there."""
    if name != root_doc:
        return
    index = (Path(app.srcdir) / f"{INDEX}.md").read_text(encoding="utf-8")
    for title, pages in {"": [INDEX], **menu(index), **BESIDE}.items():
        source[0] += "\n\n```{toctree}\n:hidden:\n" + (f":caption: {title}\n" if title else "")
        source[0] += "\n" + "\n".join(pages) + "\n```\n"


def setup(app: Sphinx) -> None:
    app.connect("source-read", add_menu)
