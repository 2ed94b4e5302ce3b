"""Sessions as processes of the hub's own machine, where everybody shares its account, and without internal TLS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support.small_site import PEOPLE, SmallSite
from tests.support.waiting import until

pytestmark = [pytest.mark.hub, pytest.mark.image]

LOCAL = {"title": "This machine", "kind": "local"}


@pytest.fixture(scope="module")
def local_site(sandbox: Path, images: Path) -> Iterator[SmallSite]:
    homes = sandbox / "local-homes"
    for name in PEOPLE:
        (homes / name).mkdir(parents=True)
    with SmallSite(
        sandbox / "local",
        users={"shared_account": True, "home": f"{homes}/{{user}}"},
        images={"dir": images},
        hub={"internal_ssl": False},
        profile={"local": LOCAL},
    ) as site:
        yield site


def _launchers(home: Path) -> list[int]:
    """The sessions' processes that were started in a home directory."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if (
                entry.name.isdecimal()
                and (entry / "cwd").readlink() == home
                and b"fabric_lab.launch" in (entry / "cmdline").read_bytes()
            ):
                found.append(int(entry.name))
    return found


def test_a_local_session_starts_opens_and_stops(local_site: SmallSite, sandbox: Path) -> None:
    person = local_site.somebody()
    home = sandbox / "local-homes" / person.name
    asked: dict[str, Any] = {"project": "twin", "profile": "local", "image": "base", "hours": 1.0, "datasets": []}
    person.start(**asked)
    assert person.until_ready()["user_options"] == asked
    assert local_site.requests_of(person) == [], "no job"
    (process,) = _launchers(home)
    environment = (Path("/proc") / str(process) / "environ").read_bytes()
    assert b"CONFIGPROXY_AUTH_TOKEN" not in environment, "the hub's secrets stay in the hub"
    opened = person.log_in().browser.get(f"/user/{person.name}/lab")
    assert "JupyterLab" in opened.text
    assert person.stop().status_code in (202, 204)
    until(lambda: not _launchers(home), "the process is gone")


def test_an_image_that_is_not_built_is_named(local_site: SmallSite) -> None:
    person = local_site.somebody()
    answer = person.start(profile="local", image="pytorch")
    assert answer.status_code == 424
    assert (
        "Image pytorch is not built on this hub. Tell the operator: fabric-hub images build pytorch."
        in (answer.json()["message"])
    )
