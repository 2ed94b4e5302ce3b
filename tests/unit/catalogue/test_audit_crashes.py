"""The audit log: what a crash or a full disk leaves is put right, and several may write it at once."""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabric_hub.catalogue.audit.log import AuditLog, AuditLogBrokenError, Head, files, read_head
from fabric_hub.catalogue.audit.reading import Reading, verify
from fabric_hub.errors import FabricError
from tests.support.audit_files import MONTHS, event, in_order, truncate


@settings(max_examples=60)
@given(cut=st.integers(0, 2000), junk=st.binary(max_size=40))
def test_a_write_cut_short_anywhere_loses_nothing_before_it(
    tmp_path_factory: pytest.TempPathFactory, cut: int, junk: bytes
) -> None:
    directory = tmp_path_factory.mktemp("crash") / "audit"
    audit_log = AuditLog(directory, in_order)
    before = audit_log.append(event(1), event(2))
    head = (directory / "head.json").read_bytes()
    audit_log.append(event(3), event(4), event(5))
    path = files(directory)[0]
    content = path.read_bytes()
    cut = min(before.size + cut, len(content))
    whole = content[:cut].count(b"\n")
    path.write_bytes(content[:cut] + junk)  # the machine went down before the head was renewed
    (directory / "head.json").write_bytes(head)

    rest = verify(directory)  # nothing that was confirmed is wrong
    assert (rest.last.seq, rest.unfinished) == (2, cut + len(junk) - before.size)
    last = audit_log.append(event(6))
    records = list(Reading(directory).records())
    assert [record["job"] for record in records if "job" in record] == [*range(1, whole + 1), 6]
    healed = [record for record in records if record["event"] == "healed"]
    assert len(healed) == (cut + len(junk) > len(b"".join(content.splitlines(keepends=True)[:whole])))
    assert verify(directory).last == last
    shutil.rmtree(directory)


def test_a_crash_at_the_turn_of_a_month_is_healed(directory: Path) -> None:
    (directory / "2027-01.jsonl").rename(directory / "kept")
    lines = (directory / "kept").read_bytes()
    (directory / "head.json").write_text(
        Head(
            seq=5,
            digest=json.loads(lines)["prev"],
            file="2026-11.jsonl",
            size=(directory / "2026-11.jsonl").stat().st_size,
        ).model_dump_json()
    )
    (directory / "2027-01.jsonl").write_bytes(lines + b'{"ha')
    AuditLog(directory, in_order).append(event(7))
    records = list(Reading(directory).records())
    assert [record["seq"] for record in records] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert records[6]["why"].startswith("an unfinished write of 4 bytes was cut off")


def test_a_trail_that_ends_before_its_head_is_not_written_on(directory: Path) -> None:
    truncate(directory)
    before = {path.name: path.read_bytes() for path in directory.iterdir()}
    with pytest.raises(AuditLogBrokenError, match="ends before record 6"):
        AuditLog(directory, in_order).append(event(7))
    assert {path.name: path.read_bytes() for path in directory.iterdir()} == before


def test_a_clock_set_back_never_leads_into_an_older_file(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: MONTHS[0])
    assert AuditLog(directory, in_order).append(event(7)).file == "2027-01.jsonl"
    assert verify(directory).last.seq == 7


def _append_with_little_room(directory: Path, limit: int, said: multiprocessing.Queue[str]) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))  # a write beyond it fails as on a full disk
    try:
        AuditLog(directory, in_order).append(*[event(number) for number in range(100)])
    except FabricError as error:
        said.put(str(error))
    else:
        said.put("written")


def test_a_full_disk_undoes_the_whole_write_and_says_so(directory: Path) -> None:
    head = read_head(directory)
    context = multiprocessing.get_context("spawn")
    said: multiprocessing.Queue[str] = context.Queue()
    process = context.Process(target=_append_with_little_room, args=(directory, 5000, said))
    process.start()
    try:
        words = said.get(timeout=60)
    finally:
        process.join(60)
    assert "cannot be written" in words
    assert read_head(directory) == head
    assert verify(directory).unfinished == 0
    assert AuditLog(directory, in_order).append(event(7)).seq == 7


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small file system")
def test_what_was_refused_for_want_of_room_for_the_head_is_never_taken_in_later(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)], check=True)
    try:
        audit_log = AuditLog(small / "audit", in_order)
        head = audit_log.append(event(1))
        with (small / "fill").open("wb", buffering=0) as file:
            while file.write(bytes(4096)) == 4096 and shutil.disk_usage(small).free:
                pass
        with pytest.raises(FabricError, match="cannot be written"):  # its page has room, a new head's has none
            audit_log.append(event(2))
        assert read_head(audit_log.directory) == head
        (small / "fill").unlink()
        audit_log.append(event(3))
        assert [record["job"] for record in Reading(audit_log.directory).records()] == [1, 3]
    finally:
        subprocess.run(["umount", "--lazy", str(small)], check=True)


def _append_many(directory: Path, count: int) -> None:
    for number in range(count):
        AuditLog(directory, in_order).append(event(number), event(number))


def test_several_processes_write_one_chain(tmp_path: Path) -> None:
    directory = tmp_path / "audit"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_append_many, args=(directory, 25)) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    assert verify(directory).last.seq == 150
