"""What a project or a dataset asks of a login, and what a home institution did not send."""

from __future__ import annotations

from fabric_hub.messages.text import Reason, Who
from fabric_hub.messages.translation import N_

AGE_WITHOUT_ACR = Reason("asks-age-without-acr", N_("max_age_minutes needs acr: the age of which way to log in?"))
NO_PROVIDER = Reason(
    "assurance-no-provider",
    N_("{what} is for people who log in by their institution, and you have not."),
    N_("Log in by your institution, or write to {whom}."),
    who=Who.OPERATOR,
    label="assurance",
    status=403,
)
ASSURANCE_MISSING = Reason(
    "assurance-missing",
    N_(
        "{what} asks how well your identity was checked, and {provider} does not say it: no eduperson_assurance came "
        "with your login."
    ),
    N_("Ask your institution to send eduperson_assurance with {wanted:list}, or write to {whom}."),
    who=Who.OPERATOR,
    label="assurance",
    status=403,
)
ASSURANCE_OTHER = Reason(
    "assurance-too-low",
    N_("{what} asks for an identity checked as {wanted:list}; {provider} says {sent:list} of you."),
    N_("Ask your institution how it checks identities, or write to {whom}."),
    who=Who.OPERATOR,
    label="assurance",
    status=403,
)
ACR_MISSING = Reason(
    "second-factor-missing",
    N_("{what} asks for a second factor, and {provider} does not say how you logged in: no acr came with your login."),
    N_(
        "Log in again with a second factor ({again}). If you did, ask your institution to send acr, or write to {whom}."
    ),
    who=Who.PERSON,
    label="assurance",
    status=403,
)
ACR_OTHER = Reason(
    "second-factor-other",
    N_("{what} asks for a login by {wanted:list}; {provider} says that yours was by {sent}."),
    N_("Log in again with a second factor ({again}), or write to {whom}."),
    who=Who.PERSON,
    label="assurance",
    status=403,
)
AUTH_TIME_MISSING = Reason(
    "second-factor-no-time",
    N_("{what} asks for a recent second factor, and {provider} does not say when yours was: no auth_time came."),
    N_("Log in again with a second factor ({again}), or write to {whom}."),
    who=Who.PERSON,
    label="assurance",
    status=403,
)
TOO_LONG_AGO = Reason(
    "second-factor-too-old",
    N_("{what} asks for a second factor within the last {minutes} min, and yours is older."),
    N_("Log in again with a second factor ({again}), or write to {whom}."),
    who=Who.PERSON,
    label="assurance",
    status=403,
)
