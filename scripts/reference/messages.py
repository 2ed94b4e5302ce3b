"""Every code that a refusal, a wait or an end has."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType

from fabric_hub.messages import texts
from fabric_hub.messages.text import SENTENCES, VERBATIM, Reason, Who

from .markdown import NOTE, cell, table

INTRO = f"""What people are told, by its code. A REST answer has the sentence in the language of `Accept-Language`, and
beside it the code with its parameters: in the body of an error as `said` and `advice`, elsewhere in `reasons` by the
name of the field. `{VERBATIM}` are words of somebody else, such as Slurm or a site's program; `{SENTENCES}` are several
texts one after the other. How it works: [sentences](../explanation/sentences.md).

A parameter is a fact: times are Unix seconds, durations seconds, sizes bytes. After its name stands how a sentence says
it."""

WHO = {
    Who.PERSON: "the person",
    Who.OWNER: "the owner of the project",
    Who.OPERATOR: "an operator",
    Who.NOBODY: "nobody needs to",
}


def modules() -> Iterator[ModuleType]:
    """The modules with the sentences, by name."""
    for module in sorted(pkgutil.iter_modules(texts.__path__), key=lambda one: one.name):
        yield importlib.import_module(f"{texts.__name__}.{module.name}")


def reasons(module: ModuleType) -> list[Reason]:
    """The reasons of a module, by code."""
    return sorted({one for one in vars(module).values() if isinstance(one, Reason)}, key=lambda one: one.code)


def messages_page() -> str:
    """Every code, with its English and who can act on it."""
    text = f"{NOTE}# What people are told\n\n{INTRO}\n"
    for module in modules():
        text += f"\n## {(module.__doc__ or '').strip().rstrip('.')}\n\n"
        text += table(("code", "in English", "who can act"), [_row(reason) for reason in reasons(module)])
    return text


def _row(reason: Reason) -> tuple[str, ...]:
    said = " / ".join(filter(None, (reason.text, reason.plural)))
    return f"`{reason.code}`", cell(f"{said} *{reason.hint}*" if reason.hint else said), WHO[reason.who]
