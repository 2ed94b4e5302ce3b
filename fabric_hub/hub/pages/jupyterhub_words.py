"""JupyterHub's own words on our pages, marked for the catalogues: :func:`fabric_hub.hub.pages.sentences.theirs`."""

from __future__ import annotations

import re

from fabric_hub.messages.translation import N_

STATUSES = (
    N_("Bad Request"),
    N_("Forbidden"),
    N_("Not Found"),
    N_("Method Not Allowed"),
    N_("Conflict"),
    N_("Gone"),
    N_("Too Many Requests"),
    N_("Internal Server Error"),
    N_("Bad Gateway"),
    N_("Service Unavailable"),
    N_("Gateway Timeout"),
    N_("Unknown HTTP Error"),
)
# Words with a name in them, as patterns, and what we say in their place, in every language.
PATTERNS = (
    (re.compile(r"Server\sat\s(?P<address>\S+)"), N_("Session at {address}")),
    (re.compile(r"Action\sis\snot\sauthorized\b.*"), N_("You may not see this page")),
)
MESSAGES = (
    N_("Invalid username or password"),
    N_("Login form invalid or expired. Try again."),
    N_("'_xsrf' argument missing from POST"),
    N_("XSRF cookie does not match POST argument"),
    N_("No access to resources or resources not found"),
    N_("Named servers are not enabled."),
    N_("Active user limit exceeded. Try again in a few minutes."),
    N_("Share not found or expired"),
    N_("You can't share with yourself!"),
    N_("Access user servers via API or browser."),
)
