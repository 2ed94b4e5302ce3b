"""The operators' list of announcements, and the form's moments, in the zone of whoever reads."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from fabric_hub.hub.pages.announcements import Board, Typed, field_of, listed, zone_name
from fabric_hub.sessions.announcements import Announcement, AnnouncementLevel, Draft, moment_of
from tests.support.builders import NOW

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def an_announcement(begins: float, ends: float) -> Announcement:
    return Announcement(
        id=f"{begins:.0f}",
        level=AnnouncementLevel.INFO,
        words={"en": "New."},
        begins_at=begins,
        ends_at=ends,
        operator="olga",
        written_at=NOW,
    )


def test_the_list_has_what_people_see_and_what_is_to_come_before_what_is_over() -> None:
    known = [an_announcement(NOW - 20, NOW), an_announcement(NOW, NOW + 1), an_announcement(NOW + 5, NOW + 9)]
    told = [(one.state, str(one.word)) for one in listed(known, NOW)]
    assert told == [("running", "Shown now"), ("queued", "Planned"), ("ended", "Over")]


def test_a_moment_in_the_form_is_in_the_readers_zone_and_read_in_it() -> None:
    for zone in (AMSTERDAM, ZoneInfo("America/New_York"), None):
        assert moment_of(field_of(NOW, zone), zone) == NOW - NOW % 60
    assert field_of(1_798_761_600.0, AMSTERDAM) == "2027-01-01T01:00"
    assert zone_name(AMSTERDAM, NOW) == "Europe/Amsterdam"


def test_a_preview_is_shown_in_each_language_in_which_it_was_written() -> None:
    words = {"en": "New.", "nl": "Nieuw."}
    draft = Draft(level=AnnouncementLevel.WARNING, words=words, begins_at=NOW, ends_at=NOW + 60)
    shown = Board((), Typed(), "UTC", preview=draft)
    assert [one.said("nl") for one in shown.previews] == [("en", "New."), ("nl", "Nieuw.")]
    assert Board((), Typed(), "UTC").previews == []
