"""All pages of the hub that are ours, for JupyterHub's list of pages (:mod:`fabric_hub.hub.patches.handlers`)."""

from __future__ import annotations

from typing import Any

from fabric_hub.config.settings import Settings

from . import (
    accessibility,
    announcements,
    datasets,
    ended,
    home,
    invitations,
    language,
    month,
    notices,
    operate,
    operate_projects,
    operate_requests,
    projects,
    report,
    reports,
    requests,
    site,
    sooner,
    start_form,
    steward,
    stops,
    visits,
)


def pages(settings: Settings) -> list[tuple[Any, ...]]:
    """Each as (pattern below the hub's prefix, handler[, its arguments])."""
    anybodys = [*language.pages(), *accessibility.pages(), *ended.pages(), *site.pages(settings)]
    persons = [*home.pages(), *sooner.pages(), *datasets.pages(settings), *start_form.pages(), *projects.pages()]
    persons += [*requests.pages(), *visits.pages(), *report.pages(), *notices.pages(), *invitations.pages()]
    persons += steward.pages(settings)
    of_operators = [*operate.pages(), *stops.pages(), *announcements.pages(), *reports.pages(), *month.pages()]
    return [*anybodys, *persons, *of_operators, *operate_projects.pages(), *operate_requests.pages()]
