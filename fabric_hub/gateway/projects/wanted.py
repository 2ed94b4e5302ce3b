"""Which accounts there should be in Slurm for the projects that the catalogue service keeps. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import NamedTuple

from fabric_hub.config.settings import Project
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import slurm_projects as texts
from fabric_hub.projects.membership import closed, people
from fabric_hub.slurm.associations import NO_LIMIT

# A name as SlurmName has it: what stands in an argument of sacctmgr's.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@:+-]{0,63}")


class Wanted(NamedTuple):
    """An account as its projects want it.

    :ivar projects: whose it is, by name.
    :ivar is_open: whether one of them is open today.
    :ivar gpu_minutes: what they may ever use together.
    :ivar people: Unix account to hub user, of all who may start sessions in one of them that is open.
    """

    projects: tuple[str, ...]
    is_open: bool
    gpu_minutes: int
    people: Mapping[str, str]


class AllWanted(NamedTuple):
    """What there should be, and who cannot be in it."""

    accounts: Mapping[str, Wanted]
    problems: tuple[Text, ...]


def wanted(projects: Mapping[str, Project], unix_name: Callable[[str], str], today: date) -> AllWanted:
    """The accounts of these projects, by name.

    An account of several projects is open while one of them is, for the people of those that are, and their budgets
    add up. A closed project's people stay who they are: its account is closed as a whole.

    :param unix_name: the Unix account of a hub user.
    """
    accounts: dict[str, list[tuple[str, Project]]] = {}
    for name, project in sorted(projects.items()):
        accounts.setdefault(project.account, []).append((name, project))
    problems: list[Text] = []
    made: dict[str, Wanted] = {}
    for account, theirs in accounts.items():
        openly = [(name, project) for name, project in theirs if not closed(project, today)]
        whose: dict[str, str] = {}
        for name, project in openly or theirs:
            for user in people(project):
                unix = unix_name(user)
                if _NAME.fullmatch(unix):
                    whose[unix] = user
                else:
                    problems.append(texts.NO_NAME(user=user, project=name, account=unix))
        budgets = [project.budget_gpu_hours for _, project in theirs]
        hours = None if None in budgets else sum(budget or 0.0 for budget in budgets)
        made[account] = Wanted(
            projects=tuple(name for name, _ in theirs),
            is_open=bool(openly),
            gpu_minutes=NO_LIMIT if hours is None else round(hours * 60),
            people=whose,
        )
    return AllWanted(made, tuple(problems))
