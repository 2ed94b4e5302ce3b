"""Rows of invitations within a transaction of the projects' store, which has raised the catalogue's serial."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import sqlalchemy as sa

from fabric_hub.config.spelling import ROLES
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import invitations as texts
from fabric_hub.projects.changes import InvitationChange, Invite, Withdraw
from fabric_hub.projects.invitations import Invitation, Source, Waiting, id_of

from .invitation_tables import invitations, invited

MOST_OPEN: Final = 100  # of a project: who takes the hub over fills no disk
WAITING, IN, REFUSED, REMOVED = "waiting", "in", "refused", "removed"
_NO_CLAIMS: Final = {"name": None, "organisation": None, "mail_domain": None}
_MADE_BY: Final = (*ROLES, "operator", "user")  # what stands before a name in `by`: project_policy.Asker.by

Row = dict[str, Any]


def changed(connection: sa.Connection, change: InvitationChange, by: str, now: float, today: date) -> Row | None:
    """Make a change; what the audit log says of it. None: it stood so already.

    :raises FabricError: it cannot be made.
    """
    if isinstance(change, Invite):
        return _made(connection, change, by, now, today)
    if isinstance(change, Withdraw):
        found = _first(connection, sa.select(invitations).where(invitations.c.id == change.invitation))
        if found is None or found["project"] != change.project:
            raise FabricError(texts.NO_SUCH_INVITATION(invitation=change.invitation, project=change.project))
        if found["withdrawn_at"] is not None:
            return None
        _withdraw(connection, [change.invitation], now)
        return {"invitation": change.invitation}
    gone = connection.execute(
        sa.update(invited)
        .where(invited.c.user == change.user, invited.c.state == WAITING, invited.c.invitation.in_(_of(change.project)))
        .values(state=REFUSED, **_NO_CLAIMS)
    )
    if not gone.rowcount:
        raise FabricError(texts.NOT_WAITING(user=change.user, project=change.project))
    return {}


def _made(connection: sa.Connection, change: Invite, by: str, now: float, today: date) -> Row:
    if change.until < today:
        raise FabricError(texts.OVER_ALREADY(until=change.until.isoformat()))
    if len(open_of(connection, change.project, today)) >= MOST_OPEN:
        raise FabricError(texts.TOO_MANY_OPEN(project=change.project, most=MOST_OPEN))
    about = {"role": change.role, "uses": change.uses, "until": change.until, "domain": change.domain}
    made = id_of(change.digest)
    if _first(connection, sa.select(invitations).where(invitations.c.id == made)) is not None:
        raise FabricError(texts.SAME_CODE())
    values = {"id": made, "digest": change.digest, "project": change.project, "used": 0, "by": by, "at": now}
    connection.execute(sa.insert(invitations).values(**values, **about))
    return {"invitation": made, **about, "until": change.until.isoformat()}


def of_digest(connection: sa.Connection, digest: str) -> Row | None:
    """The invitation of a code."""
    return _first(connection, sa.select(invitations).where(invitations.c.digest == digest))


def state_of(connection: sa.Connection, invitation: str, user: str) -> str | None:
    """What became of an invitation for somebody; None: nothing yet."""
    asked = sa.select(invited.c.state).where(invited.c.invitation == invitation, invited.c.user == user)
    return connection.execute(asked).scalar()


def use(connection: sa.Connection, invitation: str) -> bool:
    """Count one more who accepts. False: it allows no more."""
    table = invitations
    done = connection.execute(
        sa.update(table)
        .where(table.c.id == invitation, table.c.used < table.c.uses, table.c.withdrawn_at.is_(None))
        .values(used=table.c.used + 1)
    )
    return bool(done.rowcount)


def put(connection: sa.Connection, invitation: str, user: str, state: str, now: float, **claims: str | None) -> None:
    """Say what became of an invitation for somebody."""
    values = {"invitation": invitation, "user": user, "state": state, "at": now, **_NO_CLAIMS, **claims}
    mine = (invited.c.invitation == invitation, invited.c.user == user)
    connection.execute(sa.delete(invited).where(*mine))
    connection.execute(sa.insert(invited).values(**values))


def came(connection: sa.Connection, project: str, user: str, role: str) -> None:
    """Somebody has a role now: by an invitation for which they waited, if there is one."""
    connection.execute(
        sa.update(invited)
        .where(
            invited.c.user == user,
            invited.c.state == WAITING,
            invited.c.invitation.in_(_of(project).where(invitations.c.role == role)),
        )
        .values(state=IN, **_NO_CLAIMS)
    )


def left(connection: sa.Connection, project: str, user: str, lost: set[str], has: set[str], now: float) -> list[str]:
    """Somebody lost roles: they do not come back by what is open, and who is no owner any more has invited nobody.

    :param has: the roles that are left to them.
    :returns: which of their own invitations that withdrew.
    """
    today = date.fromtimestamp(now)  # noqa: DTZ012 - a last day is a day of this site
    still = open_of(connection, project, today)
    for one in still:
        if one["role"] in lost or not has:
            put(connection, one["id"], user, REMOVED, now)
    # of what is used up or over, too: it does not say any more how they came in
    past = sa.update(invited).where(invited.c.user == user, invited.c.state.in_((IN, WAITING)))
    of_roles = _of(project).where(invitations.c.role.in_(lost)) if has else _of(project)
    connection.execute(past.where(invited.c.invitation.in_(of_roles)).values(state=REMOVED, **_NO_CLAIMS))
    mine = [one["id"] for one in still if "owner" not in has and one["by"] in {f"{role} {user}" for role in _MADE_BY}]
    _withdraw(connection, mine, now)
    return mine


def withdraw_all(connection: sa.Connection, now: float) -> int:
    """Withdraw every invitation; how many those were."""
    table = invitations
    return connection.execute(sa.update(table).where(table.c.withdrawn_at.is_(None)).values(withdrawn_at=now)).rowcount


def withdraw_of(connection: sa.Connection, names: list[str], now: float) -> int:
    """Withdraw what these people have invited to, in whatever role they did it; to how many invitations."""
    table, by = invitations, [f"{role} {name}" for name in names for role in (*ROLES, "operator")]
    withdrawn = sa.update(table).where(table.c.by.in_(by), table.c.withdrawn_at.is_(None)).values(withdrawn_at=now)
    return connection.execute(withdrawn).rowcount


def open_of(connection: sa.Connection, project: str, today: date) -> list[Row]:
    """The invitations of a project that can still be accepted, the oldest first."""
    table = invitations
    asked = sa.select(table).where(
        table.c.project == project, table.c.withdrawn_at.is_(None), table.c.until >= today, table.c.used < table.c.uses
    )
    return [dict(row) for row in connection.execute(asked.order_by(table.c.at, table.c.id)).mappings()]


def shown(row: Row) -> Invitation:
    """An invitation as those see it who answer for the project."""
    return Invitation(**{field: row[field] for field in Invitation.model_fields})


def waiting_of(connection: sa.Connection, project: str) -> tuple[Waiting, ...]:
    """Who waits in a project, the longest first."""
    asked = (
        sa.select(invited, invitations.c.role, invitations.c.by)
        .join(invitations, invitations.c.id == invited.c.invitation)
        .where(invitations.c.project == project, invited.c.state == WAITING)
        .order_by(invited.c.at, invited.c.user)
    )
    found = connection.execute(asked).mappings()
    return tuple(Waiting(**{field: row[field] for field in Waiting.model_fields}) for row in found)


def sources(connection: sa.Connection, project: str, people: tuple[Row, ...]) -> tuple[Source, ...]:
    """Where the people of a project come from.

    :param people: user, role, since and by of each.
    """
    asked = (
        sa.select(invited.c.user, invitations.c.role)
        .join(invitations, invitations.c.id == invited.c.invitation)
        .where(invitations.c.project == project, invited.c.state == IN)
    )
    by_invitation = {(row.user, row.role) for row in connection.execute(asked)}
    return tuple(Source(**one, invited=(one["user"], one["role"]) in by_invitation) for one in people)


def _of(project: str) -> sa.Select[Any]:
    return sa.select(invitations.c.id).where(invitations.c.project == project)


def _withdraw(connection: sa.Connection, ids: list[str], now: float) -> None:
    if ids:
        connection.execute(sa.update(invitations).where(invitations.c.id.in_(ids)).values(withdrawn_at=now))


def _first(connection: sa.Connection, asked: sa.Select[Any]) -> Row | None:
    found = connection.execute(asked).mappings().first()
    return dict(found) if found is not None else None
