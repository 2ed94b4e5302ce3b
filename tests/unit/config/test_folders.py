"""The section of the site's file that is about the projects' folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from fabric_hub.config.settings import parse
from fabric_hub.errors import FabricError
from fabric_hub.projects.folders import folder, service_accounts, shared_accounts, with_folder
from tests.support.builders import site_text

FOLDERS = '[folders]\ndirectory = "/projects"\n'
OWNED = '[project.{name}]\naccount = "a"\nservice_account = "{owner}"\nmembers.owner = ["{person}"]\n'


def owned(*projects: tuple[str, str, str]) -> str:
    return FOLDERS + "".join(OWNED.format(name=name, owner=owner, person=person) for name, owner, person in projects)


def test_a_project_with_a_service_account_has_a_folder_and_others_none(tmp_path: Path) -> None:
    site = parse(site_text(tmp_path, owned(("waves", "p-waves", "ann"))))
    assert with_folder(site).keys() == {"waves"}
    assert folder(site, "waves") == Path("/projects/waves")
    assert (folder(site, "physics"), folder(site, "nothing")) == (None, None)
    assert site.folder_environment == {"FABRIC_FOLDERS_DIR": "/projects"}
    without = parse(site_text(tmp_path))
    assert (with_folder(without), folder(without, "physics"), without.folder_environment) == ({}, None, {})


def test_a_service_account_of_two_projects_or_of_a_person_is_known(tmp_path: Path) -> None:
    site = parse(
        site_text(tmp_path, owned(("a", "p-a", "ann"), ("b", "p-b", "ann"), ("c", "p-b", "ann"), ("d", "ada", "ann")))
    )
    assert service_accounts(site) == {"p-a", "p-b", "ada"}
    assert shared_accounts(site) == {"p-b", "ada"}


def test_where_all_share_an_account_no_folder_keeps_anybody_out(tmp_path: Path) -> None:
    with pytest.raises(FabricError, match="a folder keeps people out by their accounts"):
        parse(site_text(tmp_path, FOLDERS + "[users]\nshared_account = true\n"))
