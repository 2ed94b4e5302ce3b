"""What a mail says of each kind of notice, in both languages."""

from __future__ import annotations

from pathlib import Path

import pytest

from fabric_hub.messages.reader import Reader, reading
from fabric_hub.messages.texts import notices as texts
from fabric_hub.notices.letter import heading, one_line
from fabric_hub.notices.model import Kept, Kind, address_of
from tests.support.builders import a_site

SAID = {
    (Kind.PROJECT_END, "project:twin"): ("End of project twin", "Einde van project twin"),
    (Kind.BUDGET, "user:twin/jan"): ("Budget of project twin", "Budget van project twin"),
    (Kind.STORAGE, "storage:eve:/home:user:"): ("Storage is nearly full", "Opslag is bijna vol"),
    (Kind.STOP, "session:abc"): ("An operator ends a session", "Een beheerder beëindigt een sessie"),
    (Kind.DATASET, "dataset:mri/twin"): ("Your request for dataset mri", "Je verzoek om dataset mri"),
}


@pytest.mark.parametrize(("about", "said"), SAID.items())
def test_each_kind_has_a_heading_in_the_readers_language(about: tuple[Kind, str], said: tuple[str, str]) -> None:
    kind, subject = about
    text = texts.DECLINED(dataset="mri", project="twin")
    kept = Kept(key="k", kind=kind, person="ada", subject=subject, text=text, created_at=0.0)
    for language, words in zip(("en", "nl"), said, strict=True):
        with reading(Reader(language)):
            assert heading(kept) == words


def test_the_sentences_of_a_notice() -> None:
    assert str(texts.DECLINED(dataset="mri", project="twin")) == (
        "Your request for dataset mri for project twin was declined."
    )
    assert str(texts.STOPPED(session="one", why="Repair")) == "An operator ended your session one: Repair"
    assert str(texts.FOOTER(site="Hub", page="https://x")) == (
        "Hub sent this mail. What you were told, and a switch that turns mail off: https://x"
    )


def test_a_heading_is_one_line_of_printable_letters() -> None:
    assert one_line("a\r\nBcc: b\u2028c\x00") == "a Bcc: b c"
    assert len(one_line("x" * 999)) == 150


def test_an_address_is_made_of_a_name_that_can_be_a_part_of_one(tmp_path: Path) -> None:
    mail = '[site]\nsupport_email = "help@example.org"\n[mail]\nhost = "localhost"\nsender = "hub@example.org"\n'
    assert address_of(a_site(tmp_path, mail), "ada") is None
    settings = a_site(tmp_path, f'{mail}address = "{{user}}@example.org"\n')
    assert address_of(settings, "ada") == "ada@example.org"
    for name in ("", "ada@evil.org", "a b", "a>\r\nRCPT TO:<b", "é", "x" * 65):
        assert address_of(settings, name) is None
