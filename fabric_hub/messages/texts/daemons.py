"""Daemons of ours that do not answer, or do not take a request."""

from __future__ import annotations

from fabric_hub.messages.text import P_, Reason, Text, Who
from fabric_hub.messages.translation import N_

# TRANSLATORS: after "the": "The {who} is not running"
GATEWAY = Reason("daemon-gateway", N_("gateway"), who=Who.NOBODY)
# TRANSLATORS: after "the": "The {who} is not running"
CATALOGUE_SERVICE = Reason("daemon-catalogue", N_("catalogue service"), who=Who.NOBODY)
_NAMES = {"gateway": GATEWAY, "catalogue service": CATALOGUE_SERVICE}


def called(who: str) -> Text | str:
    """How people call a daemon; ``who`` is its name in English."""
    return _NAMES[who]() if who in _NAMES else who


START_IT = Reason("daemon-start-it", N_("The operators must start it."), who=Who.OPERATOR)
START_GATEWAY = Reason(
    "daemon-start-gateway",
    N_("Nothing is lost: sessions keep running. The operators must start the gateway."),
    who=Who.OPERATOR,
)
START_CATALOGUE_SERVICE = Reason(
    "daemon-start-catalogue",
    N_("Running sessions keep their datasets. The operators must start the catalogue service."),
    who=Who.OPERATOR,
)
CATALOGUE_NOT_READ = Reason("daemon-catalogue-not-read", N_("The catalogue has not been read yet."), who=Who.NOBODY)
NOT_RUNNING = Reason(
    "daemon-not-running",
    N_("The {who} is not running: nothing answers on {socket} ({why})."),
    who=Who.OPERATOR,
    status=503,
)
TOO_SLOW = Reason(
    "daemon-too-slow",
    N_("The {who} on {socket} did not answer in time."),
    N_("Ask the operators to look at its log."),
    who=Who.OPERATOR,
    status=503,
)
OTHER_VERSION = Reason(
    "daemon-other-version",
    P_(
        "On {socket} answers no {who} of this version ({n} field differs).",
        "On {socket} answers no {who} of this version ({n} fields differ).",
    ),
    N_("Restart hub and {who} from the same installation."),
    who=Who.OPERATOR,
    status=503,
)
STATUS = Reason("daemon-status", N_("The {who} answered with status {code}."), who=Who.OPERATOR, status=502)
FAULT = Reason(
    "fault",
    N_("The {who} failed at this request."),
    N_("Its log has the details; tell the operators."),
    who=Who.OPERATOR,
    status=500,
)
MALFORMED = Reason("daemon-malformed", N_("Malformed request: {wrong}"), label="malformed", status=422)

# at its start

ANOTHER_ONE = Reason(
    "daemon-another-one",
    N_("Another {who} already answers on {socket}."),
    N_("Stop it, or give this one another socket in the site's file."),
    who=Who.OPERATOR,
)
NO_SOCKET = Reason(
    "daemon-no-socket",
    N_("The {who}'s socket {socket} cannot be made: {why}."),
    N_("Its directory must exist and be the {who}'s; a socket's path has at most 100 characters."),
    who=Who.OPERATOR,
)
