"""What the gateway keeps of what it submits, also when it starts again."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from fabric_hub.errors import FabricError
from fabric_hub.gateway.ledger import Ledger, ledger_path
from fabric_hub.slurm.records import RecordMark, SessionFacts
from tests.support.builders import SESSION, a_site

MARK = RecordMark(identity="a" * 32, generation=5)
FACTS = SessionFacts(project="physics", account="phys", profile="cpu", image="base", hours=1.0, created_at=1.0)


def test_what_was_submitted_is_known_after_the_gateway_began_anew(tmp_path: Path) -> None:
    path = tmp_path / "submissions.sqlite"
    first = Ledger(path, "main")
    first.submitted(SESSION, "jan", MARK, FACTS)
    first.listens(SESSION, "jan", 4711)
    first.listens(SESSION, "eve", 666)
    first.close()
    again = Ledger(path, "main")
    (kept,) = again.witnesses([SESSION, "aaaaaaaaaaaa"]).values()
    assert (kept.user, kept.mark, kept.facts, kept.port) == ("jan", MARK, FACTS, 4711)
    assert again.began_at == first.began_at <= time.time()
    assert path.stat().st_mode & 0o777 == 0o600
    assert Ledger(path, "other").witnesses([SESSION]) == {}, "another hub's"


def test_a_session_that_is_submitted_again_keeps_what_was_known_of_it() -> None:
    ledger = Ledger(None, "main")
    ledger.submitted(SESSION, "jan", MARK, FACTS)
    later = RecordMark(identity="b" * 32, generation=9)
    ledger.submitted(SESSION, "jan", later, None)
    assert (ledger.witnesses([SESSION])[SESSION].mark, ledger.witnesses([SESSION])[SESSION].facts) == (later, FACTS)


def test_the_mark_that_was_told_last_is_told_to_the_next(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "submissions.sqlite", "main")
    assert ledger.told(MARK) is None
    older = RecordMark(identity=MARK.identity, generation=3)
    assert ledger.told(older) == MARK
    assert ledger.told(older) == MARK, "the highest that was ever told"


def test_a_file_that_is_no_ledger_is_kept_and_a_new_one_begins(tmp_path: Path) -> None:
    path = tmp_path / "submissions.sqlite"
    path.write_text("not a database " * 500)
    before = time.time()
    assert Ledger(path, "main").began_at >= before
    assert [found.read_text()[:5] for found in tmp_path.glob("submissions.sqlite.broken-*")] == ["not a"]


def test_without_a_place_it_lasts_as_long_as_the_process(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "nowhere" / "submissions.sqlite", "main")
    ledger.submitted(SESSION, "jan", MARK, None)
    assert SESSION in ledger.witnesses([SESSION])


def test_what_cannot_be_kept_is_not_submitted(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "submissions.sqlite", "main")
    ledger.close()
    with pytest.raises(FabricError, match="The gateway cannot keep what it submits") as refused:
        ledger.submitted(SESSION, "jan", MARK, None)
    assert refused.value.status == 503


def test_it_is_where_systemd_says_else_beside_the_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    site = a_site(Path("/srv"))
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    assert ledger_path(site) == site.gateway.socket.parent / "submissions.sqlite"
    monkeypatch.setenv("STATE_DIRECTORY", f"/var/lib/fabric-gateway{os.pathsep}/elsewhere")
    assert ledger_path(site) == Path("/var/lib/fabric-gateway/submissions.sqlite")
