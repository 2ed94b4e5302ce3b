"""A person of a hub that runs: all that they left there is exported, and erased once JupyterHub has no such user."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

from tests.support.canaries import Planted, found
from tests.support.person import Person
from tests.support.small_site import ROOT, SmallSite
from tests.support.waiting import until

# What names people and is the site's or the tests' own: its file, its passwords, its logs.
SITES_OWN = {"site.toml", "erased-site.toml", "demo.json", "hub.log"}


def left_behind(site: SmallSite, person: Person) -> Planted:
    """What somebody leaves at a hub in an hour, by its pages and its API; each with a mark of its own."""
    planted = Planted(person.name)
    server = planted.mark("srv")
    person.log_in()
    assert person.start(server, profile="gpu-1").status_code in (201, 202)
    person.until_ready(server)
    planted.marks["session"] = site.ready_session_of(person, server).id
    assert person.stop(server, remove=True).status_code in (202, 204)
    person.until_gone(server)
    until(lambda: site.store.live(person.name, server) is None, "the session is over on record")

    def send(path: str, **fields: str) -> None:
        xsrf = re.search(r'xsrf_token: "([^"]+)"', person.browser.get("/hub/home").text)
        assert xsrf
        answer = person.browser.post(path, data={**fields, "_xsrf": xsrf[1]})
        assert answer.status_code == 200, answer.text

    choice = {"project": "twin", "profile": "gpu-1", "image": "base", "hours": "1"}
    send("/hub/start/presets", do="save", preset=planted.mark("preset"), **choice)
    shown = person.browser.get("/hub/report", params={"page": f"/hub/{planted.mark('page')}"})
    hidden = dict(re.findall(r'<input type="hidden" name="([a-z_]+)" value="([^"]*)"', shown.text))
    send("/hub/report", **{**hidden, "words": planted.mark("words"), "do": "send"})
    note = planted.mark("note")
    assert person.api.post(f"/users/{person.name}/tokens", json={"note": note}).status_code == 201
    return planted


def places(site: SmallSite, planted: Planted) -> dict[str, set[str]]:
    """Where marks stand: in a database whether in its file or still in its write-ahead log."""
    there = found(site.directory, planted.marks).items()
    return {what: {place.removesuffix("-wal") for place in files} - {"hub.log"} for what, files in there}


def test_a_person_of_a_hub_that_runs_is_exported_whole_and_erased(site: SmallSite, tmp_path: Path) -> None:
    person, other = site.somebody(), site.somebody()
    planted, others = left_behind(site, person), left_behind(site, other)
    text = (site.directory / "site.toml").read_text()
    own = site.directory / "erased-site.toml"
    own.write_text(text.replace(f'"{person.name}", ', ""))

    def command(*arguments: str, path: Path = own) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "fabric_hub.cli", "privacy", *arguments, "--site", str(path)],
            cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    target = tmp_path / "export"
    done = command("export", person.name, "--output", str(target))
    assert done.returncode == 0, done.stderr
    assert set(found(target, planted.marks)) == set(planted.marks)
    assert found(target, others.marks) == {}
    assert json.loads((target / "jupyterhub.json").read_text())["users"][0]["cookie_id"] == "(secret)"

    assert "is in past and twin." in command("erase", person.name, path=site.directory / "site.toml").stderr
    refused = command("erase", person.name)
    assert "is still added up from Slurm's accounting, which has the name: it would come back." in refused.stderr
    site.store.update(planted.marks["session"], ended_at=time.time() - 40 * 86400)
    refused = command("erase", person.name)
    assert refused.returncode == 1
    assert f"JupyterHub has {person.name} as a user, and runs" in refused.stderr
    # of what others have deleted themselves the bytes may go, too
    before, kept = set(places(site, others)), tmp_path / "kept"
    assert command("export", other.name, "--output", str(kept)).returncode == 0
    assert site.admin_api("DELETE", f"/users/{person.name}").status_code == 204
    done = command("erase", person.name)
    assert done.returncode == 0, done.stderr
    assert "This site has no audit log." in done.stdout

    left = set().union(*places(site, planted).values()) - SITES_OWN
    assert left == {"hub/sessions.sqlite"}, "a session's number, which Slurm's accounting has"
    assert set(found(site.state, planted.marks)) == {"session"}
    assert set(places(site, others)) == before == set(others.marks)
    assert command("export", other.name, "--output", str(tmp_path / "after")).returncode == 0
    assert (tmp_path / "after" / "sessions.json").read_text() == (kept / "sessions.json").read_text()
    assert other.browser.get("/hub/home").status_code == 200, "the hub goes on"
    assert other.start(profile="small").status_code in (201, 202)
    other.until_ready()
