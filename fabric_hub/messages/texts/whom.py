"""Who is to be asked, as a part of a hint: the parameter ``whom``.

A hint that was made for members says the owner; for somebody who is one, :func:`asking` puts the operators there.
"""

from __future__ import annotations

from fabric_hub.messages.text import Reason, Text, Who
from fabric_hub.messages.translation import N_

# TRANSLATORS: after "Ask": "Ask {whom} for more."
WHOM_OWNER = Reason("whom-owner", N_("the owner of the project"), who=Who.OWNER)
# TRANSLATORS: after "Ask": "Ask {whom} for more."
WHOM_OPERATORS = Reason("whom-operators", N_("the operators"), who=Who.OPERATOR)


def asking(text: Text, whom: Text) -> Text:
    """The same text, which asks somebody else; one that asks nobody, or others already, stays as it is."""
    if text.params.get("whom") != WHOM_OWNER():
        return text
    return text.model_copy(update={"params": {**text.params, "whom": whom}})
