"""Sessions that run and that the hub does not know to be its own: why they cannot be opened, and what ended them."""

from __future__ import annotations

from fabric_hub.messages.text import Reason, Who
from fabric_hub.messages.translation import N_

NOT_KEPT = Reason(
    "held-not-kept",
    N_("The gateway has not kept what is needed to open it again: it can only be ended, or left to its end."),
    who=Who.OPERATOR,
)
NO_PORT = Reason(
    "held-no-port",
    N_("The gateway was not told where its server listens: it can only be ended, or left to its end."),
    who=Who.OPERATOR,
)
IS_OVER = Reason("held-over", N_("Its job is over."), who=Who.NOBODY)
ENDED_BY_OPERATOR = Reason("held-ended", N_("An operator ended this session, of which the hub was not sure."))
