"""``python -I -m fabric_lab.pdf.page SECONDS MEGABYTES``: a notebook from stdin, its PDF to stdout.

Started by :mod:`.exporter`. On stdin is a JSON object: ``notebook``, ``exclude`` (the exporter's settings of these
names), ``title``, ``language``, and ``directory``, the notebook's own (or null). The exit status says why there is no
PDF; what was left out of it is said in it.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Iterator
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import IO, Any
from urllib.parse import urljoin
from xml.etree.ElementTree import Element

from ..common.translation import _
from . import FORMULA, NO_LIBRARY, NO_MEMORY, NO_PACKAGE, beside, formula

# What needs a browser that runs scripts.
ACTIVE = frozenset(("iframe", "video", "audio", "object", "embed", "canvas"))
UNSEEN = frozenset(("script", "style", "template", "link", "meta", "head", "title"))
# As many columns of numbers as fit a page in the size of page.css; a table with more gets smaller letters.
COLUMNS, TABLE_PX, SMALLEST_PX = 10, 11.5, 5.0


def bound(seconds: int, megabytes: int) -> None:
    """Bound what this process may take from its session: processor time, memory, no core file."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def make(order: dict[str, Any], out: IO[bytes]) -> None:
    """Lay out a notebook and write its PDF."""
    import weasyprint  # type: ignore[import-untyped]
    from nbformat import from_dict
    from PIL import EpsImagePlugin
    from weasyprint.urls import URLFetcher, URLFetcherResponse  # type: ignore[import-untyped]

    from .exporter import PdfExporter

    EpsImagePlugin.gs_binary = False  # type: ignore[assignment, unused-ignore]  # else it runs Ghostscript
    directory = Path(order["directory"]) if order["directory"] else None

    class Fetcher(URLFetcher):  # type: ignore[misc, unused-ignore]
        """Opens what the notebook holds itself, and pictures beside it."""

        def fetch(self, url: str, headers: Any = None) -> Any:
            if url[:5].lower() == "data:":
                return super().fetch(url, headers)
            content, kind = beside.read(url, directory)
            return URLFetcherResponse("data:", content, {"Content-Type": kind})

    exporter = PdfExporter(default_preprocessors=[], **order["exclude"])  # type: ignore[no-untyped-call]
    page = exporter.page(from_dict(order["notebook"]))  # type: ignore[no-untyped-call]
    base = directory.as_uri() + "/" if directory else "about:blank"
    head = f'<meta charset="utf-8"><title>{escape(order["title"])}</title>'
    document = weasyprint.HTML(
        string=f'<!doctype html><html lang="{escape(order["language"])}"><head>{head}</head><body>{page}</body>',
        base_url=base,
        url_fetcher=Fetcher(allowed_protocols=("data",), allow_redirects=False),
    )
    document.base_url = base  # whatever the notebook says in <base>
    settle(document.etree_element, base, directory)
    style = files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    document.write_pdf(out, stylesheets=[weasyprint.CSS(string=style)], presentational_hints=True)


def settle(page: Element, base: str, directory: Path | None) -> None:
    """Draw the formulas of a page, and say in words what it shows in a browser only."""
    for element in list(page.iter()):  # a list: elements are emptied on the way
        if not isinstance(element.tag, str):  # a comment
            continue
        kind = element.get("class") or ""
        if kind == FORMULA:
            _draw(element)
        elif element.tag == "img":
            if why := _left_out(element.get("src") or "", base, directory):
                name = (element.get("src") or "")[:200]
                left_out = (
                    _("[Picture {name} is not in this PDF: {why}.]")
                    if name
                    else _("[A picture is not in this PDF: {why}.]")
                )
                _say(element, left_out.format(name=name, why=why))
        elif element.tag in ACTIVE:
            left_out = _("[Left out of this PDF: a part that needs a browser (<{tag}>).]")
            _say(element, left_out.format(tag=element.tag))
        elif element.tag == "table":
            _narrow(element)
        elif element.tag in ("link", "base"):
            element.attrib.clear()
        elif element.tag == "a":
            element.attrib.pop("rel", None)  # rel="attachment" would put the file into the PDF
        elif "output_html" in kind.split() and not any(_seen(element)):
            _say(element, _("[Left out of this PDF: an interactive output. Open the notebook to see it.]"))


def _draw(element: Element) -> None:
    tex, display = element.text or "", element.get("data-display") == "1"
    drawing = formula.draw(tex, display=display)
    tail = element.tail
    element.clear()
    element.tail = tail
    element.set("class", "formula display" if display else "formula")
    if drawing is None:
        element.tag, element.text = "code", tex
    else:
        element.tag = "img"
        element.set("src", drawing.source)
        element.set("alt", tex)
        element.set("style", "" if display else f"vertical-align: {-drawing.below_px:.2f}px")


def _narrow(table: Element) -> None:
    """Let a table with many columns fit the page, rather than break its numbers; and without pandas' thick lines."""
    table.attrib.pop("border", None)
    columns = max((sum(cell.tag in ("td", "th") for cell in row) for row in table.iter("tr")), default=0)
    if columns > COLUMNS:
        size = max(SMALLEST_PX, TABLE_PX * COLUMNS / columns)
        table.set("style", f"{table.get('style') or ''}; font-size: {size:.1f}px")


def _left_out(source: str, base: str, directory: Path | None) -> str:
    """Why a picture cannot be shown; "" when it can."""
    if source[:5].lower() == "data:":
        return ""
    try:
        beside.read(urljoin(base, source), directory)
    except (beside.LeftOutError, ValueError) as error:
        return str(error)
    return ""


def _say(element: Element, text: str) -> None:
    """Put a sentence in an element's place."""
    tail = element.tail
    element.clear()
    element.tail, element.tag, element.text = tail, "span", text
    element.set("class", "left-out")


def _seen(element: Element) -> Iterator[bool]:
    """For each part of an element whether a reader without scripts sees something of it."""
    if element.tag in UNSEEN:
        return
    yield element.tag in ("img", "svg") or bool((element.text or "").strip())
    for child in element:
        yield from _seen(child)
        yield bool((child.tail or "").strip())


def main() -> int:
    """Serve one page; the status says how it went."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # no library's words get into the PDF
    bound(int(sys.argv[1]), int(sys.argv[2]))
    try:
        make(json.load(sys.stdin.buffer), out)
        out.close()
    except MemoryError:
        return NO_MEMORY
    except ImportError as error:
        print(error, file=sys.stderr)
        return NO_PACKAGE
    except OSError as error:
        if "cannot load library" not in str(error):  # cffi's words for a C library that is not there
            raise
        print(error, file=sys.stderr)
        return NO_LIBRARY
    return 0


if __name__ == "__main__":
    sys.exit(main())
