"""What people are told goes by mail and by the site's hook: each notice once, whatever happens to server and sender."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from email import policy
from email.message import EmailMessage, Message
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import pytest

from fabric_hub.config.settings import Settings
from fabric_hub.messages.text import verbatim
from fabric_hub.messages.texts import notices as texts
from fabric_hub.notices.book import NoticeBook
from fabric_hub.notices.letter import letter
from fabric_hub.notices.model import Channel, Dated, Kept, Kind, Notice, SendState, address_of, channels_of
from fabric_hub.service.tasks.courier import Courier
from fabric_hub.sessions.database import open_database
from fabric_hub.sessions.readers import ReaderBook
from tests.support.builders import NOW, a_site
from tests.support.mail_server import MailServer

MANY = 200


class Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


class Post:
    """An outbox whose clock stands still until somebody moves it, and its sender."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.clock = settings, Clock()
        self.engine = open_database(f"sqlite:///{settings.hub.state_dir}/sessions.sqlite")
        self.book = NoticeBook(self.engine)
        self.courier = Courier(settings, self.book, self.clock)

    def tell(self, *told: Notice) -> int:
        def channels(kind: Kind, person: str, wants_mail: bool) -> tuple[Channel, ...]:
            address = address_of(self.settings, person)
            return channels_of(self.settings, kind, wants_mail=wants_mail, address=address)

        return self.book.tell(told, channels, self.clock.now)

    def send(self, channel: Channel = Channel.MAIL) -> int:
        return asyncio.run(self.courier.send_all(channel))


def by_mail(directory: Path, port: int, more: str = "") -> Settings:
    site = '[site]\nsupport_email = "help@example.org"\n'
    mail = f'{site}[mail]\nhost = "127.0.0.1"\nport = {port}\nsender = "hub@example.org"\nstarttls = false\n'
    return a_site(directory, f'{mail}address = "{{user}}@example.org"\n{more}')


def of_end(person: str = "ada", day: str = "2026-12-31", project: str = "Physics", gone: bool = False) -> Notice:
    return Notice(
        kind=Kind.PROJECT_END,
        person=person,
        subject="project:physics",
        occasion=f"{day} {gone}",
        text=texts.END_GONE(project=project) if gone else texts.END_MOVED(project=project, day=day),
        dated=Dated(moment=day, gone=gone),
    )


def a_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def text_of(message: Message) -> str:
    return str(parsed(message).get_body(("plain",)).get_content())  # type: ignore[union-attr]


def parsed(message: Message) -> EmailMessage:
    return BytesParser(policy=policy.default).parsebytes(message.as_bytes())


def entry_of(message: Message) -> dict[str, str]:
    """The entry of a mail as a calendar reads it: lines unfolded, parameters apart."""
    [part] = [one for one in parsed(message).walk() if one.get_content_type() == "text/calendar"]
    lines = str(part.get_content()).replace("\r\n", "\n").replace("\n ", "").splitlines()
    found = {name.partition(";")[0]: value for name, _, value in (line.partition(":") for line in lines)}
    assert part.get_content_type() == "text/calendar"
    assert part["Content-Type"].params["method"] == found["METHOD"]
    return found


def test_two_hundred_mails_arrive_once_each_after_the_server_was_away_for_ten_minutes(tmp_path: Path) -> None:
    port = a_free_port()
    post = Post(by_mail(tmp_path, port))
    assert post.tell(*(of_end(f"p{number}") for number in range(MANY))) == MANY
    tried = 0
    for _ in range(20):  # ten minutes, every 30 s
        tried += post.send()
        post.clock.now += 30
    assert 1 < tried < 10  # what waits together is tried together
    with MailServer(port=port) as server:
        for _ in range(11):
            post.send()
            post.clock.now += 30
        arrived = Counter(recipient for _, recipient in server.envelopes)
    assert arrived == {f"p{number}@example.org": 1 for number in range(MANY)}
    assert post.book.stuck() == ()


_CHILD = """
import asyncio, sys
from pathlib import Path
from fabric_hub.config.settings import load
from fabric_hub.notices.book import NoticeBook
from fabric_hub.notices.model import Channel
from fabric_hub.service.tasks.courier import Courier
from fabric_hub.sessions.database import database_url, open_database
settings = load(Path(sys.argv[1]))
courier = Courier(settings, NoticeBook(open_database(database_url(settings))))
courier.take_up(Channel.MAIL)
asyncio.run(courier.send_all(Channel.MAIL))
"""


