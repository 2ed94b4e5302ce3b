"""A day at a site made by the pages' commands: a login, a notebook and a dataset go through kills and an upgrade.

The machine boots systemd and has Slurm; all else comes from packages and from the commands in docs/how-to.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from scripts import dist, release
from tests.browser.conftest import SLOW_MS, stop
from tests.install.test_site import START_S, UNITS, main_pid, prepare
from tests.support import built_packages, machine_front
from tests.support.booted_machine import BootedMachine
from tests.support.chromium import run_cell, type_into
from tests.support.how_to import DESK, Terminal, block_of, code_of, prompted
from tests.support.machine_front import HUB, REALM, SSO, Provider
from tests.support.waiting import until

pytestmark = [pytest.mark.long, pytest.mark.root, pytest.mark.browser, pytest.mark.timeout(3600)]

NOW = release.current(dist.ROOT)
LATER = built_packages.later(NOW)
DATA = {"a.csv": "time,power\n0,17\n", "b.csv": "time,power\n600,25\n"}
POWER = "print(sum(int(p.read_text().split(',')[-1]) for p in sorted(place.glob('*.csv'))))"


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("day")


@pytest.fixture(scope="module")
def packages(work: Path) -> dict[str, Path]:
    """The directories of this version's packages and of a later one's."""
    return {version: built_packages.packages(work, version) for version in (NOW, LATER)}


@pytest.fixture(scope="module")
def machine(work: Path, packages: dict[str, Path]) -> Iterator[BootedMachine]:
    shown = {f"/packages/{version}": built for version, built in packages.items()}
    shown |= {f"{DESK}/wheels": built_packages.wheels(dist.ROOT / "images/base/requirements.lock", work / "wheels")}
    machine = BootedMachine(work / "root", shown | machine_front.shown())
    with machine:
        prepare(machine)
        yield machine
    shutil.rmtree(work / "root")


def test_a_session_goes_on_through_kills_and_an_upgrade(machine: BootedMachine, work: Path) -> None:
    terminal = Terminal(machine)
    certificate = machine_front.certify(machine.root, work / "tls")
    provider = Provider(machine, "alice", "mallory")
    try:
        install(terminal, provider)
        open_the_node(terminal)
        offer_a_dataset(terminal)
        with machine_front.chromium(machine, certificate, work) as browser:
            refuse_strangers(browser, provider)
            alice = Person(browser, machine)
            alice.log_in(provider)
            alice.start()
            alice.accept("wind-farm")
            alice.cell('from fabric_lab import datasets; place = datasets.add("wind-farm")', prints=False)
            assert alice.cell(POWER) == "42"

            kill_the_node_agent(machine)
            assert alice.cell(POWER) == "42", "what is open stays open"
            alice.cell('datasets.drop("wind-farm"); place = datasets.add("wind-farm")', prints=False)
            assert alice.cell(POWER) == "42", "the next agent closes and opens"

            upgrade(terminal)
            assert alice.cell("print(x + 1, os.getpid())") == f"42 {alice.kernel}", (
                "the notebook goes on, not loaded anew"
            )
            assert alice.cell(POWER) == "42"
            terminal.give("upgrade", *block_of("upgrade", "restart fabric-proxy"))
            assert alice.cell("print(x + 2, os.getpid())") == f"43 {alice.kernel}", "over a line of the new proxy's"
            alice.sees_the_hub()
            assert alice.errors == []

            revoke(terminal)
            assert alice.cell(POWER) == "0", "and no file of it is found"
            alice.stop()
        assert mounts(machine) == []
        assert wrong_in_the_journal(machine) == []
    finally:
        print(terminal.table())


def install(terminal: Terminal, provider: Provider) -> None:
    """The page on packages, its login that of Keycloak's example, and nginx with the file that comes along."""
    commands = block_of("install-packages", "fabric-hub images build")[1:]  # another test checks the signature
    machine, etc = terminal.machine, terminal.machine.root / "etc/fabric-hub"
    terminal.cwd = f"/packages/{NOW}"
    for command in commands:
        if command.startswith("editor"):
            (etc / "login.py").write_text(code_of("log-in", "python", "realms/hpc"))
            terminal.give("log-in", *block_of("log-in", "oidc-secret"))
            (etc / "oidc-secret").write_text(f"{provider.secret}\n")
            command = command.partition("&& ")[2]
        if command.startswith("systemctl edit"):
            continue  # its addresses are this machine's
        if "images build" in command:
            terminal.cwd = DESK  # no package index is reached from here: the page on images says how, then
            command = block_of("images", "UV_OFFLINE")[1]
        if command.startswith("systemctl enable"):
            cd = terminal.cwd
            provider.start("/opt/fabric-hub/.venv/bin/node")
            terminal.cwd = "/opt/fabric-hub"
            terminal.give("install-on-a-site", *block_of("install-on-a-site", "nginx -t"))
            terminal.cwd = cd
        said = terminal.give("install-packages", command.replace("VERSION", NOW), limit_s=600)
    assert "PROBLEM" not in said, said
    found, login = provider.discovered(), (etc / "login.py").read_text()
    for part in ("authorization", "token", "userinfo", "end_session"):
        address = str(found[f"{part}_endpoint"]).removeprefix(f"{REALM}/protocol/openid-connect")
        assert f'f"{{REALM}}{address}"' in login, f"the page's address for {part} is the provider's"
    assert machine.do(f"curl --silent --fail {found['jwks_uri']}").startswith('{"keys":[{"kty":"RSA"')


