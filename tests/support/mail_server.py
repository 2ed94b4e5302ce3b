"""A mail server for one test: it speaks SMTP (RFC 5321) with STARTTLS and AUTH, and keeps what it takes."""

from __future__ import annotations

import base64
import socketserver
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any, Self


class MailServer:
    """Listens on a port of this machine while it is entered.

    :param certificate: its certificate and key, for STARTTLS; None: it offers none.
    :param port: where it listens; 0: anywhere.
    :ivar taken: the mails that it took, in order; ``envelopes`` their (sender, recipient).
    :ivar logins: (user, password) of who logged in, and whether that was within TLS.
    :ivar answer: what it says to the whole mail; "": it hangs up instead, once it has the mail.
    :ivar when: called with each word that it is given (``RCPT``, ``DATA``), and with ``taken`` before it
        says that it has a mail.
    :ivar greets: whether it is willing at all; else it refuses whoever comes (554).
    """

    def __init__(
        self, certificate: tuple[Path, Path] | None = None, login: tuple[str, str] | None = None, port: int = 0
    ) -> None:
        self.when: Callable[[str], object] = lambda _word: None
        self.taken: list[Message] = []
        self.envelopes: list[tuple[str, str]] = []
        self.logins: list[tuple[str, str, bool]] = []
        self.answer, self.greets, self.login = "250 taken", True, login
        self.context: ssl.SSLContext | None = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*certificate)
        owner = self

        class Handler(_Conversation):
            server_state = owner

        self._server = _Server(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True  # where one listened a moment ago
    daemon_threads = True


class _Conversation(socketserver.BaseRequestHandler):
    server_state: MailServer

    def handle(self) -> None:
        with suppress(ConnectionError, ssl.SSLError, _HungUpError):
            self._talk()

    def _talk(self) -> None:
        state, self.file, self.secure, self.known = self.server_state, self.request.makefile("rb"), False, False
        if not state.greets:
            self._say("554 no service")
            return
        self._say("220 mail.test ESMTP")
        sender = ""
        while True:
            line = self._line()
            verb, _, rest = line.partition(" ")
            state.when(verb.upper())
            match verb.upper():
                case "EHLO" | "HELO":
                    self._say(*self._greeting())
                case "STARTTLS" if state.context and not self.secure:
                    self._say("220 go on")
                    self.request = state.context.wrap_socket(self.request, server_side=True)
                    self.file, self.secure = self.request.makefile("rb"), True
                case "AUTH" if state.login:
                    self._log_in(rest)
                case "MAIL" if state.login is None or self.known:
                    sender = rest.partition("<")[2].partition(">")[0]
                    self._say("250 OK")
                case "RCPT":
                    self.recipient = rest.partition("<")[2].partition(">")[0]
                    self._say("250 OK")
                case "DATA":
                    self._take(sender)
                case "QUIT":
                    self._say("221 bye")
                    return
                case "RSET" | "NOOP":
                    self._say("250 OK")
                case _:
                    self._say("503 not now")

    def _greeting(self) -> list[str]:
        offers = ["mail.test", "8BITMIME"]
        if self.server_state.context and not self.secure:
            offers.append("STARTTLS")
        if self.server_state.login and self.secure:
            offers.append("AUTH PLAIN LOGIN")
        return [f"250{' ' if number == len(offers) - 1 else '-'}{offer}" for number, offer in enumerate(offers)]

    def _log_in(self, rest: str) -> None:
        _kind, _, told = rest.partition(" ")
        _, user, password = base64.b64decode(told).decode().split("\0")
        self.server_state.logins.append((user, password, self.secure))
        self.known = (user, password) == self.server_state.login
        self._say("235 welcome" if self.known else "535 no such login")

    def _take(self, sender: str) -> None:
        self._say("354 go on")
        lines = []
        while (line := self._line()) != ".":
            lines.append(line.removeprefix("."))
        state = self.server_state
        if not state.answer:
            self.request.close()
            self.file.close()
            raise _HungUpError
        if state.answer.startswith("250"):
            state.envelopes.append((sender, self.recipient))
            state.taken.append(message_from_bytes("\n".join(lines).encode()))
            state.when("taken")
        self._say(state.answer)

    def _line(self) -> str:
        line: Any = self.file.readline()
        if not line:
            raise _HungUpError
        return str(line.decode("utf-8").rstrip("\r\n"))

    def _say(self, *lines: str) -> None:
        self.request.sendall("".join(f"{line}\r\n" for line in lines).encode())


class _HungUpError(Exception):
    pass
