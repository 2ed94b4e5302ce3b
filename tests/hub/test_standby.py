"""A session goes on after a restore, under other certificates, and under a hub on another host."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fabric_hub.unix import authorities
from tests.support import postgresql
from tests.support.person import Person
from tests.support.small_site import SmallSite

pytestmark = [pytest.mark.hub, pytest.mark.long]


@pytest.fixture
def databases(sandbox: Path) -> Iterator[dict[str, str]]:
    """A PostgreSQL server for the hub's two databases."""
    with postgresql.server(sandbox) as home:
        postgresql.create(home, "jupyterhub", "sessions")
        yield {
            "database": postgresql.url(home, "jupyterhub"),
            "sessions_database": postgresql.url(home, "sessions"),
        }


def still_there(site: SmallSite, person: Person, url: str) -> None:
    """The same session answers through hub and proxy, and was submitted once."""
    assert person.until_ready()["url"] == url
    assert site.http.get(f"{url}x").status_code == 200
    assert len(site.requests_of(person)) == 1


def command(site: SmallSite, *argv: str | Path) -> str:
    """Give a command of ``fabric-hub``; what it says."""
    line = [sys.executable, "-m", "fabric_hub.cli", *map(str, argv), "--site", str(site.directory / "site.toml")]
    done = subprocess.run(line, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_restore_ends_no_session(new_site: Callable[..., SmallSite]) -> None:
    """The backup is made under the hub; then its databases and keys are lost."""
    site = new_site()
    person = site.somebody().log_in()
    running = site.started(person)
    url = person.until_ready()["url"]
    backup = site.directory / "backup"
    assert "writers waited" in command(site, "backup", backup, "--with-secrets")
    still_there(site, person, url)
    site.kill()
    lost = site.directory / "lost"
    lost.mkdir()
    for name in ("jupyterhub.sqlite", "sessions.sqlite", "cookie_secret", "certs"):
        (site.state / name).rename(lost / name)
    said = command(site, "restore", backup)
    assert "Restored: the state of" in said
    assert "API tokens and logins of browsers are void: people log in again. Sessions go on." in said
    site.up()
    # what may have been revoked since the backup opens nothing: neither a token nor a login; sessions keep theirs
    assert person.api.get("/user").status_code == 403
    assert person.browser.get("/hub/home", follow_redirects=False).headers["location"].startswith("/hub/login")
    person = site.person(person.name)
    still_there(site, person, url)
    assert running.announce().status_code in (204, 409)
    assert person.stop().status_code == 204
    assert site.jobs_of(person) == []


def test_a_running_session_is_reached_under_renewed_certificates(new_site: Callable[..., SmallSite]) -> None:
    site = new_site()
    person = site.somebody()
    person.start()
    url = person.until_ready()["url"]
    site.kill()
    store = site.state / "certs"
    before = {one.name: (store / one.name / f"{one.name}.crt").read_bytes() for one in authorities.certificates(store)}
    command(site, "certs", "renew")
    site.up()
    after = {one.name: (store / one.name / f"{one.name}.crt").read_bytes() for one in authorities.certificates(store)}
    assert after.keys() == before.keys() == {*authorities.AUTHORITIES, *authorities.PAIRS}
    assert [name for name in before if before[name] == after[name]] == []
    still_there(site, person, url)


def test_a_hub_on_another_host_takes_the_sessions_of_one_that_died(
    new_site: Callable[..., SmallSite], databases: dict[str, str]
) -> None:
    """The databases are a server's; of the state directory it has a copy of keys from before the session."""
    site = new_site(hub=databases)
    assert not list(site.state.glob("*.sqlite"))
    standby = site.directory / "standby"
    standby.mkdir(mode=0o700)
    for name in ("cookie_secret", "embedded-token"):
        shutil.copy(site.state / name, standby / name)
    shutil.copytree(site.state / "certs", standby / "certs")
    person = site.somebody()
    person.start()
    url = person.until_ready()["url"]
    site.kill()
    site.state.rename(site.directory / "lost")
    standby.rename(site.state)  # certificates are on record by their path, which is the same on both hosts
    site.up()
    still_there(site, person, url)
    assert person.stop().status_code == 204
    assert site.jobs_of(person) == []
