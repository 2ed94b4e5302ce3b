"""The audit log: whatever is done to its files is found."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabric_hub.catalogue.audit.log import (
    ZERO,
    AuditLog,
    AuditLogBrokenError,
    Entry,
    Head,
    canonical,
    files,
    named,
    opened,
    read_head,
    seal,
)
from fabric_hub.catalogue.audit.reading import Reading, verify
from tests.support.audit_files import event, in_order, truncate
from tests.support.builders import NOW


def test_records_are_chained_over_the_months_and_whole(directory: Path) -> None:
    records = list(Reading(directory).records())
    assert [record["seq"] for record in records] == [1, 2, 3, 4, 5, 6]
    assert [record["prev"] for record in records] == [ZERO, *(record["digest"] for record in records[:-1])]
    assert verify(directory).last == read_head(directory)


def test_only_the_catalogue_service_may_read_it(directory: Path) -> None:
    assert directory.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in directory.iterdir()} == {0o600}


# -- tampering: each returns what was done to the lines of all files, by record


@dataclass(frozen=True)
class Tampering:
    """A change of the files, and the record that is named."""

    done: Callable[[Path], object]
    names: str


def _lines(directory: Path) -> list[tuple[Path, bytes]]:
    return [(path, line) for path in files(directory) for line in path.read_bytes().splitlines(keepends=True)]


def _of_another(line: bytes) -> bytes:
    return line.replace(b'"person":1', b'"person":2')


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
        again, _ = seal(Entry(event="closed", user="eve"), number, record["prev"], NOW, {"eve": 9})
        return again

    _change(directory, number, change)


def _insert(directory: Path) -> None:
    lines = _lines(directory)
    path, third = lines[2]
    lines.insert(3, (path, seal(event(99), 4, json.loads(third)["digest"], NOW, {"jan": 1})[0]))
    _rewrite(directory, lines)


def _truncate_with_head(directory: Path) -> None:
    """The last record goes, and the head is made to name the one before it, as record 6."""
    truncate(directory)
    head = read_head(directory)
    lines = _lines(directory)
    last = json.loads(lines[-1][1])
    size = files(directory)[-1].stat().st_size
    new = head.model_copy(update={"digest": last["digest"], "file": files(directory)[-1].name, "size": size})
    (directory / "head.json").write_text(new.model_dump_json())


TAMPERINGS = {
    "changed": Tampering(lambda d: _change(d, 4, _of_another), "Record 4 .* was changed"),
    "changed in the first": Tampering(lambda d: _change(d, 1, _of_another), "Record 1 "),
    "changed in the last": Tampering(lambda d: _change(d, 6, _of_another), "Record 6 "),
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
    "cut off at the end": Tampering(truncate, "Record 6 is missing"),
    "cut off in the middle of a line": Tampering(
        lambda d: os.truncate(files(d)[-1], files(d)[-1].stat().st_size - 9), "Record 6 .* ends in the middle"
    ),
    "cut off with a head that hides it": Tampering(_truncate_with_head, "Record 6 is missing"),
    "without a head": Tampering(lambda d: (d / "head.json").unlink(), "records but no head"),
    "with a head that is none": Tampering(lambda d: (d / "head.json").write_text("{}x"), "is not the head"),
    "preceded by another file": Tampering(
        lambda d: (d / "2020-01.jsonl").write_bytes(seal(event(1), 1, ZERO, NOW, {"jan": 1})[0]),
        "Record 2 .* is missing",
    ),
}  # fmt: skip


@pytest.mark.parametrize("how", TAMPERINGS)
def test_it_is_found_when_a_record_was(how: str, directory: Path) -> None:
    tampering = TAMPERINGS[how]
    tampering.done(directory)
    with pytest.raises(AuditLogBrokenError, match=tampering.names):
        verify(directory)


@settings(max_examples=150)
@given(st.data())
def test_any_other_byte_anywhere_is_found(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    directory = tmp_path_factory.mktemp("bytes") / "audit"
    AuditLog(directory, in_order).append(*[event(number) for number in range(1, 4)])
    path = files(directory)[0]
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    with pytest.raises(AuditLogBrokenError):
        verify(directory)
    shutil.rmtree(directory)


def test_a_whole_new_chain_is_found_with_a_head_that_was_noted_elsewhere(directory: Path) -> None:
    noted = read_head(directory)
    shutil.rmtree(directory)
    for number in range(1, 9):
        AuditLog(directory, in_order).append(event(number))
    verify(directory)  # on its own it is an audit log like any other
    with pytest.raises(AuditLogBrokenError, match=r"Record 6 .* is not the one that was noted"):
        verify(directory, noted)


def test_an_older_state_is_found_with_a_head_that_was_noted_elsewhere(directory: Path, tmp_path: Path) -> None:
    shutil.copytree(directory, tmp_path / "older")
    noted = AuditLog(directory, in_order).append(event(7))
    verify(directory, noted)
    with pytest.raises(AuditLogBrokenError, match="record 7 is missing, although record 7 was noted"):
        verify(tmp_path / "older", noted)
    with pytest.raises(AuditLogBrokenError, match="no audit log"):
        verify(tmp_path / "nothing", noted)


@given(st.text(max_size=50).filter(lambda text: text.isprintable() and text), st.integers(0, 2**53 - 1))
def test_any_words_come_back_as_they_were_written(why: str, job: int) -> None:
    line, digest = seal(Entry(event="refused", why=why, job=job), 1, ZERO, NOW, {})
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


def test_people_are_numbers_beside_records_of_an_earlier_release_that_keep_their_names(tmp_path: Path) -> None:
    directory = tmp_path / "audit"
    directory.mkdir(mode=0o700)
    # as a release wrote it whose records had names
    fields = {"event": "granted", "user": "jan", "by": "operator ada", "responsible": ["ada"], "dataset": "wind"}
    old = {**fields, "time": "2026-09-21T14:13:20.000000Z", "recorded": "2026-09-21T14:13:20.000000Z", "seq": 1}
    old |= {"prev": ZERO}
    old |= {"digest": hashlib.sha256(canonical(old)).hexdigest()}
    line = canonical(old) + b"\n"
    (directory / "2026-09.jsonl").write_bytes(line)
    head = Head(seq=1, digest=str(old["digest"]), file="2026-09.jsonl", size=len(line))
    (directory / "head.json").write_text(head.model_dump_json())

    AuditLog(directory, in_order).append(
        Entry(event="granted", user="jan", by="operator ada", responsible=("ada",), dataset="wind"),
        Entry(event="granted", by="maria"),
        Entry(event="granted", by="root"),
    )
    assert verify(directory).last.seq == 4
    written = b"".join(path.read_bytes() for path in files(directory)).split(b"\n", 1)[1]
    assert not any(name in written for name in (b"jan", b"ada", b"maria"))
    first, second, third, fourth = Reading(directory).records()
    assert (second["person"], second["owners"], second["by"], second["by_person"]) == (2, [1], "operator", 1)
    names = {1: "ada", 2: "jan", 3: "unix:maria"}
    said = ("user", "by", "responsible", "dataset")
    assert [named(second, names)[one] for one in said] == [named(first, names)[one] for one in said]
    assert [named(one, names)["by"] for one in (third, fourth)] == ["maria", "root"]
    forgotten = named(second, {1: "ada"})
    assert (forgotten["user"], forgotten["by"]) == ("person 2", "operator ada")
