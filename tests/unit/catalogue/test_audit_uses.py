"""What the audit log makes of the words of nodes: who used a dataset from when to when."""

from __future__ import annotations

from fabric_hub.catalogue.audit.reading import uses


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
    operators: dict[str, object] = {
        "event": "revoked",
        "time": "2026-11-21T11:05:00.000000Z",
        "dataset": "wind",
        "project": "physics",
    }
    assert _spans(*told, operators) == [(-3600, None, "open"), (-3600, -1800, "closed")]
