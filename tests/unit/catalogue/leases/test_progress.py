"""How an account that was given back becomes free: every step needs its own word, and old words do not count."""

from __future__ import annotations

import pytest

from fabric_hub.catalogue.leases.progress import Cleaning, Next, NodeSays, Told, following, wanted_of
from fabric_hub.messages.text import verbatim
from fabric_hub.projects.leases import Done

HOUR = 3600.0


def step(cleaning: Cleaning, gateway: Done | None = None, now: float = 10.0, **nodes: NodeSays | None) -> Next:
    return following(cleaning, Told(gateway, nodes), now, HOUR)


def test_an_account_goes_through_all_steps_and_is_free_when_a_last_look_finds_nothing() -> None:
    close = Cleaning("close", 3, 0.0)
    assert wanted_of(61001, close) is not None
    after = step(close, Done(work="close", round=3, done=True), a=None)
    assert after[:3] == ("cleaning", "nodes", 3)
    assert wanted_of(61001, Cleaning("nodes", 3, 0.0)) is None
    after = step(Cleaning("nodes", 3, 0.0), a=NodeSays(3, 7), b=NodeSays(3, 0))
    assert after[:3] == ("cleaning", "home", 3)
    after = step(Cleaning("home", 3, 0.0), Done(work="home", round=3, done=True), a=NodeSays(3, 7))
    assert after[:3] == ("cleaning", "check", 4)
    after = step(Cleaning("check", 4, 0.0), a=NodeSays(4, 0), b=NodeSays(4, 0))
    assert after[:3] == ("cleaning", "again", 4)
    again = Cleaning("again", 4, 0.0)
    assert (wanted := wanted_of(61001, again)) is not None
    assert (wanted.work, wanted.round) == ("home", 4)
    early = step(again, Done(work="home", round=3, done=True, found=9), a=NodeSays(4, 0))
    assert early[:3] == ("cleaning", "again", 4), "an earlier word"
    after = step(again, Done(work="home", round=4, done=True), a=NodeSays(4, 0))
    assert after[:3] == ("free", "close", 4)


def test_what_was_put_into_the_home_after_it_was_emptied_begins_a_new_round() -> None:
    after = step(Cleaning("again", 4, 0.0), Done(work="home", round=4, done=True, found=1), a=NodeSays(4, 0))
    assert after[:3] == ("cleaning", "close", 5)


def test_what_came_back_meanwhile_begins_a_new_round() -> None:
    after = step(Cleaning("check", 4, 0.0), a=NodeSays(4, 0), b=NodeSays(4, 1))
    assert after[:3] == ("cleaning", "close", 5)


@pytest.mark.parametrize(
    "gateway",
    [
        None,
        Done(work="close", round=2, done=True),
        Done(work="home", round=3, done=True),
        Done(work="close", round=3, done=False, why=verbatim("two jobs")),
    ],
    ids=["nothing", "an earlier round", "other work", "not done"],
)
def test_only_the_gateways_word_for_this_work_and_round_counts(gateway: Done | None) -> None:
    after = step(Cleaning("close", 3, 0.0), gateway, a=NodeSays(3, 0))
    assert after[:3] == ("cleaning", "close", 3)
    assert after.why


@pytest.mark.parametrize(
    ("nodes", "code"),
    [
        ({}, "lease-no-nodes"),
        ({"a": NodeSays(3, 0), "b": None}, "lease-nodes-silent"),
        ({"a": NodeSays(3, 0), "b": NodeSays(2, 0)}, "lease-nodes-silent"),
        ({"a": NodeSays(3, 0, "a process in the kernel"), "b": NodeSays(3, 0)}, "lease-node-not-clean"),
    ],
)
def test_a_node_that_is_silent_or_not_clean_holds_it_up_and_then_sets_it_apart(
    nodes: dict[str, NodeSays | None], code: str
) -> None:
    waiting = following(Cleaning("nodes", 3, 0.0), Told(None, nodes), HOUR, HOUR)
    assert (waiting.state, waiting.step, waiting.why.code) == ("cleaning", "nodes", code)
    late = following(Cleaning("nodes", 3, 0.0), Told(None, nodes), HOUR + 1, HOUR)
    assert (late.state, late.why.code) == ("quarantined", code)


def test_what_nodes_hold_is_said_by_node() -> None:
    nodes: dict[str, NodeSays | None] = {f"n{number}": None for number in range(7)}
    nodes["n0"] = NodeSays(1, 0, "processes are left")
    after = following(Cleaning("nodes", 1, 0.0), Told(None, nodes), 1.0, HOUR)
    assert str(after.why) == (
        "on n0: processes are left. these nodes have not said that nothing is left of it: n1, n2, n3, n4, n5, …."
    )
