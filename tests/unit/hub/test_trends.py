"""The last hours of the page Operate's numbers: what is counted each minute, and the line that is drawn of it."""

from __future__ import annotations

import re
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from fabric_hub.hub.pages.trends import EVERY_S, HEIGHT, SPAN_S, WIDTH, Point, Trends, lines_of, path, point_of
from fabric_hub.hub.spawner.runtime import HubRuntime
from fabric_hub.messages.reader import Reader, reading
from fabric_hub.messages.text import verbatim
from tests.support.builders import NOW, a_job, a_node, a_session, a_site, a_snapshot, fields_of_a_session
from tests.support.gateway import FakeGateway, serving
from tests.support.waiting import until_async

END = NOW + SPAN_S


def minutes(*values: float | None, begin: float = NOW) -> list[tuple[float, float | None]]:
    return [(begin + place * EVERY_S, value) for place, value in enumerate(values)]


def points(*running: int | None, begin: float = NOW) -> list[Point]:
    return [
        Point(at) if value is None else Point(at, int(value), 2, 1, 4, 90.0 * value)
        for at, value in minutes(*running, begin=begin)
    ]


def test_a_point_counts_what_the_page_shows() -> None:
    waits = [
        (a_session(id=name * 12, server_name=name, job_id=number, submitted_at=NOW),
         a_job(job_id=number, name=f"fabric-main-{name * 12}", state="PENDING", submitted_at=NOW - wait))
        for name, number, wait in (("a", 11, 60), ("b", 12, 600))
    ]  # fmt: skip
    runs = a_session(ready_at=NOW), a_job()
    sessions, jobs = zip(*waits, runs, strict=True)
    nodes = a_node(gpus={"h200": 4}, gpus_free={"h200": 1}), a_node(name="gpu2", usable=False)
    assert point_of(sessions, a_snapshot(*jobs, nodes=nodes), NOW) == Point(NOW, 1, 2, 1, 4, 600.0)
    assert point_of([], a_snapshot(), NOW) == Point(NOW, 0, 0, None, 0, 0.0), "a cluster without GPUs has no such line"
    assert point_of([a_session(kind="local", job_id=None, ready_at=NOW)], None, NOW, slurm=False).running == 1


def test_while_slurm_says_nothing_no_number_is_known_and_a_narrowed_view_is_as_good_as_the_page() -> None:
    silent = a_snapshot(a_job(), unavailable_since=NOW - 5, problem=verbatim("squeue: timed out"))
    assert point_of([a_session(ready_at=NOW)], silent, NOW) == Point(NOW)
    assert point_of([a_session(ready_at=NOW)], None, NOW) == Point(NOW)
    narrowed = silent.model_copy(update={"narrowed": True})
    assert point_of([a_session(ready_at=NOW)], narrowed, NOW).running == 1


def test_a_line_goes_from_the_left_end_to_the_right_and_its_highest_value_is_at_the_top() -> None:
    drawn = path([(NOW, 0.0), (NOW + 50, 4.0), (NOW + 100, 2.0)], NOW, NOW + 100, 4)
    assert drawn == f"M0 {HEIGHT - 1}L{WIDTH / 2:g} 1L{WIDTH} {HEIGHT / 2:g}"


def test_a_line_is_broken_where_a_value_or_a_minute_is_missing_and_a_value_alone_is_a_dot() -> None:
    assert path(minutes(1, 1, None, 1), NOW, END, 1) == "M0 1L0.3 1M1 1h0"
    hole = [*minutes(1, 1), *minutes(1, 1, begin=NOW + 600)]
    assert path(hole, NOW, END, 1).count("M") == 2
    assert path([], NOW, END, 1) == path(minutes(None), NOW, END, 1) == ""


def test_six_hours_of_the_same_value_are_two_corners() -> None:
    assert path(minutes(*[3] * 361), NOW, END, 3) == f"M0 1L{WIDTH} 1"
    busy = path(minutes(*[place % 7 for place in range(361)]), NOW, END, 6)
    assert len(busy) < 4096, "what a page is sent stays small"


