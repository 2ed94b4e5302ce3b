"""Whom a project's folder lets in, decided from what is there and who is in the project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fabric_hub.gateway.folders.plan import INSIDE, Seen, decide, gate
from fabric_hub.unix import acl

OWNER = 2000


def named(_uid: int) -> bool:
    return True


def test_a_folder_as_it_should_be_is_left_alone() -> None:
    seen = Seen(OWNER, gate([7, 5]), INSIDE)
    assert decide(seen, [5, 7], some_unknown=False, has_name=named) is None


@pytest.mark.parametrize(
    ("seen", "let_in", "put_out"),
    [
        (Seen(OWNER), {5, 7}, set()),  # as mkdir made it
        (Seen(OWNER, gate([5])), {7}, set()),  # the default ACL is not there, either
        (Seen(OWNER, gate([5, 7, 9]), INSIDE), set(), {9}),  # somebody has left, or was let in by hand
        (Seen(OWNER, gate([5, 7]), None), set(), set()),  # only the inside is to be opened
    ],
)
def test_what_differs_is_set(seen: Seen, let_in: set[int], put_out: set[int]) -> None:
    found = decide(seen, [5, 7], some_unknown=False, has_name=named)
    assert found is not None
    assert (set(found.let_in), set(found.put_out)) == (let_in, put_out)
    assert found.access == gate([5, 7])


def test_an_opened_top_is_shut_again() -> None:
    rights = {entry.tag: entry.rights for entry in acl.decoded(gate([5])) if entry.tag != acl.USER}
    assert rights == {acl.USER_OBJ: 7, acl.GROUP_OBJ: 0, acl.MASK: 7, acl.OTHER: 0}
    opened = acl.encoded([*acl.decoded(gate([5]))[:-1], acl.Entry(acl.OTHER, 5)])
    found = decide(Seen(OWNER, opened, INSIDE), [5], some_unknown=False, has_name=named)
    assert found is not None
    assert found.access == gate([5])


def test_the_owner_needs_no_entry() -> None:
    found = decide(Seen(OWNER), [OWNER, 5], some_unknown=False, has_name=named)
    assert found is not None
    assert set(acl.users(found.access)) == {5}


def test_who_the_name_service_forgot_stays_in_and_who_has_left_goes() -> None:
    seen = Seen(OWNER, gate([5, 6, 9]), INSIDE)  # 6 is a person of the project without a name now; 9 has left
    found = decide(seen, [5], some_unknown=True, has_name=lambda uid: uid != 6)
    assert found is not None
    assert (set(acl.users(found.access)), set(found.put_out)) == ({5, 6}, {9})
    later = decide(seen, [5], some_unknown=False, has_name=lambda uid: uid != 6)
    assert later is not None
    assert later.put_out == {6, 9}


def test_without_room_for_more_the_leaver_goes_all_the_same() -> None:
    found = decide(Seen(OWNER, gate([5, 9]), INSIDE), [5, 7, 8], some_unknown=False, has_name=named)
    assert found is not None
    assert set(acl.users(found.narrowed)) == {5}


def test_the_kernel_takes_and_gives_the_same(tmp_path: Path) -> None:
    os.setxattr(tmp_path, acl.ACCESS, gate([70_000, 5]))
    os.setxattr(tmp_path, acl.DEFAULT, INSIDE)
    assert os.getxattr(tmp_path, acl.ACCESS) == gate([5, 70_000])
    assert os.getxattr(tmp_path, acl.DEFAULT) == INSIDE
    os.setxattr(tmp_path, acl.ACCESS, gate([]))


@pytest.mark.parametrize("value", [b"", b"\x02\x00\x00", b"\x03\x00\x00\x00", b"\x02\x00\x00\x00\x01"])
def test_what_is_no_acl_is_refused(value: bytes) -> None:
    with pytest.raises(ValueError, match="no ACL"):
        acl.decoded(value)
