"""What nodes and operators do is in the audit log of a running catalogue service, and ``fabric-hub audit`` shows it."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import subprocess
import time

from fabric_hub.catalogue.audit.log import audit_directory
from fabric_hub.catalogue.ingest import AGENTS, events_directory
from tests.support.catalogue_process import MEMBER, NEEDS_OTHERS, ROOT, Daemon, as_operator

pytestmark = NEEDS_OTHERS


async def test_what_a_node_tells_is_in_the_trail_with_its_purpose_and_an_export_shows_it(daemon: Daemon) -> None:
    await asyncio.to_thread(daemon.offer)
    uid = pwd.getpwnam(MEMBER).pw_uid if ROOT else os.geteuid()
    now = time.time()
    async with daemon.client as client:
        await client.accept(MEMBER, "physics", "wind", "1", "research")
    events = events_directory(daemon.datasets)
    assert events.stat().st_mode & 0o777 == 0o700
    for number, event in enumerate(("opened", "closed")):
        draft = events / f".{number}"
        draft.write_text(json.dumps({"format": 1, "event": event, "time": now + number, "node": "gpu1", "job": 7,
                                     "uid": uid, "account": "phys", "dataset": "wind", "version": "2",
                                     "sha256": "a" * 64, "why": "asked"}))  # fmt: skip
        draft.chmod(0o644)
        draft.rename(events / f"{number}-gpu1-ff.json")
    (events / "poison").write_text("{")
    await daemon.until(lambda: set(os.listdir(events)) - {AGENTS} == {"refused"}, "the events are taken in")

    day = time.strftime("%Y-%m-%d")
    done = _audit(daemon, "export", "--dataset", "wind", "--from", day, "--to", day, "--json")
    assert done.returncode == 0, done.stderr
    (use,) = json.loads(done.stdout)["uses"]
    assert (use["dataset"], use["node"], use["job"], use["ended"]) == (f"wind@sha256:{'a' * 64}", "gpu1", 7, "closed")
    if ROOT:  # without, everybody is one account: nobody is told apart
        assert (use["user"], use["project"], use["purpose"]) == (MEMBER, "physics", "research")
        assert use["responsible"] == ["ada"]
    table = _audit(daemon, "export", "--dataset", "wind", "--from", day, "--to", day, "--csv").stdout.splitlines()
    assert table[0].startswith("user,uid,responsible,project,purpose,dataset,version,job,node,start,end,ended")
    assert len(table) == 2
    assert "Nobody used sun" in _audit(daemon, "export", "--dataset", "sun", "--from", day, "--to", day).stdout


def _audit(daemon: Daemon, *arguments: str) -> subprocess.CompletedProcess[str]:
    code = "import sys; from fabric_hub.cli import main; sys.exit(main(sys.argv[1:]))"
    return as_operator(code, "audit", *arguments, "--site", str(daemon.site))


def test_verify_names_the_first_wrong_record_and_knows_a_noted_head(daemon: Daemon) -> None:
    daemon.offer()
    right = _audit(daemon, "verify")
    assert right.returncode == 0, right.stderr
    assert "is whole: 4 records" in right.stdout
    noted = _audit(daemon, "head").stdout.strip()
    assert noted.startswith("4:")
    assert noted in right.stdout
    assert _audit(daemon, "verify", "--noted", noted).returncode == 0
    assert "missing" in _audit(daemon, "verify", "--noted", noted.replace("4:", "5:")).stderr
    assert _audit(daemon, "verify", "--noted", "four").returncode == 2

    (path,) = audit_directory(daemon.datasets).glob("*.jsonl")
    path.write_bytes(path.read_bytes().replace(b'"event":"packed"', b'"event":"linked"'))
    wrong = _audit(daemon, "verify")
    assert wrong.returncode == 1
    assert "Record 2 " in wrong.stderr
    assert "was changed" in wrong.stderr