@pytest.mark.parametrize(("word", "unsure"), [("taken", 1), ("RCPT", 0)])
def test_a_sender_that_is_killed_in_the_middle_sends_nothing_twice(tmp_path: Path, word: str, unsure: int) -> None:
    with MailServer() as server:
        post = Post(by_mail(tmp_path, server.port))
        post.tell(*(of_end(f"p{number}") for number in range(40)))
        file = tmp_path / "site.toml"
        of_site = f'[hub]\nstate_dir = "{tmp_path}"\n[images]\ndir = "{tmp_path}"\n'
        of_mail = 'host = "127.0.0.1"\nsender = "hub@example.org"\nstarttls = false\naddress = "{user}@example.org"\n'
        of_support = '[site]\nsupport_email = "help@example.org"\n'
        file.write_text(f"{of_site}{of_support}[mail]\nport = {server.port}\n{of_mail}")
        child = subprocess.Popen([sys.executable, "-c", _CHILD, str(file)], cwd=Path.cwd())

        def kill(said: str) -> None:
            if said == word and len(server.taken) >= 10:
                os.kill(child.pid, signal.SIGKILL)
                child.wait()

        server.when = kill
        assert child.wait() == -signal.SIGKILL
        server.when = lambda _word: None
        assert len(server.taken) == 10
        post.courier.take_up(Channel.MAIL)
        post.send()
        arrived = Counter(recipient for _, recipient in server.envelopes)
    assert arrived == {f"p{number}@example.org": 1 for number in range(40)}
    assert [one.state for one in post.book.stuck()] == [SendState.UNSURE] * unsure


def test_a_mail_that_may_have_arrived_is_not_sent_again_and_operators_see_it(tmp_path: Path) -> None:
    with MailServer() as server:
        post = Post(by_mail(tmp_path, server.port))
        post.tell(of_end())
        server.answer = ""
        post.send()
        server.answer = "250 taken"
        post.clock.now += 86400
        assert post.send() == 0
        assert server.taken == []
    [stuck] = post.book.stuck()
    assert (stuck.person, stuck.channel, stuck.state) == ("ada", Channel.MAIL, SendState.UNSURE)


def test_each_reads_a_mail_in_their_own_language_and_one_notice_has_one_message_id(tmp_path: Path) -> None:
    with MailServer() as server:
        post = Post(by_mail(tmp_path, server.port))
        ReaderBook(post.engine).remember("jan", "nl")
        post.tell(of_end("ada"), of_end("jan"))
        assert post.tell(of_end("ada"), of_end("jan")) == 0
        assert post.send() == 2
        mails = {parsed(mail)["To"]: parsed(mail) for mail in server.taken}
    ada, jan = mails["ada@example.org"], mails["jan@example.org"]
    assert ada["Subject"] == "[Fabric Hub] End of project physics"
    assert jan["Subject"] == "[Fabric Hub] Einde van project physics"
    assert text_of(ada).startswith("Project Physics now ends on ")
    assert text_of(jan).startswith("Project Physics eindigt nu op ")
    assert (ada["Content-Language"], jan["Content-Language"]) == ("en", "nl")
    assert ada["Message-ID"] != jan["Message-ID"]
    assert of_end("ada").key[:40] in ada["Message-ID"]
    assert ada["Auto-Submitted"] == "auto-generated"


def test_a_calendar_entry_moves_and_is_taken_away_under_one_name(tmp_path: Path) -> None:
    with MailServer() as server:
        post = Post(by_mail(tmp_path, server.port))
        for told in (of_end(), of_end(day="2027-03-31"), of_end(day="2027-03-31", gone=True)):
            post.tell(told)
            post.send()
        first, moved, gone = map(entry_of, server.taken)
    assert first["UID"] == moved["UID"] == gone["UID"]
    assert [one["SEQUENCE"] for one in (first, moved, gone)] == ["0", "1", "2"]
    assert [one["METHOD"] for one in (first, moved, gone)] == ["PUBLISH", "PUBLISH", "CANCEL"]
    assert [one["DTSTART"] for one in (first, moved, gone)] == ["20261231", "20270331", "20270331"]
    assert (first["DTEND"], gone["STATUS"]) == ("20270101", "CANCELLED")


def test_the_last_day_of_all_and_what_no_mail_can_be_made_of_hold_up_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with MailServer() as server:
        post = Post(by_mail(tmp_path, server.port))
        post.tell(of_end(day="9999-12-31"))
        assert post.send() == 1
        assert entry_of(server.taken[0])["DTEND"] == "99991231"

        def none_for_eve(settings: Settings, notice: Kept, *rest: Any) -> Any:
            if notice.person == "eve":
                raise OverflowError("date value out of range")
            return letter(settings, notice, *rest)

        monkeypatch.setattr("fabric_hub.service.tasks.courier.letter", none_for_eve)
        post.tell(of_end("eve"), of_end("jan"))
        post.send()
        assert {recipient for _, recipient in server.envelopes} == {"ada@example.org", "jan@example.org"}


