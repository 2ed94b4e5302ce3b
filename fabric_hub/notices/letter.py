"""A notice as a mail in its reader's language, with a calendar entry where it has a date. Pure.

No title and no name reaches a header but as one line of printable text, and the mail's policy takes no other.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from fabric_hub.config.settings import Settings
from fabric_hub.messages.reader import Reader, reading
from fabric_hub.messages.text import Reason
from fabric_hub.messages.texts import notices as texts

from .calendar import calendar, method_of
from .model import Kept, Kind

HEADINGS: dict[Kind, Reason] = {
    Kind.PROJECT_END: texts.HEADING_PROJECT_END,
    Kind.BUDGET: texts.HEADING_BUDGET,
    Kind.STORAGE: texts.HEADING_STORAGE,
    Kind.STOP: texts.HEADING_STOP,
    Kind.DATASET: texts.HEADING_DATASET,
    Kind.ASKED: texts.HEADING_DATASET,
}


def heading(notice: Kept) -> str:
    """What a notice is about, in a few words, in the reader's language: one line."""
    return one_line(HEADINGS[notice.kind](name=name_of(notice.subject)).say())


def name_of(subject: str) -> str:
    """What people call a subject: the name in it."""
    kind, _, rest = subject.partition(":")
    return rest.partition(":" if kind == "project" else "/")[0] if kind in ("project", "user", "dataset") else rest


def one_line(text: str, most: int = 150) -> str:
    """A text as one line of printable letters."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(plain.split())[:most]


def message_id(settings: Settings, key: str) -> str:
    """The same for the same notice: whoever gets it twice in spite of everything has one."""
    assert settings.mail is not None
    return f"<notice.{key[:40]}.{settings.hub.id}@{settings.mail.sender.rpartition('@')[2]}>"


def letter(settings: Settings, notice: Kept, address: str, reader: Reader, at: float) -> EmailMessage:
    """A notice as a mail.

    :param address: the person's.
    :param at: when it is sent (Unix seconds).
    """
    assert settings.mail is not None
    page = f"{(settings.hub.public_url or settings.hub.bind_url).rstrip('/')}/hub/notices"
    mail = EmailMessage(policy=SMTP)
    with reading(reader):
        title, said = heading(notice), notice.text.say()
        words = f"{said}\n\n-- \n{texts.FOOTER(site=settings.site.name, page=page).say()}\n"
        mail["Subject"] = one_line(f"[{settings.site.name}] {title}", 250)
    mail["From"], mail["To"] = settings.mail.sender, address
    mail["Date"] = format_datetime(datetime.fromtimestamp(at, UTC))
    mail["Message-ID"] = message_id(settings, notice.key)
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(words, cte="quoted-printable")
    if notice.entry is not None:
        told = calendar(notice.entry, title, said, settings.mail.sender, at)
        method = {"method": method_of(notice.entry)}
        mail.add_alternative(told, subtype="calendar", cte="base64", params=method)
    mail["Content-Language"] = reader.language  # of the whole: what stands before goes with the first part
    return mail
