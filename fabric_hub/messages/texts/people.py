"""People: which account a login gets, why it gets none, and what an operator is told of persons."""

from __future__ import annotations

from typing import Any

from fabric_hub.messages.text import P_, Reason, Who
from fabric_hub.messages.translation import N_


def _refusal(code: str, text: str | tuple[str, str], hint: str, **more: Any) -> Reason:
    return Reason(code, text, hint, **{"who": Who.OPERATOR, "label": "account", "status": 403, **more})


# -- no account at a login; {contact} is an address, or "the operators"

NO_CLAIM = _refusal(
    "person-no-claim",
    N_("The login with {provider} did not say which account on this cluster is yours."),
    N_("Write to {contact}, and name {provider}: the claim is missing, or is a list."),
)
NO_SUCH_PROVIDER = _refusal(
    "person-no-such-provider",
    N_("{issuer} is not the issuer of a provider {provider} in this site's file."),
    N_(
        "Write to {contact}. Operators: hub and catalogue service read one site file; a provider that got another "
        "issuer has other people."
    ),
)
NOT_IN_TABLE = _refusal(
    "person-not-in-table",
    N_("No account on this cluster is written down for your login with {provider}."),
    N_("Write to {contact} to get one, and name {provider}."),
)
POOL_EMPTY = _refusal(
    "person-pool-empty",
    P_(
        "The only account that this site has for new people is in use.",
        "All {n} accounts that this site has for new people are in use.",
    ),
    N_("Write to {contact} to get one."),
)
NOT_A_NAME = _refusal(
    "person-not-a-name",
    N_("The login calls your account {name}, which cannot be the name of one here."),
    N_("Write to {contact}. A name has letters, digits and _ . @ + -, at most 64, and is no number."),
)
OTHER_LETTERS = _refusal(
    "person-other-letters",
    N_("The login calls your account {name}, with letters that only look like those of an account's name."),
    N_("Write to {contact}. A name has the letters a to z, without accents."),
)
CAPITALS = _refusal(
    "person-capitals",
    N_("The login calls your account {name}, and names at this hub have no capitals."),
    N_("Write to {contact}. Operators: let the provider send small letters, or set login.keep_case."),
)
ROOT = _refusal("person-root", N_("The login calls your account {name}, which is root's."), N_("Write to {contact}."))
NAME_CHOSEN = _refusal(
    "person-name-chosen",
    N_(
        "The login calls your account {name}. That is somebody's here, and people may choose such a name at {provider}."
    ),
    N_(
        "If it is yours, write to {contact}. Operators: `fabric-hub people link` gives it to this login; where the "
        "provider assigns these names, set login.provider.{provider}.account_claim_assigned."
    ),
)
HUBS_OWN = _refusal(
    "person-hubs-own",
    N_("The login leads to the account {account}, which is one of the hub's own."),
    N_("Write to {contact}."),
)
NO_ACCOUNT = _refusal(
    "person-no-account",
    N_("The login leads to the account {account}, and this cluster has none of that name."),
    N_("Write to {contact} to get it."),
)
SYSTEM_ACCOUNT = _refusal(
    "person-system-account",
    N_("The login leads to the account {account}, whose uid {uid} is the system's: people have {least} and above."),
    N_("Write to {contact}. Operators: the limit is users.min_uid in the site's file."),
)
OTHER_SPELLING = _refusal(
    "person-other-spelling",
    N_("The login leads to the account {account}, which is written {written} on this cluster."),
    N_("Write to {contact}: the name must be sent with just that spelling."),
)
TAKEN = _refusal(
    "person-name-taken",
    N_("The account {name} is, or was, another person's here."),
    N_("Write to {contact}. Operators: if both logins are of one person, `fabric-hub people link` makes them so."),
)
SAME_UID = _refusal(
    "person-same-uid",
    N_("The account {name} is a second name of an account that is another person's here."),
    N_("Write to {contact}."),
)
OTHER_UID = _refusal(
    "person-other-uid",
    N_("The account {account} had the uid {was} when it became yours, and has {uid} now: it may be another person's."),
    N_("Write to {contact}. Operators: `fabric-hub people account` gives it anew, on record."),
)
LOOKS_TAKEN = _refusal(
    "person-looks-taken",
    N_("The account {name} looks almost like another person's name here."),
    N_("Write to {contact}. Operators: `fabric-hub people account` gives it on record."),
)
TABLE = _refusal(
    "person-table",
    N_("The table of accounts {path} cannot be used: {why}."),
    N_("Nobody new gets an account until it is right. Write to {contact}."),
    status=503,
)
MANY_FIRST = Reason(
    "person-many-first",
    N_("More new people log in than this hub takes at once."),
    N_("Log in again in a few minutes."),
    who=Who.NOBODY,
    label="too-often",
    status=429,
)

# -- linking

