"""``check-config --jupyterhub-config``, and what check-config and doctor say of ``hub.extra_config``."""

from __future__ import annotations

import json
import os
import pwd
from pathlib import Path

import pytest

from fabric_hub.cli import main, moving
from fabric_hub.config.settings import load, parse
from fabric_hub.messages.reader import Reader, reading
from fabric_hub.messages.texts import moving as texts
from fabric_hub.moving.model import OldFile, Unrun, Verdict
from fabric_hub.moving.site_file import first_site
from fabric_hub.moving.verdicts import judge
from tests.support.builders import least_site_text
from tests.unit.moving.support import looked

OLD = """\
c.JupyterHub.spawner_class = "batchspawner.SlurmSpawner"
c.SlurmSpawner.req_partition = "gpu"
c.SlurmSpawner.req_account = "lab"
"""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    tmp_path.chmod(0o700)
    path = tmp_path / "old.py"
    path.write_text(OLD)
    path.chmod(0o600)
    return path


def test_each_line_is_told_and_a_first_site_file_is_written_which_check_config_accepts(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = tmp_path / "site.toml"
    assert main(["check-config", "--jupyterhub-config", str(old), "--write-site", str(site)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[:3]] == [
        ["old.py:1", "JupyterHub.spawner_class"],
        ["old.py:2", "SlurmSpawner.req_partition"],
        ["old.py:3", "SlurmSpawner.req_account"],
    ]
    assert "  replaced by  The hub's own spawner. The hub does not start while it stands here: take it out." in lines[0]
    assert lines[3] == "3 settings: 1 kept, 1 replaced, 1 not used, 0 refused."
    assert lines[4].startswith(f"{old} was run as ")
    assert lines[5] == f"{site} is a first site file: read it, and change what is yours."
    made = load(site)
    assert (made.profile["default"].partition, made.project["lab"].account) == ("gpu", "lab")
    assert main(["check-config", "--site", str(site)]) == 0
    before = site.read_text()
    assert main(["check-config", "--jupyterhub-config", str(old), "--write-site", str(site)]) == 1
    assert f"{site} is there already, and is never written over." in capsys.readouterr().err
    assert site.read_text() == before


def test_what_is_refused_is_told_as_json_too_and_ends_with_status_1(
    old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old.write_text(OLD + 'c.SlurmSpawner.req_memory = "all of it"\n')
    assert main(["check-config", "--jupyterhub-config", str(old), "--no-run", "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["notes"] == [f"{old} was not run: what its Python works out is not known."]
    last = said["lines"][-1]
    assert (last["line"], last["setting"], last["verdict"]) == (4, "SlurmSpawner.req_memory", "refused")
    assert last["why"] == "Slurm does not take req_memory = 'all of it'."
    assert last["reasons"]["why"]["code"] == "move-wrong-value"


def test_the_sites_own_configuration_is_read_and_what_breaks_the_hub_is_a_mistake(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = tmp_path / "site.toml"
    site.write_text(least_site_text(tmp_path).replace("[hub]", f'[hub]\nextra_config = "{old}"'))
    assert main(["check-config", "--site", str(site)]) == 1
    said = capsys.readouterr().err
    assert f"hub.extra_config has 1 mistake:\n{old}:1: JupyterHub.spawner_class: The hub's own spawner." in said
    old.write_text(OLD.replace("c.JupyterHub", "# c.JupyterHub"))
    found = list(moving.of_site(old, load(site)))
    assert [(one.state, str(one.about).removeprefix(f"{old}:")) for one in found] == [
        ("NOTE", "3: SlurmSpawner.req_account: The account is that of the session's project."),
        ("OK", f"hub.extra_config {old}"),
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="everybody else runs it as themselves")
def test_root_runs_the_sites_own_configuration_as_the_hubs_account(old: Path, tmp_path: Path) -> None:
    state, note = tmp_path / "state", tmp_path / "ran-as-root"
    state.mkdir()
    site = tmp_path / "site.toml"
    site.write_text(least_site_text(state).replace("[hub]", f'[hub]\nextra_config = "{old}"'))
    nobody = pwd.getpwnam("nobody")
    os.chown(state, nobody.pw_uid, nobody.pw_gid)
    old.write_text(f"open({str(note)!r}, 'w').close()\n")
    found = list(moving.of_site(old, load(site)))
    assert not note.exists()
    # it may write there as little as read the file: which of both is said
    assert [one.state for one in found] != ["OK"]


def test_it_is_told_in_the_readers_language_and_why_a_file_was_not_run() -> None:
    file = looked(OLD)
    with reading(Reader("nl")):
        rows = list(moving.table(judge(file)))
        counts = texts.COUNTS(n=3, kept=1, replaced=1, unused=1, refused=0).say()
    assert rows[1].split("  ")[-1] == "Geldt waar het profiel zelf niets zegt."
    assert counts == "3 instellingen: 1 blijft, 1 vervangen, 1 niet gebruikt, 0 geweigerd."
    told = {why: str(moving.how_read(OldFile(path="/etc/old.py", text="", unrun=why))) for why in Unrun}
    assert told == {
        Unrun.ASKED: "/etc/old.py was not run: what its Python works out is not known.",
        Unrun.NOT_OURS: "/etc/old.py was not run, as others can change it and this is root: what its Python works out"
        " is not known.",
        Unrun.TOO_LONG: "/etc/old.py was stopped after 60 s: what its Python works out is not known.",
        Unrun.DIED: "/etc/old.py could not be run to its end: what its Python works out is not known.",
    }


def test_a_file_that_sets_nothing_and_one_that_cannot_be_written_are_said(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old.write_text("")
    assert main(["check-config", "--jupyterhub-config", str(old), "--no-run"]) == 0
    assert f"{old} sets nothing." in capsys.readouterr().out
    missing = tmp_path / "none" / "site.toml"
    assert main(["check-config", "--jupyterhub-config", str(old), "--no-run", "--write-site", str(missing)]) == 1
    assert f"{missing} cannot be written: No such file" in capsys.readouterr().err
    assert parse(first_site(looked(OLD))).slurm is not None


def test_nothing_in_a_file_steers_the_terminal() -> None:
    file = looked("c.SlurmSpawner.batch_script = '#!/bin/sh\\x1b[2J\\nmodule load \\x1b[31mx\\n'")
    assert [line for line in moving.table(judge(file)) if "\x1b" in line] == []


@pytest.mark.parametrize(
    ("verdict", "english", "dutch"),
    [
        (Verdict.REPLACED, "say it in the site's file, and take this line out", "zet het in het sitebestand"),
        (Verdict.UNUSED, "take this line out, or leave it: nothing comes of it", "haal deze regel weg of laat hem"),
        (Verdict.REFUSED, "change this line, or take it out; then start the hub again", "start daarna de hub opnieuw"),
    ],
)
def test_what_to_do_with_a_line_is_said_in_the_readers_language(verdict: Verdict, english: str, dutch: str) -> None:
    assert str(moving.REMEDY[verdict]()) == english
    assert dutch in moving.REMEDY[verdict]().say(Reader(language="nl"))
