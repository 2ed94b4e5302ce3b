"""What a page that one user's session serves can do to a person who opens it while logged in at the hub."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.hub.person import Person
from tests.hub.small_site import SmallSite

pytestmark = [pytest.mark.browser, pytest.mark.hub]

OWN_HOSTS = {"subdomain_host": "http://fabric.localhost:{port}"}  # browsers take *.localhost for this machine

# Everything that a script can try: read the hub's pages and cookies, open one beside itself, send without reading.
ATTACK = """<!doctype html><title>A harmless page</title><p id="done"></p>
<script>
const hub = HUB, tokens = "/hub/api/users/admin/tokens", loot = {};
const said = promise => promise.catch(error => error.name);
async function read() {
  return (await fetch(hub + "/hub/token", {credentials: "include"})).text();
}
async function beside() {
  const page = window.open(hub + "/hub/token");
  for (let tries = 0; tries < 100; tries++) {
    await new Promise(done => setTimeout(done, 100));
    if (page.document.readyState === "complete" && page.jhdata) break;
  }
  const answer = await page.fetch(tokens, {
    method: "POST", body: "{}", headers: {"X-XSRFToken": page.jhdata.xsrf_token, "Content-Type": "application/json"},
  });
  loot.token = (await answer.json()).token;
  return "stolen";
}
async function blind(path, type) {
  await fetch(hub + path, {method: "POST", mode: type ? "cors" : "no-cors", credentials: "include", body: "{}",
                           headers: type ? {"Content-Type": type} : {}});
  return "sent";
}
async function planted() {
  const domain = new URL(hub).hostname;
  document.cookie = `_xsrf=planted; domain=${domain}; path=/hub/`;
  return said(blind(tokens + "?_xsrf=planted"));
}
(async () => {
  loot.read = await said(read());
  loot.cookies = document.cookie;
  loot.beside = await said(beside());
  loot.blind = await said(blind("/hub/api/users/mallory"));
  loot.json = await said(blind("/hub/api/users/mallory", "application/json"));
  loot.planted = await planted();
  document.getElementById("done").textContent = JSON.stringify(loot);
})();
</script>"""


@pytest.fixture(params=["one origin", "own hosts"])
def site(sandbox: Path, request: pytest.FixtureRequest) -> Iterator[SmallSite]:
    own = request.param == "own hosts"
    site = SmallSite(sandbox / f"origin{own:d}", **({"hub": OWN_HOSTS} if own else {}))
    try:
        yield site.up()
    finally:
        site.close()


@pytest.fixture
def browser(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(locale="en-GB")
    context.set_default_timeout(30_000)
    yield context
    context.close()


def hub_of(site: SmallSite) -> str:
    """The hub's own address."""
    return site.settings.hub.subdomain_host or site.address


def address_of(site: SmallSite, person: Person) -> str:
    """Where a person's session is."""
    host = site.settings.hub.subdomain_host.replace("://", f"://{person.name}.") or site.address
    return f"{host}/user/{person.name}/"


def log_in(site: SmallSite, browser: BrowserContext, name: str) -> Page:
    page = browser.new_page()
    page.goto(f"{hub_of(site)}/hub/login")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(f"secret of {name}")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/hub/**")
    expect(page.get_by_role("link", name="Token")).to_be_visible()
    return page


def whose(site: SmallSite, token: str) -> str:
    answer = site.http.get("/hub/api/user", headers={"Authorization": f"token {token}"})
    return str(answer.json().get("name"))


def test_a_page_of_a_session_acts_as_its_visitor_only_where_all_is_one_origin(
    site: SmallSite, browser: BrowserContext
) -> None:
    attacker = site.somebody()
    attacker.start()
    attacker.until_ready()
    (request,) = site.requests_of(attacker)
    site.sessions[request.session].show(ATTACK.replace("HUB", json.dumps(hub_of(site))))
    log_in(site, browser, "admin")
    before = len(site.admin_api("GET", "/users/admin/tokens").json()["api_tokens"])

    page = browser.new_page()
    page.goto(address_of(site, attacker))
    expect(page.locator("#done")).not_to_be_empty(timeout=60_000)
    loot = json.loads(page.locator("#done").text_content() or "")

    known = {user["name"] for user in site.admin_api("GET", "/users").json()}
    assert "mallory" not in known, "the hub takes no request without its token against forgery"
    stolen = loot.get("token")
    if site.settings.hub.subdomain_host:
        assert stolen is None
        assert loot["beside"] == "SecurityError"
        assert loot["read"] == "TypeError", "the browser lets no script read another origin's page"
        assert "_xsrf" not in loot["cookies"]
        assert len(site.admin_api("GET", "/users/admin/tokens").json()["api_tokens"]) == before
    else:
        assert whose(site, stolen) == "admin", "this is why hub.subdomain_host is there"
