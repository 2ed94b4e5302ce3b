"""GNU gettext catalogues of the sentences in ``fabric_hub``, by language."""

from __future__ import annotations

import gettext as gnu
from functools import cache

from .reader import LOCALE_DIR, SOURCE, current

DOMAIN = "fabric_hub"


def N_(text: str) -> str:
    """Mark a sentence for the catalogues, where it is not yet known who reads it."""
    return text


@cache
def catalogue(language: str) -> gnu.NullTranslations:
    """The catalogue of a language; English has none."""
    if language == SOURCE:
        return gnu.NullTranslations()
    return gnu.translation(DOMAIN, str(LOCALE_DIR), [language], fallback=True)


def gettext(text: str) -> str:
    """A sentence in the reader's language."""
    return catalogue(current().language).gettext(text)


def ngettext(one: str, many: str, number: int) -> str:
    """A sentence about so many things in the reader's language."""
    return catalogue(current().language).ngettext(one, many, number)
