"""``GET <base>/nbconvert/pdf/PATH``: Jupyter's own way to export, with a sentence where there is no PDF."""

from __future__ import annotations

from typing import Any

from jupyter_core.utils import ensure_async
from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import path_regex
from jupyter_server.nbconvert.handlers import NbconvertFileHandler
from jupyter_server.utils import url_path_join
from tornado.web import HTTPError, authenticated


class PdfHandler(NbconvertFileHandler):
    """Jupyter answers every failure with status 500 and "nbconvert failed"."""

    @authenticated
    @authorized
    async def get(self, format: str, path: str) -> None:  # noqa: A002 - the base class's name
        try:
            await ensure_async(super().get(format, path))
        except HTTPError as error:
            from .exporter import PdfError

            if isinstance(error.__cause__, PdfError):
                raise HTTPError(error.__cause__.status, str(error.__cause__)) from error.__cause__
            raise


def routes(base: str) -> list[tuple[Any, ...]]:
    """The route; an extension's come before Jupyter's own.

    :param base: of the server's addresses, such as ``/user/ann/``.
    """
    return [(url_path_join(base, "nbconvert", f"(?P<format>pdf){path_regex}"), PdfHandler)]
