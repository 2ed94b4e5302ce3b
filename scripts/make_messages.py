"""Keep the catalogues of sentences: extract what the code says, bring each language up to date, compile it.

``python -m scripts.make_messages`` rewrites ``locale/*/LC_MESSAGES/*.po`` of both domains (entries that are new are
empty, those whose English is gone are dropped) and compiles them; ``--check`` writes nothing, names every missing,
stale or untranslated entry and every parameter that one language lacks, and ends with status 1 when there are any.

Domains: ``fabric_hub`` (hub, service, daemons, pages) and ``fabric_lab`` (what runs in a session: Python there, and
TypeScript, which reads the same catalogue as JSON).
"""

from __future__ import annotations

import argparse
import io
import json
import re
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from babel.core import Locale, get_global
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

_NO_DATE = datetime(2000, 1, 1, tzinfo=UTC)
ROOT = Path(__file__).parents[1]
KEYWORDS: Mapping[str, Any] = {
    "N_": None, "_": None, "gettext": None, "P_": (1, 2), "ngettext": (1, 2), "__": None, "_n": (1, 2),
    "_p": ((1, "c"), 2),
}  # fmt: skip
_TEXT = re.compile(r"\{([a-zA-Z_][a-zA-Z0-9_]*)(?::[a-z]+)?\}|%(\d)|%\((\w+)\)s")

# In this domain, too: what a value must be (fabric_hub.types.said).
OF_HUB: Mapping[str, Any] = {"said": (1,)}


class Domain(NamedTuple):
    """One set of catalogues: where its sentences are, and where its languages."""

    name: str
    source: Path
    methods: tuple[tuple[str, str], ...]
    locale: Path
    as_json: bool = False


DOMAINS = (
    Domain(
        "fabric_hub",
        ROOT / "fabric_hub",
        (("**/templates/**.html", "jinja2"), ("**.py", "python")),
        ROOT / "fabric_hub" / "messages" / "locale",
    ),
    Domain(
        "fabric_lab",
        ROOT / "extensions",
        (
            ("fabric_lab/**.py", "python"),
            ("src/**.ts", "scripts.extract_typescript:extract"),
            ("src/**.tsx", "scripts.extract_typescript:extract"),
            ("schema/**.json", "scripts.extract_schema:extract"),
        ),
        ROOT / "extensions" / "fabric_lab" / "locale",
        as_json=True,
    ),
)


def extracted(domain: Domain) -> Catalog:
    """What the code of a domain says, in English."""
    catalog = Catalog(project=domain.name, header_comment="", fuzzy=False)
    found = extract_from_dir(
        domain.source,
        method_map=list(domain.methods),
        keywords={**KEYWORDS, **OF_HUB} if domain.name == "fabric_hub" else KEYWORDS,
        # as fabric_hub.hub.pages.sentences reads them
        options_map={"**/templates/**.html": {"trimmed": "true", "newstyle_gettext": "true", "silent": "false"}},
        comment_tags=("TRANSLATORS:",),
        strip_comment_tags=True,
        directory_filter=lambda path: Path(path).name not in {"node_modules", "lib", "labextension", "__pycache__"},
    )
    for name, _line, text, comments, context in sorted(found, key=lambda one: str(one[0])):
        if text and text != ("", ""):
            catalog.add(text, None, [(name, 0)], auto_comments=comments, context=context)
    return catalog


def languages(domain: Domain) -> Iterator[tuple[str, Path]]:
    """The languages of a domain, with their file."""
    for path in sorted(domain.locale.glob(f"*/LC_MESSAGES/{domain.name}.po")):
        yield path.parent.parent.name, path


def updated(domain: Domain, language: str, path: Path, source: Catalog) -> Catalog:
    """A language's catalogue with exactly the sentences that the code says; nothing is guessed."""
    with path.open("rb") as file:
        known = read_po(file, locale=language)
    fresh = Catalog(locale=language, project=domain.name, header_comment=known.header_comment, fuzzy=False)
    fresh.mime_headers = [header for header in known.mime_headers if not header[0].endswith("-Date")]
    for message in source:
        if not message.id:
            continue
        before = known.get(message.id, message.context)
        translation = before.string if before is not None and type(before.string) is _kind(message) else None
        fresh.add(
            message.id,
            translation,
            [(name, 0) for name in sorted({name for name, _ in message.locations})],
            auto_comments=message.auto_comments,
            user_comments=before.user_comments if before else (),
            context=message.context,
        )
    return fresh


