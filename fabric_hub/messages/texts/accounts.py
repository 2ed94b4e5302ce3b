"""Unix accounts that sessions run as, and those that they never do."""

from __future__ import annotations

from fabric_hub.messages.text import Reason, Who
from fabric_hub.messages.translation import N_

UNKNOWN_ACCOUNT = Reason(
    "account-unknown",
    N_("There is no Unix account {account} on this cluster for {user}."),
    N_("Ask the operators for an account, or log in under another name."),
    who=Who.OPERATOR,
    label="account",
    status=403,
)
NO_SUCH_ACCOUNT = Reason("account-none", N_("there is no Unix account {account} on this host"), who=Who.OPERATOR)
FORGOTTEN_ACCOUNT = Reason(
    "account-forgotten",
    N_("There was one before, so this is taken for trouble of the name service."),
    N_(
        "Nothing is lost: sessions keep running, and it is tried again. "
        "Operators: getent passwd ACCOUNT, on the gateway's host."
    ),
    who=Who.OPERATOR,
    label="slurm-unavailable",
    status=503,
)  # fmt: skip
GATEWAY_IS_ROOT = Reason(
    "account-gateway-root",
    N_("Sessions never run as root."),
    N_("Run the gateway as an unprivileged account of its own."),
    who=Who.OPERATOR,
    label="account",
    status=403,
)
ROOT = Reason(
    "account-root",
    N_("The account {account} is root; sessions never run as root."),
    N_("Use an account of your own."),
    label="account",
    status=403,
)
LOW_UID = Reason(
    "account-low-uid",
    N_("The account {account} has uid {uid}; sessions run only as accounts from uid {least} on."),
    N_("Use an account of your own; the limit is users.min_uid in the site's file."),
    label="account",
    status=403,
)
NOBODYS = Reason(
    "account-nobodys",
    N_("The account {account} is nobody's; sessions never run as it."),
    N_("Use an account of your own."),
    label="account",
    status=403,
)
HUBS_OWN = Reason(
    "account-hubs-own",
    N_("The account {account} is the hub's own; sessions never run as it."),
    N_("Use an account of your own."),
    label="account",
    status=403,
)
OTHER_SPELLING = Reason(
    "account-other-spelling",
    N_("The account {account} is written {written} on this cluster."),
    N_("Log in with exactly that spelling."),
    label="account",
    status=403,
)
NO_PLAIN_PATH = Reason(
    "account-no-plain-path",
    N_("{what:capital} is {path}, which is not a plain absolute path."),
    N_("Ask the operators to correct it in the account's entry or in the site's file (users)."),
    who=Who.OPERATOR,
    label="account",
    status=403,
)
# TRANSLATORS: begins "{what} is {path}, which is not a plain absolute path."
HOME_OF = Reason("account-home-of", N_("the home directory of {user}"), who=Who.NOBODY)
# TRANSLATORS: begins "{what} is {path}, which is not a plain absolute path."
SESSION_LOG = Reason("account-session-log", N_("the session's log"), who=Who.NOBODY)
