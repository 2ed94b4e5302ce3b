"""The trail: whatever is done to its files is found, and what a crash leaves is put right."""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabric_hub.datasets import trail as trail_module
from fabric_hub.datasets.trail import (
    ZERO,
    Entry,
    Head,
    Trail,
    TrailBrokenError,
    canonical,
    files,
    opened,
    read_head,
    seal,
)
from fabric_hub.datasets.trail_reading import Reading, uses, verify
from fabric_hub.errors import FabricError
from tests.unit.builders import NOW

MONTHS = (1_793_000_000.0, 1_793_000_100.0, 1_796_000_000.0, 1_796_000_100.0, 1_796_000_200.0, 1_799_000_000.0)


def _event(number: int) -> Entry:
    return Entry(event="opened", user="jan", project="physics", dataset="wind", node="gpu1", job=number, uid=1001)


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A trail of six records in three months."""
    trail = Trail(tmp_path / "trail")
    for number, at in enumerate(MONTHS, 1):
        monkeypatch.setattr(trail_module.time, "time", lambda at=at: at)
        trail.append(_event(number))
    monkeypatch.undo()
    assert [len(path.read_bytes().splitlines()) for path in files(trail.directory)] == [2, 3, 1]
    return trail.directory


def test_records_are_chained_over_the_months_and_whole(directory: Path) -> None:
    records = list(Reading(directory).records())
    assert [record["seq"] for record in records] == [1, 2, 3, 4, 5, 6]
    assert [record["prev"] for record in records] == [ZERO, *(record["digest"] for record in records[:-1])]
    assert verify(directory).last == read_head(directory)


def test_only_the_keeper_may_read_it(directory: Path) -> None:
    assert directory.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in directory.iterdir()} == {0o600}


# -- tampering: each returns what was done to the lines of all files, by record


@dataclass(frozen=True)
class Tampering:
    """A change of the files, and the record that is named."""

    done: Callable[[Path], None]
    names: str


def _lines(directory: Path) -> list[tuple[Path, bytes]]:
    return [(path, line) for path in files(directory) for line in path.read_bytes().splitlines(keepends=True)]


def _rewrite(directory: Path, lines: list[tuple[Path, bytes]]) -> None:
    for path in files(directory):
        path.write_bytes(b"".join(line for of, line in lines if of == path))


def _change(directory: Path, number: int, change: Callable[[bytes], bytes]) -> None:
    lines = _lines(directory)
    lines[number - 1] = (lines[number - 1][0], change(lines[number - 1][1]))
    _rewrite(directory, lines)


def _remove(directory: Path, number: int) -> None:
    lines = _lines(directory)
    del lines[number - 1]
    _rewrite(directory, lines)


def _swap(directory: Path, one: int, other: int) -> None:
    lines = _lines(directory)
    (first, a), (second, b) = lines[one - 1], lines[other - 1]
    lines[one - 1], lines[other - 1] = (first, b), (second, a)
    _rewrite(directory, lines)


def _forge(directory: Path, number: int) -> None:
    """Change a record and give it a digest that is right for it."""

    def change(line: bytes) -> bytes:
        record = json.loads(line)
        again, _ = seal(Entry(event="closed", user="eve"), number, record["prev"], NOW)
        return again

    _change(directory, number, change)


def _insert(directory: Path) -> None:
    lines = _lines(directory)
    path, third = lines[2]
    lines.insert(3, (path, seal(_event(99), 4, json.loads(third)["digest"], NOW)[0]))
    _rewrite(directory, lines)


def _truncate(directory: Path) -> None:
    files(directory)[-1].unlink()


def _truncate_with_head(directory: Path) -> None:
    """The last record goes, and the head is made to name the one before it, as record 6."""
    _truncate(directory)
    head = read_head(directory)
    lines = _lines(directory)
    last = json.loads(lines[-1][1])
    size = files(directory)[-1].stat().st_size
    new = head.model_copy(update={"digest": last["digest"], "file": files(directory)[-1].name, "size": size})
    (directory / "head.json").write_text(new.model_dump_json())


TAMPERINGS = {
    "changed": Tampering(lambda d: _change(d, 4, lambda line: line.replace(b"jan", b"eve")), "Record 4 .* was changed"),
    "changed in the first": Tampering(lambda d: _change(d, 1, lambda line: line.replace(b"jan", b"eve")), "Record 1 "),
    "changed in the last": Tampering(lambda d: _change(d, 6, lambda line: line.replace(b"jan", b"eve")), "Record 6 "),
    "changed in a link": Tampering(lambda d: _change(d, 2, lambda line: line.replace(b'v":"', b'v":"0')), "Record 2"),
    "written another way": Tampering(lambda d: _change(d, 3, lambda line: line.replace(b'":"', b'": "')), "Record 3 "),
    "made no JSON": Tampering(lambda d: _change(d, 5, lambda _: b"nothing\n"), "Record 5 .* is not JSON"),
    "made a number": Tampering(lambda d: _change(d, 5, lambda _: b"5\n"), "Record 5 "),
    "forged with a right digest": Tampering(lambda d: _forge(d, 3), "Record 4 .* does not follow"),
    "forged at the end": Tampering(lambda d: _forge(d, 6), "Record 6 is not the one"),
    "removed": Tampering(lambda d: _remove(d, 3), "Record 3 .* is missing: .* number 4"),
    "removed at the start": Tampering(lambda d: _remove(d, 1), "Record 1 .* is missing"),
    "removed with its file": Tampering(lambda d: files(d)[1].unlink(), "Record 3 .* is missing"),
    "swapped": Tampering(lambda d: _swap(d, 2, 3), "Record 2 .* is missing: .* number 3"),
    "repeated": Tampering(lambda d: _change(d, 4, lambda line: line + line), "Record 5 .* is missing: .* number 4"),
    "put in": Tampering(_insert, "Record 5 .* is missing: .* number 4"),
    "cut off at the end": Tampering(_truncate, "Record 6 is missing"),
    "cut off in the middle of a line": Tampering(
        lambda d: os.truncate(files(d)[-1], files(d)[-1].stat().st_size - 9), "Record 6 .* ends in the middle"
    ),
    "cut off with a head that hides it": Tampering(_truncate_with_head, "Record 6 is missing"),
    "without a head": Tampering(lambda d: (d / "head.json").unlink(), "records but no head"),
    "with a head that is none": Tampering(lambda d: (d / "head.json").write_text("{}x"), "is not the head"),
    "preceded by another file": Tampering(
        lambda d: (d / "2020-01.jsonl").write_bytes(seal(_event(1), 1, ZERO, NOW)[0]), "Record 2 .* is missing"
    ),
}  # fmt: skip


@pytest.mark.parametrize("how", TAMPERINGS)
def test_it_is_found_when_a_record_was(how: str, directory: Path) -> None:
    tampering = TAMPERINGS[how]
    tampering.done(directory)
    with pytest.raises(TrailBrokenError, match=tampering.names):
        verify(directory)


@settings(max_examples=150)
@given(st.data())
def test_any_other_byte_anywhere_is_found(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    directory = tmp_path_factory.mktemp("bytes") / "trail"
    Trail(directory).append(*[_event(number) for number in range(1, 4)])
    path = files(directory)[0]
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    with pytest.raises(TrailBrokenError):
        verify(directory)
    shutil.rmtree(directory)


def test_a_whole_new_chain_is_found_with_a_head_that_was_noted_elsewhere(directory: Path) -> None:
    noted = read_head(directory)
    shutil.rmtree(directory)
    for number in range(1, 9):
        Trail(directory).append(_event(number))
    verify(directory)  # on its own it is a trail like any other
    with pytest.raises(TrailBrokenError, match=r"Record 6 .* is not the one that was noted"):
        verify(directory, noted)


def test_an_older_state_is_found_with_a_head_that_was_noted_elsewhere(directory: Path, tmp_path: Path) -> None:
    shutil.copytree(directory, tmp_path / "older")
    noted = Trail(directory).append(_event(7))
    verify(directory, noted)
    with pytest.raises(TrailBrokenError, match="record 7 is missing, although record 7 was noted"):
        verify(tmp_path / "older", noted)
    with pytest.raises(TrailBrokenError, match="no trail"):
        verify(tmp_path / "nothing", noted)


# -- crashes


@settings(max_examples=60)
@given(cut=st.integers(0, 2000), junk=st.binary(max_size=40))
def test_a_write_cut_short_anywhere_loses_nothing_before_it(
    tmp_path_factory: pytest.TempPathFactory, cut: int, junk: bytes
) -> None:
    directory = tmp_path_factory.mktemp("crash") / "trail"
    trail = Trail(directory)
    before = trail.append(_event(1), _event(2))
    head = (directory / "head.json").read_bytes()
    trail.append(_event(3), _event(4), _event(5))
    path = files(directory)[0]
    content = path.read_bytes()
    cut = min(before.size + cut, len(content))
    whole = content[:cut].count(b"\n")
    path.write_bytes(content[:cut] + junk)  # the machine went down before the head was renewed
    (directory / "head.json").write_bytes(head)

    rest = verify(directory)  # nothing that was confirmed is wrong
    assert (rest.last.seq, rest.unfinished) == (2, cut + len(junk) - before.size)
    last = trail.append(_event(6))
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
    Trail(directory).append(_event(7))
    records = list(Reading(directory).records())
    assert [record["seq"] for record in records] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert records[6]["why"].startswith("an unfinished write of 4 bytes was cut off")


def test_a_trail_that_ends_before_its_head_is_not_written_on(directory: Path) -> None:
    _truncate(directory)
    before = {path.name: path.read_bytes() for path in directory.iterdir()}
    with pytest.raises(TrailBrokenError, match="ends before record 6"):
        Trail(directory).append(_event(7))
    assert {path.name: path.read_bytes() for path in directory.iterdir()} == before


def test_a_clock_set_back_never_leads_into_an_older_file(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trail_module.time, "time", lambda: MONTHS[0])
    assert Trail(directory).append(_event(7)).file == "2027-01.jsonl"
    assert verify(directory).last.seq == 7


def _append_with_little_room(directory: Path, limit: int, said: multiprocessing.Queue[str]) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))  # a write beyond it fails as on a full disk
    try:
        Trail(directory).append(*[_event(number) for number in range(100)])
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
    assert Trail(directory).append(_event(7)).seq == 7


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small file system")
def test_what_was_refused_for_want_of_room_for_the_head_is_never_taken_in_later(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)], check=True)
    try:
        trail = Trail(small / "trail")
        head = trail.append(_event(1))
        with (small / "fill").open("wb", buffering=0) as file:
            while file.write(bytes(4096)) == 4096 and shutil.disk_usage(small).free:
                pass
        with pytest.raises(FabricError, match="cannot be written"):  # its page has room, a new head's has none
            trail.append(_event(2))
        assert read_head(trail.directory) == head
        (small / "fill").unlink()
        trail.append(_event(3))
        assert [record["job"] for record in Reading(trail.directory).records()] == [1, 3]
    finally:
        subprocess.run(["umount", "--lazy", str(small)], check=True)


def _append_many(directory: Path, count: int) -> None:
    for number in range(count):
        Trail(directory).append(_event(number), _event(number))


def test_several_processes_write_one_chain(tmp_path: Path) -> None:
    directory = tmp_path / "trail"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_append_many, args=(directory, 25)) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    assert verify(directory).last.seq == 150


@given(st.text(max_size=50).filter(lambda text: text.isprintable() and text), st.integers(0, 2**53 - 1))
def test_any_words_come_back_as_they_were_written(why: str, job: int) -> None:
    line, digest = seal(Entry(event="refused", why=why, job=job), 1, ZERO, NOW)
    record, wrong = opened(line, 1, ZERO)
    assert not wrong
    assert (record["why"], record["job"], record["digest"]) == (why, job, digest)
    assert line.count(b"\n") == 1


def test_the_canonical_form_is_that_of_rfc_8785() -> None:
    # the strings of its section 3.2.2.2 and the order of its section 3.2.3, as far as our records have them
    assert (
        canonical({"b": '\u20ac$\u000f\nA\'B"\\\\"/', "a": 1})
        == b'{"a":1,"b":"\xe2\x82\xac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )


# -- uses


def _told(event: str, at: str, *, job: int = 7, source: str | None = None, **more: object) -> dict[str, object]:
    return {
        "event": event, "time": f"2026-11-21T{at}.000000Z", "dataset": "wind", "node": "gpu1", "job": job, "uid": 1001,
        "user": "jan", "project": "physics", "purpose": "research", "version": "2", "sha256": "a" * 64,
        "responsible": ["ada"], **({"source": source} if source else {}), **more,
    }  # fmt: skip


NOON = 1_795_262_400.0  # 2026-11-21T12:00:00Z
DAY = 86400.0


def _spans(*records: dict[str, object], now: float = NOON) -> list[tuple[float, float | None, str]]:
    return [
        (use.start - NOON, None if use.end is None else use.end - NOON, use.ended)
        for use in uses(records, "wind", DAY, now)
    ]


def test_a_use_lasts_from_its_opening_to_the_first_word_of_its_end() -> None:
    assert _spans(_told("opened", "11:00:00"), _told("closed", "11:30:00")) == [(-3600, -1800, "closed")]
    ends = (_told("revoked", "11:10:00"), _told("closed", "11:30:00"))
    assert _spans(_told("opened", "11:00:00"), *ends) == [(-3600, -3000, "revoked")]


def test_words_that_come_late_twice_or_out_of_order_give_the_same_uses() -> None:
    opened_, closed = _told("opened", "11:00:00", source="1-a"), _told("closed", "11:30:00", source="2-b")
    assert _spans(closed, opened_, opened_, closed) == _spans(opened_, closed) == [(-3600, -1800, "closed")]


def test_a_dataset_that_a_job_opens_again_has_two_uses() -> None:
    told = [_told("opened", "11:00:00"), _told("closed", "11:10:00"), _told("opened", "11:20:00")]
    assert _spans(*told) == [(-3600, -3000, "closed"), (-2400, None, "open")]


def test_a_use_that_nobody_ended_is_assumed_to_end_with_the_longest_session() -> None:
    assert _spans(_told("opened", "11:00:00"), now=NOON + DAY) == [(-3600, DAY - 3600, "assumed")]


def test_jobs_are_told_apart_and_an_operators_revocation_ends_none() -> None:
    told = [_told("opened", "11:00:00"), _told("opened", "11:00:00", job=8), _told("closed", "11:30:00", job=8)]
    operators = {"event": "revoked", "time": "2026-11-21T11:05:00.000000Z", "dataset": "wind", "project": "physics"}
    assert _spans(*told, operators) == [(-3600, None, "open"), (-3600, -1800, "closed")]
