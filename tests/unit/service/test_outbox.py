"""What people reported is sent to the site's support, by mail or by the site's own program: each once, in the end."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import time
from email import policy
from email.parser import BytesParser
from pathlib import Path

import pytest

from fabric_hub.config.settings import Settings
from fabric_hub.service.tasks.outbox import Outbox
from fabric_hub.sessions.database import open_database
from fabric_hub.sessions.problems import Facts, KeptReport, ProblemReport, ReportDesk, SendState, new_reference
from tests.support.builders import NOW, a_site
from tests.support.certificates import Authority
from tests.support.mail_server import MailServer

WORDS = "It stops.\n.\nÉén regel\nBcc: all@example.org"


class Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


class Post:
    """A desk with one report, and an outbox that sends it."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.clock = settings, Clock()
        self.desk = ReportDesk(open_database(f"sqlite:///{settings.hub.state_dir}/sessions.sqlite"), self.clock)
        self.outbox = Outbox(settings, self.desk)
        facts = Facts(reference=new_reference(), page="/hub/home", job=7, log=("one", "two"))
        self.report = ProblemReport(user="jan", at=NOW, words=WORDS, facts=facts)
        self.desk.take(self.report, send=True, most_per_hour=5)

    def send(self) -> KeptReport:
        """Try what is due; what is known of the report then."""
        self.clock.now += 7200
        while asyncio.run(self.outbox.send_one()):
            pass
        kept = self.desk.get(self.report.reference)
        assert kept is not None
        return kept


def by_mail(directory: Path, port: int, more: str = "starttls = false") -> Settings:
    mail = f'[mail]\nhost = "127.0.0.1"\nport = {port}\nsender = "hub@example.org"\n{more}\n'
    return a_site(directory, f'[site]\nsupport_email = "help@example.org"\n{mail}')


def text_of(message: object) -> str:
    parsed = BytesParser(policy=policy.default).parsebytes(message.as_bytes())  # type: ignore[attr-defined]
    return str(parsed.get_content())


def test_a_report_arrives_at_support_once_with_nothing_of_it_in_the_headers(tmp_path: Path) -> None:
    with MailServer() as server:
        post = Post(by_mail(tmp_path, server.port))
        assert post.send().state is SendState.SENT
        post.send()
        assert server.envelopes == [("hub@example.org", "help@example.org")]
    [mail] = server.taken
    assert mail["Subject"] == f"[Fabric Hub] {post.report.reference}"
    assert (mail["From"], mail["To"], mail["Auto-Submitted"]) == (
        "hub@example.org",
        "help@example.org",
        "auto-generated",
    )
    assert post.report.reference.lower() in str(mail["Message-ID"])
    assert mail["Bcc"] is None
    text = text_of(mail)
    assert WORDS in text
    assert "Job: 7\n" in text
    assert text.rstrip().endswith("one\ntwo")


def test_a_mail_goes_over_tls_with_a_login_and_to_no_server_with_another_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path / "ca")
    password = tmp_path / "password"
    password.write_text("open sesame\n")
    password.chmod(0o600)
    login = f'user = "hub"\npassword_file = "{password}"\n'
    with MailServer(authority.issue("mail"), ("hub", "open sesame")) as server:
        post = Post(by_mail(tmp_path, server.port, login))
        kept = post.send()
        assert (kept.state, server.logins, server.taken) == (SendState.WAITING, [], [])
        assert "CERTIFICATE_VERIFY_FAILED" in kept.trouble
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
        password.chmod(0o640)
        kept = post.send()
        assert (kept.state, server.logins) == (SendState.WAITING, [])
        assert kept.trouble == f"others can read {password}: chmod 600"
        password.chmod(0o600)
        assert post.send().state is SendState.SENT
        assert server.logins == [("hub", "open sesame", True)]
        assert len(server.taken) == 1


def test_a_server_that_offers_no_encryption_gets_nothing(tmp_path: Path) -> None:
    with MailServer() as server:
        kept = Post(by_mail(tmp_path, server.port, "")).send()
        assert (kept.state, server.taken) == (SendState.WAITING, [])
        assert "STARTTLS" in kept.trouble


