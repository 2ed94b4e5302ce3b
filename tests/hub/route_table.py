"""Every route of the hub, of each caller: what it answers. See :mod:`.test_routes_and_roles`."""

from __future__ import annotations

import json
from dataclasses import dataclass

CALLERS = (
    "anonymous", "outsider", "visitor", "member", "trainer", "steward", "owner", "operator", "session", "reader",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """A call, and the answer that each caller gets: a status, or ``login`` (it leads to the login).

    ``{self}`` is the caller's own name, ``{other}`` somebody else's, ``{victim}`` that of a person who is made for it.
    """

    verb: str
    path: str
    body: dict[str, object]
    answers: dict[str, str]


def rows(table: str = "") -> list[Row]:
    """The table as rows: a line with verb, path and body, one below it with the answers in the order of callers."""
    lines = [line for line in (table or TABLE).splitlines() if line.strip()]
    found = []
    for call, answers in zip(lines[::2], lines[1::2], strict=True):
        verb, path, *body = call.split(maxsplit=2)
        told = answers.split()
        per_caller = told * len(CALLERS) if len(told) == 1 else told
        sent = json.loads(body[0]) if body else {}
        found.append(Row(verb, path, sent, dict(zip(CALLERS, per_caller, strict=True))))
    return found


# 500: JupyterHub's own, of verbs that it took out (authorizations/token). One word alone is every caller's answer.
TABLE = """
GET /hub/login
    200 302 302 302 302 302 302 302 200 200
POST /hub/login {"username": "nobody", "password": "wrong"}
    403
GET /hub
    301
GET /hub/
    login 302 302 302 302 302 302 302 login login
GET /hub/home
    login 200 200 200 200 200 200 200 login login
GET /hub/home/sessions
    403 200 200 200 200 200 200 200 403 403
POST /hub/home/remove {"session": "aaaaaaaaaaaa"}
    403 404 404 404 404 404 404 404 403 403
POST /hub/home/continue {"session": "aaaaaaaaaaaa"}
    403 403 403 404 404 404 404 404 403 403
GET /hub/user/{self}/
    login 424 424 424 424 424 424 424 302 404
GET /hub/user/{other}/
    login 404 404 404 404 404 404 404 404 404
POST /hub/user/{self}/api/contents
    424
POST /hub/user/{other}/api/contents
    424
PATCH /hub/user/{self}/api/contents
    424
PATCH /hub/user/{other}/api/contents
    424
DELETE /hub/user/{self}/api/contents
    424
DELETE /hub/user/{other}/api/contents
    424
GET /hub/user-redirect/lab
    login 302 302 302 302 302 302 302 login login
POST /hub/security/csp-report
    403 200 200 200 200 200 200 200 403 403
GET /hub/admin
    login 403 403 403 403 403 403 302 login login
GET /hub/new-session
    login 302 302 302 302 302 302 302 login login
GET /hub/spawn
    login 403 403 200 200 200 200 200 login login
POST /hub/spawn {"project": "lab", "profile": "none"}
    403
GET /hub/spawn/{self}
    login 403 403 200 200 200 200 200 login login
GET /hub/spawn/{other}
    login 403 403 404 404 404 404 200 login login
POST /hub/spawn/{self} {"project": "lab", "profile": "none"}
    403
POST /hub/spawn/{other} {"project": "lab", "profile": "none"}
    403 403 403 404 404 404 404 403 403 403
GET /hub/spawn/{self}/extra
    login 403 403 200 200 200 200 200 login login
GET /hub/spawn/{other}/extra
    login 403 403 404 404 404 404 200 login login
POST /hub/spawn/{self}/extra {"project": "lab", "profile": "none"}
    403
POST /hub/spawn/{other}/extra {"project": "lab", "profile": "none"}
    403 403 403 404 404 404 404 403 403 403
GET /hub/spawn-pending/{self}
    login 403 403 200 200 200 200 200 login login
GET /hub/spawn-pending/{other}
    login 403 403 404 404 404 404 200 login login
GET /hub/spawn-pending/{self}/extra
    login 403 403 404 404 404 404 404 login login
GET /hub/spawn-pending/{other}/extra
    login 403 403 404 404 404 404 404 login login
GET /hub/token
    login 200 200 200 200 200 200 200 login login
GET /hub/accept-share?code=none
    login 404 404 404 404 404 404 404 login login
POST /hub/accept-share {"code": "none"}
    403 400 400 400 400 400 400 400 403 403
GET /hub/error/404
    200
GET /hub/health
    200
GET /hub/metrics
    403 403 403 403 403 403 403 200 403 403
GET /hub/logo
    200
POST /hub/language {"language": "none"}
    400 400 400 400 400 400 400 400 403 403
GET /hub/accessibility
    200
GET /hub/ended/aaaaaaaaaaaa/0000000000000000000000000000000000000000000000000000000000000000
    404
GET /hub/site/logo/light
    404
POST /hub/sooner {"session": "aaaaaaaaaaaa"}
    403 404 404 404 404 404 404 404 403 403
GET /hub/datasets
    login 200 200 200 200 200 200 200 login login
GET /hub/datasets/none
    login 404 404 404 404 404 404 404 login login
POST /hub/datasets/none {"do": "none"}
    403 400 400 400 400 400 400 400 403 403
GET /hub/start/machines
    login 200 200 200 200 200 200 200 login login
POST /hub/start/presets {"do": "none"}
    403 400 400 400 400 400 400 400 403 403
GET /hub/projects
    login 200 200 200 200 200 200 200 login login
GET /hub/projects/lab
    login 404 200 200 200 200 200 404 login login
GET /hub/projects/none
    login 404 404 404 404 404 404 404 login login
POST /hub/projects/lab {"do": "describe", "title": ""}
    403 404 403 403 403 403 400 404 403 403
POST /hub/projects/lab {"do": "budget", "gpu_hours": "10000000"}
    403 404 403 403 403 403 403 404 403 403
POST /hub/projects/none {"do": "resume"}
    403 404 404 404 404 404 404 404 403 403
GET /hub/report
    login 200 200 200 200 200 200 200 login login
POST /hub/report {"do": "none"}
    403 409 409 409 409 409 409 409 403 403
GET /hub/report/FH-2222-2222
    login 404 404 404 404 404 404 404 login login
GET /hub/notices
    login 200 200 200 200 200 200 200 login login
POST /hub/notices {"do": "none"}
    403 400 400 400 400 400 400 400 403 403
GET /hub/operate/notices
    login 403 403 403 403 403 403 200 login login
GET /hub/request-project
    login 200 200 200 200 200 200 200 login login
POST /hub/request-project {"do": "none"}
    403 422 422 422 422 422 422 422 403 403
GET /hub/operate/projects/requests/9999
    login 403 403 403 403 403 403 404 login login
POST /hub/operate/projects/requests/9999 {"do": "none"}
    403 403 403 403 403 403 403 404 403 403
GET /hub/invitations/none
    303
GET /hub/invitations
    login 404 404 404 404 404 404 404 login login
POST /hub/invitations {"do": "none"}
    403 404 404 404 404 404 404 404 403 403
GET /hub/steward
    login 404 404 404 404 404 404 404 login login
POST /hub/steward {"do": "none"}
    403 404 404 404 404 404 404 404 403 403
GET /hub/steward/new
    login 404 404 404 404 404 404 404 login login
POST /hub/steward/new {"do": "none"}
    403 404 404 404 404 404 404 404 403 403
GET /hub/operate
    login 403 403 403 403 403 403 200 login login
POST /hub/operate {"do": "none"}
    403 403 403 403 403 403 403 400 403 403
GET /hub/operate/now
    403 403 403 403 403 403 403 200 403 403
POST /hub/operate/open {"session": "aaaaaaaaaaaa"}
    403
POST /hub/operate/stop {"session": "aaaaaaaaaaaa"}
    403 403 403 403 403 403 403 400 403 403
POST /hub/operate/stop/withdraw {"session": "aaaaaaaaaaaa"}
    403 403 403 403 403 403 403 404 403 403
GET /hub/operate/announcements
    login 403 403 403 403 403 403 200 login login
POST /hub/operate/announcements {"do": "none"}
    403 403 403 403 403 403 403 400 403 403
POST /hub/announcements/dismiss {"id": "none"}
    403 404 404 404 404 404 404 404 403 403
GET /hub/operate/reports
    login 403 403 403 403 403 403 200 login login
GET /hub/operate/reports/FH-2222-2222
    login 403 403 403 403 403 403 404 login login
GET /hub/operate/month
    login 403 403 403 403 403 403 303 login login
GET /hub/operate/month/2026-01
    login 403 403 403 403 403 403 200 login login
GET /hub/operate/projects
    login 403 403 403 403 403 403 200 login login
POST /hub/operate/projects {"do": "create", "name": "", "title": ""}
    403 403 403 403 403 403 403 400 403 403
GET /hub/operate/projects/lab
    login 403 403 403 403 403 403 200 login login
POST /hub/operate/projects/lab {"do": "budget", "gpu_hours": "-1"}
    403 403 403 403 403 403 403 400 403 403
ANY /hub/fabric/api/session
    404
GET /hub/api
    200
GET /hub/api/info
    403 403 403 403 403 403 403 200 403 403
GET /hub/api/health
    200
GET /hub/api/metrics
    403 403 403 403 403 403 403 200 403 403
GET /hub/api/authorizations/cookie/none/none
    403 403 403 403 403 403 403 403 404 404
GET /hub/api/authorizations/token/none
    403 403 403 403 403 403 403 403 404 404
POST /hub/api/authorizations/token/none
    500
GET /hub/api/authorizations/token
    403 403 403 403 403 403 403 403 500 500
POST /hub/api/authorizations/token
    404
GET /hub/api/oauth2/authorize
    login 400 400 400 400 400 400 400 login login
POST /hub/api/oauth2/authorize
    403 400 400 400 400 400 400 400 403 403
POST /hub/api/oauth2/token
    400
POST /hub/api/shutdown {"proxy": "perhaps"}
    403 403 403 403 403 403 403 400 403 403
GET /hub/api/proxy
    403
POST /hub/api/proxy
    403
PATCH /hub/api/proxy {"none": 1}
    403
GET /hub/api/user
    403 200 200 200 200 200 200 200 200 200
GET /hub/api/users
    403 403 403 403 403 403 403 200 403 403
POST /hub/api/users {"usernames": []}
    403 403 403 403 403 403 403 400 403 403
GET /hub/api/users/{self}
    403 200 200 200 200 200 200 200 200 200
GET /hub/api/users/{other}
    403 404 404 404 404 404 404 200 404 200
POST /hub/api/users/{other}
    403 403 403 403 403 403 403 409 403 403
PATCH /hub/api/users/{self} {"admin": "perhaps"}
    403 403 403 403 403 403 403 400 403 403
PATCH /hub/api/users/{other} {"admin": "perhaps"}
    403 403 403 403 403 403 403 400 403 403
PATCH /hub/api/users/{other} {"name": "another"}
    403
DELETE /hub/api/users/{victim}
    403 403 403 403 403 403 403 204 403 403
POST /hub/api/users/{self}/server {"project": "lab", "profile": "none"}
    403
POST /hub/api/users/{other}/server {"project": "lab", "profile": "none"}
    403 403 403 404 404 404 404 403 403 403
GET /hub/api/users/{self}/server
    403 200 200 200 200 200 200 200 403 403
PUT /hub/api/users/{self}/server {"none": 1}
    403 403 403 409 409 409 409 409 403 403
PUT /hub/api/users/{other}/server {"none": 1}
    403 403 403 404 404 404 404 409 403 403
PATCH /hub/api/users/{other}/server
    403 403 403 404 404 404 404 400 403 403
DELETE /hub/api/users/{victim}/server
    403 404 404 404 404 404 404 204 403 403
GET /hub/api/users/{self}/server/progress
    403 200 200 200 200 200 200 200 403 403
GET /hub/api/users/{other}/server/progress
    403 404 404 404 404 404 404 200 403 403
GET /hub/api/users/{self}/tokens
    403 200 200 200 200 200 200 200 403 403
GET /hub/api/users/{other}/tokens
    403 404 404 404 404 404 404 404 403 403
POST /hub/api/users/{self}/tokens {"expires_in": 60}
    403 403 403 201 201 201 201 201 403 403
POST /hub/api/users/{other}/tokens {"expires_in": 60}
    403
GET /hub/api/users/{self}/tokens/a1
    403 404 404 404 404 404 404 404 403 403
GET /hub/api/users/{other}/tokens/a1
    403 404 404 404 404 404 404 404 403 403
DELETE /hub/api/users/{self}/tokens/a1
    403 403 403 404 404 404 404 404 403 403
DELETE /hub/api/users/{other}/tokens/a1
    403 403 403 404 404 404 404 404 403 403
POST /hub/api/users/{self}/servers/extra {"project": "lab", "profile": "none"}
    403
POST /hub/api/users/{other}/servers/extra {"project": "lab", "profile": "none"}
    403 403 403 404 404 404 404 403 403 403
GET /hub/api/users/{other}/servers/extra
    403 404 404 404 404 404 404 404 403 403
PUT /hub/api/users/{other}/servers/extra {"none": 1}
    403 403 403 404 404 404 404 201 403 403
PATCH /hub/api/users/{other}/servers/extra
    403 403 403 404 404 404 404 400 403 403
DELETE /hub/api/users/{self}/servers/extra
    403 404 404 404 404 404 404 404 403 403
DELETE /hub/api/users/{victim}/servers/extra
    403 404 404 404 404 404 404 404 403 403
GET /hub/api/users/{self}/servers/extra/progress
    403 404 404 404 404 404 404 404 403 403
GET /hub/api/users/{other}/servers/extra/progress
    403 404 404 404 404 404 404 404 403 403
POST /hub/api/users/{self}/activity {"last_activity": "perhaps"}
    403 400 400 400 400 400 400 400 400 403
POST /hub/api/users/{other}/activity {"last_activity": "perhaps"}
    403 404 404 404 404 404 404 400 404 403
POST /hub/api/users/{other}/admin-access
    403 403 403 404 404 404 404 403 403 403
GET /hub/api/groups
    403 403 403 403 403 403 403 200 403 403
POST /hub/api/groups {"groups": "none"}
    403 403 403 403 403 403 403 409 403 403
GET /hub/api/groups/none
    403 403 403 403 403 403 403 404 403 403
POST /hub/api/groups/none {"users": "none"}
    403 403 403 403 403 403 403 400 403 403
DELETE /hub/api/groups/none
    403 403 403 403 403 403 403 404 403 403
POST /hub/api/groups/none/users {"users": "none"}
    403 403 403 403 403 403 403 404 403 403
DELETE /hub/api/groups/none/users {"users": "none"}
    403 403 403 403 403 403 403 404 403 403
PUT /hub/api/groups/none/properties {"none": 1}
    403 403 403 403 403 403 403 404 403 403
GET /hub/api/services
    403 403 403 403 403 403 403 200 403 403
GET /hub/api/services/fabric
    403 403 403 403 403 403 403 200 403 403
POST /hub/api/services/none {"url": "none"}
    403
DELETE /hub/api/services/none
    403
GET /hub/api/shares/{self}
    403 403 403 200 200 200 200 200 403 403
GET /hub/api/shares/{other}
    403 403 403 404 404 404 404 404 403 403
POST /hub/api/shares/{self} {"user": "none"}
    403
PATCH /hub/api/shares/{self} {"user": "none"}
    403
DELETE /hub/api/shares/{self}
    403
GET /hub/api/shares/{self}/extra
    403 403 403 404 404 404 404 404 403 403
GET /hub/api/shares/{other}/extra
    403 403 403 404 404 404 404 404 403 403
POST /hub/api/shares/{self}/extra {"user": "none"}
    403
POST /hub/api/shares/{other}/extra {"user": "none"}
    403
PATCH /hub/api/shares/{self}/extra {"user": "none"}
    403
PATCH /hub/api/shares/{other}/extra {"user": "none"}
    403
DELETE /hub/api/shares/{self}/extra
    403
DELETE /hub/api/shares/{other}/extra
    403
GET /hub/api/users/{self}/shared
    403 403 403 200 200 200 200 200 403 403
GET /hub/api/users/{other}/shared
    403 403 403 404 404 404 404 404 403 403
GET /hub/api/groups/none/shared
    403
GET /hub/api/users/{self}/shared/{other}/extra
    403 403 403 404 404 404 404 404 403 403
GET /hub/api/users/{other}/shared/{self}/extra
    403 403 403 404 404 404 404 404 403 403
DELETE /hub/api/users/{self}/shared/{other}/extra
    403 403 403 404 404 404 404 404 403 403
DELETE /hub/api/users/{other}/shared/{self}/extra
    403 403 403 404 404 404 404 404 403 403
GET /hub/api/groups/none/shared/{self}/extra
    403
DELETE /hub/api/groups/none/shared/{self}/extra
    403
GET /hub/api/share-codes/{self}
    403 403 403 200 200 200 200 200 403 403
POST /hub/api/share-codes/{self} {"none": 1}
    403
DELETE /hub/api/share-codes/{self}
    403
GET /hub/api/share-codes/{other}/extra
    403 403 403 404 404 404 404 404 403 403
POST /hub/api/share-codes/{self}/extra {"scopes": "none"}
    403
POST /hub/api/share-codes/{other}/extra {"scopes": "none"}
    403
DELETE /hub/api/share-codes/{self}/extra
    403
DELETE /hub/api/share-codes/{other}/extra
    403
GET /user/{other}
    301
GET /none
    302
GET /services/fabric/metrics
    401 403 403 403 403 403 403 200 403 403
GET /services/fabric/api/health
    200
GET /services/fabric/api/ready
    200
GET /services/fabric/api/openapi.json
    200
GET /services/fabric/static/none
    404
GET /services/fabric/api/offer
    401 403 403 200 200 200 200 200 200 403
GET /services/fabric/api/quota
    401 403 403 200 200 200 200 200 403 403
GET /services/fabric/api/projects
    401 403 403 200 200 200 200 200 403 403
GET /services/fabric/api/projects/none
    401 403 403 404 404 404 404 404 403 403
GET /services/fabric/api/datasets
    401 403 403 200 200 200 200 200 403 403
POST /services/fabric/api/datasets/none/acceptance {"none": 1}
    401 403 403 422 422 422 422 422 403 403
POST /services/fabric/api/datasets/none/request {"none": 1}
    401 403 403 422 422 422 422 422 403 403
GET /services/fabric/api/session
    401 403 403 403 403 403 403 403 200 403
POST /services/fabric/api/session/begin {"none": 1}
    401 403 403 403 403 403 403 403 204 403
POST /services/fabric/api/session/ready {"none": 1}
    401 403 403 403 403 403 403 403 422 403
GET /services/fabric/api/session/datasets
    401 403 403 403 403 403 403 403 200 403
POST /services/fabric/api/session/datasets/none {"none": 1}
    401 403 403 403 403 403 403 403 403 403
DELETE /services/fabric/api/session/datasets/none
    401 403 403 403 403 403 403 403 200 403
POST /services/fabric/api/session/datasets/none/request {"none": 1}
    401 403 403 403 403 403 403 403 422 403
GET /services/fabric/api/session/clusters
    401 403 403 403 403 403 403 403 200 403
GET /services/fabric/api/session/clusters/quote
    401 403 403 403 403 403 403 403 422 403
GET /services/fabric/api/session/quota
    401 403 403 403 403 403 403 403 200 403
GET /services/fabric/api/session/continue
    401 403 403 403 403 403 403 403 404 403
POST /services/fabric/api/session/continue {"none": 1}
    401 403 403 403 403 403 403 403 422 403
POST /services/fabric/api/session/continue/end {"none": 1}
    401 403 403 403 403 403 403 403 404 403
POST /services/fabric/api/session/extend {"none": 1}
    401 403 403 403 403 403 403 403 422 403
POST /services/fabric/api/session/idle {"none": 1}
    401 403 403 403 403 403 403 403 422 403
"""
