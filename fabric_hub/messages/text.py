"""A fact with a code and its parameters, and the sentence that it is for a reader.

The core makes a :class:`Text` from a :class:`Reason` (``NO_PROFILES(project="twin")``) and hands it on: between
processes, into a record, to the edge. Only there it becomes words, in the language of whoever reads them. The log has
``str(text)``, which is English.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from string import Formatter
from typing import Annotated, Any, Final

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    SerializerFunctionWrapHandler,
    WithJsonSchema,
    model_serializer,
    model_validator,
)
from pydantic_core import core_schema

from fabric_hub.errors import FabricError
from fabric_hub.types import Frozen

from . import formats
from .reader import ENGLISH, Reader, current, reading
from .translation import catalogue

VERBATIM: Final = "verbatim"
SENTENCES: Final = "sentences"
# Facts of other processes: a sentence has a few parameters, and a text within a text has few layers.
_DEEPEST = 8


class Who(StrEnum):
    """Who can do something about it."""

    PERSON = "person"  # who reads it
    OWNER = "owner"  # of the project
    OPERATOR = "operator"
    NOBODY = "nobody"  # it passes, or is no trouble


def _params(value: Any) -> Any:
    return {str(name): _param(item) for name, item in value.items()} if isinstance(value, Mapping) else value


def _param(value: Any, depth: int = 0) -> Any:
    if depth > _DEEPEST:
        raise ValueError("a text in a text in a text, and so on")
    if isinstance(value, Mapping):
        return Text.model_validate(value)
    if isinstance(value, list | tuple):
        return tuple(_param(item, depth + 1) for item in value)
    if value is None or isinstance(value, str | int | float | Text):
        return value
    raise ValueError(f"a parameter cannot be a {type(value).__name__}")


class Text(Frozen):
    """A reason with its parameters: strings, numbers (times in Unix seconds, durations in seconds, sizes in bytes),
    other texts, and tuples of these.

    As JSON it has, beside ``code`` and ``params``, the sentence for the reader (``text``). A text whose code this
    process does not know, as of a newer one, stays that sentence.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    code: str
    params: Annotated[dict[str, Any], BeforeValidator(_params), Field(default_factory=dict)]

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        if isinstance(value, str):  # a record of a version that kept sentences
            return {"code": VERBATIM, "params": {"words": value}}
        if isinstance(value, Mapping) and "text" in value:
            if value.get("code") not in REASONS:
                return {"code": VERBATIM, "params": {"words": str(value["text"])}}
            return {name: item for name, item in value.items() if name != "text"}
        return value

    @model_serializer(mode="wrap")
    def _write(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {**handler(self), "text": self.say()}

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {
            "title": "Text",
            "description": "A fact with its code, and the sentence that it is in the language that was asked for.",
            "type": "object",
            "properties": {
                "code": {"type": "string", "title": "Code"},
                "params": {"type": "object", "additionalProperties": True, "title": "Params"},
                "text": {"type": "string", "title": "Text"},
            },
            "required": ["code", "params", "text"],
        }

    @property
    def reason(self) -> Reason:
        """What it is one of."""
        return REASONS[self.code]

    def say(self, reader: Reader | None = None) -> str:
        """The sentence, for a reader; None: for whoever reads what is made now."""
        with reading(reader or current()):
            return _say(self)

    @property
    def hint(self) -> Text | None:
        """What to do next, where the reason has a word on it: a text with the same parameters."""
        return Text(code=f"{self.code}.hint", params=self.params) if self.reason.hint else None

    def __str__(self) -> str:
        return self.say(ENGLISH)

    def __bool__(self) -> bool:
        return self.code != VERBATIM or bool(self.params.get("words"))

    def __hash__(self) -> int:
        return hash((self.code, str(sorted(self.params))))


class Reason:
    """A kind of fact: its code, the sentence that it is in English, and who can act on it.

    In a sentence ``{name}`` is a parameter, and ``{name:kind}`` one that is formatted by language: see
    :data:`fabric_hub.messages.formats.KINDS`. A sentence with ``plural`` depends on its parameter ``n``.

    :param code: short, stable, in lower case with hyphens; unique.
    :param text: English, marked with ``N_`` (or ``P_`` for both forms of a plural).
    :param hint: what to do next, in English, with the same parameters.
    :param who: who can act on it.
    :param label: the label of a refusal for metrics and programs; several codes may share one.
    :param status: the HTTP status of a refusal.
    :raises ValueError: another reason has the code.
    """

    def __init__(
        self,
        code: str,
        text: str | tuple[str, str],
        hint: str = "",
        *,
        who: Who = Who.PERSON,
        label: str = "",
        status: int = 400,
    ) -> None:
        if code in REASONS:
            raise ValueError(f"two reasons have the code {code}")
        self.code, self.hint, self.who, self.label, self.status = code, hint, who, label or code, status
        self.text, self.plural = (text, "") if isinstance(text, str) else text
        self.fields = fields(self.text) | fields(self.plural) | fields(hint)
        REASONS[code] = self
        if hint:
            Reason(f"{code}.hint", hint, who=who, label=label, status=status)

    def __call__(self, **params: Any) -> Text:
        """A text for these parameters.

        :raises TypeError: a parameter is missing.
        """
        if missing := self.fields - params.keys():
            raise TypeError(f"{self.code} needs {', '.join(sorted(missing))}")
        return Text(code=self.code, params=params)


REASONS: Final[dict[str, Reason]] = {}


def P_(one: str, many: str) -> tuple[str, str]:
    """Mark the two forms of a sentence about so many (``{n}``) things for the catalogues."""
    return one, many


def fields(template: str) -> frozenset[str]:
    """The parameters of a sentence.

    :raises ValueError: a field is more than a name and a kind.
    """
    names: set[str] = set()
    for _, name, kind, conversion in Formatter().parse(template):
        if name is None:
            continue
        if not name.isidentifier() or conversion or (kind and kind not in formats.KINDS):
            raise ValueError(f"no parameter of a sentence: {{{name}:{kind}}} in {template!r}")
        names.add(name)
    return frozenset(names)


_VERBATIM = Reason(VERBATIM, "{words}", who=Who.NOBODY)
_SENTENCES = Reason(SENTENCES, "{all:sentences}", who=Who.NOBODY)


def verbatim(words: str) -> Text:
    """Words that are somebody else's: of Slurm, of a site's program, of a file. They are said as they are."""
    return _VERBATIM(words=words)


# Where a text may be and there is none.
NOTHING: Final = verbatim("")


def sentences(*texts: Text | None) -> Text:
    """Several sentences as one paragraph; None and empty ones are left out."""
    there = tuple(text for text in texts if text)
    return there[0] if len(there) == 1 else _SENTENCES(all=there) if there else NOTHING


def whole(error: FabricError) -> Text:
    """Message and hint of an error as one text."""
    return sentences(message_of(error), text_of(error.advice))


def message_of(error: FabricError) -> Text:
    """What an error says, without what to do next."""
    return text_of(error.said)


def text_of(said: Any) -> Text:
    """A part of an error, which may be a plain sentence, as a text."""
    return said if isinstance(said, Text) else verbatim(str(said))


# A field of a model with texts: as JSON its sentence.
Said = Annotated[Text, WithJsonSchema({"type": "string"})]


class WithTexts(Frozen):
    """A model with fields that are texts (:data:`Said`, or tuples of them).

    As JSON such a field is its sentence for the reader, as readers of every version know it; ``reasons`` has the code
    and the parameters of each, by the field's name. Read again, the field is the text that it was.
    """

    @model_validator(mode="before")
    @classmethod
    def _texts(cls, value: Any) -> Any:
        if not isinstance(value, Mapping) or not isinstance(value.get("reasons"), Mapping):
            return value
        read = {name: item for name, item in value.items() if name != "reasons"}
        for name, facts in value["reasons"].items():
            told = read.get(name)
            if isinstance(facts, list | tuple) and isinstance(told, list | tuple):
                read[name] = tuple({**one, "text": words} for one, words in zip(facts, told, strict=True))
            elif isinstance(facts, Mapping) and isinstance(told, str):
                read[name] = {**facts, "text": told}
        return read

    @model_serializer(mode="wrap")
    def _sentences(self, handler: SerializerFunctionWrapHandler):  # type: ignore[no-untyped-def]
        # without a type, so that the document of an API has the model's own fields
        written, reasons = handler(self), {}
        for name in type(self).model_fields:
            value, sent = getattr(self, name), written.get(name)
            if isinstance(value, Text):
                written[name] = sent.pop("text")
                if value:
                    reasons[name] = sent
            elif isinstance(value, tuple) and value and all(isinstance(item, Text) for item in value):
                written[name], reasons[name] = [item.pop("text") for item in sent], list(sent)
        return {**written, "reasons": reasons} if reasons else written

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        document = handler.resolve_ref_schema(handler(schema))
        for field in document["properties"].values():
            if isinstance(default := field.get("default"), dict) and "text" in default:
                field["default"] = default["text"]
        document["properties"]["reasons"] = {
            "type": "object",
            "additionalProperties": True,
            "title": "Reasons",
            "description": "Code and parameters of each sentence, by the name of its field.",
        }
        return document


def _say(text: Text) -> str:
    reason = REASONS.get(text.code)
    if reason is None:
        return text.code
    known, params = catalogue(current().language), text.params
    if reason.plural:
        template = known.ngettext(reason.text, reason.plural, formats.plural_number(params["n"]))
    else:
        template = known.gettext(reason.text) if reason.text else ""
    parts: list[str] = []
    for literal, name, kind, _ in Formatter().parse(template):
        parts.append(literal)
        if name is not None:
            parts.append(_said(params.get(name, ""), kind or ""))
    return "".join(parts)


def _said(value: Any, kind: str) -> str:
    if kind == "sentences":
        return " ".join(said for item in value if (said := _said(item, "")))
    if kind == "lines":
        return "\n".join(_said(item, "") for item in value)
    if kind == "indented":
        return "\n".join(f"  {_said(item, '')}" for item in value)
    if kind == "capital":
        return _capital(value)
    if kind == "list":
        return formats.listed([_said(item, "") for item in value])
    if kind == "either":
        return formats.either([_said(item, "") for item in value])
    if kind == "dots":
        return " · ".join(_said(item, "") for item in value)
    if isinstance(value, Text):
        return _say(value)
    if isinstance(value, tuple):
        return ", ".join(_said(item, kind) for item in value)
    return formats.KINDS[kind](value) if kind else str(value)


def _capital(value: Any) -> str:
    """As a sentence begins with it: a name of somebody else's stays as it is."""
    said = _said(value, "")
    ours = isinstance(value, Text) and not REASONS[value.code].text.startswith("{")
    return said[:1].upper() + said[1:] if ours else said
