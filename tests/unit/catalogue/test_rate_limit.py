"""How often one user may have something recorded."""

from __future__ import annotations

from fabric_hub.catalogue.rate_limit import RateLimit


def test_who_asks_all_the_time_gets_little_and_keeps_nobody_else_from_asking() -> None:
    pace = RateLimit(50, 0.1)
    assert sum(pace.take("eve", 5.0) for _ in range(1000)) == 50
    assert pace.take("ada", 5.0)
    assert not pace.take("eve", 14.0)
    assert [pace.take("eve", 25.5) for _ in range(3)] == [True, True, False]
    assert sum(pace.take("eve", 10_000.0) for _ in range(1000)) == 50


def test_made_up_names_are_forgotten_once_they_were_quiet() -> None:
    pace = RateLimit(50, 0.1)
    assert not any(not pace.take(f"user{number}", float(number)) for number in range(30_000))
    assert len(pace._spent) <= 10_001
    assert sum(pace.take("user29999", 30_000.0) for _ in range(1000)) == 49
