"""Sessions as processes of the hub's own machine, where everybody shares its account, and without internal TLS."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .person import words
from .small_site import SmallSite
from .waiting import until

pytestmark = [pytest.mark.hub, pytest.mark.image]

LOCAL = {"title": "This machine", "kind": "local"}


@pytest.fixture
def local_site(new_site: Callable[..., SmallSite], images: Path, tmp_path: Path) -> SmallSite:
    (tmp_path / "homes").mkdir()
    for number in range(1, 61):
        (tmp_path / "homes" / f"person{number:02}").mkdir()
    return new_site(
        users={"shared_account": True, "home": f"{tmp_path}/homes/{{user}}"},
        images={"dir": images},
        hub={"internal_ssl": False},
        profile={"local": LOCAL},
        login={},
    )


def _processes_below(home: Path) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                if (entry / "cwd").readlink().is_relative_to(home):
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def test_a_local_session_starts_opens_and_stops(local_site: SmallSite, tmp_path: Path) -> None:
    person = local_site.somebody()
    home = tmp_path / "homes" / person.name
    asked: dict[str, Any] = {"project": "twin", "profile": "local", "image": "base", "hours": 1.0, "datasets": []}
    person.start(**asked)
    assert person.until_ready()["user_options"] == asked
    assert local_site.requests_of(person) == [], "no job"
    (process,) = _processes_below(home)
    environment = (Path("/proc") / str(process) / "environ").read_bytes()
    assert b"CONFIGPROXY_AUTH_TOKEN" not in environment, "the hub's secrets stay in the hub"
    opened = person.log_in().browser.get(f"/user/{person.name}/lab")
    assert "JupyterLab" in opened.text
    assert person.stop().status_code in (202, 204)
    until(lambda: not _processes_below(home), "the process is gone")
    page = person.browser.get(f"/hub/user/{person.name}/")
    assert "failed" not in words(page)
    assert not os.path.exists(f"/proc/{process}")


def test_an_image_that_is_not_built_is_named(local_site: SmallSite) -> None:
    person = local_site.somebody()
    answer = person.start(profile="local", image="pytorch")
    assert answer.status_code == 424
    assert (
        "Image pytorch is not built on this hub. Tell the operator: fabric-hub images build pytorch."
        in (answer.json()["message"])
    )
