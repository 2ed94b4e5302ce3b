"""Logging in at an institution: why it was refused, and what is wrong with how the site has set it up."""

from __future__ import annotations

from fabric_hub.messages.text import Reason, Who
from fabric_hub.messages.translation import N_

# -- why somebody is not logged in; a page of its own shows it

PROVIDER_AWAY = Reason(
    "login-provider-away",
    N_("{provider} cannot be reached now: {why}."),
    N_("Try again in a minute. If it stays so, write to {whom}."),
    who=Who.OPERATOR,
    label="login-provider",
    status=503,
)
PROVIDER_WRONG = Reason(
    "login-provider-wrong",
    N_("What {provider} says of itself cannot be used: {why}."),
    N_("Write to {whom}: this hub and {provider} do not fit together."),
    who=Who.OPERATOR,
    label="login-provider",
    status=502,
)
PROVIDER_REFUSED = Reason(
    "login-provider-refused",
    N_("{provider} did not let you in: {why}."),
    N_("Ask your own institution's helpdesk, or write to {whom}."),
    label="login-refused",
    status=403,
)
CODE_REFUSED = Reason(
    "login-code-refused",
    N_("{provider} did not confirm this sign-in to the hub: {why}."),
    N_("Sign in again. If it happens again, write to {whom}."),
    who=Who.OPERATOR,
    label="login-provider",
    status=502,
)
STALE = Reason(
    "login-stale",
    N_("This sign-in was begun in another browser, has been used already, or began more than an hour ago."),
    N_("Sign in again."),
    label="login-stale",
    status=400,
)
TOKEN_REFUSED = Reason(
    "login-token-refused",
    N_("The hub does not take what {provider} says of you: {why}."),
    N_("Sign in again. If it happens again, write to {whom}."),
    who=Who.OPERATOR,
    label="login-token",
    status=403,
)
ACR_MISSING = Reason(
    "login-acr-missing",
    N_("{provider} does not say how you logged in (no acr in its ID token), and this hub asks for {wanted:list}."),
    N_("Sign in with a second factor. If you did, ask your institution to send acr, or write to {whom}."),
    label="login-assurance",
    status=403,
)
ACR_OTHER = Reason(
    "login-acr-other",
    N_("You logged in at {provider} with {sent}, and this hub asks for {wanted:list}."),
    N_("Sign in again with a second factor. If your institution has none, write to {whom}."),
    label="login-assurance",
    status=403,
)
CLAIM_REFUSED = Reason(
    "login-claim-refused",
    N_("{provider} sends {claim}, which is to name your account here, and {what}."),
    N_("Write to {whom}, and tell them this sentence."),
    who=Who.OPERATOR,
    label="login-claim",
    status=403,
)
NO_LOGIN_AS = Reason(
    "login-as-system",
    N_("{provider} says that your account is {account}, and nobody logs in as {account} here."),
    N_("Write to {whom}."),
    who=Who.OPERATOR,
    label="login-claim",
    status=403,
)
OTHER_CASE = Reason(
    "login-other-case",
    N_("Your name here is {user}, and this hub would read it as {read}, which may be somebody else."),
    N_("Write to {whom}: names are told apart by case with login.keep_case = true."),
    who=Who.OPERATOR,
    label="login-claim",
    status=500,
)
NOT_ALLOWED = Reason(
    "login-not-allowed",
    N_("{provider} knows you, and you are {user} here, but you are in no project of this hub."),
    N_("Ask the owner of your project to add {user}, or write to {whom}."),
    who=Who.OWNER,
    label="login-no-project",
    status=403,
)

# -- in such a refusal: what is wrong with a token

TOKEN_NONE = Reason("login-token-none", N_("it has sent no ID token"), who=Who.OPERATOR)
TOKEN_MALFORMED = Reason("login-token-malformed", N_("its ID token is not one"), who=Who.OPERATOR)
TOKEN_ALGORITHM = Reason(
    "login-token-algorithm", N_("its ID token is signed with {alg}, which the hub does not take"), who=Who.OPERATOR
)
TOKEN_KEY = Reason("login-token-key", N_("its ID token is signed with a key that is not its own"), who=Who.OPERATOR)
TOKEN_SIGNATURE = Reason("login-token-signature", N_("the signature of its ID token is wrong"), who=Who.OPERATOR)
TOKEN_ISSUER = Reason("login-token-issuer", N_("its ID token is of another issuer, {issuer}"), who=Who.OPERATOR)
TOKEN_AUDIENCE = Reason("login-token-audience", N_("its ID token is meant for another service"), who=Who.OPERATOR)
TOKEN_EXPIRED = Reason("login-token-expired", N_("its ID token has expired"), who=Who.OPERATOR)
TOKEN_EARLY = Reason("login-token-early", N_("its ID token is of a time to come: a clock is wrong"), who=Who.OPERATOR)
TOKEN_NONCE = Reason("login-token-nonce", N_("its ID token is of another sign-in"), who=Who.OPERATOR)
TOKEN_CLAIM = Reason("login-token-claim", N_("its ID token has no {claim} that can be used"), who=Who.OPERATOR)
TOKEN_SUBJECT = Reason(
    "login-token-subject", N_("its ID token and its user information are of two people"), who=Who.OPERATOR
)

# -- with a claim