def _kind(message: Message) -> type:
    return tuple if isinstance(message.id, tuple) else str


def problems(source: Catalog, known: Catalog, language: str) -> Iterator[str]:
    """What is wrong with a language: missing, stale, untranslated, or with other parameters than English."""
    ours = {(message.id, message.context) for message in source if message.id}
    theirs = {(message.id, message.context): message for message in known if message.id}
    for key in sorted(ours - theirs.keys(), key=str):
        yield f"{language}: missing: {_shown(key[0])}"
    for key in sorted(theirs.keys() - ours, key=str):
        yield f"{language}: stale: {_shown(key[0])}"
    for key in sorted(ours & theirs.keys(), key=str):
        message = theirs[key]
        strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
        if message.fuzzy or not all(strings):
            yield f"{language}: untranslated: {_shown(message.id)}"
            continue
        forms = message.id if isinstance(message.id, tuple | list) else (message.id,)
        wanted = {name for form in forms for name in parameters(form)}
        # one thing may be said by its name, several by their number
        needed = set.intersection(*(parameters(form) for form in forms)) - {"n", "1"}
        for string in strings:
            if not needed <= parameters(string or "") <= wanted:
                yield f"{language}: other parameters than English: {string}"


def parameters(text: str) -> set[str]:
    """The parameters of a sentence, however they are written: ``{name}``, ``%1``, ``%(name)s``."""
    return {next(filter(None, found.groups())) for found in _TEXT.finditer(text)}


def _shown(text: object) -> str:
    return str(text[0] if isinstance(text, tuple | list) else text)


def as_json(catalog: Catalog, domain: str, language: str) -> str:
    """A catalogue as JupyterLab reads it (Jed's format)."""
    data: dict[str, Any] = {
        "": {"domain": domain, "language": language, "plural_forms": catalog.plural_forms, "version": "1"}
    }
    for message in catalog:
        if message.id:
            strings = message.string if isinstance(message.string, tuple | list) else [message.string]
            key = _shown(message.id)
            data[f"{message.context}\x04{key}" if message.context else key] = list(strings)
    return json.dumps(data, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def lab_place(domain: Domain, language: str) -> Path:
    """Where JupyterLab looks for a language's catalogue: it names languages with their country (``nl_NL``)."""
    likely = Locale.parse(get_global("likely_subtags").get(language, language))
    name = f"{likely.language}_{likely.territory}" if likely.territory else language
    return domain.locale / name / "LC_MESSAGES" / f"{domain.name}.json"


def written(catalog: Catalog) -> bytes:
    """A catalogue as a file."""
    file = io.BytesIO()
    write_po(file, catalog, width=120, sort_output=True, omit_header=False, include_lineno=False)
    lines = file.getvalue().splitlines(keepends=True)
    return b"".join(line for line in lines if not re.match(rb'"(?:POT-Creation|PO-Revision)-Date', line))


def compiled(catalog: Catalog) -> bytes:
    """A catalogue as gettext reads it; no byte of it depends on when it was made."""
    file = io.BytesIO()
    catalog.creation_date = catalog.revision_date = _NO_DATE
    write_mo(file, catalog)
    return file.getvalue()


def main(argv: list[str] | None = None) -> int:
    """Write or check all catalogues."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args(argv).check
    wrong: list[str] = []
    for domain in DOMAINS:
        source = extracted(domain)
        for language, path in languages(domain):
            if check:
                with path.open("rb") as file:
                    known = read_po(file, locale=language)
                wrong += [f"{domain.name}: {said}" for said in problems(source, known, language)]
                fresh = known
            else:
                fresh = updated(domain, language, path, source)
            files = {path.with_suffix(".mo"): compiled(fresh)}
            if not check:
                files[path] = written(fresh)
            if domain.as_json:
                files[lab_place(domain, language)] = as_json(fresh, domain.name, language).encode()
            for place, content in files.items():
                if check and (not place.exists() or place.read_bytes() != content):
                    wrong.append(f"{place.relative_to(ROOT)} is not what its .po compiles to: run make messages")
                elif not check and (not place.exists() or place.read_bytes() != content):
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.write_bytes(content)
            if not check:
                wrong_now = list(problems(source, fresh, language))
                print(f"{domain.name} {language}: {sum(1 for m in fresh if m.id)} entries, {len(wrong_now)} to do")
                for said in wrong_now[:20]:
                    print(f"  {said}")
    for said in wrong:
        print(said, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
