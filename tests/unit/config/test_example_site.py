"""What packaging/ ships can be used as it is."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from datetime import date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from fabric_hub.cli import parser
from fabric_hub.config.settings import Settings, load
from fabric_hub.launch.choice import choose
from fabric_hub.launch.job_spec import job_spec
from fabric_hub.launch.options import UserOptions

PACKAGING = Path(__file__).resolve().parents[3] / "packaging"


def test_the_example_site_file_has_no_mistake_and_offers_a_session() -> None:
    site = load(PACKAGING / "site.example.toml")
    choice = choose(site, "alice", UserOptions(profile="gpu-1"), date(2027, 1, 1))
    assert (choice.project, choice.account, choice.image) == ("proteins", "proteins", "base")
    assert [gres.rpartition(":")[2] for gres in job_spec(site, choice, {}).gres] == ["1"]


class Unit(configparser.RawConfigParser):
    """A systemd unit; names of settings keep their case."""

    def __init__(self, name: str) -> None:
        super().__init__(strict=True, interpolation=None)
        # the one setting that may stand in several lines, of which each goes on from the one before
        text = re.sub(r"^SystemCallFilter=.*\n", "", (PACKAGING / "systemd" / name).read_text(), flags=re.MULTILINE)
        self.read_string(text)

    def optionxform(self, optionstr: str) -> str:
        return optionstr


def test_the_gateway_holds_the_right_to_become_users_and_no_other() -> None:
    service = Unit("fabric-gateway.service")["Service"]
    assert service["AmbientCapabilities"].split() == ["CAP_SETUID", "CAP_SETGID"]
    assert service["CapabilityBoundingSet"].split() == ["CAP_SETUID", "CAP_SETGID"]
    assert service["NoNewPrivileges"] == "yes"
    assert service["User"] not in ("root", "")


def test_the_hub_holds_no_right_at_all() -> None:
    service = Unit("fabric-hub.service")["Service"]
    assert service["AmbientCapabilities"] == service["CapabilityBoundingSet"] == ""
    assert service["NoNewPrivileges"] == "yes"
    assert service["User"] not in ("root", "")
    assert service["User"] != Unit("fabric-gateway.service")["Service"]["User"]


def test_the_catalogue_service_holds_no_right_and_is_in_nobodys_group() -> None:
    service = Unit("fabric-catalogue.service")["Service"]
    assert service["AmbientCapabilities"] == service["CapabilityBoundingSet"] == ""
    assert service["NoNewPrivileges"] == "yes"
    others = {Unit(f"fabric-{name}.service")["Service"]["User"] for name in ("hub", "gateway")}
    assert service["User"] == service["Group"] == "fabric-catalogue"
    assert service["User"] not in others


def test_the_catalogue_services_unit_and_the_example_site_file_agree_on_places() -> None:
    datasets = load(PACKAGING / "site.example.toml").catalogue
    assert datasets is not None
    catalogue_service, hub = Unit("fabric-catalogue.service")["Service"], Unit("fabric-hub.service")["Service"]
    assert catalogue_service["User"] == datasets.account
    assert datasets.state_dir == Path("/var/lib") / catalogue_service["StateDirectory"]
    boot = (PACKAGING / "tmpfiles.d/fabric-hub.conf").read_text().splitlines()
    first, leases = [line.split() for line in boot if not line.startswith("#")]
    kind, path, mode, owner, group, _ = first
    gateway = Unit("fabric-gateway.service")["Service"]
    where = str(Settings.model_fields["gateway"].default.accounts_file.parent)
    assert leases[:4] == ["d", where, "0755", gateway["User"]]
    assert (kind, path, mode, owner) == ("d", str(datasets.socket.parent), "2750", catalogue_service["User"])
    assert group == hub["Group"], "the socket's group is the directory's: the hub's"
    shared = {str(datasets.published), str(datasets.store)}
    assert shared <= {path.removeprefix("-") for path in catalogue_service["ReadWritePaths"].split()}
    assert shared == set(Unit("fabric-catalogue.service")["Unit"]["RequiresMountsFor"].split())


def test_the_units_and_the_example_site_file_agree_on_places() -> None:
    site = load(PACKAGING / "site.example.toml")
    gateway, hub = Unit("fabric-gateway.service")["Service"], Unit("fabric-hub.service")["Service"]
    assert site.gateway.socket.parent == Path("/run") / gateway["RuntimeDirectory"]
    assert gateway["Group"] == hub["Group"], "the socket's group is the gateway's: the hub must be in it"
    assert gateway["RuntimeDirectoryMode"] == "0750"
    assert site.hub.state_dir == Path("/var/lib") / hub["StateDirectory"]
    public = urlsplit(site.hub.bind_url).netloc
    for name, address in (("proxy", public), ("hub", f"{site.hub.hub_ip}:{site.hub.hub_port}")):
        lines = (PACKAGING / "systemd" / f"fabric-{name}.socket").read_text().splitlines()
        assert [line.partition("=")[2] for line in lines if line.startswith("ListenStream=")] == [address]
    assert site.hub.proxy_unit
    proxy = Unit("fabric-proxy.service")["Service"]
    assert (proxy["User"], proxy["StateDirectory"]) == (hub["User"], hub["StateDirectory"])
    assert proxy["ExecStart"].endswith(f" {site.hub.state_dir}")


@pytest.mark.parametrize("name", ["proxy", "hub"])
def test_systemd_never_lets_go_of_a_port_by_itself(name: str) -> None:
    unit = Unit(f"fabric-{name}.service")["Unit"]
    assert unit["Requires"] == f"fabric-{name}.socket"
    assert unit["StartLimitIntervalSec"] == "0"


def test_the_monthly_report_runs_as_the_hub_and_writes_where_it_may(tmp_path: Path) -> None:
    usage, hub = Unit("fabric-usage.service")["Service"], Unit("fabric-hub.service")["Service"]
    assert (usage["User"], usage["Group"]) == (hub["User"], hub["Group"])
    assert usage["CapabilityBoundingSet"] == ""
    assert usage["ReadWritePaths"] == f"/var/lib/{hub['StateDirectory']}"
    assert usage["WorkingDirectory"] == f"/var/lib/{usage['StateDirectory']}"
    program, _, script = usage["ExecStart"].partition(" -c ")
    # as systemd reads it: quotes, %% and $$
    script = (
        script.strip("'").replace("%%", "%").replace("$$", "$").replace("/opt/fabric-hub/.venv/bin/fabric-hub", "echo")
    )
    done = subprocess.run([program, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
    (file,) = tmp_path.iterdir()
    last = datetime.now().astimezone().date().replace(day=1) - timedelta(days=1)
    assert file.name == f"{last:%Y-%m}.csv"
    assert file.read_text() == "usage --last-month --now --csv\n"


def test_the_nightly_backup_has_two_rights_and_writes_where_it_must() -> None:
    site_file = load(PACKAGING / "site.example.toml")
    service = Unit("fabric-backup.service")["Service"]
    assert service["CapabilityBoundingSet"].split() == ["CAP_SETUID", "CAP_SETGID"]
    hardened = [service[name] for name in ("AmbientCapabilities", "NoNewPrivileges", "ProtectSystem")]
    assert hardened == ["", "yes", "strict"]
    assert site_file.catalogue
    states = {str(site_file.hub.state_dir), str(site_file.catalogue.state_dir)}
    assert {path.removeprefix("-") for path in service["ReadWritePaths"].split()} == states
    command = service["ExecStart"].split()
    assert command[:4] == ["/opt/fabric-hub/.venv/bin/fabric-hub", "backup", "--into", "/var/lib/fabric-backup"]
    assert service["StateDirectory"] == "fabric-backup"
    assert service["Environment"] == "KEEP=14"
    # as systemd gives it, the command line is one that the program takes
    made = parser().parse_args([word.replace("${KEEP}", "14") for word in command[1:]])
    assert (made.keep, made.with_secrets, made.directory) == (14, True, None)
    timer = Unit("fabric-backup.timer")["Timer"]
    assert timer["Persistent"] == "yes"


@pytest.mark.parametrize(
    "name",
    [
        "fabric-hub.service",
        "fabric-hub.socket",
        "fabric-proxy.service",
        "fabric-proxy.socket",
        "fabric-gateway.service",
        "fabric-catalogue.service",
        "fabric-usage.service",
        "fabric-usage.timer",
        "fabric-backup.service",
        "fabric-backup.timer",
        "fabric-node.service",
    ],
)
def test_systemd_understands_the_unit(name: str, tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    # the programs of an installed hub are not here: any other will do to read the unit
    named = {f"fabric-{part}.{kind}" for part in ("hub", "proxy") for kind in ("service", "socket")}
    if name.endswith(".timer"):
        named.add(name.replace(".timer", ".service"))
    for unit in {name, *named}:  # these name each other
        text = (PACKAGING / "systemd" / unit).read_text()
        (tmp_path / unit).write_text(re.sub(r"^(ExecStart\w*)=.*", r"\1=/bin/true", text, flags=re.MULTILINE))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / name)], capture_output=True, text=True, check=False
    )
    complaints = [line for line in done.stderr.splitlines() if name in line]
    assert complaints == []