def test_lines_say_in_words_since_when_they_are_known_and_what_the_number_was() -> None:
    now = NOW + 4 * EVERY_S
    found = lines_of(points(None, 0, 3, 1), now)
    assert found is not None
    assert (found.since, found.whole, found.hours) == (NOW + EVERY_S, False, 6)
    with reading(Reader("en", ZoneInfo("Europe/Amsterdam"))):
        assert [re.sub(r"since .*?: ", "since then: ", line.said.say()) for line in found.of.values()] == [
            "Sessions running since then: 0 to 3",
            "Sessions queued since then: 2 all the time",
            "GPUs free since then: 1 all the time",
            "Longest wait since then: 0 min to 4 min",
        ]
    with reading(Reader("nl", ZoneInfo("Europe/Amsterdam"))):
        assert re.fullmatch(r"Langste wachttijd sinds .+: 0 min tot 4 min", found.of["oldest"].said.say())
        assert re.fullmatch(r"Sessies in de wachtrij sinds .+: steeds 2", found.of["queued"].said.say())
    waited = lines_of([Point(NOW, 0, 1, oldest=60.0), Point(NOW + 60, 0, 1, oldest=90.0)], now)
    assert waited is not None
    assert str(waited.of["oldest"].said).endswith(": 1 min all the time")


def test_free_gpus_are_drawn_against_all_there_are_and_a_busy_queue_against_its_own_highest() -> None:
    found = lines_of([Point(END, 8, 0, 2, 4, 0.0)], END)
    assert found is not None
    assert {name: line.path for name, line in found.of.items()} == {
        "running": "M120 1h0",
        "queued": "M120 23h0",
        "gpus": "M120 12h0",
        "oldest": "M120 23h0",
    }


def test_before_the_first_word_of_slurm_nothing_is_drawn_and_what_is_older_than_six_hours_neither() -> None:
    assert lines_of([], NOW) is None
    assert lines_of(points(None, None), NOW + 60) is None
    assert lines_of(points(1, 2), END + 3600) is None
    assert lines_of(points(1, begin=NOW + 60), NOW) is None, "the clock was set back"
    whole = lines_of(points(*[1] * 400), NOW + 399 * EVERY_S)
    assert whole is not None
    assert (whole.whole, whole.since) == (True, NOW + 39 * EVERY_S)


async def test_the_ring_counts_from_the_record_and_keeps_six_hours(tmp_path: Path) -> None:
    socket = tmp_path / "gateway.sock"
    shared = HubRuntime(a_site(tmp_path, f'\n[gateway]\nsocket = "{socket}"\n'))
    shared.when_open.append((found := Trends()).keep)
    await found.count(shared)
    assert [point.running for point in found.points] == [None], "no gateway answers"
    async with serving(FakeGateway(), socket):
        await shared.open()
        await until_async(lambda: found.points and found.points[-1].running == 0, "it has counted since the start")
        shared.store.create(**fields_of_a_session(kind="local"))
        await found.count(shared)
        await shared.gateway.aclose()
    shared.store.close()
    assert [(point.running, point.queued) for point in found.points] == [(0, 0), (0, 0)]
    assert (found.points.maxlen or 0) * EVERY_S == SPAN_S + EVERY_S


@pytest.mark.parametrize("number", ["running", "queued", "gpus", "oldest"])
def test_each_line_stays_within_its_picture(number: str) -> None:
    found = lines_of(points(*range(60)), NOW + 60 * EVERY_S)
    assert found is not None
    corners = re.findall(r"[ML]([\d.]+) ([\d.]+)", found.of[number].path)
    assert corners
    assert all(0 <= float(x) <= WIDTH and 1 <= float(y) <= HEIGHT - 1 for x, y in corners)
