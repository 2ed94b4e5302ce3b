"""Datasets at a start: what is known of them, agreements that are accepted with it, and refusals for the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import object_session

from fabric_hub.datasets.model import Acceptance
from fabric_hub.datasets.policy import ACCEPT_SCOPE, DatasetRefusedError, State
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import starts as texts

from .runtime import HubRuntime


def in_person(handler: Any, user: str) -> bool:
    """Whether a request is the person's own, by login or token; not an operator's, a service's or a session's.

    :param handler: the request's handler in JupyterHub, or None where the hub itself starts a server.
    """
    caller = getattr(handler, "current_user", None)
    if caller is None or getattr(caller, "kind", "") != "user" or caller.name != user:
        return False
    return ACCEPT_SCOPE in getattr(handler, "expanded_scopes", ())


def forget(orm_spawner: Any) -> None:
    """JupyterHub starts again with the options of last time: what was accepted then is not accepted anew."""
    kept = orm_spawner.user_options or {}
    if "agreements" in kept:
        orm_spawner.user_options = {name: value for name, value in kept.items() if name != "agreements"}
        session = object_session(orm_spawner)
        assert session is not None  # it was read from it
        session.commit()


async def record(shared: HubRuntime, found: Sequence[Acceptance], *, by_person: bool) -> None:
    """Have the catalogue service record what was accepted with a start; the nodes know of it when this returns.

    :param by_person: see :func:`in_person`.
    :raises FabricError: somebody else accepts, or the catalogue service refuses or does not answer.
    """
    if not found:
        return
    if not by_person:
        raise DatasetRefusedError(
            texts.IN_PERSON(user=found[0].user, dataset=found[0].dataset),
            dataset=found[0].dataset,
            project=found[0].project,
            why=State.AGREEMENT,
        )
    assert shared.catalogue_service is not None
    for one in found:
        await shared.catalogue_service.accept(one.user, one.project, one.dataset, one.agreement, one.purpose)


def tell_refusal(shared: HubRuntime, user: str, error: FabricError) -> None:
    """Let the catalogue service put a refused dataset in the audit log; the start's answer does not wait for it."""
    if isinstance(error, DatasetRefusedError) and shared.catalogue_service is not None:
        shared.spawn(
            shared.catalogue_service.event(
                "denied", user=user, project=error.project, dataset=error.dataset, why=error.why
            )
        )
