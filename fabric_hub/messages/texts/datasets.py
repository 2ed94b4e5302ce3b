"""Datasets: who may use which, and what keeps somebody from it."""

from __future__ import annotations

from fabric_hub.messages.text import Reason, Who
from fabric_hub.messages.translation import N_

NO_ACCESS = Reason(
    "dataset-no-access",
    N_("Project {project} has no access to a dataset {dataset}."),
    N_("Check the name, or request access."),
    who=Who.OPERATOR,
    label="dataset",
    status=403,
)
HELD = Reason(
    "dataset-held",
    N_("The access of project {project} to the dataset {dataset} must be confirmed after a restore of the hub."),
    N_("Its steward confirms it; ask the operators if it takes long."),
    who=Who.OPERATOR,
    label="dataset",
    status=403,
)
NOT_A_STEWARD = Reason(
    "not-a-steward",
    N_("{user} is not a steward of the dataset {dataset}."),
    N_("The operators name stewards in the site's file (catalogue.stewards)."),
    who=Who.OPERATOR,
    label="not-a-steward",
    status=403,
)
NOT_AN_OPERATOR = Reason(
    "not-an-operator",
    N_("{user} is not an operator of this site."),
    N_("Operators are named in the site's file (login.admins), as the catalogue service reads it."),
    who=Who.OPERATOR,
    label="not-an-operator",
    status=403,
)
NOBODY_ASKS = Reason(
    "access-not-requested",
    N_("Nobody requests the dataset {dataset} for project {project} any more."),
    N_("Reload the page: somebody may have answered already."),
    label="not-requested",
    status=404,
)
GRANT_ELSEWHERE = Reason(
    "grant-elsewhere",
    N_("The hub may not grant the dataset {dataset} to project {project}."),
    N_("On the catalogue service's machine: fabric-hub datasets grant {dataset} --project {project}"),
    who=Who.OPERATOR,
    label="grant-elsewhere",
    status=403,
)
DECLINED = Reason("access-declined", N_("Your request was declined at {at:clock}."), who=Who.NOBODY)
DECLINED_BECAUSE = Reason(
    "access-declined-because", N_("Your request was declined at {at:clock}: {why}"), who=Who.NOBODY
)
DECIDED_ALREADY = Reason(
    "grant-decided-already",
    N_("The access of project {project} to the dataset {dataset} does not wait for a decision any more."),
    N_("Another steward or an operator has decided."),
    who=Who.NOBODY,
    label="not-held",
    status=404,
)
DECIDE_IN_PERSON = Reason(
    "decide-in-person",
    N_("A steward decides here in person, logged in at the hub."),
    label="scope",
    status=403,
)
RETIRED = Reason(
    "dataset-retired",
    N_("Dataset {dataset} is retired."),
    N_("Choose another one."),
    label="dataset",
    status=403,
)
RETIRED_WITH_CONTACT = Reason(
    "dataset-retired-contact",
    N_("Dataset {dataset} is retired."),
    N_("Choose another one, or ask {contact} ({where})."),
    label="dataset",
    status=403,
)
AGREEMENT = Reason(
    "dataset-agreement",
    N_("Accept the agreement of {dataset} (version {version}) for project {project} first."),
    N_("Read and accept it on the hub's page Datasets or with a start, with the purpose that you use it for."),
    label="agreement",
    status=403,
)
AGREEMENT_CHANGED = Reason(
    "dataset-agreement-changed",
    N_("The agreement of dataset {dataset} changed since you accepted it: version {version} is new."),
    N_("Read and accept it on the hub's page Datasets or with a start, with the purpose that you use it for."),
    label="agreement",
    status=403,
)
OLD_AGREEMENT = Reason(
    "dataset-agreement-old",
    N_("You accepted version {accepted} of the agreement of dataset {dataset}, but its current version is {version}."),
    N_("Read the new version, and accept that."),
    label="agreement",
    status=403,
)
NO_SUCH_PURPOSE = Reason(
    "dataset-purpose",
    N_("Dataset {dataset} may not be used for the purpose {purpose}."),
    N_("Its purposes are {purposes}."),
    label="agreement",
    status=403,
)
LINK_ACCEPTS_NOTHING = Reason(
    "link-accepts-nothing",
    N_("A link cannot accept an agreement."),
    N_("Read it on this page, and accept it here."),
    label="agreement",
    status=403,
)
ACCEPTED_NOT_CHOSEN = Reason(
    "dataset-accepted-not-chosen",
    N_("An agreement is accepted for dataset {dataset}, which is not asked for."),
    N_("Name it under datasets too, or leave its agreement out."),
    label="options",
)
OPEN_ALREADY = Reason(
    "dataset-open-already",
    N_("Project {project} may use dataset {dataset} already."),
    label="open",
    status=409,
)
REQUEST_NO_PROJECT = Reason(
    "dataset-request-no-project", N_("The request names no project."), N_("Choose a project."), label="request"
)
REQUEST_REASON = Reason(
    "dataset-request-reason",
    N_("The reason is not one line of text."),
    N_("Say it in at most 300 characters."),
    label="request",
)

