"""What the install pages and packaging/ have a machine do: accounts, directories, units, Prolog and Epilog."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PACKAGING = ROOT / "packaging"
PAGE = (ROOT / "docs/how-to/install-on-a-site.md").read_text()
NODES_PAGE = (ROOT / "docs/how-to/datasets-on-nodes.md").read_text()
# What systemd-analyze says of a service without any protection is 9.6. The node agent is root of its node, in the
# node's own mount namespace: its unit names what that rules out.
EXPOSURE = {"fabric-node.service": 5.5}
MOST = 2.5
SERVICES = sorted(path.name for path in (PACKAGING / "systemd").glob("*.service"))
# Each of these gives a service a mount namespace of its own, in which the node's jobs would not see its mounts.
NAMESPACES = re.compile(
    r"^(BindPaths|BindReadOnlyPaths|DynamicUser|ExecPaths|InaccessiblePaths|MountFlags|NoExecPaths|Private\w+"
    r"|ProcSubset|Protect\w+|ReadOnlyPaths|ReadWritePaths|Root\w+|StateDirectory|RuntimeDirectory|TemporaryFileSystem)=",
    re.MULTILINE,
)


def tool(name: str) -> str:
    """The path of one of systemd's programs; skips the test where this machine lacks it."""
    if not (found := shutil.which(name, path="/usr/bin:/usr/sbin:/bin:/sbin")):
        pytest.skip(f"{name} is not installed")
    return found


def run(*argv: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(word) for word in argv], capture_output=True, text=True, check=False, timeout=60)


def settings_of(unit: str) -> str:
    return (PACKAGING / "systemd" / unit).read_text()


@pytest.mark.parametrize("unit", SERVICES)
def test_systemd_calls_the_unit_little_exposed(unit: str) -> None:
    analyze = tool("systemd-analyze")
    done = run(analyze, "security", "--offline=yes", "--no-pager", PACKAGING / "systemd" / unit)
    if "unrecognized option" in done.stderr or "nvalid option" in done.stderr:
        pytest.skip("systemd-analyze is older than 250: it looks at loaded units only")
    said = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert said, done.stdout + done.stderr
    assert float(said[1]) <= EXPOSURE.get(unit, MOST)


def test_a_daemon_says_itself_that_it_is_ready_and_is_started_again_without_end() -> None:
    for name in ("gateway", "catalogue", "proxy", "hub", "node"):
        lines = set(settings_of(f"fabric-{name}.service").splitlines())
        assert {"Type=notify", "Restart=always", "StartLimitIntervalSec=0"} <= lines, name


def test_the_node_agent_has_no_mount_namespace_of_its_own() -> None:
    assert NAMESPACES.findall(settings_of("fabric-node.service")) == []
    assert NAMESPACES.findall(settings_of("fabric-hub.service")), "the pattern finds such settings where they are"


def test_systemd_makes_the_accounts_that_the_units_run_as(tmp_path: Path) -> None:
    sysusers = tool("systemd-sysusers")
    (tmp_path / "etc").mkdir()
    done = run(sysusers, f"--root={tmp_path}", PACKAGING / "sysusers.d/fabric-hub.conf")
    assert done.returncode == 0, done.stderr
    users = [line.split(":") for line in (tmp_path / "etc/passwd").read_text().splitlines()]
    groups = {line.split(":")[2]: line.split(":")[0] for line in (tmp_path / "etc/group").read_text().splitlines()}
    made = {name: (groups[gid], shell) for name, _, _, gid, _, _, shell in users}
    needed = {name for unit in SERVICES for name in re.findall(r"^User=(\S+)$", settings_of(unit), re.MULTILINE)}
    assert made == {name: (name, "/usr/sbin/nologin") for name in needed}
    assert all(int(uid) < 1000 for _, _, uid, *_ in users), "users.min_uid: no session runs as one of these"


def test_systemd_makes_the_directory_of_the_catalogue_services_socket(tmp_path: Path) -> None:
    tmpfiles = tool("systemd-tmpfiles")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text(
        "fabric-catalogue:x:990:991::/:/usr/sbin/nologin\nfabric-gateway:x:993:994::/:/usr/sbin/nologin\n"
    )
    (tmp_path / "etc/group").write_text("fabric-catalogue:x:991:\nfabric-hub:x:992:\n")
    done = run(tmpfiles, "--create", f"--root={tmp_path}", PACKAGING / "tmpfiles.d/fabric-hub.conf")
    made = tmp_path / "run/fabric-catalogue"
    if made.is_dir() and made.stat().st_uid != 990:
        pytest.skip("only root can give a directory to another account")
    assert done.returncode == 0, done.stderr
    status = made.stat()
    assert (oct(status.st_mode & 0o7777), status.st_uid, status.st_gid) == ("0o2750", 990, 992)
    leases = (tmp_path / "run/fabric-leases").stat()  # the gateway's alone to write
    assert (oct(leases.st_mode & 0o7777), leases.st_uid) == ("0o755", 993)


def test_what_a_unit_may_write_is_made_before_the_page_starts_it() -> None:
    before, start, _ = PAGE.partition("systemctl enable --now")
    assert start
    by_page = set(re.findall(r"^install -d .* (/\S+)$", before, re.MULTILINE))
    boot = (PACKAGING / "tmpfiles.d/fabric-hub.conf").read_text()
    by_boot = set(re.findall(r"^d (\S+)", boot, re.MULTILINE))
    assert "systemd-tmpfiles --create /etc/tmpfiles.d/fabric-hub.conf" in before
    assert before.index("systemd-sysusers ") < before.index("systemd-tmpfiles --create")
    states = set()
    for unit in SERVICES:
        states |= {
            f"/var/lib/{name}" for name in re.findall(r"^StateDirectory=(\S+)$", settings_of(unit), re.MULTILINE)
        }
    for unit in SERVICES:
        for line in re.findall(r"^ReadWritePaths=(.*)$", settings_of(unit), re.MULTILINE):
            assert {path.removeprefix("-") for path in line.split()} <= by_page | by_boot | states, unit


def test_the_page_installs_every_unit_that_it_starts() -> None:
    before, _, rest = PAGE.partition("systemctl enable --now")
    installed = {
        f"fabric-{name}.{kind}"
        for names, kind in re.findall(r"packaging/systemd/fabric-\{?([a-z,]+)\}?\.(service|socket)", before)
        for name in names.split(",")
    }
    started = {name if "." in name else f"{name}.service" for name in rest.splitlines()[0].split()}
    assert installed == started


@pytest.mark.parametrize("hook", ["prolog", "epilog"])
def test_the_documented_hook_drains_no_node_whose_program_is_missing(hook: str, tmp_path: Path) -> None:
    [script] = re.findall(rf"```sh\n(#!/bin/sh\n# /etc/slurm/{hook}\.d/50-fabric\n.*?)```", NODES_PAGE, re.DOTALL)
    missing = tmp_path / "fabric-node"
    assert script.count("/usr/local/sbin/fabric-node") == 1
    program = tmp_path / "50-fabric"
    program.write_text(script.replace("/usr/local/sbin/fabric-node", str(missing)))
    program.chmod(0o755)
    done = run(program)
    assert done.returncode == 0
    assert str(missing) in done.stderr, "slurmd's log says what is missing"
    missing.write_text("#!/bin/sh\necho ran $1\nexit 7\n")
    missing.chmod(0o755)
    assert (run(program).returncode, run(program).stdout) == (0, f"ran {hook}\n")
