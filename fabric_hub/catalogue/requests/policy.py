"""Who may ask for a project or for more of one, and who may answer. Pure.

Anybody who has logged in may ask for a project, an owner for more of theirs: it gives nobody anything. An approval is
a change of projects, and held to the policy of those (:mod:`..project_policy`).
"""

from __future__ import annotations

import shlex
from datetime import date

from fabric_hub.catalogue.project_policy import Asker
from fabric_hub.config.settings import Project, Settings
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import project_changes
from fabric_hub.messages.texts import project_requests as texts
from fabric_hub.projects.membership import roles_of
from fabric_hub.projects.requests import Approval, Ask, AskMore, Request


def refusal_to_ask(
    ask: Ask,
    user: str,
    settings: Settings,
    project: Project | None,
    open_of_user: int,
    open_of_project: bool,
    today: date,
) -> Text | None:
    """Why somebody may not ask; None: they may.

    :param settings: of the site, as they are now.
    :param project: the one that more is asked for.
    :param open_of_user: how many requests of theirs are open.
    :param open_of_project: whether one for more of this project is.
    """
    assert settings.catalogue is not None
    most = settings.catalogue.requests_per_person
    if isinstance(ask, AskMore):
        roles = roles_of(project, user) if project else ()
        if project is None or not roles:
            return project_changes.NO_SUCH_PROJECT(project=ask.project)  # nobody learns another project's name
        if "owner" not in roles:
            return texts.NOT_OWNER(project=ask.project, owners=project.members.owner)
    elif settings.site.request_url:
        return texts.ELSEWHERE(url=settings.site.request_url)
    if most == 0:
        return texts.NOT_ASKED_HERE()
    if ask.until is not None and ask.until < today:
        return texts.DAY_OVER(until=ask.until.isoformat())
    if isinstance(ask, AskMore):
        assert project is not None
        if not _more(ask, project):
            return texts.NOTHING_ASKED(project=ask.project)
        if open_of_project:
            return texts.MORE_OPEN(project=ask.project)
    return texts.TOO_MANY(user=user, n=open_of_user, most=most) if open_of_user >= most else None


def _more(ask: AskMore, project: Project) -> bool:
    budget, end = project.budget_gpu_hours, project.end
    hours = ask.gpu_hours is not None and budget is not None and ask.gpu_hours > budget
    return hours or (ask.until is not None and end is not None and ask.until > end)


def refusal_to_answer(asker: Asker) -> Text | None:
    """Why somebody may not answer requests; None: they may."""
    return None if asker.operator or not asker.from_hub else texts.NOT_OPERATOR(user=asker.name)


def not_from_hub(request: Request, approval: Approval, told: Text) -> Text:
    """A refusal of a change that the hub may not make, with the command that answers the request instead."""
    if told.code != project_changes.NOT_FROM_HUB.code:
        return told
    because = told.params["because"]
    return texts.NOT_FROM_HUB(number=request.number, because=because, command=command(request, approval))


def command(request: Request, approval: Approval) -> str:
    """The command that approves a request so, as it can be pasted into a shell."""
    words = ["fabric-hub", "projects", "requests", "approve", str(request.number)]
    if request.kind == "project":
        words += ["--name", approval.name] if approval.name else []
        words += ["--title", approval.title] if approval.title not in (None, request.title) else []
        words += ["--kind", approval.kind] if approval.kind != "research" else []
        words += ["--account", approval.account] if approval.account else []
        words += [word for name in approval.profiles for word in ("--profile", name)]
        words += [word for name in approval.images for word in ("--image", name)]
    words += ["--budget", f"{approval.gpu_hours:.15g}"] if approval.gpu_hours is not None else []
    words += ["--end", approval.end.isoformat()] if approval.end else []
    return shlex.join(words)
