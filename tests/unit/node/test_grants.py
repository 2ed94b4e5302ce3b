"""The published grants: used whole or not at all, and never in favour of somebody who is not in them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabric_node.grants import parse, who_may
from fabric_node.trust import NodeError

NOW = 1_790_000_000.0
SHA = "ab" * 32


def published(**changes: Any) -> dict[str, Any]:
    """A good file with a restricted, a non-public and a public dataset."""
    versions = {"1": {"kind": "image", "path": "/srv/x/1.sqfs", "sha256": SHA, "bytes": 10}}
    data: dict[str, Any] = {
        "format": 1,
        "serial": 3,
        "written": NOW,
        "datasets": {
            "wind": {"access": "restricted", "latest": "1", "versions": versions},
            "hearts": {"access": "non-public", "latest": "1", "versions": versions},
            "maps": {"access": "public", "latest": None, "versions": {}},
        },
        "grants": {
            "wind": [{"account": "proteins", "uids": [1001, 1002], "until": NOW + 60}],
            "hearts": [{"account": "proteins", "uids": [1001], "until": NOW - 60}],
            "maps": [{"account": None, "uids": None, "until": None}],
        },
    }
    return {**data, **changes}


@pytest.mark.parametrize(
    ("dataset", "uid", "account", "reason"),
    [
        ("wind", 1001, "proteins", ""),
        ("wind", 1001, None, ""),  # Slurm did not say which account: the uid is granted
        ("wind", 1001, "bakery", "not-granted"),
        ("wind", 1003, "proteins", "not-granted"),
        ("hearts", 1001, "proteins", "expired"),
        ("hearts", 1003, "proteins", "unknown"),  # that it exists is not for everybody
        ("maps", 1003, "bakery", ""),
        ("gone", 1001, "proteins", "unknown"),
    ],
)
def test_a_dataset_is_for_the_uids_and_the_account_of_a_grant_in_force(
    dataset: str, uid: int, account: str | None, reason: str
) -> None:
    answer = who_may(parse(json.dumps(published())), dataset, uid, account, NOW)
    assert (answer.allowed, answer.reason) == (not reason, reason)


def test_a_grant_ends_at_its_very_end() -> None:
    grants = parse(json.dumps(published()))
    assert who_may(grants, "wind", 1001, "proteins", NOW + 59).until == NOW + 60
    assert who_may(grants, "wind", 1001, "proteins", NOW + 60).reason == "expired"


def test_of_several_grants_the_longest_counts() -> None:
    several = [{"account": None, "uids": [1001], "until": until} for until in (NOW + 9, NOW + 99, NOW - 1)]
    data = published()
    data["grants"]["wind"] = several
    assert who_may(parse(json.dumps(data)), "wind", 1001, "proteins", NOW).until == NOW + 99


def test_an_unknown_dataset_and_a_hidden_one_are_refused_in_the_same_words() -> None:
    grants = parse(json.dumps(published()))
    hidden, missing = (who_may(grants, name, 1003, None, NOW).message for name in ("hearts", "xearts"))
    assert hidden.replace("hearts", "xearts") == missing


def broken(path: str, value: Any) -> dict[str, Any]:
    data: Any = json.loads(json.dumps(published()))
    *way, last = path.split("/")
    at = data
    for part in way:
        at = at[int(part)] if isinstance(at, list) else at[part]
    if value is ...:
        del at[last]
    else:
        at[int(last) if isinstance(at, list) else last] = value
    return dict(data)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("format", 2),
        ("serial", "3"),
        ("serial", True),
        ("datasets", []),
        ("grants", ...),
        ("datasets/..%2fx", {"access": "public", "latest": None, "versions": {}}),
        ("datasets/wind/access", "everybody"),
        ("datasets/wind/latest", "2"),
        ("datasets/wind/versions", None),
        ("datasets/wind/versions/..", {"kind": "image", "path": "/srv/x", "sha256": SHA, "bytes": 1}),
        ("datasets/wind/versions/latest", {"kind": "image", "path": "/srv/x", "sha256": SHA, "bytes": 1}),
        ("datasets/wind/versions/1/path", "/srv/../etc/shadow"),
        ("datasets/wind/versions/1/path", "srv/x"),
        ("datasets/wind/versions/1/path", "/srv//x"),
        ("datasets/wind/versions/1/path", "/srv/x\n"),
        ("datasets/wind/versions/1/kind", "device"),
        ("datasets/wind/versions/1/sha256", "../../x"),
        ("datasets/wind/versions/1/bytes", -1),
        ("grants/wind", {}),
        ("grants/wind/0/uids", "1001"),
        ("grants/wind/0/uids", [-1]),
        ("grants/wind/0/uids", [True]),
        ("grants/wind/0/uids", ...),
        ("grants/wind/0/until", "never"),
        ("grants/wind/0/until", ...),
        ("grants/wind/0/account", 7),
        ("end_jobs", [{"dataset": "wind"}]),
    ],
)
def test_one_wrong_part_makes_the_whole_file_unusable(path: str, value: Any) -> None:
    with pytest.raises(NodeError, match="not usable") as refused:
        parse(json.dumps(broken(path, value)))
    assert refused.value.reason == "grants"


@given(
    st.text()
    | st.recursive(st.none() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)).map(
        json.dumps
    )
)
def test_whatever_is_in_the_file_it_is_refused_in_words(text: str) -> None:
    with pytest.raises(NodeError):
        parse(text)
