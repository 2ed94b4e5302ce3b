"""Who is told what: from warnings, dates, operators' orders and requests for datasets to notices. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from fabric_hub.budgets.schemas import Warned
from fabric_hub.config.settings import Project, Settings
from fabric_hub.datasets.model import AccessRequest, Catalogue
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import notices as texts
from fabric_hub.projects.membership import people, warned_to
from fabric_hub.sessions.names import DEFAULT
from fabric_hub.sessions.stops import Stop
from fabric_hub.sessions.store import Session

from .model import Dated, Kept, Kind, KnownDate, Notice

_OF_PROJECT = "project:"


def of_warnings(settings: Settings, in_force: Iterable[Warned]) -> list[Notice]:
    """What people are told of the warnings in force: of a project's end everybody in it, of its budget and its storage
    who owns it, of their own the user."""
    found = []
    for warned in in_force:
        kind = _kind_of(warned)
        project = settings.project.get(_project_of(warned.subject) or "")
        dated = None
        if kind is Kind.PROJECT_END:
            if project is None or project.end is None:
                continue
            dated = Dated(moment=project.end.isoformat())
        for person in _told(kind, warned.subject, project):
            text = warned_to(person, settings, warned.subject, warned.text)
            occasion = f"{warned.id}@{warned.since:.0f}"
            told: dict[str, Any] = {"kind": kind, "person": person, "subject": warned.subject, "occasion": occasion}
            found.append(Notice(text=text, dated=dated, **told))
    return found


def _kind_of(warned: Warned) -> Kind:
    kind, _, rest = warned.subject.partition(":")
    if warned.id.removeprefix(f"{warned.subject}#").startswith("end-"):
        return Kind.PROJECT_END
    return Kind.STORAGE if kind == "storage" or (kind == "project" and ":" in rest) else Kind.BUDGET


def _project_of(subject: str) -> str | None:
    return subject.removeprefix(_OF_PROJECT).partition(":")[0] if subject.startswith(_OF_PROJECT) else None


def _told(kind: Kind, subject: str, project: Project | None) -> tuple[str, ...]:
    kind_of_subject, _, rest = subject.partition(":")
    if kind_of_subject == "project":
        if project is None:
            return ()
        return people(project) if kind is Kind.PROJECT_END else project.members.owner
    return (rest.partition("/")[2] if kind_of_subject == "user" else rest.partition(":")[0],)


def of_dates(settings: Settings, known: Iterable[KnownDate], today: date) -> list[Notice]:
    """What people are told of ends of projects that are not as their calendars have them. A day that is over stays
    there, unless the project goes on.

    Only to be asked when all projects are known.
    """
    found = []
    for one in known:
        name = _project_of(one.subject)
        if name is None:
            continue
        project = settings.project.get(name)
        goes_on = project is not None and (project.end is None or project.end >= today)
        if date.fromisoformat(one.moment) < today and not (goes_on and project and one.person in people(project)):
            continue
        title = (project.title if project else "") or name
        if project is None or one.person not in people(project):
            # of a project that they are not in people learn nothing: its name as they knew it
            change, text = Dated(moment=one.moment, gone=True), texts.END_NOT_YOURS(project=name)
        elif project.end is None:
            change, text = Dated(moment=one.moment, gone=True), texts.END_GONE(project=title)
        elif project.end.isoformat() != one.moment:
            change = Dated(moment=project.end.isoformat())
            text = texts.END_MOVED(project=title, day=change.moment)
        else:
            continue
        # an end may come back to a day that it had before: which change it is tells them apart
        told: dict[str, Any] = {"kind": Kind.PROJECT_END, "person": one.person, "subject": one.subject}
        found.append(Notice(occasion=f"change {one.sequence + 1}", text=text, dated=change, **told))
    return found


def of_stops(orders: Iterable[tuple[Stop, Session]]) -> list[Notice]:
    """What people are told of operators' orders to end their sessions, and of those that were taken back.

    :param orders: each with its session, in any order.
    """
    known = sorted(orders, key=lambda one: one[0].ordered_at)
    last = {stop.session: stop for stop, _ in known}  # one that gave way to another lets no session go on
    found = []
    for stop, session in known:
        name = session.server_name or DEFAULT
        told: dict[str, Any] = {"kind": Kind.STOP, "person": session.user, "subject": f"session:{session.id}"}
        at_once = stop.due_at <= stop.ordered_at
        moment = datetime.fromtimestamp(int(stop.due_at), UTC).isoformat()
        ordered = Notice(
            occasion=f"{stop.ordered_at:.3f}",
            text=(texts.STOPPED if at_once else texts.STOPS)(session=name, at=stop.due_at, why=stop.reason),
            dated=None if at_once else Dated(moment=moment),
            **told,
        )
        if stop.withdrawn_at is None:
            found.append(ordered)
        elif stop is last[stop.session]:
            text, gone = texts.GOES_ON(session=name), Dated(moment=moment, gone=True)
            occasion = f"withdrawn {stop.withdrawn_at:.3f}"
            found.append(Notice(occasion=occasion, text=text, dated=gone, after=ordered.key, **told))
    return found


def of_requests(catalogue: Catalogue) -> list[Notice]:
    """The open requests for datasets, each as its person's own."""
    return [
        Notice(
            kind=Kind.ASKED,
            person=request.user,
            subject=_of_request(request.dataset, request.project),
            occasion=f"{request.at:.3f}",
            text=texts.ASKED(dataset=request.dataset, project=request.project, at=request.at),
        )
        for request in catalogue.requests
    ]


def of_answers(asked: Iterable[Kept], catalogue: Catalogue) -> list[Notice]:
    """What people are told who asked for datasets, once they were answered.

    :param asked: what is on record of their requests (:func:`of_requests`).
    """
    open_ = {_wish(one) for one in catalogue.requests}
    grants = {(one.dataset, one.project): one for one in catalogue.grants}
    declined = {(one.user, one.dataset, one.project): one for one in catalogue.declined}
    found = []
    for kept in asked:
        dataset, project = (str(kept.text.params.get(name, "")) for name in ("dataset", "project"))
        at, wish = float(kept.text.params.get("at") or 0.0), (kept.person, dataset, project)
        if wish in open_:
            continue
        grant, refused = grants.get((dataset, project)), declined.get(wish)
        text: Text | None = None
        named = {"dataset": dataset, "project": project}
        if grant is not None and grant.at >= at:
            text = texts.GRANTED_UNTIL(day=grant.until.isoformat(), **named) if grant.until else texts.GRANTED(**named)
        elif refused is not None and refused.at >= at:
            text = texts.DECLINED_WHY(why=refused.why, **named) if refused.why else texts.DECLINED(**named)
        if text is not None:
            told: dict[str, Any] = {
                "kind": Kind.DATASET,
                "person": kept.person,
                "subject": kept.subject,
                "after": kept.key,
            }
            found.append(Notice(occasion=f"{at:.3f}", text=text, **told))
    return found


def _of_request(dataset: str, project: str) -> str:
    return f"dataset:{dataset}/{project}"


def _wish(request: AccessRequest) -> tuple[str, str, str]:
    return request.user, request.dataset, request.project
