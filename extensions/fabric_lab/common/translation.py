"""GNU gettext catalogues of what Python in a session says to people, in the session's language.

The hub says which language its person has chosen (``FABRIC_LANGUAGE``). Where no hub has said so it is the locale's, as
gettext has it; a language without a catalogue is English. Cheap to import: the standard library only, and the catalogue
is read for the first text that is made.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gettext import NullTranslations

DOMAIN = "fabric_lab"
SOURCE = "en"
LOCALE_DIR = Path(__file__).parents[1] / "locale"
LANGUAGE = "FABRIC_LANGUAGE"
# What gettext looks at, the strongest first.
_OF_LOCALE = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
# "nl", "pt-BR", "nl_NL.UTF-8"
_NAME = re.compile(r"(?P<language>[a-z]{2,3})(?:[-_](?P<country>[A-Za-z]{2}))?(?:[.@][\w.@-]*)?", re.ASCII)


def language(environment: Mapping[str, str] = os.environ) -> str:
    """The language in which this process speaks to people: ``en``, or one that there is a catalogue of."""
    for variable in (LANGUAGE, *_OF_LOCALE):
        if wanted := environment.get(variable):
            return next(filter(None, map(_there, wanted.split(":"))), SOURCE)
    return SOURCE


@cache
def _there(name: str) -> str:
    """The language of a locale's name, where there is a catalogue of it; else ""."""
    found = _NAME.fullmatch(name)
    if found is None:
        return ""
    own, country = found["language"], found["country"]
    wanted = [f"{own}_{country.upper()}", own] if country else [own]
    return next((one for one in wanted if one == SOURCE or _file(one).is_file()), "")


def _file(name: str) -> Path:
    return LOCALE_DIR / name / "LC_MESSAGES" / f"{DOMAIN}.mo"


@cache
def _catalogue(name: str) -> NullTranslations:
    import gettext

    return gettext.translation(DOMAIN, str(LOCALE_DIR), [name], fallback=True)


def for_page() -> dict[str, object]:
    """What the browser needs to speak the session's language: its name, and the catalogue as JupyterLab has them.

    English needs none. It is part of the page, so that no panel waits for it.
    """
    name = language()
    if name == SOURCE:
        return {}
    import json

    return {
        "fabricLanguage": name,
        "fabricTexts": json.loads(next(LOCALE_DIR.glob(f"{name}*/LC_MESSAGES/{DOMAIN}.json")).read_bytes()),
    }


def N_(text: str) -> str:
    """Mark a text for the catalogues, where it is not yet known whether anybody reads it."""
    return text


def _(text: str) -> str:
    """A text in the session's language."""
    return _catalogue(language()).gettext(text)


def ngettext(one: str, many: str, number: int) -> str:
    """A text about so many things in the session's language."""
    return _catalogue(language()).ngettext(one, many, number)


def sentences(*texts: str) -> str:
    """Whole sentences one after the other, without those that are ""."""
    return " ".join(filter(None, texts))
