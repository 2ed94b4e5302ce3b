"""Stewards: what they do with the datasets that they answer for, and their page."""

from __future__ import annotations

from fabric_hub.messages.text import Reason, Who
from fabric_hub.messages.translation import N_

NO_DRAFT = Reason(
    "not-a-draft",
    N_("The dataset {dataset} was published; the hub does not change its description."),
    N_("On the catalogue service's machine: fabric-hub datasets add FILE"),
    who=Who.OPERATOR,
    label="not-a-draft",
    status=409,
)
WRONG_FIELD = Reason(
    "steward-form-wrong-field",
    N_("The field {field} has a value that it cannot have."),
    N_("Check what stands beside it, and send the form again."),
    label="form",
    status=422,
)
GRANTED = Reason("steward-granted", N_("Access granted. The nodes know."), who=Who.NOBODY)
REVOKED = Reason("steward-revoked", N_("Access revoked. The nodes know."), who=Who.NOBODY)
REQUEST_DECLINED = Reason(
    "steward-declined", N_("Declined. Who asked reads your reason on the dataset's page."), who=Who.NOBODY
)
REVIEWED = Reason("steward-reviewed", N_("Your review is on record. The next one is in a year."), who=Who.NOBODY)
SAVED = Reason(
    "steward-draft-saved", N_("The draft is saved. Nobody else sees it before it is published."), who=Who.NOBODY
)
