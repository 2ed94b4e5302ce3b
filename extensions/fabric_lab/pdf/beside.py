"""Which files a notebook's page may show: pictures in the notebook's own directory or below it, and nothing else."""

from __future__ import annotations

import mimetypes
import os
import stat
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ..common.translation import _

LARGEST = 50 << 20  # bytes of one picture
PICTURES = frozenset((".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg"))


class LeftOutError(Exception):
    """Something that a page names is not shown; the text says why."""


def read(url: str, directory: Path | None) -> tuple[bytes, str]:
    """Content and media type of a picture beside the notebook.

    :param url: what the page names, resolved: ``file:///home/ann/plots/a.png``.
    :param directory: the notebook's; None when it is in no file system, and then nothing may be read.
    :raises LeftOutError: it is of another site, elsewhere, hidden, no picture, too large, or not there.
    """
    parts = urlsplit(url)
    if parts.scheme != "file" or parts.netloc:
        raise LeftOutError(_("it is not in the notebook, and nothing is fetched from other sites"))
    if directory is None:
        raise LeftOutError(_("this notebook is in no directory"))
    path, top = Path(unquote(parts.path)), Path(os.path.realpath(directory))
    if path.suffix.lower() not in PICTURES:
        raise LeftOutError(_("it is not one of {kinds}").format(kinds=", ".join(sorted(PICTURES))))
    try:
        # not blocking: opening a pipe would wait for its other end
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        raise LeftOutError(_("it is not there, or cannot be read")) from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise LeftOutError(_("it is not a picture"))
        # where the open file really is, whatever links led to it
        real = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        if not real.is_relative_to(top) or any(part.startswith(".") for part in real.relative_to(top).parts):
            raise LeftOutError(_("it is not in the notebook's directory"))
        if real.suffix.lower() not in PICTURES:
            raise LeftOutError(_("it is not a picture"))
        if status.st_size > LARGEST:
            raise LeftOutError(_("it is larger than {size} MB").format(size=LARGEST >> 20))
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(LARGEST), mimetypes.guess_type(real.name)[0] or "application/octet-stream"
    finally:
        os.close(descriptor)
