"""What doctor makes of facts about machine, Slurm and versions."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from fabric_hub.cli import probe_facts, probes
from fabric_hub.cli.probes import Judged, Lookup, Namespaces
from fabric_hub.config.settings import load
from fabric_hub.messages.text import verbatim
from fabric_hub.messages.texts import probes as texts
from fabric_hub.sessions.store import SessionStore
from tests.support.builders import NOW, a_job, fields_of_a_session, least_site_text
from tests.unit.service.test_readiness import an_agent

CONFIG = """Configuration data as of 2026-11-30T10:00:00
AccountingStorageEnforce = associations,limits,qos
AccountingStorageType   = accounting_storage/slurmdbd
ClusterName             = Tiny
JobContainerType        = job_container/tmpfs
ProctrackType           = proctrack/cgroup
SLURM_VERSION           = 22.05.8
TaskPlugin              = task/affinity
Cgroup Support Configuration:
CgroupPlugin            = cgroup/v1
"""
HERE = "mnt:[1]"


def said(judged: Judged) -> tuple[str, str]:
    return judged.state, judged.about.code


def plain(**changes: str) -> str:
    return "".join(f"{name} = {value}\n" for name, value in changes.items())


@pytest.mark.parametrize(
    ("config", "found", "expected"),
    [
        (plain(JobContainerType="job_container/none"), Namespaces({}, None), ("OK", "probe-namespaces-none")),
        (plain(JobContainerType="(null)"), Namespaces({7: "mnt:[2]"}, HERE), ("OK", "probe-namespaces-none")),
        (CONFIG, Namespaces({7: HERE}, HERE), ("OK", "probe-namespaces")),
        (CONFIG, Namespaces({7: HERE, 8: "mnt:[2]"}, HERE), ("PROBLEM", "probe-namespaces-nested")),
        (CONFIG, Namespaces({}, HERE), ("SKIPPED", "probe-unchecked")),
        (CONFIG, Namespaces({7: HERE}, None), ("SKIPPED", "probe-unchecked")),
    ],
)
def test_mount_namespaces_of_jobs_inside_another_one(config: str, found: Namespaces, expected: tuple[str, str]) -> None:
    assert said(probes.namespaces(config, found)) == expected


@pytest.mark.parametrize(
    ("config", "clusters", "expected"),
    [
        (CONFIG, ["other", "tiny"], ("OK", "probe-accounting")),
        (CONFIG, [], ("PROBLEM", "probe-accounting-cluster")),
        (plain(AccountingStorageType="accounting_storage/none"), ["tiny"], ("PROBLEM", "probe-accounting-none")),
        (plain(AccountingStorageType="(null)"), ["tiny"], ("PROBLEM", "probe-accounting-none")),
        (CONFIG.replace(",limits,qos", ""), ["tiny"], ("PROBLEM", "probe-accounting-enforce")),
        (CONFIG.replace("associations,limits,qos", "none"), ["tiny"], ("PROBLEM", "probe-accounting-enforce")),
    ],
)
def test_a_missing_database(config: str, clusters: list[str], expected: tuple[str, str]) -> None:
    assert said(probes.database(config, clusters)) == expected


@pytest.mark.parametrize(
    ("config", "machine", "version", "node", "expected"),
    [
        (CONFIG, 1, (22, 5), True, ("OK", "probe-cgroup")),
        (CONFIG, 2, (22, 5), True, ("PROBLEM", "probe-cgroup-version")),
        (CONFIG.replace("cgroup/v1", "cgroup/v2"), 1, (24, 11), True, ("PROBLEM", "probe-cgroup-version")),
        (CONFIG.replace("cgroup/v1", "autodetect"), 2, (24, 11), True, ("OK", "probe-cgroup")),
        (CONFIG.replace("cgroup/v1", "autodetect"), 2, (21, 8), True, ("PROBLEM", "probe-cgroup-old")),
        (CONFIG, 2, (22, 5), False, ("SKIPPED", "probe-unchecked")),
        (plain(ProctrackType="proctrack/linuxproc", TaskPlugin="task/none"), 2, (22, 5), True,
         ("NOTE", "probe-cgroup-none")),
    ],
)  # fmt: skip
def test_cgroups_of_slurm_and_of_the_machine(
    config: str, machine: int, version: tuple[int, int], node: bool, expected: tuple[str, str]
) -> None:
    assert said(probes.cgroup(config, machine, version, node=node)) == expected


def test_clocks_that_differ() -> None:
    at = probe_facts.apart_s(CONFIG, 0.0)
    assert at is not None
    assert probe_facts.apart_s(CONFIG, at + 90) == pytest.approx(-90)
    assert probe_facts.apart_s("Configuration data as of Monday\n", 0.0) is None
    assert said(probes.clock(-90)) == ("PROBLEM", "probe-clock-differs")
    assert said(probes.clock(59)) == ("OK", "probe-clock")
    assert texts.CLOCK_LOOSE.code == "probe-clock-loose"


def test_clocks_of_nodes() -> None:
    right, ahead, behind = an_agent("a"), an_agent("b", time=NOW + 100), an_agent("c", time=NOW - 900)
    judged = probes.clocks_of_nodes([right, ahead, behind])
    assert judged is not None
    assert said(judged) == ("PROBLEM", "probe-clock-nodes")
    assert str(judged.about).endswith("60 s: b, c")
    assert probes.clocks_of_nodes([right]) is None


def test_a_name_service_that_lacks_an_account_or_is_slow() -> None:
    quick = Lookup("ada", True, 0.01)
    assert said(probes.names([quick])) == ("OK", "probe-names")
    judged = probes.names([quick, *(Lookup(f"u{number}", False, 0.01) for number in range(7))])
    assert said(judged) == ("PROBLEM", "probe-names-missing")
    assert str(judged.about).endswith(": u0, u1, u2, u3, u4, …")
    assert said(probes.names([quick, Lookup("jan", True, 5.0)])) == ("PROBLEM", "probe-names-slow")
    [host] = probes.hosts({"hub.hub_ip": ("10.0.0.5", True), "hub.public_url": ("hub.example.org", False)})
    assert said(host) == ("PROBLEM", "probe-host-unknown")


@pytest.mark.parametrize(
    ("holders", "ephemeral", "expected"),
    [
        ({900: "fabric-hub"}, (32768, 60999), [("OK", "probe-ports")]),
        ({0: "root"}, (8000, 60999), [("OK", "probe-ports")]),
        ({900: "fabric-hub"}, (8000, 60999), [("OK", "probe-ports"), ("NOTE", "probe-port-ephemeral")]),
        ({900: "fabric-hub", 1001: "eve"}, (32768, 60999), [("PROBLEM", "probe-port-taken")]),
        ({}, (32768, 60999), [("PROBLEM", "probe-port-free")]),
    ],
)
def test_who_holds_the_hubs_ports(
    holders: dict[int, str], ephemeral: tuple[int, int], expected: list[tuple[str, str]]
) -> None:
    assert [said(one) for one in probes.port("hub.hub_port", 8081, holders, 900, ephemeral)] == expected


def test_who_listens_is_read_from_the_kernel() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert probe_facts.listeners(port) == {os.geteuid()}
    assert probe_facts.listeners(port) == set()


def test_versions_that_differ() -> None:
    assert said(probes.version(texts.GATEWAY(), "0.1.0", "0.1.0")) == ("OK", "probe-versions")
    assert said(probes.version(texts.IMAGE(image="base"), "0.0.9", "0.1.0")) == ("PROBLEM", "probe-version-differs")
    assert said(probes.agents([an_agent("a"), an_agent("b")], "0.1.0")) == ("OK", "probe-agents-same")
    judged = probes.agents([an_agent("a"), an_agent("b", version="0.0.9")], "0.1.0")
    assert said(judged) == ("PROBLEM", "probe-agents-other")
    assert str(judged.about).endswith("b (0.0.9)")
    assert said(probes.agents([], "0.1.0")) == ("SKIPPED", "probe-unchecked")


def test_the_version_of_an_image_is_that_of_our_package_in_it(tmp_path: Path) -> None:
    assert probe_facts.lab_version(tmp_path) is None
    (tmp_path / "lib/python3.11/site-packages/fabric_lab-0.3.1.dist-info").mkdir(parents=True)
    assert probe_facts.lab_version(tmp_path) == "0.3.1"


def test_an_id_that_two_hubs_use() -> None:
    names = {number: f"fabric-main-{letter * 12}" for number, letter in enumerate("abc", 1)}
    jobs = [a_job(job_id=number, name=name) for number, name in names.items()]
    jobs[2] = jobs[2].model_copy(update={"state": "COMPLETED"})
    in_slurm = probes.sessions_of([*jobs, a_job(job_id=9, name=f"fabric-other-{'d' * 12}")], "main")
    assert in_slurm == {"a" * 12, "b" * 12}
    assert said(probes.hub_id("main", in_slurm, {"a" * 12, "b" * 12})) == ("OK", "probe-id-alone")
    assert said(probes.hub_id("main", in_slurm, {"a" * 12})) == ("PROBLEM", "probe-id-twice")


def test_the_record_is_asked_in_a_process_of_its_own(tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    site.write_text(least_site_text(tmp_path))
    store = SessionStore(f"sqlite:///{tmp_path / 'sessions.sqlite'}")
    session = store.create(**fields_of_a_session())
    store.close()
    command = [sys.executable, "-m", "fabric_hub.cli.known_sessions", str(site)]
    asked = f"{session.id}\n{'a' * 12}"
    done = subprocess.run(command, input=asked, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.split() == [session.id]
    (tmp_path / "sessions.sqlite").write_text("no database")
    done = subprocess.run(command, input=asked, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert "not a database" in done.stderr


def test_the_record_is_asked_by_nothing_that_lies_in_the_callers_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, note = tmp_path / "site.toml", tmp_path / "ran"
    site.write_text(least_site_text(tmp_path))
    store = SessionStore(f"sqlite:///{tmp_path / 'sessions.sqlite'}")
    session = store.create(**fields_of_a_session())
    store.close()
    anybodys = tmp_path / "anybodys"
    for name in ("fabric_hub/__init__.py", "sqlalchemy.py"):
        planted = anybodys / name
        planted.parent.mkdir(parents=True, exist_ok=True)
        planted.write_text(f"open({str(note)!r}, 'w').close()\n")
    monkeypatch.chdir(anybodys)
    judged = probe_facts._id(load(site), site, {session.id})
    assert not note.exists()
    assert said(judged) == ("OK", "probe-id-alone")


def test_what_the_hubs_record_says_makes_no_line_of_the_report_and_steers_no_terminal() -> None:
    said = texts.RECORD_CLOSED(said=verbatim("no such table: x\x1b[2J\nOK       all is well"))
    judged = probes.unchecked(texts.WHAT_IDS(id="main"), said, texts.MEND_FIRST())
    lines = judged.finding().lines()
    assert len(lines) == 2
    assert r"x\x1b[2J\nOK" in lines[0]
    assert all(line.isprintable() for line in lines)


def test_this_machines_own_facts_can_be_read() -> None:
    assert probe_facts.cgroup_version() in (1, 2)
    assert probe_facts.clock_is_loose() in (True, False)
    first, last = probe_facts.ephemeral_ports()
    assert 1 <= first < last <= 65535
    assert isinstance(probe_facts.namespaces().slurmd, dict)


@pytest.mark.parametrize(
    "code",
    ["probe-no-slurmd", "probe-on-a-node", "probe-not-allowed", "probe-as-root", "probe-what-namespaces",
     "probe-what-cgroup", "probe-what-ports", "probe-what-ids", "probe-what-version", "probe-gateway-silent",
     "probe-catalogue-silent", "probe-mend-first", "probe-record-closed", "probe-agents-none", "probe-what-image",
     "probe-what-gateway", "probe-what-catalogue"],
)  # fmt: skip
def test_parts_of_sentences_are_nouns_or_begin_small(code: str) -> None:
    [reason] = [one for one in vars(texts).values() if getattr(one, "code", "") == code]
    assert reason.text[0].islower() or reason.text.startswith("{")
