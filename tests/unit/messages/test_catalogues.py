"""Every sentence is in every language, with the same parameters and the words of the list."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from fabric_hub.messages import reader, translation
from fabric_hub.messages.reader import Reader, language_of, languages
from fabric_hub.messages.text import REASONS
from fabric_hub.messages.texts import launch
from scripts import make_messages
from scripts.make_messages import DOMAINS, Domain, problems

WORDS = make_messages.ROOT / "docs" / "reference" / "woordenlijst.md"


def _words() -> list[tuple[str, str]]:
    rows = re.findall(r"^\| (.+?) \| (.+?) \|$", WORDS.read_text(encoding="utf-8"), re.MULTILINE)
    return [(english, dutch) for english, dutch in rows if english not in ("English", "---")]


@pytest.mark.parametrize("domain", DOMAINS, ids=lambda domain: domain.name)
def test_every_language_has_every_sentence_that_the_code_says_and_no_other(
    domain: Domain, capsys: pytest.CaptureFixture[str]
) -> None:
    assert {"nl"} <= {language for language, _ in make_messages.languages(domain)}
    make_messages.main(["--check"])
    wrong = [line for line in capsys.readouterr().err.splitlines() if line.startswith(domain.name)]
    assert wrong == []


def test_what_is_compiled_is_what_the_catalogues_say(capsys: pytest.CaptureFixture[str]) -> None:
    make_messages.main(["--check"])
    assert [line for line in capsys.readouterr().err.splitlines() if "make messages" in line] == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ('msgid "Ask {whom}."\nmsgstr "Vraag {wie}."', "nl: other parameters than English: Vraag {wie}."),
        ('msgid "Ask {whom}."\nmsgstr ""', "nl: untranslated: Ask {whom}."),
        ('#, fuzzy\nmsgid "Ask {whom}."\nmsgstr "Vraag {whom}."', "nl: untranslated: Ask {whom}."),
        ('msgid "Ask her."\nmsgstr "Vraag het haar."', "nl: stale: Ask her."),
        ("", "nl: missing: Ask {whom}."),
    ],
)
def test_what_is_wrong_with_a_catalogue_is_named(tmp_path: Path, text: str, wrong: str) -> None:
    source, known = tmp_path / "source.po", tmp_path / "nl.po"
    source.write_text('msgid ""\nmsgstr ""\n\nmsgid "Ask {whom}."\nmsgstr ""\n')
    known.write_text(f'msgid ""\nmsgstr ""\n"Language: nl\\n"\n\n{text}\n')
    catalogs = [read_po(path.open("rb"), locale="nl") for path in (source, known)]
    assert wrong in list(problems(catalogs[0], catalogs[1], "nl"))


def _translated(domain: Domain, language: str) -> Iterator[tuple[str, str]]:
    path = next(path for name, path in make_messages.languages(domain) if name == language)
    with path.open("rb") as file:
        for message in read_po(file, locale=language):
            ids = message.id if isinstance(message.id, tuple | list) else (message.id,)
            strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
            if message.id:
                yield from zip(ids, strings, strict=True)


@pytest.mark.parametrize("domain", DOMAINS, ids=lambda domain: domain.name)
def test_dutch_uses_the_words_of_the_list(domain: Domain) -> None:
    wrong = []
    for english, dutch in _translated(domain, "nl"):
        plain = re.sub(r"\{[^}]*\}|`[^`]*`|<[^>]*>|\[[^\]]*\]|%\(\w+\)s", "", english).lower()
        for term, word in _words():
            said = any(form in dutch.lower() for form in word.lower().split(", "))
            if re.search(rf"\b{re.escape(term.lower())}s?\b", plain) and not said:
                wrong.append(f"{term} -> {word}: {english} | {dutch}")
    assert wrong == []


@pytest.mark.parametrize("domain", DOMAINS, ids=lambda domain: domain.name)
def test_dutch_says_je_and_not_u(domain: Domain) -> None:
    wrong = [
        dutch for _, dutch in _translated(domain, "nl") if re.search(r"\b(u|uw)\b", re.sub(r"\{[^}]*\}", "", dutch))
    ]
    assert wrong == []


def test_a_third_language_is_two_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "fy" / "LC_MESSAGES"
    place.mkdir(parents=True)
    path = place / "fabric_hub.po"
    path.write_text(
        'msgid ""\nmsgstr ""\n"Language: fy\\n"\n"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n'
        'msgid "This site offers no image."\nmsgstr "Dizze side biedt gjin image oan."\n'
    )
    domain = DOMAINS[0]._replace(locale=tmp_path)
    catalog = make_messages.updated(domain, "fy", path, make_messages.extracted(domain))
    path.with_suffix(".mo").write_bytes(make_messages.compiled(catalog))
    for module in (reader, translation):
        monkeypatch.setattr(module, "LOCALE_DIR", tmp_path)
    monkeypatch.setattr(reader, "languages", lambda: languages(tmp_path))
    translation.catalogue.cache_clear()
    try:
        assert language_of(None, "fy-NL,fy;q=0.9,en;q=0.5") == "fy"
        assert launch.NO_IMAGE().say(Reader("fy")) == "Dizze side biedt gjin image oan."
        assert launch.WHICH_PROJECT(projects=("a",)).say(Reader("fy")).startswith("Which project?"), "else English"
    finally:
        translation.catalogue.cache_clear()


def test_a_language_is_found_wherever_the_program_stands(tmp_path: Path) -> None:
    program = "from fabric_hub.messages.texts.launch import NO_IMAGE\nfrom fabric_hub.messages.reader import Reader\n"
    program += "import json\nprint(json.dumps(NO_IMAGE().say(Reader('nl'))))"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == dict(_translated(DOMAINS[0], "nl"))["This site offers no image."]


def test_codes_are_short_and_stable_words() -> None:
    wrong = [code for code in REASONS if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*(\.hint)?", code) or len(code) > 60]
    assert wrong == []
