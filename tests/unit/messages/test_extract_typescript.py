"""The sentences of TypeScript are found wherever they are said."""

from __future__ import annotations

import io

import pytest

from scripts.extract_typescript import extract


def found(source: str) -> list[str | tuple[str, ...]]:
    return [text for _, _, text, _ in extract(io.BytesIO(source.encode()), {}, (), {})]


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ("trans.__('One')", ["One"]),
        ("const a = trans.__(\n  'One, %1',\n  name\n);", ["One, %1"]),
        ("`${why} ${trans.__('Two')}${rest}`", ["Two"]),
        ("trans._n('%1 job', '%1 jobs', count)", [("%1 job", "%1 jobs")]),
        ("<p>{trans.__('It is \"here\"')}</p>", ['It is "here"']),
        (r"trans.__('It\'s')", ["It's"]),
        ("a ? trans.__('Yes') : trans.__(\"No\")", ["Yes", "No"]),
        ("mytrans.__('no')", []),
    ],
)
def test_a_sentence_is_found(source: str, texts: list[str | tuple[str, ...]]) -> None:
    assert found(source) == texts


def test_a_text_that_is_no_literal_is_told() -> None:
    with pytest.raises(ValueError, match=r"line 2: trans\.__\(\) without a literal"):
        found("\ntrans.__(text)")
