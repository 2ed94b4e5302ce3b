"""Doctor says when hub and gateway cannot read the projects that the catalogue service keeps, and what to do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fabric_hub.cli import kept_projects
from fabric_hub.cli.findings import Finding
from fabric_hub.config.settings import Members, Project, Settings
from tests.support.kept_projects import KeptProjects, publish

WAVES = Project(account="fh-waves", members=Members(member=("mia",)))


@pytest.fixture
def kept(catalogue_site: Settings, tmp_path: Path) -> KeptProjects:
    return KeptProjects(catalogue_site, tmp_path)


def told(kept: KeptProjects) -> Finding:
    (finding,) = kept_projects.of_site(kept.settings)
    return finding


def test_a_site_without_a_catalogue_service_is_asked_nothing(site: Settings) -> None:
    assert list(kept_projects.of_site(site)) == []


def test_a_file_that_is_missing_wrong_or_right_is_told(kept: KeptProjects) -> None:
    missing = told(kept)
    words = "is not there: until it is, hub and gateway know the projects of the site's file only"
    assert missing.about.code == "kept-projects-file-missing"
    assert (missing.state, str(missing.about)) == ("PROBLEM", f"{kept.path} {words}")
    assert "systemctl restart fabric-catalogue" in str(missing.remedy)
    assert "journalctl --unit=fabric-catalogue" in str(missing.remedy)
    kept.path.write_text("[]")
    wrong = told(kept)
    assert (wrong.state, wrong.about.code) == ("PROBLEM", "kept-projects-file-wrong")
    assert str(wrong.about).endswith("site's file only: its format is None, not 1")
    assert "catalogue.account must be its owner, fabric-catalogue" in str(wrong.remedy)
    publish(kept.path, 1, waves=WAVES)
    right = told(kept)
    said = f"the catalogue service keeps 1 project, which hub and gateway may read ({kept.path})"
    assert (right.state, str(right.about), right.about.code) == ("OK", said, "kept-projects-readable")
    publish(kept.path, 2, waves=WAVES, tides=WAVES)
    assert str(told(kept).about).startswith("the catalogue service keeps 2 projects, which hub and gateway may read (")


def test_who_may_not_enter_the_directory_is_told_to_ask_as_root(
    kept: KeptProjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> bool:
        raise PermissionError

    monkeypatch.setattr(kept_projects, "readable_for_hub", refused)
    finding = told(kept)
    assert (finding.state, finding.about.params["what"].code) == ("SKIPPED", "kept-projects-file")
    assert f"the projects that the catalogue service keeps ({kept.path})" in str(finding.about)


@pytest.mark.root
def test_a_file_that_the_hubs_group_may_not_read_is_a_problem(kept: KeptProjects, tmp_path: Path) -> None:
    """As on a site: the catalogue service's directory has the hub's group, and so has what is published in it."""
    group = 54321
    directory = kept.path.parent / "run"
    directory.mkdir()
    state = tmp_path / "state"
    state.mkdir()
    os.chown(state, 54320, group)
    os.chown(directory, 0, group)
    directory.chmod(0o2750)
    file = directory / "projects.json"
    publish(file, 1, waves=WAVES)
    assert kept_projects.readable_for_hub(file, state)
    os.chown(file, 0, 0)
    assert not kept_projects.readable_for_hub(file, state)
    os.chown(file, 0, group)
    file.chmod(0o600)
    assert not kept_projects.readable_for_hub(file, state)
    file.chmod(0o640)
    directory.chmod(0o2700)
    assert not kept_projects.readable_for_hub(file, state)
    catalogue = kept.settings.catalogue
    assert catalogue is not None
    own = catalogue.model_copy(update={"socket": directory / "catalogue.sock"})
    hubs = kept.settings.hub.model_copy(update={"state_dir": state})
    closed = KeptProjects(kept.settings.model_copy(update={"catalogue": own, "hub": hubs}), directory)
    finding = told(closed)
    assert (finding.state, finding.about.code) == ("PROBLEM", "kept-projects-file-closed")
    assert f"{directory} must have mode 2750, owner fabric-catalogue and the hub's group" in str(finding.remedy)
