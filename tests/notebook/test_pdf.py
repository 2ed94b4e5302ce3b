"""The export to PDF: what it shows, what it never reads or fetches, what it may take, and what is said without it."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from fabric_lab.pdf import beside

from tests.support.answering_hub import AnsweringHub
from tests.support.http_server import HttpServer, Response
from tests.support.running_session import RunningSession, session_environment

pytestmark = pytest.mark.image

# Converts the notebook on stdin as `jupyter nbconvert --to pdf` does; a refusal is told as JSON.
CONVERT = """
import json, sys, nbformat
from nbconvert.exporters.base import get_exporter
from fabric_lab.pdf.exporter import PdfError
directory, seconds, megabytes = sys.argv[1:]
exporter = get_exporter("pdf")(seconds=int(seconds), megabytes=int(megabytes))
notebook = nbformat.from_dict(json.load(sys.stdin))
try:
    pdf, _ = exporter.from_notebook_node(notebook, {"metadata": {"path": directory, "name": "wind"}})
    sys.stdout.buffer.write(pdf)
except PdfError as error:
    print(json.dumps([error.status, str(error)]))
"""
DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAIAAAACUFjqAAAAEklEQVR4nGP4z8CAB+GTG8HSALfKY52fTcuYAAAAAElFTkSuQmCC"
)


def markdown(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": text, "id": "text"}


def shown(data: dict[str, Any]) -> dict[str, Any]:
    """A code cell with one output: media type to content."""
    output = {"output_type": "display_data", "metadata": {}, "data": data}
    return {"cell_type": "code", "metadata": {}, "source": "", "execution_count": 1, "outputs": [output], "id": "code"}


def convert(python: Path, directory: Path, *cells: dict[str, Any], seconds: int = 60, megabytes: int = 2048) -> bytes:
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    done = subprocess.run(
        [python, "-I", "-c", CONVERT, str(directory), str(seconds), str(megabytes)],
        input=json.dumps(notebook).encode(),
        env={"PATH": os.defpath, "HOME": str(directory)},
        capture_output=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def words(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    return " ".join(" ".join(page.get_textpage().get_text_range() for page in document).split())


def test_a_page_fetches_nothing_and_reads_nothing_but_pictures_beside_it(python: Path, tmp_path: Path) -> None:
    notebooks, secret = tmp_path / "course", tmp_path / "secret.png"
    (notebooks / ".ssh").mkdir(parents=True)
    for picture in (notebooks / "dot.png", notebooks / ".ssh/key.png", secret):
        picture.write_bytes(DOT)
    (notebooks / "key.txt").write_text("a secret")
    (notebooks / "link.png").symlink_to(secret)
    os.mkfifo(notebooks / "pipe.png")
    with HttpServer(lambda _: Response(404)) as server:
        there = server.url
        drawing = (
            "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><image width='9' height='9' href='{}'/></svg>"
        )
        pdf = convert(
            python,
            notebooks,
            markdown(
                f"![here](dot.png) ![other]({there}/1.png) ![up](../secret.png) ![link](link.png) ![pipe](pipe.png)"
            ),
            markdown(f"![hidden](.ssh/key.png) ![whole](file://{secret}) ![text](key.txt) <base href='{there}/2/'>"),
            shown(
                {
                    "text/html": f"<p>styled</p><link rel=stylesheet href='{there}/3.css'>"
                    f"<link rel=attachment href=key.txt><a rel=attachment href=key.txt>a</a>"
                    f"<object data='{there}/4'></object><iframe src='{there}/5'></iframe>"
                    f"<style>@import url({there}/6.css);"
                    f"p {{ background: url(file://{secret}); list-style: url({there}/7) }}"
                    f"@font-face {{ font-family: x; src: url({there}/8.ttf) }} p {{ font-family: x }}</style>"
                }
            ),
            shown({"image/svg+xml": drawing.format(f"{there}/9.png")}),
            shown({"image/svg+xml": drawing.format(f"file://{secret}")}),
        )
    assert server.requests == []
    document = pypdfium2.PdfDocument(pdf)
    assert document.count_attachments() == 0
    pictures = [one for page in document for one in page.get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_IMAGE])]
    assert len(pictures) == 1, "the one beside the notebook"
    text = words(pdf)
    assert "nothing is fetched from other sites" in text
    assert text.count("it is not in the notebook's directory") == 4
    assert "[Picture pipe.png is not in this PDF: it is not a picture.]" in text


def test_formulas_are_drawn_and_what_needs_a_browser_is_said(python: Path, tmp_path: Path) -> None:
    bar = {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "  0%|     | 0/3"}
    pdf = convert(
        python,
        tmp_path,
        markdown(
            "Drawn: $E=mc^2$ and $$\\int_0^1 x\\,dx$$\n\n\\begin{align}a&=b\\\\c&=d\\end{align}\n\nKept: $\\frac{1$."
        ),
        shown({"text/latex": "$\\displaystyle \\sum_{i=1}^n x_i$"}),
        shown({"application/vnd.plotly.v1+json": {"data": []}}),
        shown(bar),
        shown({"text/html": "<div id=a></div><script>draw()</script>"}),
    )
    text = words(pdf)
    assert "Kept: \\frac{1." in text, "what cannot be drawn stays as TeX"
    assert all(gone not in text for gone in ("mc^2", "int_0", "align", "sum_", "draw()", "0/3")), text
    assert text.count("[Left out of this PDF: an interactive output. Open the notebook to see it.]") == 2
    assert "[Left out of this PDF: a widget. Open the notebook to see it.]" in text


@pytest.mark.parametrize(
    ("content", "seconds", "megabytes"),
    [
        ("<table>" + "<tr><td>1<td>2<td>3<td>4</tr>" * 40_000 + "</table>", 2, 2048),
        (f"<p>{'wind ' * 20_000_000}</p>", 60, 512),
    ],
    ids=["time", "memory"],
)
def test_a_notebook_takes_no_more_time_and_memory_than_it_may(
    python: Path, tmp_path: Path, content: str, seconds: int, megabytes: int
) -> None:
    cell = shown({"text/html": content})
    status, text = json.loads(convert(python, tmp_path, cell, seconds=seconds, megabytes=megabytes))
    assert status == 422
    assert f"This notebook takes more than {seconds} s of processor time or {megabytes} MB to lay out as PDF." in text


def test_a_node_without_pango_says_so_and_what_to_do(python: Path, hub: AnsweringHub, tmp_path: Path) -> None:
    libraries = tmp_path / "lib"
    libraries.mkdir()
    (libraries / "libpango-1.0.so.0").write_text("no library")
    environment = session_environment(hub.url, LD_LIBRARY_PATH=str(libraries))
    with RunningSession(python, tmp_path, environment) as session:
        (session.home / "wind.ipynb").write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
        session.announced_by(hub)
        status, page = session.get("nbconvert/pdf/wind.ipynb?download=true")
    assert status == 501
    assert "Export to PDF needs the library Pango, which node gpu1 lacks." in page
    assert "install libpango-1.0-0, libpangoft2-1.0-0 and libharfbuzz-subset0" in page
    assert "Traceback" not in page


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("gone.png", "it is not there"),
        ("large.png", "it is larger than 50 MB"),
        ("folder.png", "it is not a picture"),
        ("notes.txt", "it is not one of .gif, "),
        ("disguised.png", "it is not a picture"),
        ("../up.png", "it is not in the notebook's directory"),
        ("a%00b.png", "it is not there"),
    ],
)
def test_what_is_no_picture_beside_the_notebook_is_left_out(tmp_path: Path, name: str, why: str) -> None:
    directory = tmp_path / "course"
    (directory / "folder.png").mkdir(parents=True)
    (tmp_path / "up.png").write_bytes(DOT)
    (directory / "notes.txt").write_text("words")
    (directory / "disguised.png").symlink_to("notes.txt")
    with (directory / "large.png").open("wb") as file:
        file.truncate(beside.LARGEST + 1)
    with pytest.raises(beside.LeftOutError, match=why):
        beside.read(f"{directory.as_uri()}/{name}", directory)
    with pytest.raises(beside.LeftOutError, match="in no directory"):
        beside.read(f"{directory.as_uri()}/{name}", None)