# -- the catalogue and its service

NOT_OFFERED = Reason(
    "datasets-not-offered",
    N_("This hub offers no datasets."),
    N_("Leave datasets out."),
    label="dataset",
    status=403,
)
NO_DATASETS = Reason(
    "no-datasets", N_("This hub offers no datasets."), who=Who.OPERATOR, label="no-datasets", status=404
)
NOT_ANSWERED = Reason(
    "catalogue-not-answered",
    N_("The catalogue service has not answered yet."),
    N_("Start without datasets, or try again in a moment; the operators can read why in its log."),
    who=Who.OPERATOR,
    label="catalogue-unavailable",
    status=503,
)
NOT_ANSWERED_SINCE = Reason(
    "catalogue-not-answered-since",
    N_("The catalogue service has not answered since {since:clock}."),
    N_("Start without datasets, or try again in a moment; the operators can read why in its log."),
    who=Who.OPERATOR,
    label="catalogue-unavailable",
    status=503,
)
STARTS_WITHOUT = Reason("catalogue-starts-without", N_("Sessions start without datasets until it does."))
NOT_ENFORCED_ONE_ACCOUNT = Reason(
    "datasets-one-account",
    N_(
        "Access to datasets is not enforced here: all sessions run as one account, so whoever can start a session "
        "can read every dataset."
    ),
    who=Who.OPERATOR,
)
NOT_ENFORCED_ONE_MACHINE = Reason(
    "datasets-one-machine",
    N_("Access to datasets is not enforced here: sessions run on the hub's own machine, without Slurm's nodes."),
    who=Who.OPERATOR,
)
NO_SUCH_DATASET = Reason(
    "dataset-unknown",
    N_("There is no dataset {dataset}."),
    N_("Names are those that the list of datasets shows."),
    label="unknown",
    status=404,
)
NOT_CURRENT_AGREEMENT = Reason(
    "dataset-agreement-not-current",
    N_("Version {accepted} is not the current agreement of the dataset {dataset}: that is version {version}."),
    N_("Reload the page and read the current one."),
    label="agreement",
    status=409,
)
NO_AGREEMENT = Reason(
    "dataset-no-agreement",
    N_("Version {accepted} is not the current agreement of the dataset {dataset}: it has none."),
    N_("Reload the page."),
    label="agreement",
    status=409,
)
NOT_A_PURPOSE = Reason(
    "dataset-not-a-purpose",
    N_("{purpose} is not a purpose for which the dataset {dataset} may be used."),
    N_("It may be used for: {purposes}."),
    label="purpose",
    status=422,
)
NOT_A_MEMBER = Reason(
    "dataset-not-a-member",
    N_("User {user} is not a member of project {project}."),
    N_("Choose one of your own projects."),
    label="project",
    status=403,
)
TOO_OFTEN = Reason(
    "dataset-too-often",
    N_("User {user} asks for and accepts more than can be recorded."),
    N_("Wait a few minutes."),
    label="too-often",
    status=429,
)

# -- what a page says of a dataset

AVAILABLE = Reason("dataset-available", N_("Available"))
TERMS = Reason("dataset-terms", N_("Terms to accept"))
WAITS_FOR_STEWARD = Reason("dataset-waits-for-steward", N_("Waits for the steward"), who=Who.OPERATOR)
NO_ACCESS_YET = Reason("dataset-no-access-yet", N_("No access yet"))
REQUESTED = Reason("dataset-requested", N_("Access requested"), who=Who.OPERATOR)
REFUSED_NOW = Reason("dataset-refused", N_("Access refused"))
REQUESTED_BY_YOU = Reason(
    "dataset-requested-by-you",
    N_("Requested {at:date} by you. You'll see the decision here."),
    who=Who.OPERATOR,
)
REQUESTED_BY_YOU_FOR = Reason(
    "dataset-requested-by-you-for",
    N_("Requested {at:date} by you: “{why}”. You'll see the decision here."),
    who=Who.OPERATOR,
)
REQUESTED_BY_ANOTHER = Reason(
    "dataset-requested-by-another",
    N_("Requested {at:date} by another member of the project. You'll see the decision here."),
    who=Who.OPERATOR,
)
RETIRED_NOW = Reason("dataset-retired-now", N_("Retired"), who=Who.NOBODY)

PUBLIC = Reason("access-public", N_("Public"), who=Who.NOBODY)
RESTRICTED = Reason("access-restricted", N_("Restricted"), who=Who.NOBODY)
NON_PUBLIC = Reason("access-non-public", N_("Non-public"), who=Who.NOBODY)

NO_PERSONAL_DATA = Reason("personal-none", N_("None"), who=Who.NOBODY)
PSEUDONYMISED = Reason(
    "personal-pseudonymised",
    N_("Pseudonymised: people can be found again with more data (GDPR article 4)"),
    who=Who.NOBODY,
)
PERSONAL = Reason("personal-data", N_("Personal data (GDPR article 4)"), who=Who.NOBODY)
SPECIAL = Reason("personal-special", N_("Special categories of personal data (GDPR article 9)"), who=Who.NOBODY)
