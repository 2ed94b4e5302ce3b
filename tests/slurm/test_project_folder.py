"""The folder of a project in an embedded run: what one member's session saves there, another's reads and changes."""

from __future__ import annotations

import pytest

from fabric_hub.gateway.client import GatewayClient
from fabric_hub.projects.folders import folder
from fabric_hub.slurm.storage import StorageAnswer
from tests.support.embedded_run import ROOT, EmbeddedRun
from tests.support.person import Person
from tests.support.waiting import until

pytestmark = [
    pytest.mark.slurm,
    pytest.mark.long,
    pytest.mark.skipif(not ROOT, reason="folders keep people out by their accounts, which only root makes"),
]

WRITE = """
import os
from pathlib import Path
os.umask(0o077)
place = Path.home() / "projects" / "proteins"
(place / "results").mkdir()
(place / "results" / "note.txt").write_text("from one session")
print(os.environ["FABRIC_PROJECT_FOLDER"], place.resolve() == Path(os.environ["FABRIC_PROJECT_FOLDER"]))
"""
READ = """
from pathlib import Path
note = Path.home() / "projects" / "proteins" / "results" / "note.txt"
print(note.read_text(), note.owner() != Path.home().owner())
note.write_text("changed by another")
"""


def member(run: EmbeddedRun, name: str) -> Person:
    return Person(run.address, name, run.logins[name], run.token(name))


async def test_a_session_writes_in_the_projects_folder_and_another_members_session_reads_it(
    embedded_hub: EmbeddedRun,
) -> None:
    run = embedded_hub
    place = folder(run.settings, "proteins")
    assert place is not None
    until(
        lambda: run.as_user("researcher", "ls", str(place)).returncode == 0,
        "the gateway has let the project's people in", 60, seen=run.logs,
    )  # fmt: skip
    refused = run.as_user("student1", "ls", str(place))
    assert "Permission denied" in refused.stderr

    people = [member(run, name) for name in ("researcher", "trainer")]
    try:
        for one in people:
            one.start("folder", project="proteins", profile="cpu", image="base")
        for one in people:
            one.until_ready("folder")
        researcher, trainer = people
        assert researcher.run_cell(WRITE, "folder").strip() == f"{place} True"
        assert trainer.run_cell(READ, "folder").strip() == "from one session True"
        # the file browser of the first session, through the link in the home directory
        contents = f"{run.address}/user/researcher/folder/api/contents/projects/proteins/results"
        header = {"Authorization": str(researcher.api.headers["Authorization"])}
        seen = researcher.browser.get(f"{contents}/note.txt", headers=header)
        assert seen.json()["content"] == "changed by another"
        saved = researcher.browser.put(
            f"{contents}/table.csv", headers=header, json={"type": "file", "format": "text", "content": "a,b"}
        )
        assert saved.status_code == 201
        assert run.as_user("staff", "sh", "-c", f"cat {place}/results/table.csv; echo c >> {place}/results/table.csv")
        assert (place / "results" / "table.csv").read_text() == "a,bc\n"
    finally:
        for one in people:
            one.stop("folder")
            one.close()
    assert run.as_user("student1", "cat", f"{place}/results/note.txt").returncode != 0

    async with GatewayClient(run.settings.gateway.socket) as gateway:
        answer: StorageAnswer = await gateway.storage("trainer")
    told = {quota.project: quota for quota in answer.quotas if quota.path.startswith(str(place.parent))}
    assert told.keys() == {"proteins", "ml-course"}
    assert told["proteins"].path == str(place)
    assert not told["proteins"].problem
