"""One mail over SMTP, and which failure means that it has certainly not arrived."""

from __future__ import annotations

import os
import smtplib
import ssl
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, localtime

from fabric_hub.config.settings import Settings
from fabric_hub.config.support import MailSettings
from fabric_hub.sessions.problems import ProblemReport


class NotSentError(Exception):
    """The mail has certainly not been taken."""


class ServerAwayError(NotSentError):
    """The server takes no mail at all now: any other one would fare the same."""


class RefusedError(NotSentError):
    """The server will never take this mail: nobody has that address, or it says so of the mail (5xx)."""


class PerhapsSentError(Exception):
    """The server had the whole mail, and did not say whether it takes it."""


def letter(settings: Settings, report: ProblemReport, text: str) -> EmailMessage:
    """A report as a mail. Pure but for the time. Nothing that a person wrote is in its headers.

    :param text: the report as people read it.
    """
    assert settings.mail is not None
    mail = EmailMessage(policy=SMTP)
    sender = settings.mail.sender
    mail["Subject"] = f"[{settings.site.name}] {report.reference}"
    mail["From"], mail["To"] = sender, settings.site.support_email
    mail["Date"] = format_datetime(localtime())
    # the same of the same report: whoever gets it twice in spite of everything has one
    mail["Message-ID"] = f"<{report.reference.lower()}.{settings.hub.id}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text)
    return mail


def send(settings: MailSettings, mail: EmailMessage, claim: Callable[[], bool]) -> bool:
    """Send a mail; blocks for as long as the server takes, at most a few times ``timeout_s``.

    :param claim: called right before the mail itself is handed over; False: it is not sent.
    :returns: whether the server has taken it.
    :raises NotSentError: it has not been taken; :class:`ServerAwayError` and :class:`RefusedError` say more.
    :raises PerhapsSentError: that is not known.
    """
    claimed = False
    try:
        password = _password(settings)
        with smtplib.SMTP(settings.host, settings.port, timeout=settings.timeout_s) as server:
            server.ehlo_or_helo_if_needed()
            if settings.starttls:
                server.starttls(context=ssl.create_default_context())
                server.ehlo_or_helo_if_needed()
            if settings.user:
                server.login(settings.user, password)
            for verb, address in ((server.mail, mail["From"]), (server.rcpt, mail["To"])):
                code, words = verb(str(address))
                if code not in (250, 251):
                    refused = RefusedError if verb == server.rcpt and 500 <= code < 600 else NotSentError
                    raise refused(f"{settings.host}: {code} {_words(words)}")
            if not claim():
                return False
            claimed = True
            code, words = server.data(mail.as_bytes())
            if code != 250:
                refused = RefusedError if 500 <= code < 600 else NotSentError
                raise refused(f"{settings.host} refused the mail: {code} {_words(words)}")
    except smtplib.SMTPServerDisconnected as error:
        _raise(settings, claimed, error)
    except smtplib.SMTPResponseException as error:
        raise ServerAwayError(f"{settings.host}: {error.smtp_code} {_words(error.smtp_error)}") from error
    except (OSError, smtplib.SMTPException) as error:
        _raise(settings, claimed, error)
    return True


def _raise(settings: MailSettings, claimed: bool, error: Exception) -> None:
    kind = PerhapsSentError if claimed else ServerAwayError
    raise kind(f"{settings.host}:{settings.port}: {error}") from error


def _words(words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return "".join(letter if letter.isprintable() else " " for letter in text)[:300]


def _password(settings: MailSettings) -> str:
    """The password, read each time: a site may change it.

    :raises NotSentError: others can read the file, or it is not there.
    """
    path = settings.password_file
    if path is None:
        return ""
    try:
        with path.open(encoding="utf-8") as file:
            status = os.fstat(file.fileno())
            if status.st_mode & 0o077:
                raise ServerAwayError(f"others can read {path}: chmod 600")
            return file.read(4096).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ServerAwayError(f"{path} cannot be read: {error}") from error