LINK_OLD = Reason(
    "person-link-old",
    N_("One of the two logins is older than ten minutes."),
    N_("Log in with both again, and link them then."),
    label="link",
    status=403,
)
LINK_SAME = Reason(
    "person-link-same",
    N_("Both logins are the same account at {provider}."),
    N_("Log in the other way for the second one."),
    label="link",
    status=409,
)
LINK_NOT_YOURS = Reason(
    "person-link-not-yours",
    N_("The first login is not one of {user}'s."),
    N_("Log in the way you always do, and then with the account that you link."),
    label="link",
    status=403,
)
LINK_HAS_PERSON = Reason(
    "person-link-has-person",
    N_("Your login with {provider} has an account of its own here, {name}, with files and jobs that stay apart."),
    N_("Write to {contact}: operators link it anew, on record."),
    who=Who.OPERATOR,
    label="link",
    status=409,
)

# -- the command line

NO_PERSON = Reason("person-unknown", N_("There is no person {number}."), who=Who.OPERATOR, status=404)
NO_IDENTITY = Reason(
    "person-no-identity",
    N_("Person {number} has no identity {subject} at {issuer}."),
    N_("`fabric-hub people show {number}` has those that there are."),
    who=Who.OPERATOR,
    status=404,
)
IDENTITY_OF_OTHER = Reason(
    "person-identity-of-other",
    N_("The identity {subject} at {issuer} is person {number}'s."),
    N_("With --move it becomes this person's, on record; what person {number} has stays theirs."),
    who=Who.OPERATOR,
    status=409,
)
NOT_AN_IDENTITY = Reason(
    "person-not-an-identity",
    N_("{subject} at {issuer} is no identity: an issuer is an address as the provider writes it, without spaces."),
    who=Who.OPERATOR,
    status=422,
)
NO_ACCOUNT_YET = Reason(
    "person-no-account-yet",
    N_("Person {number} has no account, so that no login leads to them."),
    N_("Give them one first: `fabric-hub people account {number} NAME`."),
    who=Who.OPERATOR,
    status=409,
)
STILL_HERE = Reason(
    "person-still-here",
    N_("Person {number} is not forgotten: the site's file or a project still names {name}, in {places:list}."),
    N_("Take them out there first."),
    who=Who.OPERATOR,
    status=409,
)
TOO_EARLY = Reason(
    "person-too-early",
    N_("Person {number} was last seen on {last:date}, and names are kept for {days} days after that."),
    N_("The limit is catalogue.keep_names_days in the site's file."),
    who=Who.OPERATOR,
    status=409,
)
FORGOTTEN = Reason(
    "person-forgotten",
    N_("Person {number} is a number only: names, identities and account are erased. The audit log is as it was."),
    who=Who.NOBODY,
)
FORGOTTEN_ALREADY = Reason("person-forgotten-already", N_("Nothing is kept of person {number}."), who=Who.NOBODY)
NO_PEOPLE = Reason("person-none", N_("Nobody is on record."), who=Who.NOBODY)
LISTED = Reason("person-listed", N_("{number:number}  {name}  account {account} ({mapped_by})"), who=Who.NOBODY)
LISTED_BARE = Reason("person-listed-bare", N_("{number:number}  {name}  (by name alone)"), who=Who.NOBODY)
LISTED_GONE = Reason("person-listed-gone", N_("{number:number}  (forgotten)"), who=Who.NOBODY)
IDENTITY = Reason(
    "person-identity",
    N_("{subject} at {issuer}, by {provider}; first {first:clock}, last {last:clock}"),
    who=Who.NOBODY,
)
CLAIMED = Reason("person-claimed", N_("as claimed: {what:dots}"), who=Who.NOBODY)
NAMES = Reason("person-names", N_("names at the hub: {names:list}"), who=Who.NOBODY)
LINKED = Reason("person-linked", N_("Linked: {subject} at {issuer} is person {number}."), who=Who.NOBODY)
LINKED_ALREADY = Reason("person-linked-already", N_("It is person {number}'s already."), who=Who.NOBODY)
UNLINKED = Reason(
    "person-unlinked",
    N_("Unlinked: {subject} at {issuer} is nobody. Their name and account stay person {number}'s."),
    who=Who.NOBODY,
)
ACCOUNT_SET = Reason(
    "person-account-set",
    N_("Person {number} is {name} at the hub from the next login on, with the account {account}."),
    who=Who.NOBODY,
)

# -- who is blocked

BLOCKED = Reason(
    "person-blocked",
    N_("An operator has blocked {name} at this hub: {why}"),
    N_("Write to the operators. Your files stay in your home directory."),
    who=Who.OPERATOR,
    label="account",
    status=403,
)
NOT_BLOCKED = Reason(
    "person-not-blocked",
    N_("Nobody has blocked {name}."),
    N_("See who is known: fabric-hub people list."),
    who=Who.OPERATOR,
    label="person",
    status=404,
)
BLOCK_SET = Reason(
    "person-block-set", N_("{name} is blocked: no login, no start, and what is open ends within a minute."),
    who=Who.NOBODY,
)  # fmt: skip
BLOCK_STOOD = Reason("person-block-stood", N_("{name} is blocked for that reason already."), who=Who.NOBODY)
BLOCK_LIFTED = Reason(
    "person-block-lifted", N_("{name} may log in again, and is in the projects as before."), who=Who.NOBODY
)