CLAIM_LIST = Reason("login-claim-list", N_("it is a list of {n}, where one is needed"), who=Who.OPERATOR)
CLAIM_NO_TEXT = Reason("login-claim-no-text", N_("it is no text"), who=Who.OPERATOR)
CLAIM_TOO_LONG = Reason("login-claim-too-long", N_("it is longer than {most} characters"), who=Who.OPERATOR)
CLAIM_CONTROL = Reason("login-claim-control", N_("it has characters that do not print"), who=Who.OPERATOR)

# -- with what a provider says of itself

NO_ANSWER = Reason("login-no-answer", N_("no answer from {address}"), who=Who.OPERATOR)
STATUS = Reason("login-status", N_("{address} answers {code}"), who=Who.OPERATOR)
NOT_JSON = Reason("login-not-json", N_("{address} answers something else than JSON"), who=Who.OPERATOR)
OTHER_ISSUER = Reason("login-other-issuer", N_("{address} is of the issuer {found}, not of {issuer}"), who=Who.OPERATOR)
NO_ADDRESS = Reason("login-no-address", N_("{address} has no {name} with https"), who=Who.OPERATOR)
NO_KEYS = Reason("login-no-keys", N_("{address} has no keys"), who=Who.OPERATOR)

# -- with the site's file

ISSUER_REQUIRED = Reason(
    "setting-issuer-required",
    N_('issuer is required with preset = "{preset}": the address of the provider, as it stands in its ID tokens'),
    who=Who.OPERATOR,
)
ISSUER_PLAIN = Reason(
    "setting-issuer-plain",
    N_("issuer ({issuer}) must begin with https: anybody on the way could answer in its place"),
    who=Who.OPERATOR,
)
SCOPE_OPENID = Reason("setting-scope-openid", N_('scopes must have "openid"'), who=Who.OPERATOR)
DEMO_LOOPBACK = Reason(
    "setting-demo-loopback",
    N_(
        "the demo's passwords are for this machine alone, and hub.bind_url ({address}) is open to others: "
        'set it to http://127.0.0.1:8000, or take kind = "pam" or a [login.provider.NAME]'
    ),
    who=Who.OPERATOR,
)
NEEDS_CATALOGUE = Reason(
    "setting-provider-needs-catalogue",
    N_("needs a section [catalogue]: the catalogue service keeps which account a person of a provider has"),
    who=Who.OPERATOR,
)
CALLBACK_PATH = Reason(
    "setting-callback-path",
    N_("{address} is not where the hub waits for people who come back: it must end in {path}"),
    who=Who.OPERATOR,
)
SECRET_UNREADABLE = Reason("setting-secret-unreadable", N_("{path} cannot be read: {why}"), who=Who.OPERATOR)
SECRET_NO_FILE = Reason("setting-secret-no-file", N_("{path} is no plain file"), who=Who.OPERATOR)
SECRET_OPEN = Reason(
    "setting-secret-open",
    N_("{path} has mode {mode}, so others could read or change it: chmod 0640 {path}"),
    who=Who.OPERATOR,
)
SECRET_EMPTY = Reason("setting-secret-empty", N_("{path} is empty or larger than {most} bytes"), who=Who.OPERATOR)
PROVIDERS_WITHOUT_EFFECT = Reason(
    "login-providers-without-effect",
    N_("The [login.provider] tables have no effect: {path} sets JupyterHub.authenticator_class."),
    N_("Take that line out of {path}, or the tables out of the site's file."),
    who=Who.OPERATOR,
)

OPERATORS_UNKNOWN = Reason(
    "login-operators-unknown",
    N_("{path} makes operators in admin_users whom the site's file does not name: {names}."),
    N_("Name them in login.admins: else somebody's first login at a provider could get such a name."),
    who=Who.OPERATOR,
)

# -- what doctor says

PROVIDER_ANSWERS = Reason("login-provider-answers", N_("login at {provider}: {issuer} answers"), who=Who.NOBODY)
PROVIDER_UNUSABLE = Reason(
    "login-provider-unusable", N_("login at {provider}: {issuer} cannot be used: {why}"), who=Who.OPERATOR
)
SECRET_FILE = Reason(
    "login-secret-file",
    N_("put the secret that {provider} gave you there: one line, owner root, group fabric-hub, mode 0640"),
    who=Who.OPERATOR,
)
NO_CLAIM_NEW = Reason(
    "login-no-claim-new",
    N_("login at {provider}: nobody new gets an account: the provider names none (login.accounts.source = {source})"),
    N_("set login.accounts.source to table or pool, or account_claim in [login.provider.{name}]"),
    who=Who.OPERATOR,
)
NONE_ASSIGNED = Reason(
    "login-none-assigned",
    N_("login at {provider}: nobody new gets an account that exists, for people may choose {claim} there"),
    N_("set account_claim_assigned in [login.provider.{name}] if they cannot; else login.accounts.source to table"),
    who=Who.OPERATOR,
)
CALLBACK_IS = Reason("login-callback-is", N_("login at {provider}: its callback is {address}"), who=Who.OPERATOR)
CALLBACK_REGISTERED = Reason(
    "login-callback-registered", N_("see that it is registered there so, letter by letter"), who=Who.OPERATOR
)
ASK_PROVIDER = Reason(
    "login-ask-provider", N_("see that this host reaches {issuer}, and that the issuer is right"), who=Who.OPERATOR
)