def test_no_title_reaches_a_header_or_another_line_of_the_calendar(tmp_path: Path) -> None:
    evil = "Physics\r\nBcc: all@example.org\r\n\r\nX\u2028END:VEVENT\n;,\\"
    with MailServer() as server:
        post = Post(by_mail(tmp_path, server.port))
        told = of_end(project=evil)
        post.tell(told.model_copy(update={"subject": f"session:{evil}", "kind": Kind.STOP}), told)
        assert post.send() == 2
        assert {recipient for _, recipient in server.envelopes} == {"ada@example.org"}
        for mail in server.taken:
            assert mail["Bcc"] is None
            names = {"Subject", "From", "To", "Date", "Message-ID", "Auto-Submitted", "Content-Language"}
            assert set(mail.keys()) == names | {"MIME-Version", "Content-Type"}
            [part] = [one for one in parsed(mail).walk() if one.get_content_type() == "text/calendar"]
            lines = str(part.get_content()).splitlines()
            assert sum(line.startswith("END:VEVENT") for line in lines) == 1
            assert not any(line.startswith("Bcc") for line in lines)


def test_who_turned_mail_off_and_whose_name_is_no_address_read_it_on_their_page_only(tmp_path: Path) -> None:
    with MailServer() as server:
        post = Post(by_mail(tmp_path, server.port))
        post.tell(of_end("eve"))
        post.book.choose_mail("eve", wanted=False)
        post.tell(of_end("eve", day="2027-01-01"), of_end("bob@elsewhere"), of_end("x>\r\nRCPT TO:<y"))
        assert post.send() == 0
        assert server.envelopes == []
        assert len(post.book.of("eve")) == 2
        assert len(post.book.of("bob@elsewhere")) == 1
        post.book.choose_mail("eve", wanted=True)
        post.tell(of_end("eve", day="2027-02-01"))
        assert post.send() == 1


def test_a_kind_that_the_site_does_not_mail_stays_on_the_page(tmp_path: Path) -> None:
    with MailServer() as server:
        post = Post(by_mail(tmp_path, server.port, '[notices]\nmail = ["stop"]\n'))
        post.tell(of_end())
        assert post.send() == 0
        assert post.book.unread("ada") == 1


def test_one_address_that_is_refused_holds_up_no_other_and_old_mail_is_given_up(tmp_path: Path) -> None:
    with MailServer() as server:
        post = Post(by_mail(tmp_path, server.port, "[notices]\ngive_up_days = 1\n"))
        post.tell(of_end("ada"), of_end("jan"))
        server.answer = "550 no such mail"
        assert post.send() == 2
        assert [(one.state, one.tries) for one in post.book.stuck()] == [(SendState.GIVEN_UP, 1)] * 2
        server.answer = "451 later"
        post.tell(of_end("eve"))
        assert post.send() == 1
        [waits] = [one for one in post.book.stuck() if one.person == "eve"]
        assert (waits.state, "451 later" in waits.trouble) == (SendState.WAITING, True)
        post.clock.now += 86400 + 1
        asyncio.run(post.courier.clean())
        server.answer = "250 taken"
        assert post.send() == 0
        assert {one.state for one in post.book.stuck()} == {SendState.GIVEN_UP}


def a_hook(directory: Path) -> str:
    program = directory / "hook.py"
    program.write_text(
        "import os, sys\n"
        f"if os.path.exists({str(directory / 'down')!r}): sys.exit('not now')\n"
        f"open({str(directory / 'told')!r}, 'a').write(sys.stdin.read() + chr(10))\n"
    )
    return f"[notices]\nhook = [{sys.executable!r}, '-S', {str(program)!r}]\nhook_kinds = ['project-end']\n"


def test_the_hook_is_told_once_in_the_persons_language_also_where_it_failed_before(tmp_path: Path) -> None:
    post = Post(a_site(tmp_path, a_hook(tmp_path)))
    ReaderBook(post.engine).remember("jan", "nl")
    (tmp_path / "down").touch()
    budget = Notice(kind=Kind.BUDGET, person="jan", subject="project:physics", occasion="1", text=verbatim("x"))
    post.tell(of_end("jan"), budget)
    assert post.send(Channel.HOOK) == 1
    [stuck] = post.book.stuck()
    assert "not now" in stuck.trouble
    (tmp_path / "down").unlink()
    post.clock.now += 60
    assert post.send(Channel.HOOK) == 1
    assert post.send(Channel.HOOK) == 0
    [line] = (tmp_path / "told").read_text().splitlines()
    told = json.loads(line)
    assert (told["person"], told["kind"], told["code"]) == ("jan", "project-end", "notice-end-moved")
    assert told["text"].startswith("Project Physics eindigt nu op ")
    assert (told["address"], told["date"]["moment"]) == (None, "2026-12-31")
