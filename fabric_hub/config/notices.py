"""The part of the site's file that says by what way people are told of what; :mod:`.settings` reads it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from fabric_hub.types import Frozen

NoticeKind = Literal["project-end", "budget", "storage", "stop", "dataset"]


class NoticesSettings(Frozen):
    """What people are told, and by what way. All of it stands on their page "What I was told"; the kinds are
    `project-end` (a project's end, 90, 30 and 7 days before, and when it moves), `budget`, `storage`, `stop` (an
    operator ends a session) and `dataset` (a request for one is answered)."""

    mail: tuple[NoticeKind, ...] = Field(
        default=("project-end", "budget", "storage", "stop", "dataset"),
        description="The kinds that go by mail, too, to who has not turned mail off; needs mail.address.",
    )
    hook: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        default=(),
        description="A program of the site's own and its arguments, run as the hub's user for each notice (JSON on "
        "standard input): chat, text messages. No shell. Status 0: it has it; another: it is run again later.",
    )
    hook_kinds: tuple[NoticeKind, ...] = Field(
        default=("project-end", "budget", "storage", "stop", "dataset"), description="The kinds that the hook is told."
    )
    hook_timeout_s: float = Field(default=20.0, gt=0, le=600, description="When the hook is killed.")
    give_up_days: float = Field(
        default=3.0,
        gt=0,
        le=30,
        description="What could not be sent for so long is not sent any more; operators see it on their page.",
    )
    keep_days: int = Field(default=400, ge=30, le=3650, description="How long people read what they were told.")
