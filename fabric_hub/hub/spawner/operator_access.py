"""How an operator gets into somebody else's session where the site allows it: for one session, for an hour, on record.

An operator has no right to open sessions (:mod:`fabric_hub.hub.patches.operators`). Each time they get one of
JupyterHub's shares, for that server alone. It ends with the session: the next one of that name is opened anew.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, Final

from jupyterhub import orm
from jupyterhub.utils import utcnow

# How long an operator who has opened a session may come back to it; what a session was told of them lasts for five
# minutes more at the most.
OPEN_S: Final = 3600.0


def open_for(db: Any, spawner: Any, operator: Any) -> None:
    """Let an operator into a server for an hour.

    :param db: JupyterHub's database; ``spawner`` and ``operator`` are its own records.
    """
    known = orm.Share.find(db, spawner, operator)
    if known is not None and known.expires_at is None:
        return  # its person has shared it with them
    share = orm.Share.grant(db, spawner, operator)
    share.expires_at = utcnow(with_tz=False) + timedelta(seconds=OPEN_S)
    db.commit()
    # JupyterHub itself looks once an hour
    asyncio.get_running_loop().call_later(OPEN_S + 1, orm.Share.purge_expired, db)


def close(db: Any, user: str, server: str) -> None:
    """Let no operator into a user's server any more who was let in."""
    shares = (
        db.query(orm.Share)
        .join(orm.Spawner, orm.Share.spawner_id == orm.Spawner.id)
        .join(orm.User, orm.Spawner.user_id == orm.User.id)
        .filter(orm.User.name == user, orm.Spawner.name == server, orm.Share.expires_at.is_not(None))
    )
    for share in shares.all():
        db.delete(share)
    db.commit()
