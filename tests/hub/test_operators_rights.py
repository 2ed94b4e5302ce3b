"""What an operator may not do: by cookie or token, no operator is in another person's session."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.support.person import Person, words
from tests.support.small_site import SmallSite

from .test_operate import xsrf_of

pytestmark = pytest.mark.hub


def doors(address: str, user: str) -> dict[str, dict[str, Any]]:
    """Every way that JupyterHub has into somebody's session, as (verb, path): what is sent."""
    users = f"{address}/hub/api/users/{user}"
    return {
        f"POST {users}/tokens": {"json": {}},
        f"GET {users}/tokens": {},
        f"POST {users}/admin-access": {},
        f"POST {address}/hub/api/shares/{user}/run": {"json": {"user": "admin"}},
        f"POST {address}/hub/api/share-codes/{user}/run": {"json": {}},
        f"PATCH {address}/hub/api/proxy": {"json": {"api_url": "http://127.0.0.1:1"}},
        f"PATCH {users}": {"json": {"name": "somebody-else"}},
        f"PATCH {address}/hub/api/users/admin": {"json": {"name": "somebody-else"}},
        f"POST {address}/hub/api/services/door": {"json": {"url": "http://127.0.0.1:1"}},
    }


def test_neither_an_admins_cookie_nor_their_token_opens_another_persons_session(
    site: SmallSite, person: Person
) -> None:
    person.start("run", profile="small")
    person.until_ready("run")
    admin = site.person("admin").log_in()
    client = f"jupyterhub-user-{person.name}-run"
    asks = {"client_id": client, "redirect_uri": f"/user/{person.name}/run/oauth_callback", "response_type": "code"}
    door = "/hub/api/oauth2/authorize"
    assert admin.browser.get(door, params=asks).status_code == 403
    sent = {"_xsrf": xsrf_of(admin.browser.get("/hub/home")), "scopes": f"access:servers!server={person.name}/run"}
    # JupyterHub looks at rights when the form is shown only: what comes of a form that was made up opens nothing
    answer = admin.browser.post(door, params=asks, data=sent, follow_redirects=False)
    token = site.request(site.session_of(person, "run").id).environment["JUPYTERHUB_API_TOKEN"]
    code = httpx.URL(answer.headers["location"]).params["code"]
    exchange = {"grant_type": "authorization_code", "code": code, "client_id": client, "client_secret": token}
    made = site.http.post("/hub/api/oauth2/token", data={**exchange, "redirect_uri": asks["redirect_uri"]})
    assert (made.is_success, "access_token" in made.text) == (False, False)
    scopes = admin.api.get("/user").json()["scopes"]
    assert [scope for scope in scopes if scope.startswith("access:servers")] == ["access:servers!user=admin"]
    assert "admin:servers" in scopes, "it is an operator's token"
    assert person.api.get("/user").json()["scopes"].count(f"access:servers!user={person.name}") == 1

    header = {"Authorization": str(admin.api.headers["Authorization"])}
    for call, body in doors(site.address, person.name).items():
        verb, url = call.split()
        refused = site.http.request(verb, url, headers=header, **body)
        assert refused.status_code in (403, 404), f"{call}: {refused.status_code} {refused.text}"
    wider = admin.api.post("/users/admin/tokens", json={"scopes": [f"access:servers!user={person.name}"]})
    assert wider.status_code == 400, wider.text


def test_opening_a_session_is_off_and_jupyterhubs_page_for_admins_leads_to_ours(
    site: SmallSite, person: Person
) -> None:
    person.start("run", profile="small")
    person.until_ready("run")
    admin = site.person("admin").log_in()
    page = admin.browser.get("/hub/admin")
    assert (page.status_code, page.url.path) == (200, "/hub/operate")
    assert 'action="/hub/operate/open"' not in page.text
    sent = {"_xsrf": xsrf_of(page), "user": person.name, "server": "run"}
    refused = admin.browser.post("/hub/operate/open", data=sent)
    assert refused.status_code == 403
    assert "Operators can't open other people's sessions here." in words(refused)
    assert person.log_in().browser.get("/hub/admin").status_code == 403
    assert "opened this session" not in words(person.browser.get("/hub/home"))
