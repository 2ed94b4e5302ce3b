"""Who may call what: every call that the hub's service, the hub's own pages, gateway and catalogue service answer.

This is the one list. The page docs/reference/who-may-call.md is written from it, the tests of the service's document
take from it who reaches what, and tests/unit/service/test_callers.py holds it to the routes and handlers that there
are: one without a line, a line without one, and one whose check is not its line's, fail.
"""

from __future__ import annotations

from .caller_kinds import METRICS_SCOPE, Caller, Line, lines
from .project_callers import PROJECT_PAGES

__all__ = ["CATALOGUE", "GATEWAY", "HUB", "METRICS_SCOPE", "SERVICE", "Caller", "Line"]

_ROOT = "/services/fabric"
_API = f"{_ROOT}/api"

SERVICE = (
    Line(f"GET {_ROOT}/metrics", Caller.METRICS),
    Line(f"GET {_API}/health", Caller.ANYBODY, "It says that the service answers, and its version."),
    Line(
        f"GET {_API}/ready",
        Caller.ANYBODY,
        "It says which parts of the site answer; why one does not is told to a token with `read:metrics` only.",
    ),
    *lines(Caller.TOKEN, _API, "GET /offer"),
    *lines(Caller.PERSON, _API, "GET /quota", "GET /projects"),
    *lines(Caller.IN_PROJECT, _API, "GET /projects/{project}"),
    *lines(Caller.ACCEPTING, _API, "GET /datasets"),
    *lines(Caller.MEMBER, _API, "POST /datasets/{name}/acceptance", "POST /datasets/{name}/request"),
    *lines(
        Caller.SESSION,
        f"{_API}/session",
        "GET ",
        "POST /begin",
        "POST /ready",
        "GET /datasets",
        "POST /datasets/{name}",
        "DELETE /datasets/{name}",
        "POST /datasets/{name}/request",
        "GET /clusters",
        "GET /clusters/quote",
        "GET /quota",
        "GET /continue",
        "POST /continue",
        "POST /continue/end",
        "POST /extend",
        "POST /idle",
    ),
    Line(f"GET {_API}/openapi.json", Caller.ANYBODY, "It describes the release, not the site.", documented=False),
    Line(
        f"GET {_ROOT}/static/{{path}}",
        Caller.ANYBODY,
        "Scripts and styles of the hub's pages, with nothing of the site in them.",
        documented=False,
    ),
)