def open_the_node(terminal: Terminal) -> None:
    """The page on nodes: agent, Prolog and Epilog; no check finds anything."""
    root = terminal.machine.root
    *commands, check = block_of("datasets-on-nodes", "apt-get install")
    terminal.cwd = f"/packages/{NOW}"
    for command in commands:
        terminal.give("datasets-on-nodes", command.replace("VERSION", NOW))
        if "node.json" in command:
            file = root / "etc/fabric-hub/node.json"
            file.write_text(json.dumps(json.loads(file.read_text()) | {"spool": "/var/lib/slurm/slurmd"}))
    for moment in ("prolog", "epilog"):
        text = code_of("datasets-on-nodes", "sh", f"{moment}.d")
        [place] = re.findall(r"^# (/etc/slurm/\S+)$", text, re.MULTILINE)
        script = root / place.removeprefix("/")
        script.parent.mkdir()
        script.write_text(text.replace("/usr/local/sbin/", "/usr/sbin/"))
        script.chmod(0o755)
    with (root / "etc/slurm/slurm.conf").open("a") as conf:
        conf.write(code_of("datasets-on-nodes", "", "PrologFlags=Alloc"))
    terminal.machine.do("systemctl restart slurmctld slurmd")
    assert terminal.give("datasets-on-nodes", check).strip() == "All is well."


def offer_a_dataset(terminal: Terminal) -> None:
    """The page on publishing, for the example's project."""
    root = terminal.machine.root / DESK.removeprefix("/")
    (root / "wind.toml").write_text(code_of("publish-a-dataset", "toml", 'name = "wind-farm"'))
    (root / "wind-2025").mkdir()
    for name, text in DATA.items():
        (root / "wind-2025" / name).write_text(text)
    terminal.cwd = DESK
    for word in ("datasets add", "pack wind-farm 2025 wind-2025", "datasets grant"):
        for command in prompted(block_of("publish-a-dataset", word)):
            terminal.give("publish-a-dataset", command.replace("--project physics", "--project proteins"))


def refuse_strangers(browser: Browser, provider: Provider) -> None:
    """A wrong password is the provider's to refuse, and somebody of the institution in no project the hub's."""
    context = browser.new_context(locale="en-GB")
    tab = context.new_page()
    at_the_provider(tab)
    give_name(tab, "alice", "a guess")
    expect(tab.get_by_role("alert")).to_have_text("Wrong name or password.")
    give_name(tab, "mallory", provider.passwords["mallory"])
    tab.wait_for_url(f"https://{HUB}/**", timeout=SLOW_MS)
    expect(tab.get_by_role("heading", name="403")).to_be_visible(timeout=SLOW_MS)
    context.close()


def at_the_provider(tab: Page) -> None:
    """From the hub's address without TLS to the institution's page."""
    tab.goto(f"http://{HUB}/hub/")
    tab.get_by_role("link", name="Sign in with Example University").click()
    tab.wait_for_url(f"https://{SSO}/**", timeout=SLOW_MS)


def give_name(tab: Page, name: str, password: str) -> None:
    tab.get_by_label("Name").fill(name)
    tab.get_by_label("Password").fill(password)
    tab.get_by_role("button", name="Log in").click()


