"""Who is to be asked, as a part of a hint: the parameter ``whom``.

A hint that was made for members says the owner; for somebody who is one, :func:`asking` puts the operators there.
"""

from __future__ import annotations

from typing import Any

from fabric_hub.messages.text import Reason, Text, Who
from fabric_hub.messages.translation import N_

# TRANSLATORS: after "Ask": "Ask {whom} for more."
WHOM_OWNER = Reason("whom-owner", N_("the owner of the project"), who=Who.OWNER)
# TRANSLATORS: after "Ask", of a project that was named before: "Ask {whom} for more."
WHOM_ITS_OWNER = Reason("whom-its-owner", N_("its owner"), who=Who.OWNER)
# TRANSLATORS: after "Ask": "Ask {whom} for more."
WHOM_OPERATORS = Reason("whom-operators", N_("the operators"), who=Who.OPERATOR)


def asking(text: Text, whom: Text) -> Text:
    """The same text, which asks somebody else than an owner; texts in it, such as its sentences, do so as well.

    One that asks nobody, or others already, stays as it is.
    """
    params = {
        name: whom if name == "whom" and _is_owner(value) else _in_it(value, whom)
        for name, value in text.params.items()
    }
    return text.model_copy(update={"params": params})


def _is_owner(value: Any) -> bool:
    return isinstance(value, Text) and value.reason.who is Who.OWNER


def _in_it(value: Any, whom: Text) -> Any:
    if isinstance(value, Text):
        return asking(value, whom)
    return tuple(_in_it(item, whom) for item in value) if isinstance(value, tuple) else value