_DATASETS = "fabric_hub.hub.pages.datasets"
_NOTICES = "fabric_hub.hub.pages.notices"
_START = "jupyterhub.handlers.pages:SpawnHandler"
HUB = (
    Line("GET /hub/datasets", Caller.LOGGED_IN, handler=f"{_DATASETS}:AllDatasets"),
    Line("GET /hub/datasets/{name}", Caller.LOGGED_IN, handler=f"{_DATASETS}:OneDataset"),
    Line(
        "POST /hub/datasets/{name}",
        Caller.LOGGED_IN,
        "With the hub's token against forgery; accepting and asking also in person "
        "(`fabric_hub.hub.spawner.agreements:in_person`).",
        handler=f"{_DATASETS}:OneDataset",
    ),
    Line(
        "POST /hub/language",
        Caller.ANYBODY,
        "With the hub's token against forgery. It sets a cookie with the name of a language, and remembers it for who "
        "has logged in.",
        handler="fabric_hub.hub.pages.language:Switch",
    ),
    Line(
        "GET /hub/login/{provider}",
        Caller.ANYBODY,
        "To an identity provider of the site; it sets a cookie of this sign-in, and changes nothing.",
        handler="fabric_hub.hub.login.pages:ToProvider",
    ),
    Line(
        "GET /hub/login/{provider}/callback",
        Caller.ANYBODY,
        "Who comes back from it: with that cookie, once, and a code for which the provider gives an ID token that it "
        "has signed for this hub and this sign-in (`fabric_hub.hub.login.tokens:verified`).",
        handler="fabric_hub.hub.login.pages:FromProvider",
    ),
    Line(
        "GET /hub/start/machines",
        Caller.LOGGED_IN,
        "What the start page says of machines, from the hub's memory.",
        handler="fabric_hub.hub.pages.machines:Machines",
    ),
    Line(
        "POST /hub/start/presets",
        Caller.LOGGED_IN,
        "With the hub's token against forgery: each person's own.",
        handler="fabric_hub.hub.pages.presets:Presets",
    ),
    Line(
        "GET /hub/ended/{session}/{ticket}",
        Caller.ANYBODY,
        "Who has the ticket that a session's own server makes of its token; it says how that session ended. No cookie "
        "and no token counts.",
        handler="fabric_hub.hub.pages.ended:WhyEnded",
    ),
    *(
        Line(
            f"GET /hub/site/logo/{theme}",
            Caller.ANYBODY,
            "The site's logo, which the login page has; a browser runs and loads nothing of it.",
            handler="fabric_hub.hub.pages.site:SiteLogo",
        )
        for theme in ("light", "dark")
    ),
    Line(
        "GET /hub/accessibility",
        Caller.ANYBODY,
        "What the release's own checks of its pages found.",
        handler="fabric_hub.hub.pages.accessibility:Statement",
    ),
    Line(
        "GET /hub/home/sessions",
        Caller.ANYBODY,
        "Who has not logged in is told so, and nothing else; no token counts. The sessions of who asks.",
        handler="fabric_hub.hub.pages.home:Live",
    ),
    Line(
        "POST /hub/home/remove",
        Caller.LOGGED_IN,
        "With the hub's token against forgery; of one's own list only.",
        handler="fabric_hub.hub.pages.home:Remove",
    ),
    Line(
        "POST /hub/home/continue",
        Caller.LOGGED_IN,
        "With the hub's token against forgery; of one's own sessions only, for who may start them.",
        handler="fabric_hub.hub.pages.home:Continue",
    ),
    Line(
        "POST /hub/operate/stop",
        Caller.OPERATOR,
        "With the hub's token against forgery. It ends a person's session, with a reason that they read.",
        handler="fabric_hub.hub.pages.stops:Order",
    ),
    Line(
        "POST /hub/operate/stop/withdraw",
        Caller.OPERATOR,
        "With the hub's token against forgery.",
        handler="fabric_hub.hub.pages.stops:Withdraw",
    ),
    Line(
        "GET /hub/operate/announcements",
        Caller.OPERATOR,
        handler="fabric_hub.hub.pages.announcements:Announce",
    ),
    Line(
        "POST /hub/operate/announcements",
        Caller.OPERATOR,
        "With the hub's token against forgery.",
        handler="fabric_hub.hub.pages.announcements:Announce",
    ),
    Line(
        "POST /hub/announcements/dismiss",
        Caller.LOGGED_IN,
        "With the hub's token against forgery; for oneself only.",
        handler="fabric_hub.hub.pages.announcements:Dismiss",
    ),
    Line(
        "POST /hub/sooner",
        Caller.LOGGED_IN,
        "With the hub's token against forgery in its body; only beside a session of one's own that waits for its "
        "start.",
        handler="fabric_hub.hub.pages.sooner:StartSooner",
    ),
    Line(
        "GET /hub/report",
        Caller.LOGGED_IN,
        "It shows what would be sent, of one's own sessions only, and sends nothing.",
        handler="fabric_hub.hub.pages.report:Report",
    ),
    Line(
        "POST /hub/report",
        Caller.LOGGED_IN,
        "With the hub's token against forgery; what the hub adds to a person's words is signed for that person.",
        handler="fabric_hub.hub.pages.report:Report",
    ),
    Line(
        "GET /hub/report/{reference}",
        Caller.LOGGED_IN,
        "One's own.",
        handler="fabric_hub.hub.pages.report:Reported",
    ),
    Line("GET /hub/notices", Caller.LOGGED_IN, "One's own.", handler=f"{_NOTICES}:Notices"),
    Line(
        "POST /hub/notices",
        Caller.LOGGED_IN,
        "With the hub's token against forgery; for oneself only.",
        handler=f"{_NOTICES}:Notices",
    ),
    Line("GET /hub/operate/notices", Caller.OPERATOR, handler=f"{_NOTICES}:NotSent"),
    *PROJECT_PAGES,
    Line("GET /hub/operate/month", Caller.OPERATOR, handler="fabric_hub.hub.pages.month:ThisMonth"),
    *(
        Line(
            f"GET /hub/operate/month/{{month}}{form}",
            Caller.OPERATOR,
            "From the hub's own record; Slurm is not asked.",
            handler="fabric_hub.hub.pages.month:Month",
        )
        for form in ("", ".csv")
    ),
    Line("GET /hub/operate/reports", Caller.OPERATOR, handler="fabric_hub.hub.pages.reports:Reports"),
    Line("GET /hub/operate/reports/{reference}", Caller.OPERATOR, handler="fabric_hub.hub.pages.reports:OneReport"),
    Line(
        "GET /hub/operate",
        Caller.OPERATOR,
        "Everybody's sessions, from the hub's memory.",
        handler="fabric_hub.hub.pages.operate:Operate",
    ),
    Line(
        "POST /hub/operate",
        Caller.OPERATOR,
        "With the hub's token against forgery. It answers requests for datasets; the catalogue service looks itself "
        "whether `login.admins` has them, and grants only what `catalogue.from_hub` lets the hub grant.",
        handler="fabric_hub.hub.pages.operate:Operate",
    ),
    Line(
        "POST /hub/operate/open",
        Caller.OPERATOR,
        "With the hub's token against forgery, and only where `hub.operators_open_sessions` is on. It is on record, "
        "and the session's person reads it.",
        handler="fabric_hub.hub.pages.visits:Open",
    ),
    Line(
        "GET /hub/admin",
        Caller.LOGGED_IN,
        "JupyterHub's own, with the scope `admin-ui`; it leads to the page Operate unless `hub.admin_page` is on.",
        handler="jupyterhub.handlers.pages:AdminHandler",
    ),
    Line(
        "GET /hub/operate/now",
        Caller.OPERATOR,
        "What of that page changes.",
        handler="fabric_hub.hub.pages.operate:Live",
    ),
    Line("GET /hub/new-session", Caller.LOGGED_IN, "It starts nothing.", handler="fabric_hub.hub.pages.home:New"),
    Line("GET /hub/spawn", Caller.LOGGED_IN, "JupyterHub's own; here it starts nothing.", handler=_START),
    Line(
        "POST /hub/spawn",
        Caller.LOGGED_IN,
        "JupyterHub's own, with the hub's token against forgery in its body.",
        handler=_START,
    ),
    Line(
        "POST /hub/api/users/{user}/servers/{server}",
        Caller.STARTER,
        "JupyterHub's own. Who starts a server for somebody else accepts no agreement for them.",
        handler="jupyterhub.apihandlers.users:UserServerAPIHandler",
    ),
    Line(
        "PATCH /hub/api/users/{user}",
        Caller.EDITOR,
        "JupyterHub's own; nobody gets another name by it.",
        handler="jupyterhub.apihandlers.users:UserAPIHandler",
    ),
    Line(
        "GET /hub/api/users/{user}/servers/{server}/progress",
        Caller.FOLLOWER,
        "JupyterHub's own; ten connections at a time for each who follows somebody's starts.",
        handler="jupyterhub.apihandlers.users:SpawnProgressAPIHandler",
    ),
    Line(
        "* /hub/fabric/api/session",
        Caller.ANYBODY,
        "Only under internal TLS, which lets in who has a certificate of the hub's authorities. The hub hands the call "
        "and its token on to the service, at the same path below `/services/fabric/api`, and the check is the "
        "service's.",
        handler="fabric_hub.hub.session_calls:SessionCall",
    ),
    Line(
        "* /hub/fabric/api/session/{rest}",
        Caller.ANYBODY,
        "The same.",
        handler="fabric_hub.hub.session_calls:SessionCall",
    ),
)

