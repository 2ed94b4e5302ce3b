"""What JupyterHub says on our pages is said in the reader's language; where we do not know it, it is marked."""

from __future__ import annotations

import pytest

from fabric_hub.hub.pages.sentences import theirs
from fabric_hub.messages.reader import Reader, reading


@pytest.mark.parametrize(
    ("told", "english", "dutch"),
    [
        ("Not Found", "Not Found", "Niet gevonden"),
        ("Server at /user/ann/evening/", "Session at /user/ann/evening/", "Sessie op /user/ann/evening/"),
        (
            "Action is not authorized with current scopes; requires any of [admin-ui]",
            "You may not see this page",
            "Je mag deze pagina niet zien",
        ),
        ("A <new> word", "A <new> word", '<span lang="en">A &lt;new&gt; word</span>'),
        ("", "", ""),
    ],
)
def test_jupyterhubs_words_are_in_the_readers_language_or_marked_as_english(
    told: str, english: str, dutch: str
) -> None:
    assert theirs(told) == english
    with reading(Reader("nl")):
        assert theirs(told) == dutch
