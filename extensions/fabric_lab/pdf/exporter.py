"""nbconvert's exporter "pdf" of our images: the notebook's page as nbconvert writes it, laid out by WeasyPrint."""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
from html import escape
from typing import Any

from jinja2 import pass_context
from nbconvert.exporters import Exporter, HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbconvert.utils.exceptions import ConversionException
from nbformat import NotebookNode
from traitlets import Int, default
from traitlets.config import Config

from ..common import translation
from ..common.translation import N_, _, sentences
from . import FORMULA, NO_LIBRARY, NO_MEMORY, NO_PACKAGE

LIBRARIES = ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0")
INSTEAD = N_("Until then, save the notebook as HTML (File, Save and Export Notebook As) and print that page.")
PASSED_ON = ("HOME", "PATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "XDG_DATA_HOME", "XDG_CACHE_HOME",
             "FONTCONFIG_FILE", "FONTCONFIG_PATH", translation.LANGUAGE, "LANGUAGE", "LC_MESSAGES")  # fmt: skip

# On a node that many share, how long it takes by the clock to get a second of processor time, at worst.
WAITING = 5

# What a reader sees without a browser, the sharpest first.
STILL = ("image/svg+xml", "image/png", "image/jpeg", "text/html", "text/markdown", "text/latex", "text/plain")
_ACTIVE = re.compile(r"application/(?:javascript|vnd\..+)")
_NUMBERED = ("equation", "align", "gather", "eqnarray", "multline")
_WIDGET = N_("[Left out of this PDF: a widget. Open the notebook to see it.]")
_INTERACTIVE = N_("[Left out of this PDF: an interactive output. Open the notebook to see it.]")


