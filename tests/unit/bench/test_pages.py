"""The benchmark `pages`: who looks at what, and what counts as seen."""

from __future__ import annotations

import argparse
import asyncio
import tomllib
from typing import cast

import pytest

from bench import crowd, pages
from bench.hub import Measured
from bench.hub_client import Server
from bench.lookers import Waits
from bench.pages import Delays, Looking, Window
from fabric_hub.hub.spawner.watchers import MOST
from fabric_hub.messages.texts.slurm_reasons import HELD_BY_OPERATORS


@pytest.mark.parametrize(("waiting", "homes"), [(200, 50), (60, 20), (200, 3), (1, 1), (5, 9)])
def test_all_pages_have_people_who_may_have_them(waiting: int, homes: int) -> None:
    people = crowd.crowd(waiting, homes)
    servers = [(server.user, server.name) for one in people for server in one.servers]
    assert len(set(servers)) == waiting
    assert sum(one.home for one in people) == homes
    assert max(len(one.waits) for one in people) <= MOST


def test_more_members_leave_the_rest_of_a_site_file_as_it_is() -> None:
    project = '[project.proteins]\naccount = "p"\n[project.proteins.members]\nowner = ["a"]\nmember = ["b"]\n'
    site = f'[hub]\nid = "x"\n{project}'
    expected = tomllib.loads(site)
    expected["project"]["proteins"]["members"]["member"] = ["b", "looker0"]
    assert tomllib.loads(crowd.with_members(site, ["looker0"])) == expected


def test_why_sessions_wait_is_read_from_their_cards_only() -> None:
    html = (
        '<ul><li class="fabric-card home-session" data-key="live-w1"><h2>w1</h2><p>Project</p>'
        "<p data-waits>Job 7 waits.</p><p data-waits>Ask &#34;them&#34;.</p><p data-expected>soon</p></li>"
        '<li data-key="live-w2"><p>Project</p></li></ul><ul><li data-ended="x"><p data-waits>no</p></li></ul>'
    )
    assert Waits(html).said == {"w1": 'Job 7 waits. Ask "them".', "w2": ""}


def test_a_change_is_seen_where_its_own_page_says_so_after_it() -> None:
    held = str(HELD_BY_OPERATORS())
    looks = Looking(cast("asyncio.subprocess.Process", None))
    looks.shown = [
        {"at": 1.0, "page": "waiting", "user": "ann", "server": "w1", "text": f"Job 1. {held}"},
        {"at": 3.0, "page": "home", "user": "ann", "server": "w1", "text": f"Job 1. {held}"},
        {"at": 4.0, "page": "waiting", "user": "bob", "server": "w1", "text": f"Job 2. {held}"},
        {"at": 5.0, "page": "waiting", "user": "ann", "server": "w1", "text": "Job 1 waits."},
        {"at": 6.0, "page": "waiting", "user": "ann", "server": "w1", "text": f"Job 1. {held}"},
    ]
    ann = Server("ann", "w1")
    assert looks.when("waiting", ann, True, after=2.0) == 6.0
    assert looks.when("waiting", ann, False, after=2.0) == 5.0
    assert looks.when("home", ann, True, after=2.0) == 3.0
    assert looks.when("home", ann, False, after=2.0) is None


def test_delays_are_told_from_slurm_and_from_the_snapshot() -> None:
    rows = pages.delay_rows([Delays(snapshot=2.0, waiting=2.5, home=4.0), Delays(snapshot=1.0, waiting=0.9, home=1.5)])
    assert [row.ours for row in rows] == [2.5, 0.9, 0.5, 0.0, 4.0, 1.5, 2.0, 0.5]
    # how soon the hub can hear of it is a setting of the site: the aim is on what comes after
    assert [row.met for row in rows[::2]] == [None, True, None, True]


def test_windows_with_pages_stand_beside_those_without() -> None:
    def windows(rpcs: float, took: float, cpu_s: float) -> list[Window]:
        return [Window({"A": rpcs, "B": 1.0}, Measured({"/x": [took] * 3}, 10.0, cpu_s))] * 2

    rows = pages.window_rows(["/x"], windows(21.0, 0.04, 5.0), windows(19.0, 0.02, 4.0))
    assert [(row.ours, row.peer, row.met) for row in rows] == [
        (22.0, 20.0, True),
        (40.0, 20.0, False),
        (40.0, 20.0, None),
        (0.5, 0.4, None),
    ]


def test_the_notes_say_what_the_figures_are_of() -> None:
    arguments = argparse.Namespace(waiting=20, homes=3, window=5.0, rounds=2)
    told = [{"events": 7, "again": 0, "looks": [0.1]}] * 2
    text = " ".join(pages.notes(crowd.crowd(20, 3), arguments, 10, told))
    assert "20 waiting pages and 3 pages Sessions" in text
    assert "those of 3 people with a login each, at most 7 waiting pages for one" in text
    assert "14 events were taken; 0 streams broke" in text
