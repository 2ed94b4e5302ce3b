"""What the hub's own pages refuse."""

from __future__ import annotations

from fabric_hub.messages.text import Reason, Who
from fabric_hub.messages.translation import N_

NO_LANGUAGE = Reason("no-language", N_("This hub has no such language. It has {languages}."), label="malformed")
FORM_ASKS_NOTHING = Reason(
    "form-asks-nothing",
    N_("This form asks for nothing."),
    N_("Use the page's buttons."),
    label="malformed",
)
REQUEST_IN_PERSON = Reason(
    "request-in-person",
    N_("Access is asked for in person here, by who has logged in."),
    N_("A session has a verb of its own for it."),
    label="scope",
    status=403,
)
NO_DATASET_FOR_YOU = Reason(
    "no-dataset-for-you",
    N_("You don't have access to dataset {dataset}."),
    N_("Check the name, or ask a project owner or the operators."),
    who=Who.OWNER,
    label="dataset",
    status=404,
)
