"""Build the documentation as a site that can be read and searched without asking another host.

``python -m scripts.site`` (``make site``) writes it to ``build/site``; a link that leads nowhere, a page that no menu
names and whatever else Sphinx warns of is an error.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONFIGURATION = ROOT / "docs"
# What a browser fetches by itself when it shows a page; a link that a person follows may lead anywhere.
_FETCHED = {"link": "href", "image": "href", "use": "href", "object": "data", "form": "action"}
_CSS = re.compile(r"(?:url\(|@import)\s*['\"]?\s*((?:https?:)?//[^'\")\s;]+)")


def build(source: Path, into: Path) -> list[str]:
    """Build the site of a checkout.

    :param source: the directory that holds README.md and docs/.
    :param into: what it held is replaced.
    :returns: Sphinx's warnings and errors, in its words; none when the site is whole.
    """
    shutil.rmtree(into, ignore_errors=True)
    options = [
        "--builder",
        "html",
        "--conf-dir",
        str(CONFIGURATION),
        "--fresh-env",
        "--jobs",
        "2",
        "--quiet",
        "--no-color",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *options, str(source), str(into)],
        cwd=source, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    shutil.rmtree(into / ".doctrees", ignore_errors=True)
    if (first := into / "README.html").is_file():
        shutil.copy(first, into / "index.html")
    warnings = [line.removeprefix(f"{source}/") for line in done.stderr.splitlines() if line]
    return warnings or ([] if done.returncode == 0 else [f"Sphinx ended with status {done.returncode}."])


class _Fetched(HTMLParser):
    """Addresses in a page that a browser fetches, and the page's own styles."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("src", "srcset", "poster") or name == _FETCHED.get(tag):
                self.found += [part.split()[0] for part in (value or "").split(",") if part.strip()]
            elif name == "style":
                self.found += _CSS.findall(value or "")

    def handle_data(self, data: str) -> None:
        self.found += _CSS.findall(data) if self.lasttag == "style" else ()


def foreign(site: Path) -> Iterator[str]:
    """What a page or a style sheet of a site would fetch from another host, as "file: address"."""
    for path in sorted((*site.rglob("*.html"), *site.rglob("*.css"))):
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".css":
            found = _CSS.findall(text)
        else:
            parser = _Fetched()
            parser.feed(text)
            found = parser.found
        yield from (f"{path.relative_to(site)}: {one}" for one in found if re.match(r"(?:https?:)?//", one))


def main() -> int:
    """Build it; the exit status says whether anything is wrong with it."""
    into = ROOT / "build" / "site"
    wrong = [*build(ROOT, into), *(f"fetched from another host: {one}" for one in foreign(into))]
    for line in wrong:
        print(line)
    print(f"{into / 'index.html'}: {len(wrong)} faults.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
