"""The part of the site's file that says how its support hears of a problem; :mod:`.settings` reads it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from fabric_hub.messages.texts import site_file as texts
from fabric_hub.types import AbsolutePath, Frozen, said

from .site import Email

HostName = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9.:-]{0,252})$"),
    said("the name or address of a machine", "mail.example.org"),
]


PersonAddress = Annotated[
    str,
    Field(pattern=r"^(?:(?:[A-Za-z0-9._+-]|\{user\}){1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)?$"),
    said("an e-mail address in which {user} stands for a person's name", "{user}@example.org"),
]


class MailSettings(Frozen):
    """The mail server that takes the hub's mail to ``site.support_email``, and to people where ``address`` is set."""

    host: HostName = Field(description="Its name, as its certificate has it.")
    port: int = Field(default=587, ge=1, le=65535, description="587 or 25.")
    starttls: bool = Field(
        default=True, description="Encrypt the connection (STARTTLS) and check the server's certificate."
    )
    sender: Email = Field(min_length=1, description="The address that the mail is from.")
    user: str = Field(default="", max_length=200, description="The name to log in with; empty: no login.")
    password_file: AbsolutePath | None = Field(
        default=None, description="A file with its password, which the hub's account alone can read (mode 0600)."
    )
    timeout_s: float = Field(default=30.0, gt=0, le=300, description="When the server counts as silent.")
    address: PersonAddress = Field(
        default="",
        description="A person's own address: {user} is their name at the hub. Empty: people get no mail, and read what "
        "they are told at the hub.",
    )

    @model_validator(mode="after")
    def _login(self) -> MailSettings:
        if bool(self.user) != bool(self.password_file):
            raise ValueError(texts.MAIL_LOGIN())
        if self.user and not self.starttls:
            raise ValueError(texts.MAIL_IN_CLEAR())
        return self


class ReportsSettings(Frozen):
    """Problems that people report: how many, how long they are kept, and who is told."""

    hook: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        default=(),
        description="A program of the site's own and its arguments, run as the hub's user for each report (JSON on "
        "standard input), in place of mail: a ticket system. No shell. Status 0: it has the report; another: it is "
        "run again later.",
    )
    hook_timeout_s: float = Field(default=30.0, gt=0, le=600, description="When the hook is killed.")
    most_per_hour: int = Field(default=5, ge=1, le=100, description="Reports of one person in an hour.")
    keep_days: int = Field(
        default=90, ge=1, le=3650, description="How long a report is on record; operators read it until then."
    )
