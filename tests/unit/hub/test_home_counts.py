"""When what counts on by itself on Sessions is written anew."""

from __future__ import annotations

from fabric_hub.hub.pages.home import COUNTS_S, count_of

NOW = 1_790_000_000.0


def test_a_page_is_written_anew_once_in_each_stretch_of_time() -> None:
    counts = [count_of("anna", NOW + second) for second in range(600)]
    assert counts == sorted(counts)
    assert len(set(counts)) in (600 // COUNTS_S, 600 // COUNTS_S + 1)


def test_the_pages_of_fifty_people_are_not_written_at_the_same_moment() -> None:
    people = [f"person{number}" for number in range(50)]
    in_a_second = [
        sum(count_of(user, NOW + second) != count_of(user, NOW + second - 1) for user in people)
        for second in range(int(COUNTS_S))
    ]
    assert sum(in_a_second) == 50
    assert max(in_a_second) <= 7
