"""The command line tells what is wrong in words, with the right exit status."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from fabric_dev import cli as embedded
from fabric_dev.layout import Layout
from fabric_hub.cli import main, parser
from tests.support.builders import least_site_text
from tests.support.embedded_run import fabric_hub


def test_every_command_explains_itself() -> None:
    text = parser().format_help()
    for command in ("up", "down", "status", "token", "doctor", "check-config", "images"):
        assert command in text


def test_wrong_usage_is_exit_status_2() -> None:
    done = fabric_hub("up", "--port", "99999")
    assert done.returncode == 2
    assert "'99999' is not a port from 1 to 65535" in done.stderr


def test_a_refusal_is_told_without_a_traceback(tmp_path: Path) -> None:
    done = fabric_hub("status", "--dir", str(tmp_path / "nowhere"))
    assert done.returncode == 1
    assert "There is no embedded run in" in done.stderr
    assert "Traceback" not in done.stderr


def test_down_refuses_a_directory_that_is_not_a_run(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    done = fabric_hub("down", "--purge", "--dir", str(tmp_path))
    assert done.returncode == 1
    assert "is not the directory of an embedded run" in done.stderr
    assert (tmp_path / "thesis.tex").exists()


def test_a_run_is_known_by_its_real_path_also_to_whoever_comes_by_a_link(tmp_path: Path) -> None:
    run, link = tmp_path / "run", tmp_path / "link"
    run.mkdir()
    link.symlink_to(run)
    for command in (["down", "--purge"], ["up"], ["status"], ["datasets", "list"], ["audit", "head"], ["doctor"]):
        chosen = vars(parser().parse_args([*command, "--dir", str(link / "below")]))
        assert run / "below" in chosen.values(), chosen


def test_down_of_nothing_is_no_error(tmp_path: Path) -> None:
    assert fabric_hub("down", "--dir", str(tmp_path / "nowhere")).returncode == 0


def test_up_refuses_a_directory_too_long_for_unix_sockets(tmp_path: Path) -> None:
    done = fabric_hub("up", "--dir", str(tmp_path / ("x" * 90)))
    assert done.returncode == 1
    assert "limit of 107 bytes" in done.stderr


def test_the_end_of_a_run_is_told_as_it_can_be_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "my code" / ".venv" / "bin" / "fabric-hub"
    script.parent.mkdir(parents=True)
    script.touch()
    environment = script.parents[1]
    assert embedded.program(environment, environment.parent, None) == ".venv/bin/fabric-hub"
    assert embedded.program(environment, tmp_path / "elsewhere", "/usr/bin/fabric-hub") == f"'{script}'"
    assert embedded.program(environment, Path("/"), str(script)) == "fabric-hub"
    run = Layout(tmp_path / "run", tmp_path / "run" / "images")
    monkeypatch.setattr(sys, "prefix", str(environment))
    monkeypatch.chdir(environment.parent)
    monkeypatch.setenv("PATH", "/nowhere")
    command = f".venv/bin/fabric-hub down --dir {tmp_path}/run"
    assert embedded.end(run, here=False) == f"End it with: {command}"
    assert embedded.end(run, here=True) == f"End it with Ctrl-C, or from another terminal: {command}"


def test_check_config_reports_every_mistake_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = tmp_path / "site.toml"
    site.write_text('[hub]\nstate_dir = "relative"\nport = 1\n\n[images]\ndir = "/images"\n')
    assert main(["check-config", "--site", str(site)]) == 1
    said = capsys.readouterr().err
    assert f"{site}:2: hub.state_dir: relative is not an absolute path" in said
    assert f"{site}:3: hub.port: no such setting" in said


def test_check_config_reports_mistakes_between_tables_beside_those_within(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = tmp_path / "site.toml"
    site.write_text(
        least_site_text(
            tmp_path,
            '[image.base]\n[profile.gpu]\ngpus = "one"\n'
            '[project.x]\naccount = "x"\nimages = ["base", "bse"]\nbudget_gpu_hours = "much"\nprofiles = 3\n'
            '[quotas]\nrescue_profile = "cpu"\n',
        )
    )
    assert main(["check-config", "--site", str(site)]) == 1
    said = capsys.readouterr().err
    for line, what in (
        (7, "profile.gpu.gpus: "),
        (10, "project.x.images: 'bse' is not a [image.NAME] of this file"),
        (11, "project.x.budget_gpu_hours: "),
        (12, "project.x.profiles: "),
        (6, "profile.gpu: needs Slurm"),
        (14, "quotas.rescue_profile: 'cpu' is not a [profile.NAME] of this file"),
    ):
        assert f"{site}:{line}: {what}" in said
    assert f"{site} has 6 mistakes:" in said


def test_check_config_finds_that_the_sites_own_configuration_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site, own = tmp_path / "site.toml", tmp_path / "login.py"
    site.write_text(
        f'[hub]\nstate_dir = "{tmp_path}"\nextra_config = "{own}"\n[images]\ndir = "{tmp_path}"\n[image.base]\n'
    )
    assert main(["check-config", "--site", str(site)]) == 1
    assert f"{site}:3: hub.extra_config: {own} does not exist. Write that file," in capsys.readouterr().err
    own.write_text("")
    assert main(["check-config", "--site", str(site)]) == 0
    assert f"{site} is right: 0 profiles, 0 projects, 1 image, no Slurm." in capsys.readouterr().out


def test_check_config_and_doctor_say_that_all_users_share_one_address(tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    text = least_site_text(tmp_path)
    site.write_text(text)
    said = fabric_hub("check-config", "--site", str(site)).stdout
    assert "share one web address" in said
    assert "hub.subdomain_host" in said
    found = json.loads(fabric_hub("doctor", "--json", "--site", str(site)).stdout)
    notes = [finding["remedy"] for finding in found if finding["state"] == "NOTE"]
    assert sum("hub.subdomain_host" in remedy for remedy in notes) == 1
    site.write_text(text.replace("[hub]", '[hub]\nsubdomain_host = "https://hub.example.org"'))
    assert "share one web address" not in fabric_hub("check-config", "--site", str(site)).stdout


def test_doctor_names_each_problem_with_its_remedy(tmp_path: Path) -> None:
    state = tmp_path / "hub"
    state.mkdir(mode=0o755)
    state.chmod(0o755)
    site = tmp_path / "site.toml"
    site.write_text(f'[hub]\nstate_dir = "{state}"\n[images]\ndir = "{tmp_path}"\n[image.base]\n')
    done = fabric_hub("doctor", "--json", "--site", str(site))
    assert done.returncode == 1
    remedies = {finding["about"]: finding["remedy"] for finding in json.loads(done.stdout)}
    assert remedies[f"image base is not built in {tmp_path}"] == f"fabric-hub images build base --images {tmp_path}"
    assert remedies[f"{state} holds secrets, and others may look into it"] == f"chmod 0700 {state}"
    assert all(finding["remedy"] for finding in json.loads(done.stdout) if finding["state"] == "PROBLEM")


def test_doctor_names_what_a_site_file_names_and_is_not_there(tmp_path: Path) -> None:
    state, socket_ = tmp_path / "hub", tmp_path / "catalogue.sock"
    state.mkdir(mode=0o700)
    with socket.socket() as port:  # bound, and nobody listens
        port.bind(("127.0.0.1", 0))
        hub = f"http://127.0.0.1:{port.getsockname()[1]}"
        site = tmp_path / "site.toml"
        site.write_text(
            f'[hub]\nstate_dir = "{state}"\nbind_url = "{hub}"\nextra_config = "{tmp_path}/login.py"\n'
            f'[images]\ndir = "{tmp_path}"\n[slurm]\n'
            f'[catalogue]\nsocket = "{socket_}"\nstore = "{tmp_path}/store"\npublished = "{tmp_path}/published"\n'
            f'node_socket = "{tmp_path}/node.sock"\n'
        )
        found = json.loads(fabric_hub("doctor", "--json", "--site", str(site)).stdout)
    problems = {finding["about"]: finding["remedy"] for finding in found if finding["state"] == "PROBLEM"}
    assert f"hub.extra_config {tmp_path}/login.py does not exist" in problems
    assert problems[f"catalogue.store {tmp_path}/store does not exist"].startswith(
        "install -d -m 0700 -o fabric-catalogue"
    )
    assert problems[f"catalogue.published {tmp_path}/published does not exist"].startswith("install -d -m 0755")
    starts = {about.partition(" does not answer")[0]: remedy for about, remedy in problems.items()}
    assert "systemctl start fabric-catalogue" in starts[f"the catalogue service on {socket_}"]
    assert "systemctl start fabric-hub" in starts[f"the hub at {hub}"]
    skipped = {finding["about"]: finding["remedy"] for finding in found if finding["state"] == "SKIPPED"}
    agent = f"the node agent on {tmp_path}/node.sock: not checked, this machine has none; the agents are on the nodes"
    assert skipped[agent].startswith("on each node:")


def test_a_closed_pipe_is_no_traceback() -> None:
    command = f"{sys.executable} -m fabric_hub.cli doctor | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=os.environ, check=False)
    assert "Traceback" not in done.stderr
