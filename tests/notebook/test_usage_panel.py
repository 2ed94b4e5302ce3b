"""Time left, quota and warnings in a real JupyterLab, with a hub that answers what a test wants."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from datetime import datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support import panel_usage as usage
from tests.support.answering_hub import AnsweringHub
from tests.support.chromium import chromium_with_token, faults, open_lab
from tests.support.running_session import RunningSession
from tests.support.usage_page import NOTEBOOK, item, open_notebook, panel, toast, until_listening
from tests.support.waiting import until

pytestmark = [pytest.mark.image, pytest.mark.browser, pytest.mark.usefixtures("usage_known")]


def test_the_status_bar_and_the_panel_tell_what_is_left(chromium: Page, session: RunningSession) -> None:
    open_lab(chromium, session)
    expect(item(chromium)).to_have_text(re.compile("^5[0-7] min · 120 GPU-h · Home 81%$"))
    shown = panel(chromium)
    for told in (
        "Digital Twin", "80.0 of 200 GPU-hours used, 120 left", "At the present rate (10.0 a day) this lasts until",
        "12.5 GPU-hours (no personal limit)", "81 GB of 100 GB used; 1,200 of 1,000,000 files", "3.0 TB of 4.0 TB used",
        "GPU activity isn't available here.", "A session is stopped after 30 min", "Updated just now.",
    ):  # fmt: skip
        expect(shown).to_contain_text(told)
    expect(shown.get_by_role("img", name=re.compile("^The last 20 days: .* GPU-hours"))).to_be_visible()
    expect(shown.get_by_role("img", name="40% of the budget is used, 6% by you")).to_be_visible()
    expect(shown.get_by_role("img", name=re.compile(r"^[45]\d% of this session.s time is left$"))).to_be_visible()
    expect(shown).to_contain_text(re.compile(r"\d+ MB in use, no limit known"))
    expect(shown).to_contain_text(re.compile("Added up over this session.s processes"))
    days = shown.get_by_role("slider", name="Day")
    days.focus()
    chromium.keyboard.press("Home")
    expect(days).to_have_attribute("aria-valuetext", "1 Nov: 1.0 GPU-hours, 0.3 by you")
    chromium.keyboard.press("ArrowRight")
    expect(shown.locator(".fabric-Usage-day")).to_have_text("2 Nov: 2.0 GPU-hours, 0.5 by you")
    assert faults(chromium, ".fabric-Usage") == []
    table = shown.get_by_role("button", name="As table")
    table.click()
    expect(shown.get_by_role("row")).to_have_count(21)
    expect(table).to_have_attribute("aria-pressed", "true")
    assert faults(chromium, ".fabric-Usage") == []
    assert faults(chromium, "#jp-bottom-panel") == []


def test_what_a_warning_says_is_not_said_again_and_no_use_is_said_instead_of_drawn(
    chromium: Page, session: RunningSession, hub: AnsweringHub
) -> None:
    days = [time.strftime("%Y-%m-%d", time.localtime(time.time() - ago * 86400)) for ago in range(28, -1, -1)]
    warning = {"id": "project:twin#7-days", "level": "warning", "text": "The budget of project twin lasts until 3 May."}
    unused = [{"day": day, "gpu_hours": 0.0} for day in days]
    hub.usage["GET /quota"] = usage.quota(warnings=[warning], trend=unused)
    open_lab(chromium, session)
    shown = panel(chromium)
    expect(shown).to_contain_text("The budget of project twin lasts until 3 May.")
    expect(shown).to_contain_text("No GPU-hours used in the last 28 days · updated hourly")
    expect(shown.locator(".fabric-Usage-chart")).to_have_count(0)
    expect(shown).not_to_contain_text("At the present rate")


def test_a_limit_above_the_project_and_two_quotas_of_one_file_system_are_each_shown(
    chromium: Page, session: RunningSession, hub: AnsweringHub
) -> None:
    disk = {"title": "/scratch", "path": "/scratch", "used": 2 * 10**9, "limit": 10**10, "scope": "user"}
    both = [disk, disk | {"scope": "project", "used": 9 * 10**9}]
    hub.usage["GET /quota"] = usage.quota(gpu_hours=usage.limited_above(used=5000.0), storage=both)
    open_lab(chromium, session)
    expect(item(chromium)).to_have_text(re.compile("0.0 GPU-h"))
    expect(item(chromium)).to_have_attribute("data-state", "over")
    shown = panel(chromium)
    expect(shown).to_contain_text("100 of 1,000 GPU-hours used; account faculty has 0.0 of 5,000 left")
    expect(shown.locator(".fabric-Usage-bar", has_text="account faculty")).to_have_attribute("data-level", "full")
    home = disk | {"title": "Home", "path": "/home"}
    hub.usage["GET /quota"] = usage.quota(gpu_hours=usage.limited_above(used=4990.0), storage=[home, *both])
    shown.get_by_role("button", name="Refresh the figures").click()
    expect(shown).to_contain_text("At the present rate of account faculty (50.0 a day) this lasts until")
    expect(shown.locator(".fabric-Usage-bar", has_text="/scratch")).to_have_count(2)


def test_the_last_ten_minutes_are_announced_without_blocking(
    chromium: Page, session: RunningSession, hub: AnsweringHub
) -> None:
    hub.usage["GET /quota"] = usage.quota(minutes=9.5)
    open_lab(chromium, session)
    said = toast(chromium, "This session ends at")
    expect(said).to_contain_text(re.compile("[5-9] min left"))
    expect(chromium.locator(".fabric-Voice[role=alert]")).to_contain_text("This session ends at")
    expect(item(chromium)).to_have_attribute("data-state", "soon")
    assert chromium.get_by_role("dialog").count() == 0
    said.get_by_role("button", name="Extend …").click()
    dialog = chromium.get_by_role("dialog")
    expect(dialog.get_by_role("combobox")).to_have_value("1 hour")
    expect(dialog.get_by_role("option")).to_have_text(["30 minutes", "1 hour", "2 hours (the most)"])
    later = time.time() + 69 * 60
    hub.usage["POST /extend"] |= {"ends_at": later}
    dialog.get_by_role("button", name="Extend").click()
    expect(toast(chromium, re.compile(rf"This session now ends at (\d\d \w+ )?{at(later, here())}\."))).to_be_visible()
    hub.usage["GET /quota"] = usage.quota(minutes=69)  # the hub hears of it from Slurm a moment later
    expect(said).to_have_count(0, timeout=25_000)  # without waiting for the next round of half a minute
    assert ("POST /extend", {"minutes": 60}) in hub.usage_told


def test_the_end_of_a_reservation_is_told_also_when_it_is_moved_and_saves_what_is_not_saved(
    chromium: Page, session: RunningSession, hub: AnsweringHub
) -> None:
    def told(minutes: float) -> None:
        """What the service says from the next time on that it is asked; the page is told to ask."""
        at = time.time() + minutes * 60
        reasons = {"text": {"code": "ends-by-reservation", "params": {"at": at}}}
        hub.usage["GET /quota"] = usage.quota(minutes=minutes)
        hub.usage["GET /quota"]["time"] |= {
            "ends_at": at,
            "why": "reservation",
            "reasons": reasons,
            "can_extend": False,
        }

    def until_asked() -> None:
        before, page = len(hub.told("GET /quota")), chromium
        until(
            lambda: len(hub.told("GET /quota")) > before,
            "the hub is asked",
            90,
            pause=lambda seconds: page.wait_for_timeout(seconds * 1000),
        )

    told(28)
    file = open_notebook(chromium, session)
    first = toast(chromium, re.compile("with its reservation: 2[3-8] min left"))
    expect(first).to_be_visible()
    expect(panel(chromium)).to_contain_text(
        re.compile(r"This session ends at (\d+ \w+ )?\d\d:\d\d \(end of its reservation\)\.")
    )
    told(20)  # an operator moves it, within the same warning
    until_asked()
    second = toast(chromium, re.compile("with its reservation: (1[5-9]|20) min left"))
    expect(second).to_be_visible()
    expect(first).to_have_count(0)
    assert "not saved yet" not in file.read_text()
    told(1.9)
    until_asked()
    last = toast(
        chromium, re.compile("with its reservation: (1 min|less than a minute) left. Open documents are being saved.")
    )
    expect(last).to_be_visible()
    expect(second).to_have_count(0)
    expect(toast(chromium, "Saved before the end: work.ipynb.")).to_be_visible()
    assert "not saved yet" in file.read_text()
    expect(item(chromium)).to_have_attribute("data-state", "last")


def here() -> tzinfo | None:
    """The zone of this machine, and so of a browser that was told of no other."""
    return datetime.now().astimezone().tzinfo


def at(moment: float, zone: tzinfo | None) -> str:
    """A time of day as somebody in a zone reads it."""
    return f"{datetime.fromtimestamp(moment, zone):%H:%M}"


def test_every_moment_is_said_by_the_clock_of_whoever_reads_it(
    python: Path, session: RunningSession, hub: AnsweringHub
) -> None:
    there = ZoneInfo("Asia/Kolkata")  # half an hour off every hour that hubs have
    now = time.time()
    ends, since, stop = now + 9.5 * 60, now - 1500, now + 300
    hub.usage["GET /quota"] = usage.quota(minutes=9.5)
    hub.usage["GET /quota"]["time"]["ends_at"] = ends
    hub.usage["POST /idle"] |= {
        "state": "warn", "text": "No cell runs since 99:99 HUB. It is stopped at 99:99 HUB.",
        "what": "No cell runs and no GPU is above 5%", "quiet_since": since, "stop_at": stop,
    }  # fmt: skip
    # near midnight the day stands before the time
    day = r"(\d\d \w+ )?"
    ending = re.compile(rf"This session ends at {day}{at(ends, there)}: \d min left")
    idle = re.compile(
        rf"No cell runs and no GPU is above 5% since {day}{at(since, there)}\. "
        rf"This session is stopped at {day}{at(stop, there)} if that stays so\. Run something to keep it\."
    )
    with chromium_with_token("Asia/Kolkata") as page:
        open_lab(page, session)
        expect(toast(page, ending)).to_be_visible()
        expect(toast(page, idle)).to_be_visible()
        shown = panel(page)
        expect(shown).to_contain_text(re.compile(rf"This session ends at {day}{at(ends, there)} \(time limit\)\."))
        expect(shown).to_contain_text(idle)
        expect(page.locator("body")).not_to_contain_text("99:99")


def test_slurms_signal_saves_what_is_not_saved(chromium: Page, session: RunningSession) -> None:
    file = open_notebook(chromium, session)
    expect(item(chromium)).to_contain_text(" min ")
    assert "not saved yet" not in file.read_text()
    until_listening(chromium)
    session.process.send_signal(signal.SIGUSR1)
    expect(toast(chromium, "Saved before the end: work.ipynb.")).to_be_visible()
    assert "not saved yet" in file.read_text()
    expect(item(chromium)).to_have_attribute("data-state", "last")


def test_the_last_two_minutes_save_what_is_not_saved(
    chromium: Page, session: RunningSession, hub: AnsweringHub
) -> None:
    file = open_notebook(chromium, session)
    expect(item(chromium)).to_contain_text(" min ")
    assert "not saved yet" not in file.read_text()
    hub.usage["GET /quota"] = usage.quota(minutes=1.5)
    expect(toast(chromium, "Open documents are being saved.")).to_be_visible()
    expect(toast(chromium, "Saved before the end: work.ipynb.")).to_be_visible()
    assert "not saved yet" in file.read_text()
    expect(item(chromium)).to_have_attribute("data-state", "last")


def test_a_file_that_changed_on_disk_is_left_as_it_is_and_a_copy_saved_when_nobody_answers(
    chromium: Page, session: RunningSession
) -> None:
    file = open_notebook(chromium, session)
    until_listening(chromium)
    theirs = json.dumps(NOTEBOOK | {"metadata": NOTEBOOK["metadata"] | {"changed_by": "somebody else"}})
    file.write_text(theirs)
    os.utime(file, (time.time() + 60, time.time() + 60))
    session.process.send_signal(signal.SIGUSR1)
    expect(chromium.get_by_role("dialog")).to_contain_text(
        "has changed on disk"
    )  # JupyterLab's own, and nobody is here
    expect(toast(chromium, re.compile(r"Saved as a copy: work-unsaved-\d{8}T\d{6}Z\.ipynb;"))).to_be_visible()
    assert file.read_text() == theirs
    [copy] = session.home.glob("work-unsaved-*.ipynb")
    source = json.loads(copy.read_text())["cells"][0]["source"]
    assert "".join(source) == "1 + 1  # not saved yet"
    expect(toast(chromium, "Saved before the end")).to_have_count(0)


def test_an_idle_session_is_warned_of_and_kept_by_a_click(
    chromium: Page, session: RunningSession, hub: AnsweringHub
) -> None:
    words = "No cell runs since 14:05. This session is stopped at 14:35 if that stays so."
    hub.usage["POST /idle"] |= {"state": "warn", "text": words}
    open_lab(chromium, session)
    said = toast(chromium, words)
    expect(said).to_be_visible()

    def heard(route: Route) -> None:
        """The hub hears of the click, and says from then on that the session is in use."""
        hub.usage["POST /idle"] |= {"state": "active", "text": ""}
        route.continue_()

    chromium.route(re.compile("/fabric/active"), heard)
    said.get_by_role("button", name="I am still here").click()
    expect(said).to_have_count(0)
    assert hub.usage["POST /idle"]["state"] == "active"


def test_a_session_that_is_gone_says_so_at_once(chromium: Page, session: RunningSession) -> None:
    open_lab(chromium, session)
    until_listening(chromium)
    session.process.terminate()
    session.process.wait(30)
    expect(item(chromium)).to_have_text("Session ended or unreachable", timeout=25_000)
    banner = chromium.locator(".fabric-Banner[role=alert]")
    expect(banner).to_contain_text("This session does not answer")
    expect(banner.get_by_role("link", name="Go to your sessions")).to_have_attribute("href", "/hub/home")
    assert faults(chromium, ".fabric-Banner") == []
    status = chromium.get_by_role("button", name=re.compile("^This session:"))
    expect(status).to_have_text("Session: no answer", timeout=25_000)


def test_text_of_others_is_shown_as_text(chromium: Page, session: RunningSession, hub: AnsweringHub) -> None:
    bad = "<img src=x onerror=document.title='owned'>"
    hub.usage["GET /quota"] = usage.quota(
        project_title=bad, problem=bad, warnings=[{"id": "1", "level": "danger", "text": bad}]
    )
    hub.usage["POST /idle"] |= {"state": "warn", "text": bad}
    open_lab(chromium, session)
    expect(panel(chromium)).to_contain_text(bad)
    expect(toast(chromium, "onerror")).to_be_visible()
    assert chromium.locator("img[src=x]").count() == 0
    assert chromium.title() != "owned"