def test_a_report_waits_for_a_mail_server_that_is_down_or_refuses(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    kept = Post(by_mail(tmp_path, port)).send()
    assert (kept.state, kept.tries) == (SendState.WAITING, 1)
    assert "refused" in kept.trouble
    with MailServer() as server:
        (tmp_path / "two").mkdir()
        post = Post(by_mail(tmp_path / "two", server.port))
        server.greets = False
        assert post.send().state is SendState.WAITING
        server.greets, server.answer = True, "451 later"
        kept = post.send()
        assert (kept.state, kept.tries, server.taken) == (SendState.WAITING, 2, [])
        assert "451 later" in kept.trouble
        server.answer = "250 taken"
        assert post.send().state is SendState.SENT
        assert len(server.taken) == 1


def test_a_mail_that_may_have_arrived_is_not_sent_again(tmp_path: Path) -> None:
    with MailServer() as server:
        post = Post(by_mail(tmp_path, server.port))
        server.answer = ""
        kept = post.send()
        assert kept.state is SendState.UNSURE
        server.answer = "250 taken"
        assert post.send().state is SendState.UNSURE
        assert server.taken == []


def by_hook(directory: Path, body: str, more: str = "") -> Settings:
    program = directory / "hook.py"
    program.write_text(f"import os, sys, time\n{body}\n")
    command = json.dumps([sys.executable, "-S", str(program), "; touch /nowhere"])
    return a_site(directory, f"[reports]\nhook = {command}\n{more}")


def test_the_sites_program_gets_the_report_on_standard_input_and_no_shell_sees_it(tmp_path: Path) -> None:
    told = tmp_path / "told"
    body = (
        f"if os.path.exists({str(tmp_path / 'down')!r}): sys.exit('no tickets today')\n"
        f"open({str(told)!r}, 'a').write(sys.stdin.read() + chr(10))"
    )
    (tmp_path / "down").touch()
    post = Post(by_hook(tmp_path, body))
    kept = post.send()
    assert (kept.state, kept.tries) == (SendState.WAITING, 1)
    assert "no tickets today" in kept.trouble
    (tmp_path / "down").unlink()
    assert post.send().state is SendState.SENT
    post.send()
    [line] = told.read_text().splitlines()
    message = json.loads(line)
    assert (message["reference"], message["user"], message["words"]) == (post.report.reference, "jan", WORDS)
    assert message["facts"] == post.report.facts.model_dump(mode="json")
    assert message["text"].startswith("Person: jan\n")
    assert f"\n\n{WORDS}\n\n" in message["text"]
    assert message["hub"] == post.settings.hub.id


def test_a_program_that_hangs_is_killed_and_not_run_again_for_the_same_report(tmp_path: Path) -> None:
    post = Post(by_hook(tmp_path, "time.sleep(600)", "hook_timeout_s = 0.5\n"))
    kept = post.send()
    assert kept.state is SendState.UNSURE
    assert "killed" in kept.trouble
    assert post.send().tries == kept.tries


def test_what_waited_is_sent_by_the_next_process_and_what_is_too_old_is_gone(tmp_path: Path) -> None:
    with MailServer() as server:
        post = Post(by_mail(tmp_path, server.port))
        again = ReportDesk(open_database(f"sqlite:///{tmp_path}/sessions.sqlite"), post.clock)
        assert asyncio.run(Outbox(post.settings, again).send_one())
        assert len(server.taken) == 1
    today = post.report.model_copy(update={"at": time.time(), "facts": Facts(reference=new_reference())})
    old = post.report.model_copy(update={"at": today.at - 91 * 86400, "facts": Facts(reference=new_reference())})
    for report in (today, old):
        post.desk.take(report, send=False, most_per_hour=5)
    asyncio.run(post.outbox.clean())
    assert post.desk.get(today.reference) is not None
    assert post.desk.get(old.reference) is None