class PdfError(ConversionException):  # type: ignore[misc, unused-ignore]
    """There is no PDF: the text says why and what to do; ``status`` is HTTP's word for it."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


class _Renderer(IPythonRenderer):
    """Markdown to HTML, with formulas in elements of their own, for :mod:`.page` to draw."""

    def block_math(self, body: str) -> str:
        return _formula(body, display=True)

    def inline_math(self, body: str) -> str:
        return _formula(body, display=False)

    def latex_environment(self, name: str, body: str) -> str:
        # JupyterLab numbers no equations; the starred forms are those without numbers
        starred = f"{name.removesuffix('*')}*" if name.startswith(_NUMBERED) else name
        bare = starred == "equation*"
        return _formula(body if bare else f"\\begin{{{starred}}}{body}\\end{{{starred}}}", display=True)


def _formula(tex: str, *, display: bool) -> str:
    if tex.lstrip().startswith("\\displaystyle"):  # how IPython writes a formula that is an output
        display = True
    return f'<span class="{FORMULA}" data-display="{int(display)}">{escape(tex.strip())}</span>'


class PdfExporter(HTMLExporter):  # type: ignore[misc, unused-ignore]
    """Portable Document Format, without TeX and without a browser."""

    export_from_notebook = "PDF"
    output_mimetype = "application/pdf"

    seconds = Int(
        60,
        min=1,
        help=f"Processor time that laying out one notebook may take; by the clock it is {WAITING} times that.",
    ).tag(config=True)
    megabytes = Int(2048, min=512, help="How much memory laying out one notebook may take.").tag(config=True)

    @default("file_extension")
    def _file_extension_default(self) -> str:
        return ".pdf"

    @default("template_name")
    def _template_name_default(self) -> str:
        return "fabric-pdf"

    @default("template_extension")
    def _template_extension_default(self) -> str:
        return ".html.j2"

    @default("exclude_anchor_links")
    def _exclude_anchor_links_default(self) -> bool:
        return True

    @property
    def default_config(self) -> Config:
        own = Config({"NbConvertBase": {"display_data_priority": list(STILL)}})
        whole: Config = super().default_config.copy()
        whole.merge(own)
        return whole

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        """Markdown to HTML; pictures stay what they are, :mod:`.page` reads those that it may."""
        renderer = _Renderer(
            escape=False,
            attachments=context.get("cell", {}).get("attachments", {}),
            exclude_anchor_links=True,
            **self.lexer_options,
        )
        return MarkdownWithMath(renderer=renderer).render(source)

    def from_notebook_node(  # type: ignore[override]  # as nbconvert's own exporters to PDF: bytes, not text
        self, nb: NotebookNode, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[bytes, dict[str, Any]]:
        """The PDF of a notebook.

        :raises PdfError: the node lacks a library, or the notebook takes more time or memory than it may.
        """
        # which cells there are, by configuration and tags; all that takes long is done under bounds
        nb, resources = Exporter.from_notebook_node(self, nb, resources, **kw)
        about = resources.get("metadata", {})
        order = {
            "notebook": nb,
            "exclude": {name: getattr(self, name) for name in self.trait_names() if name.startswith("exclude_")},
            "title": nb.metadata.get("title") or about.get("name") or "Notebook",
            "directory": os.path.abspath(about["path"] or ".") if about.get("path") is not None else None,
            "language": self.language_code,
        }
        return self._lay_out(order), {**resources, "output_extension": ".pdf"}

    def page(self, nb: NotebookNode) -> str:
        """The notebook's page in HTML, which :mod:`.page` lays out. Its cells are chosen already."""
        for cell in nb.cells:
            for output in cell.get("outputs", ()):
                if "data" in output:
                    output.data = still(output.data)
        return str(super().from_notebook_node(nb)[0])

    def _lay_out(self, order: dict[str, Any]) -> bytes:
        """Let a process of its own make the PDF; it goes with its time or its memory, not with ours."""
        argv = [sys.executable, "-I", "-m", "fabric_lab.pdf.page", str(self.seconds), str(self._megabytes())]
        try:
            done = subprocess.run(
                argv,
                input=json.dumps(order).encode(),
                capture_output=True,
                timeout=self.seconds * WAITING,
                cwd="/",
                env={name: os.environ[name] for name in PASSED_ON if name in os.environ},
            )
        except subprocess.TimeoutExpired:
            raise self._too_much() from None
        if done.returncode == 0:
            return done.stdout
        said = done.stderr.decode(errors="replace").strip()
        if done.returncode == NO_LIBRARY:
            node = os.environ.get("FABRIC_NODE") or os.uname().nodename
            why = _(
                "Export to PDF needs the library Pango, which node {node} lacks. Ask the operator to install "
                "{libraries} and {last} there (Debian's names)."
            ).format(node=node, libraries=", ".join(LIBRARIES[:-1]), last=LIBRARIES[-1])
            raise PdfError(sentences(why, _(INSTEAD)), 501)
        if done.returncode == NO_PACKAGE:
            why = _("Export to PDF needs the packages weasyprint and ziamath, which this image lacks ({error}).")
            raise PdfError(sentences(why.format(error=said), _(INSTEAD)), 501)
        # a signal: the kernel ended it over its time, or a library that was given no memory ended itself
        if done.returncode == NO_MEMORY or done.returncode < 0 or "MemoryError" in said:
            raise self._too_much()
        self.log.error("fabric_lab.pdf.page ended with status %s: %s", done.returncode, said)
        reason = (said.splitlines() or [f"status {done.returncode}"])[-1]
        why = _("This notebook cannot be laid out as PDF: {reason}.").format(reason=reason)
        raise PdfError(sentences(why, _(INSTEAD)), 500)

    def _megabytes(self) -> int:
        """The bound, or what this process itself may have where that is less."""
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        return self.megabytes if hard == resource.RLIM_INFINITY else min(self.megabytes, hard >> 20)

    def _too_much(self) -> PdfError:
        why = _(
            "This notebook takes more than {seconds} s of processor time or {megabytes} MB to lay out as PDF. "
            "Clear its largest outputs or split it; or set c.PdfExporter.seconds and c.PdfExporter.megabytes in "
            "~/.jupyter/jupyter_server_config.py."
        ).format(seconds=self.seconds, megabytes=self.megabytes)
        return PdfError(sentences(why, _(INSTEAD)), 422)


def still(data: dict[str, Any]) -> dict[str, Any]:
    """An output's forms of itself (media type to content) without those that need a browser.

    Where nothing else is left a sentence says so.
    """
    if any(kind in data for kind in STILL[:3]):
        return data
    if "text/latex" in data and "text/html" not in data:
        return {"text/markdown": data["text/latex"]}
    active = [kind for kind in data if _ACTIVE.fullmatch(kind)]
    if not active or "text/html" in data or "text/markdown" in data:
        return data
    # not their text: that is an object's name, or a progress bar as it was at its beginning
    note = _(_WIDGET) if any("widget" in kind for kind in active) else _(_INTERACTIVE)
    return {"text/html": f'<span class="left-out">{escape(note)}</span>'}
