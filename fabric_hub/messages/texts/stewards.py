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
