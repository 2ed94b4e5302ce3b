"""Which projects have a folder, where it is, and whose. Pure."""

from __future__ import annotations

from pathlib import Path

from fabric_hub.config.settings import Project, Settings
from fabric_hub.unix.accounts import unix_name

from .membership import everybody


def with_folder(settings: Settings) -> dict[str, Project]:
    """The projects that have a folder, by name: those with a service account, where the site has folders."""
    if settings.folders is None:
        return {}
    return {name: project for name, project in settings.project.items() if project.service_account}


def folder(settings: Settings, project: str) -> Path | None:
    """Where a project's folder is; None: it has none."""
    found = settings.project.get(project)
    if settings.folders is None or found is None or not found.service_account:
        return None
    return settings.folders.directory / project


def service_accounts(settings: Settings) -> frozenset[str]:
    """The accounts that own projects' folders; no person's sessions run as one of them."""
    return frozenset(project.service_account for project in settings.project.values() if project.service_account)


def nobodys_accounts(settings: Settings) -> frozenset[str]:
    """The accounts that are no person's: those that own folders, and those of the site's pools, which are lent."""
    pools = settings.catalogue.pools.values() if settings.catalogue else ()
    return service_accounts(settings).union(*(pool.accounts for pool in pools))


def shared_accounts(settings: Settings) -> frozenset[str]:
    """Service accounts that are a person's, too, or another project's: who has one opens the folder to anybody."""
    owned = [project.service_account for project in settings.project.values() if project.service_account]
    people = {unix_name(settings.users, user) for user in everybody(settings)}
    return frozenset(account for account in owned if account in people or owned.count(account) > 1)