_DOCUMENT = "GET /openapi.json"
GATEWAY = lines(
    Caller.HUB_AT_GATEWAY,
    "",
    "GET /v1/snapshot",
    "GET /v1/limits",
    "GET /v1/accounting",
    "GET /v1/storage",
    "POST /v1/jobs",
    "GET /v1/jobs/{job_id}",
    "POST /v1/jobs/cancel",
    "POST /v1/jobs/extend",
    "GET /v1/sessions/{session}/log",
    "DELETE /v1/sessions/{session}",
    "POST /v1/records",
    "POST /v1/sessions/{session}/port",
    "GET /v1/projects/plan",
    "POST /v1/projects/apply",
    "GET /v1/health",
    _DOCUMENT,
)
CATALOGUE = lines(
    Caller.HUB_AT_CATALOGUE,
    "",
    "GET /v1/catalogue",
    "POST /v1/acceptances",
    "POST /v1/requests",
    "POST /v1/decisions",
    "POST /v1/answers",
    "POST /v1/projects/changes",
    "GET /v1/projects/requests",
    "GET /v1/projects/requests/{number}",
    "POST /v1/projects/requests",
    "POST /v1/projects/requests/withdrawals",
    "POST /v1/projects/requests/answers",
    "POST /v1/projects/starters",
    "POST /v1/invitations/list",
    "POST /v1/invitations/offer",
    "POST /v1/invitations/accept",
    "GET /v1/stewards/{user}",
    "POST /v1/stewards/changes",
    "POST /v1/logins",
    "GET /v1/logins/{user}",
    "POST /v1/links",
    "POST /v1/leases",
    "POST /v1/leases/returns",
    "POST /v1/events",
    "GET /v1/agents",
    "GET /v1/health",
    _DOCUMENT,
)
