"""What a page that one user's session serves can do to a person who opens it while logged in at the hub."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.conftest import new_prefix
from tests.support.broken_site import BrokenSite
from tests.support.chromium import run_cell, type_into
from tests.support.person import Person
from tests.support.small_site import SmallSite

from .conftest import SLOW_MS

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
    with SmallSite(sandbox / f"origin{own:d}", **({"hub": OWN_HOSTS} if own else {})) as site:
        yield site


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(locale="en-GB", ignore_https_errors=True)
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


def log_in(context: BrowserContext, hub: str, name: str, password: str) -> Page:
    page = context.new_page()
    page.goto(f"{hub}/hub/login")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/hub/**")
    expect(page.get_by_role("link", name="Sessions", exact=True)).to_be_visible()
    return page


def whose(site: SmallSite, token: str) -> str:
    answer = site.http.get("/hub/api/user", headers={"Authorization": f"token {token}"})
    return str(answer.json().get("name"))


def test_a_page_of_a_session_acts_as_its_visitor_only_where_all_is_one_origin(
    site: SmallSite, context: BrowserContext
) -> None:
    attacker = site.somebody()
    attacker.start()
    attacker.until_ready()
    (request,) = site.requests_of(attacker)
    site.sessions[request.session].show(ATTACK.replace("HUB", json.dumps(hub_of(site))))
    log_in(context, hub_of(site), "admin", "secret of admin")
    before = len(site.admin_api("GET", "/users/admin/tokens").json()["api_tokens"])

    page = context.new_page()
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


def _with_https(directory: Path) -> Path:
    """A site's own configuration: the proxy itself ends TLS, with a certificate that no session trusts."""
    directory.mkdir(mode=0o755)
    names = "subjectAltName=IP:127.0.0.1,DNS:fabric.localhost,DNS:*.fabric.localhost"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=fabric.localhost", "-addext", names, "-keyout", "web.key", "-out", "web.crt"],
        cwd=directory, check=True, capture_output=True,
    )  # fmt: skip
    (directory / "web.key").chmod(0o644)  # the hub has an account of its own
    extra = directory / "https.py"
    extra.write_text(
        f"c.JupyterHub.ssl_key = {str(directory / 'web.key')!r}\n"
        f"c.JupyterHub.ssl_cert = {str(directory / 'web.crt')!r}\n"
    )
    return extra


@pytest.fixture(scope="module")
def own_hosts(sandbox: Path, images: Path) -> Iterator[BrokenSite]:
    """A real site, JupyterLab and HTTPS included, where every user has a host of their own."""
    site = BrokenSite.make(
        sandbox / "own", new_prefix(), images / "base",
        bind_url="https://127.0.0.1:{port}", subdomain_host="https://fabric.localhost:{port}",
        extra_config=str(_with_https(sandbox / "web")),
    )  # fmt: skip
    try:
        site.up()
        yield site
    finally:
        site.close()


@pytest.mark.slurm
@pytest.mark.root
@pytest.mark.image
def test_from_the_login_to_a_cell_with_a_host_for_every_user(own_hosts: BrokenSite, context: BrowserContext) -> None:
    hub = own_hosts.settings.hub.subdomain_host
    mine = hub.replace("://", "://student1.")
    page = log_in(context, hub, "student1", own_hosts.run.logins["student1"])
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if "Content Security Policy" in said.text else None)
    # opened at the user's own host, where no session runs: the hub's page there leads back to the hub
    page.goto(f"{mine}/user/student1/lab")
    page.get_by_role("button", name="Start a session").click()
    page.get_by_role("radio", name="CPU only").check()
    expect(page.get_by_label("Hours")).to_have_value("1")  # the form's script has run
    page.get_by_text("Software").click()
    page.get_by_label("Image").select_option("base")
    own_hosts.run.slurm("scontrol", "update", "PartitionName=cpu", "State=DOWN")
    try:
        page.get_by_role("button", name="Start").click()
        message = page.locator("#progress-message")
        expect(message).to_contain_text("is in the queue", timeout=SLOW_MS)
        assert page.url.startswith(f"{hub}/hub/")
    finally:
        own_hosts.run.slurm("scontrol", "update", "PartitionName=cpu", "State=UP")
    page.wait_for_url(f"{mine}/user/student1/lab**", timeout=SLOW_MS)

    page.locator(".jp-LauncherCard[data-category=Notebook]").first.click(timeout=SLOW_MS)
    cell = page.locator(".jp-NotebookPanel .jp-CodeCell .cm-content").first
    cell.click(timeout=SLOW_MS)
    expect(page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")).to_be_visible(timeout=SLOW_MS)
    type_into(page, cell, "6 * 7")
    run_cell(page, 0)
    expect(page.locator(".jp-OutputArea-output").first).to_have_text("42", timeout=SLOW_MS)
    expect(page.get_by_role("button", name="This session:")).to_contain_text("CPU")

    page.get_by_role("menuitem", name="File").click()
    with context.expect_page() as opened:
        page.get_by_text("Hub Control Panel").click()
    opened.value.wait_for_url(f"{hub}/hub/home")
    logins = {cookie["name"]: cookie for cookie in context.cookies() if "login" in cookie["name"]}
    assert set(logins) == {"__Host-jupyterhub-hub-login"}
    assert all(cookie["secure"] and not cookie["domain"].startswith(".") for cookie in logins.values())
    assert errors == []
