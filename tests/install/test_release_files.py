"""A release's files make a site on a machine that boots systemd, and a later release's upgrade it: by the pages."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from scripts import dist, release
from tests.install.test_site import (
    FROM_A_RELEASE,
    IN_PLACE_OF,
    LOGIN,
    OF_THE_SITE,
    UNITS,
    assert_up,
    change,
    main_pid,
    prepare,
)
from tests.support import built_packages
from tests.support.booted_machine import BootedMachine, console_blocks
from tests.support.how_to import DESK, Terminal, block_of, page
from tests.support.machine_front import certify

pytestmark = [pytest.mark.long, pytest.mark.root, pytest.mark.timeout(3000)]

NOW = release.current(dist.ROOT)
LATER = built_packages.later(NOW)
FROM_A_CHECKOUT = "git clone URL /opt/fabric-hub"
# No package index and no registry is reached from the machine: what the lock files name lies there.
OFFLINE = {
    "PIP_NO_INDEX": "1",
    "PIP_FIND_LINKS": f"{DESK}/wheels",
    "npm_config_offline": "true",
    "npm_config_cache": f"{DESK}/npm",
}


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BootedMachine]:
    work = tmp_path_factory.mktemp("releases")
    shown = {f"/releases/{version}": built_packages.files(work, version) for version in (NOW, LATER)}
    shown[f"{DESK}/wheels"] = built_packages.wheels(dist.ROOT / "requirements.lock", work / "wheels")
    machine = BootedMachine(work / "root", shown)
    built_packages.npm_cache(machine.root / DESK.removeprefix("/") / "npm", work / "proxy")
    certify(machine.root, work / "tls")
    with machine:
        prepare(machine)
        yield machine
    shutil.rmtree(work / "root")


def test_a_release_is_installed_and_upgraded_by_the_pages_commands(machine: BootedMachine) -> None:
    terminal = Terminal(machine, **OFFLINE)
    try:
        install(terminal)
        before = {unit: main_pid(machine, unit) for unit in UNITS}
        terminal.cwd = f"/releases/{LATER}"
        for command in block_of("upgrade", "requirements.lock"):
            terminal.give("upgrade", command.replace("0.2.0", LATER))
        assert_up(machine)
        assert {unit for unit in UNITS if main_pid(machine, unit) == before[unit]} == {"fabric-proxy"}
        assert machine.do("/opt/fabric-hub/.venv/bin/fabric-hub --version").split()[-1] == LATER
        terminal.give("upgrade", *block_of("upgrade", "restart fabric-proxy"))
        assert_up(machine)
    finally:
        print(terminal.table())


def install(terminal: Terminal) -> None:
    """The install page, from its first command to the units that run."""
    etc = terminal.machine.root / "etc/fabric-hub"
    blocks = console_blocks(page("install-on-a-site"))
    end = next(number for number, block in enumerate(blocks) if "systemctl status" in block[0])
    terminal.cwd = f"/releases/{NOW}"
    for block in blocks[:end]:
        if block[0] == FROM_A_CHECKOUT:
            continue
        if "check-config" in block[0]:
            change(etc / "site.toml", OF_THE_SITE)
            (etc / "login.py").write_text(LOGIN)
        for command in block:
            if given := IN_PLACE_OF.get(command, command):
                terminal.give("install-on-a-site", given.replace("VERSION", NOW))
    assert FROM_A_RELEASE in [command for _, _, command in terminal.times]
    assert_up(terminal.machine)
