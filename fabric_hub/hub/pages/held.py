"""What pages say of sessions that this hub does not know to be its own. Reads our own record only."""

from __future__ import annotations

import logging
from typing import Any

from fabric_hub.errors import FabricError
from fabric_hub.hub.spawner.runtime import runtime
from fabric_hub.messages.text import Text, sentences
from fabric_hub.messages.texts import held as texts
from fabric_hub.sessions.held import Held, HeldSessions, Why

log = logging.getLogger(__name__)


def held(viewer: Any) -> tuple[Text, ...]:
    """What is said to who has logged in: of each such session of their own, and to an admin how many there are."""
    if viewer is None:
        return ()
    book = HeldSessions(runtime().store.engine)
    try:
        mine = tuple(said_of(one) for one in book.of(viewer.name))
        all_of_them = len(book.all()) if viewer.admin else 0
    except FabricError as error:
        log.warning("Nothing of sessions that are left alone is on a page: %s", error)
        return ()
    if not all_of_them:
        return mine
    told = texts.HELD(n=all_of_them)
    return (*mine, sentences(told, told.hint))


def said_of(one: Held) -> Text:
    """What the person whose session it is reads. Pure."""
    number = {"job": one.job_id}
    if one.why is Why.MANY:
        about = texts.UNSURE(**number)
    else:
        about = texts.RUNS(node=one.node, **number) if one.node else texts.WAITS(**number)
    return sentences(
        about,
        texts.UNTIL(ends=one.ends_at) if one.ends_at is not None else None,
        texts.CAN_RETURN() if one.openable or one.why is Why.MANY else texts.CANNOT_RETURN(),
        texts.END_YOURSELF(**number),
    )