class Person:
    """Alice with her browser: one tab in which the notebook stays open."""

    def __init__(self, browser: Browser, machine: BootedMachine) -> None:
        self.context: BrowserContext = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
        self.context.set_default_timeout(SLOW_MS)
        self.tab = self.context.new_page()
        self.errors: list[str] = []
        self.tab.on("pageerror", lambda error: self.errors.append(str(error)))
        self._machine, self._cells = machine, 0
        self.kernel = ""

    def log_in(self, provider: Provider) -> None:
        at_the_provider(self.tab)
        give_name(self.tab, "alice", provider.passwords["alice"])
        self.tab.wait_for_url(f"https://{HUB}/hub/**", timeout=SLOW_MS)

    def start(self) -> None:
        """A session from the start form, and an open notebook in it."""
        self.tab.goto(f"https://{HUB}/hub/spawn/alice")
        self.tab.get_by_role("radio", name=re.compile("CPU only")).check()
        self.tab.get_by_role("button", name="Start").click()
        self.tab.wait_for_url(f"https://alice.{HUB}/user/alice/lab**", timeout=2 * SLOW_MS)
        self.tab.locator(".jp-LauncherCard[data-category=Notebook]").first.click()
        expect(self.tab.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")).to_be_visible(timeout=SLOW_MS)
        job, self.kernel = self.cell("import os; x = 41; print(os.environ['FABRIC_JOB_ID'], os.getpid())").split()
        assert self._machine.do("squeue -h -u alice -t RUNNING -o %i").split() == [job]

    def _code(self, number: int) -> Locator:
        return self.tab.locator(".jp-NotebookPanel .jp-CodeCell").nth(number)

    def cell(self, code: str, *, prints: bool = True) -> str:
        """Run code in the notebook's last cell; what it prints."""
        number, self._cells = self._cells, self._cells + 1
        cell = self._code(number)
        type_into(self.tab, cell.locator(".cm-content"), code)
        prompt = cell.locator(".jp-InputPrompt")
        run_cell(self.tab, number, lambda: re.search(r"\[\d+\]", prompt.inner_text()))
        output = cell.locator(".jp-OutputArea-output")
        if prints:
            expect(output.first).to_be_visible()
        elif output.count():
            raise AssertionError(output.first.inner_text())
        return output.first.inner_text().strip() if prints else ""

    def accept(self, dataset: str) -> None:
        """The agreement, for a purpose, on the dataset's page in another tab."""
        terms = self.context.new_page()
        terms.goto(f"https://{HUB}/hub/datasets/{dataset}?project=proteins")
        terms.get_by_role("checkbox", name=re.compile("^I accept the agreement")).check()
        terms.get_by_label("Purpose").select_option("Scientific research")
        terms.get_by_role("button", name="Accept").click()
        expect(terms.locator("[data-project=proteins]")).to_contain_text("Available")
        terms.close()

    def sees_the_hub(self) -> None:
        """The hub's own page has the session, in another tab."""
        home = self.context.new_page()
        home.goto(f"https://{HUB}/hub/home")
        expect(home.get_by_role("button", name=re.compile("Stop session"))).to_be_visible()
        home.close()

    def stop(self) -> None:
        self.tab.goto(f"https://{HUB}/hub/home")
        self.tab.wait_for_load_state("networkidle")
        stop(self.tab, "default")
        until(lambda: not self._machine.do("squeue -h -u alice").strip(), "the job is gone", 120, 1)
        self.context.close()


def kill_the_node_agent(machine: BootedMachine) -> None:
    before = main_pid(machine, "fabric-node")
    machine.do(f"kill -KILL {before}")
    until(
        lambda: (
            machine.run("systemctl is-active fabric-node").stdout == "active\n"
            and main_pid(machine, "fabric-node") not in (0, before)
        ),
        "the node agent runs again",
        START_S,
        0.5,
        seen=lambda: machine.run("journalctl --no-pager --lines=40 --unit=fabric-node").stdout,
    )


def upgrade(terminal: Terminal) -> None:
    """The page on upgrades, to a later version; the proxy is as it was, all else is new."""
    machine = terminal.machine
    before = {unit: main_pid(machine, unit) for unit in (*UNITS, "fabric-node")}
    terminal.cwd = f"/packages/{LATER}"
    for word in ("install ./fabric-hub_", "install ./fabric-hub-node_", "fabric-hub doctor"):
        for command in block_of("upgrade", word):
            given = command.replace("0.2.0", LATER)
            if "images build" in command:
                given = f"UV_OFFLINE=1 UV_FIND_LINKS={DESK}/wheels {given}"
            said = terminal.give("upgrade", given, limit_s=600)
    assert "PROBLEM" not in said, said
    after = {unit: main_pid(machine, unit) for unit in before}
    assert {unit for unit in before if before[unit] == after[unit]} == {"fabric-proxy"}
    assert machine.do("fabric-hub --version").split()[-1] == LATER


def revoke(terminal: Terminal) -> None:
    """The grant ends, and with it the way to the files, for the job that has them open, too."""
    there = "sudo -u alice ls /data/wind-farm/2025/"
    assert terminal.machine.run(there).returncode == 0
    terminal.give("publish-a-dataset", "fabric-hub datasets revoke wind-farm --project proteins")
    until(lambda: terminal.machine.run(there).returncode != 0, "it is shut", 60, 0.5)


def mounts(machine: BootedMachine) -> list[str]:
    """The images that are still mounted, as soon as the job's Epilog has run."""

    def left() -> list[str]:
        return [line for line in machine.do("cat /proc/self/mounts").splitlines() if "squashfs" in line]

    until(lambda: not left(), "no image is mounted after the job", 60, 0.5, seen=left)
    return left()


def wrong_in_the_journal(machine: BootedMachine) -> list[str]:
    """What no unit may write, whatever was killed or started again."""
    units = " ".join(f"--unit={unit}" for unit in (*UNITS, "fabric-node"))
    written = machine.do(f"journalctl --no-pager --output=cat {units}")
    return [line for line in written.splitlines() if "Traceback" in line or "Logging error" in line]
