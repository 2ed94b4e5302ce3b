"""The packages are built, linted, installed on a machine that boots systemd, used, upgraded and removed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.install.test_site import (
    LOGIN,
    OF_THE_SITE,
    START_S,
    assert_session_starts,
    assert_up,
    change,
    logs,
    main_pid,
    prepare,
)
from tests.support.booted_machine import BootedMachine
from tests.support.waiting import until

pytestmark = [pytest.mark.long, pytest.mark.root, pytest.mark.timeout(3600)]

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/how-to/install-packages.md").read_text()
# What lintian says of a distribution's package, and a site's own need not heed. What is in the environment below /opt
# is others' work, as it comes: nothing of that counts.
KNOWN = {
    "dir-or-file-in-opt",  # what the Filesystem Hierarchy Standard has /opt for
    "missing-dependency-on-libc",  # wheels run with any
    "maintainer-script-calls-systemctl",  # debhelper's wrappers are of Debian alone
    "no-manual-page",  # docs/reference/command-line.md
    "initial-upload-closes-no-bugs",  # of Debian's own list of bugs
}
# It is the digests that are signed.
KNOWN_TO_RPMLINT = {"no-signature"}
MAINTAINER = "A Site <packages@hub.example.org>"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All packages, signed with a key of this test's."""
    if not shutil.which("ssh-keygen"):
        pytest.skip("ssh-keygen is not installed")
    into = tmp_path_factory.mktemp("packages")
    key = into.parent / "signing-key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    kinds = [f"--kind={kind}" for kind, tool in (("deb", "dpkg-deb"), ("rpm", "rpmbuild")) if shutil.which(tool)]
    argv = [
        sys.executable,
        "-m",
        "scripts.packages",
        f"--into={into}",
        f"--sign={key}",
        f"--maintainer={MAINTAINER}",
        *kinds,
    ]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=1800, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    (into / "allowed_signers").write_text(f"releases {key.with_suffix('.pub').read_text()}")
    return into


def test_the_digests_are_signed_and_hold(built: Path) -> None:
    verify = next(line for line in PAGE.splitlines() if line.startswith("ssh-keygen -Y verify"))
    done = subprocess.run(["sh", "-ec", verify], cwd=built, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built / "SHA256SUMS").write_text((built / "SHA256SUMS").read_text().replace("a", "b", 1))
    done = subprocess.run(["sh", "-ec", verify], cwd=built, capture_output=True, text=True, check=False)
    assert done.returncode != 0


def test_the_bill_lists_what_is_inside(built: Path) -> None:
    (path,) = built.glob("*.cdx.json")
    names = {component["name"] for component in json.loads(path.read_text())["components"]}
    assert {
        "jupyterhub",
        "batchspawner",
        "wrapspawner",
        "oauthenticator",
        "configurable-http-proxy",
        "http-proxy-3",
    } <= names


def test_lintian_finds_nothing_that_is_not_known(built: Path) -> None:
    if not shutil.which("lintian"):
        pytest.skip("lintian is not installed")
    for path in sorted(built.glob("*.deb")):
        done = subprocess.run(
            ["lintian", "--allow-root", "--fail-on=none", "--tag-display-limit=0", path],
            capture_output=True,
            text=True,
            check=False,
        )
        said = [line for line in done.stdout.splitlines() if line[:2] in ("E:", "W:") and "/.venv/" not in line]
        assert [line for line in said if line.split()[2] not in KNOWN] == [], path.name


def test_rpmlint_finds_no_error_in_the_small_packages_and_the_large_one_is_whole(built: Path) -> None:
    if not (shutil.which("rpmlint") and list(built.glob("*.rpm"))):
        pytest.skip("rpmlint or rpmbuild is not installed")
    for path in sorted(built.glob("fabric-hub-*.noarch.rpm")):
        done = subprocess.run(["rpmlint", path], capture_output=True, text=True, check=False)
        errors = [line for line in done.stdout.splitlines() if ": E: " in line]
        assert [line for line in errors if line.partition(": E: ")[2].split()[0] not in KNOWN_TO_RPMLINT] == []
    (large,) = built.glob("fabric-hub-[0-9]*.x86_64.rpm")
    listed = subprocess.run(["rpm", "-qlp", large], capture_output=True, text=True, check=True).stdout.splitlines()
    assert {"/usr/lib/systemd/system/fabric-proxy.service", "/opt/fabric-hub/.venv/bin/fabric-hub"} <= set(listed)
    needs = subprocess.run(["rpm", "-qRp", large], capture_output=True, text=True, check=True).stdout
    assert f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}" in needs


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory, built: Path) -> Iterator[BootedMachine]:
    machine = BootedMachine(tmp_path_factory.mktemp("machine") / "root", {"/packages": built})
    with machine:
        prepare(machine)
        yield machine


def test_the_package_makes_a_site_survives_an_upgrade_and_goes(machine: BootedMachine, built: Path) -> None:
    (block,) = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    commands = block.splitlines()
    assert len(commands) == 10
    (package,) = built.glob("fabric-hub_*.deb")
    etc = machine.root / "etc/fabric-hub"
    in_place_of = {
        commands[1]: f"dpkg --install /packages/{package.name}",  # apt would ask a mirror, which this machine has not
        commands[6]: "install -d /shared/fabric-hub/images",  # other tests build it, which fetches packages
        commands[7]: "",  # its addresses are this machine's
    }
    try:
        for command in commands[1:9]:
            if command.startswith("editor"):
                change(etc / "site.toml", OF_THE_SITE)
                (etc / "login.py").write_text(LOGIN)
                command = command.partition("&& ")[2]
            machine.do(in_place_of.get(command, command), 600)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{logs(machine)}") from error
    assert_up(machine)
    assert_session_starts(machine)
    assert "PROBLEM" not in "".join(
        line for line in machine.run(commands[9]).stdout.splitlines(True) if "image" not in line
    )

    before = {unit: main_pid(machine, unit) for unit in ("fabric-hub", "fabric-proxy", "fabric-gateway")}
    machine.do(f"dpkg --install /packages/{package.name}", 600)
    until(lambda: main_pid(machine, "fabric-hub") not in (0, before["fabric-hub"]), "the hub is a new one", START_S)
    assert main_pid(machine, "fabric-gateway") != before["fabric-gateway"]
    assert main_pid(machine, "fabric-proxy") == before["fabric-proxy"], "nobody in a session is cut off"
    assert_up(machine)

    machine.do("dpkg --remove fabric-hub", 300)
    assert machine.run("systemctl list-units --all --no-legend --state=active 'fabric-*'").stdout == ""
    assert machine.run("pgrep --list-full fabric_hub").stdout == ""
    assert not (machine.root / "opt/fabric-hub/.venv").exists()
    left = machine.do(
        "ls -d /var/lib/fabric-hub-state/sessions.sqlite /etc/fabric-hub/site.toml /var/lib/fabric-catalogue"
    )
    assert len(left.split()) == 3
