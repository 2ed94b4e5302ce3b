"""The side panels when they are narrow: what they say is to be read there, without a tooltip or scrolling sideways."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support import panel_usage as usage
from tests.support.answering_hub import AnsweringHub
from tests.support.chromium import faults, in_the_dark, open_lab
from tests.support.running_session import RunningSession

pytestmark = [
    pytest.mark.image,
    pytest.mark.browser,
    pytest.mark.timeout(600),
    pytest.mark.usefixtures("usage_known"),
]

CLUSTERS, USAGE = ".fabric-Clusters", ".fabric-Usage"
NAME = "wind-park-simulation-of-the-north-sea"
WORKER = {
    "name": "gpu-2",
    "title": "A GPU of the newest kind, for training",
    "cpus": 16,
    "memory_mb": 262144,
    "gpus": 1,
}
SAID = "A GPU of the newest kind, for training: 1 GPU, 16 CPUs, 256 GB each"
PATH = "/gpfs/projects/digital-twin-of-the-north-sea/shared/simulations_of_the_last_ten_years"

# What is wider than its place: text that is cut, or for which one would have to scroll. One line is only measured.
CUT = """panel => [...document.querySelectorAll(`${panel}, ${panel} *:not(.fabric-Clusters-line)`)]
  .filter(one => one.clientWidth > 0 && one.scrollWidth > one.clientWidth)
  .map(one => `${one.tagName} ${one.className}: ${one.textContent} (${one.scrollWidth} in ${one.clientWidth} px)`)"""
# The choices for which their closed lists have no room.
CUT_CHOICES = """panel => [...document.querySelectorAll(`${panel} select`)].filter(one => {
    const style = getComputedStyle(one);
    const pen = document.createElement('canvas').getContext('2d');
    pen.font = style.font;
    const room = one.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    return pen.measureText(one.selectedOptions[0].text).width > room;
  }).map(one => one.selectedOptions[0].text)"""

# How many lines the text of each takes.
LINES = """parts => Object.fromEntries([...document.querySelectorAll(parts)].map(one => {
    const text = document.createRange();
    text.selectNodeContents(one);
    return [one.textContent, text.getClientRects().length];
  }))"""


def make(page: Page, panel: str, width: int) -> None:
    """Give a panel a width, below that which JupyterLab stops at, too."""
    page.add_style_tag(content=f"{panel} {{ min-width: 0 !important; width: {width}px !important; }}")
    expect(page.locator(panel)).to_have_css("width", f"{width}px")


def test_the_clusters_are_told_in_full_in_a_narrow_panel(
    chromium: Page, session: RunningSession, hub: AnsweringHub
) -> None:
    assert session.get("fabric/clusters", method="POST", body={"name": NAME, "n_workers": 1})[0] == 201
    hub.clusters = {**hub.clusters, "profiles": [WORKER]}
    words = {"words": "2 GPU-hours per hour · can start now."}
    hub.usage["GET /clusters/quote?profile=gpu-2&workers=2"] = words
    open_lab(chromium, session)
    chromium.get_by_role("tab", name="Dask clusters").click(timeout=90_000)
    panel = chromium.locator(CLUSTERS)
    expect(panel).to_contain_text("1 worker ")
    panel.get_by_text("Each worker", exact=True).click()
    expect(panel.locator(".fabric-Cluster-workers").get_by_role("listitem")).to_contain_text(f"{NAME}-0")
    panel.get_by_text("New cluster").click()
    make(chromium, CLUSTERS, 240)
    whole = panel.locator(".fabric-Clusters-whole")
    expect(whole).to_have_text(SAID)
    expect(whole).to_be_visible()
    assert chromium.evaluate(CUT, CLUSTERS) == []
    assert chromium.evaluate(CUT_CHOICES, CLUSTERS) == [SAID], "it is written out below its list"
    assert faults(chromium, CLUSTERS) == []
    make(chromium, CLUSTERS, 600)
    expect(whole).to_have_count(0)
    assert chromium.evaluate(CUT_CHOICES, CLUSTERS) == []
    make(chromium, CLUSTERS, 240)
    in_the_dark(chromium)
    assert faults(chromium, CLUSTERS) == []
    session.get(f"fabric/clusters/{NAME}", method="POST", body={"verb": "close"})


def test_what_is_left_is_told_in_full_in_a_narrow_panel(
    chromium: Page, session: RunningSession, hub: AnsweringHub
) -> None:
    quota = usage.quota(project_title="The digital twin of the North Sea, second phase")
    quota["storage"][0] |= {"title": "Simulations_of_the_last_ten_years", "path": PATH}
    quota["warnings"] = [{"id": "1", "level": "danger", "text": f"Simulations ({PATH}) is 96% full by space."}]
    hub.usage["GET /quota"] = quota
    open_lab(chromium, session)
    chromium.get_by_role("button", name=re.compile("^Usage:")).click(timeout=90_000)
    panel = chromium.locator(USAGE)
    expect(panel).to_contain_text("81 GB of 100 GB used")
    panel.get_by_text("Each day", exact=True).click()
    make(chromium, USAGE, 240)
    assert chromium.evaluate(CUT, USAGE) == []
    assert chromium.evaluate(LINES, f"{USAGE}-name > :last-child") == {"40%": 1, "": 0, "81%": 1, "75%": 1}
