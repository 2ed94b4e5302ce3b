"""Who may call the pages of projects, invitations, requests and stewards: a part of :data:`.callers.HUB`."""

from __future__ import annotations

from .caller_kinds import Caller, Line

_PROJECTS = "fabric_hub.hub.pages.projects"
_INVITATIONS = "fabric_hub.hub.pages.invitations"
_OPERATE_PROJECTS = "fabric_hub.hub.pages.operate_projects"

PROJECT_PAGES = (
    Line("GET /hub/projects", Caller.LOGGED_IN, "Those that one is in.", handler=f"{_PROJECTS}:MyProjects"),
    Line(
        "GET /hub/projects/{name}",
        Caller.LOGGED_IN,
        "For who is in it; one that is somebody else's is not found, as one that does not exist. A visitor sees "
        "neither use nor people.",
        handler=f"{_PROJECTS}:OneProject",
    ),
    Line(
        "POST /hub/projects/{name}",
        Caller.LOGGED_IN,
        "With the hub's token against forgery, and no token beside the login; for its owners. The catalogue service "
        "decides, and gives no more than `catalogue.from_hub` lets the hub give.",
        handler=f"{_PROJECTS}:OneProject",
    ),
    Line(
        "GET /hub/request-project",
        Caller.LOGGED_IN,
        "Also for who is in no project; for more of a project: its owners, to others it is not found.",
        handler="fabric_hub.hub.pages.requests:RequestProject",
    ),
    Line(
        "POST /hub/request-project",
        Caller.LOGGED_IN,
        "With the hub's token against forgery, and no token beside the login. The catalogue service decides; asking "
        "gives nobody anything, and who asked alone takes it back.",
        handler="fabric_hub.hub.pages.requests:RequestProject",
    ),
    Line(
        "GET /hub/operate/projects/requests/{number}",
        Caller.OPERATOR,
        handler="fabric_hub.hub.pages.operate_requests:OneRequest",
    ),
    Line(
        "POST /hub/operate/projects/requests/{number}",
        Caller.OPERATOR,
        "With the hub's token against forgery, and no token beside the login. The catalogue service decides, and gives "
        "no more than `catalogue.from_hub` lets the hub give.",
        handler="fabric_hub.hub.pages.operate_requests:OneRequest",
    ),
    Line(
        "GET /hub/invitations/{code}",
        Caller.ANYBODY,
        "It swaps the code for a cookie, and asks and tells nothing.",
        handler=f"{_INVITATIONS}:InvitationLink",
    ),
    Line(
        "GET /hub/invitations",
        Caller.LOGGED_IN,
        "Whose browser has the code.",
        handler=f"{_INVITATIONS}:InvitationPage",
    ),
    Line(
        "POST /hub/invitations",
        Caller.LOGGED_IN,
        "The same; with the hub's token against forgery. The catalogue service decides.",
        handler=f"{_INVITATIONS}:InvitationPage",
    ),
    Line(
        "GET /hub/steward",
        Caller.LOGGED_IN,
        "For who answers for a dataset (`catalogue.stewards`), and of those datasets only; not found for others.",
        handler="fabric_hub.hub.pages.steward:MyDatasets",
    ),
    Line(
        "POST /hub/steward",
        Caller.LOGGED_IN,
        "With the hub's token against forgery, and in person (`fabric_hub.hub.spawner.agreements:in_person`). The "
        "catalogue service decides, and grants only what `catalogue.from_hub` lets the hub grant.",
        handler="fabric_hub.hub.pages.steward:MyDatasets",
    ),
    Line(
        "GET /hub/steward/new",
        Caller.LOGGED_IN,
        "The same as `GET /hub/steward`.",
        handler="fabric_hub.hub.pages.steward:NewDataset",
    ),
    Line(
        "POST /hub/steward/new",
        Caller.LOGGED_IN,
        "The same as `POST /hub/steward`; it makes a draft, which opens nothing.",
        handler="fabric_hub.hub.pages.steward:NewDataset",
    ),
    Line("GET /hub/operate/projects", Caller.OPERATOR, handler=f"{_OPERATE_PROJECTS}:Projects"),
    Line(
        "POST /hub/operate/projects",
        Caller.OPERATOR,
        "With the hub's token against forgery, and no token beside the login. It makes a project; the catalogue "
        "service decides.",
        handler=f"{_OPERATE_PROJECTS}:Projects",
    ),
    Line("GET /hub/operate/projects/{name}", Caller.OPERATOR, handler=f"{_OPERATE_PROJECTS}:AnyProject"),
    Line("POST /hub/operate/projects/{name}", Caller.OPERATOR, "The same.", handler=f"{_OPERATE_PROJECTS}:AnyProject"),
)
