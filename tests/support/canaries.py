"""A person whose every field carries a mark of its own, in the stores of a site; and where marks are found again."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import sqlalchemy as sa
from jupyterhub import orm

from fabric_hub.catalogue import tables as catalogue_tables
from fabric_hub.catalogue.audit.log import AuditLog, Entry, audit_directory
from fabric_hub.catalogue.database import open_catalogue
from fabric_hub.catalogue.invitation_tables import invitations, invited
from fabric_hub.catalogue.people.rows import Account
from fabric_hub.catalogue.people.store import PeopleStore
from fabric_hub.catalogue.store import CatalogueStore
from fabric_hub.config.settings import Settings
from fabric_hub.datasets.model import Acceptance, AccessRequest, Grant
from fabric_hub.gateway.ledger import Ledger, ledger_path
from fabric_hub.messages.texts import stops as stop_texts
from fabric_hub.notices.book import NoticeBook
from fabric_hub.notices.model import Channel, Dated, Kind, Notice
from fabric_hub.projects.identity import Identity, Login
from fabric_hub.sessions.announcements import AnnouncementBook, AnnouncementLevel, Draft
from fabric_hub.sessions.choices import StartChoices
from fabric_hub.sessions.database import database_url, hub_database_url
from fabric_hub.sessions.held import HeldSessions
from fabric_hub.sessions.problems import Facts, ProblemReport, ReportDesk, new_reference
from fabric_hub.sessions.readers import ReaderBook
from fabric_hub.sessions.stops import StopBook
from fabric_hub.sessions.store import Session, SessionStore
from fabric_hub.sessions.tables import operator_visits, quota_warnings, session_reports, successors, usage_days
from fabric_hub.slurm.records import RecordMark, SessionFacts

from .catalogue_entries import a_version, an_entry

OPERATOR = "quidam0op"


class Planted:
    """The marks of one person. ``mark("x")`` makes one and remembers it.

    :param user: their name at the hub, itself a mark.
    """

    def __init__(self, user: str) -> None:
        self.user = user
        self.marks: dict[str, str] = {"name": user}
        self.secrets: dict[str, str] = {}
        self.sessions: list[str] = []

    def mark(self, what: str, *, secret: bool = False) -> str:
        made = f"{what}{os.urandom(4).hex()}"
        (self.secrets if secret else self.marks)[what] = made
        return made


def plant_record(settings: Settings, planted: Planted) -> Session:
    """Everything in the record of sessions; the session is over."""
    user, mark, now = planted.user, planted.mark, time.time()
    store = SessionStore(database_url(settings))
    try:
        session = store.create(
            user=user, server_name=mark("server"), kind="slurm", project="physics", account="phys", profile="cpu",
            image="base", hours=1.0, datasets=[mark("dataset")], token=mark("token", secret=True),
        )  # fmt: skip
        planted.sessions.append(session.id)
        planted.marks["session"] = session.id
        store.update(
            session.id, submitted_at=now, job_id=7, node=mark("node"), ready_at=now, reopen=[mark("openfile")],
            token_hash=mark("tokenhash", secret=True),
        )  # fmt: skip
        stops = StopBook(store.engine)
        stops.order(session.id, OPERATOR, mark("stopreason"), 60.0, now)
        with store.engine.begin() as connection:
            connection.execute(sa.insert(session_reports).values(session=session.id, at=now, gpu_percent=mark("gpu")))
            connection.execute(sa.insert(operator_visits).values(session=session.id, operator=OPERATOR, at=now))
            connection.execute(
                sa.insert(successors).values(
                    predecessor=session.id,
                    user=user,
                    server_name=mark("next"),
                    reopen=[mark("nextfile")],
                    created_at=now,
                )
            )
            connection.execute(
                sa.insert(usage_days).values(
                    day=date(2026, 11, 1), project="physics", account="phys", user=user, profile="cpu", gpu_hours=2.5,
                    cpu_hours=5.0, jobs=3,
                )
            )  # fmt: skip
            connection.execute(
                sa.insert(quota_warnings).values(
                    subject=f"storage:{user}:/home", name="soft", level="warning",
                    text=stop_texts.NO_LIVE_SESSION(session=mark("warning")), in_force=True, since=now, seen_at=now,
                    tries=0, retry_at=0.0,
                )
            )  # fmt: skip
        store.end(
            session.id, reason="stopped", text=stop_texts.NO_LIVE_SESSION(session=mark("endtext")), log=[mark("endlog")]
        )
        choices = StartChoices(store.engine)
        choices.remember(user, {"profile": mark("lastchoice")})
        choices.save(user, mark("preset"), {"profile": mark("presetchoice")})
        ReaderBook(store.engine).remember(user, mark("lang"))
        book = AnnouncementBook(store.engine)
        draft = Draft(level=AnnouncementLevel.INFO, words={"en": "Hello"}, begins_at=now, ends_at=now + 60)
        book.dismiss(book.publish(draft, user, now).id, user)
        report = ProblemReport(
            user=user, at=now, words=mark("report"),
            facts=Facts(
                reference=new_reference(), page=mark("page"), browser=mark("browser"), log=(mark("reportlog"),)
            ),
        )  # fmt: skip
        ReportDesk(store.engine).take(report, send=False, most_per_hour=5)
        told = Notice(
            kind=Kind.STOP, person=user, subject=f"session:{mark('toldof')}", occasion="1",
            text=stop_texts.NO_LIVE_SESSION(session=mark("told")), dated=Dated(moment="2026-12-31"),
        )  # fmt: skip
        outbox = NoticeBook(store.engine)
        outbox.tell([told], lambda *_: (Channel.MAIL,), now)
        outbox.failed(told.key, Channel.MAIL, mark("notsent"), now)
        outbox.choose_mail(user, wanted=True)
        HeldSessions(store.engine).replace([])
    finally:
        store.close()
    return session


def plant_hub(settings: Settings, planted: Planted) -> None:
    """A user of JupyterHub's with a server's state, options and a token with a note."""
    user, mark = planted.user, planted.mark
    db = orm.new_session_factory(hub_database_url(settings))()
    try:
        person = orm.User(name=user, state={"x": mark("userstate")})
        db.add(person)
        if db.query(orm.OAuthClient).filter_by(identifier="jupyterhub").first() is None:
            db.add(orm.OAuthClient(identifier="jupyterhub", secret="", redirect_uri=""))
        spawner = orm.Spawner(
            user=person,
            name=mark("spawner"),
            state={"child": mark("spawnerstate")},
            user_options={"p": mark("options")},
        )
        db.add(spawner)
        spawner.server = orm.Server(base_url=f"/user/{user}/", cookie_name=mark("cookie"))
        group = orm.Group(name="everybody") if not (old := orm.Group.find(db, "everybody")) else old
        db.add(group)
        group.users.append(person)
        db.commit()
        token = mark("apitoken", secret=True)
        person.new_api_token(token=token, note=mark("note"), generated=False)
        db.commit()
    finally:
        db.get_bind().dispose()


def plant_ledger(settings: Settings, planted: Planted, session: Session) -> None:
    """What the gateway keeps of the session's submission."""
    ledger = Ledger(ledger_path(settings), settings.hub.id)
    facts = SessionFacts(
        server_name=planted.mark("ledgername"), project="physics", account="phys", profile="cpu", image="base",
        hours=1.0, created_at=1.0,
    )  # fmt: skip
    ledger.submitted(session.id, planted.user, RecordMark(identity="0" * 32, generation=1), facts)
    ledger.close()


def plant_catalogue(settings: Settings, planted: Planted) -> None:
    """Who they are, an acceptance, a request with its reason, a refusal with its, and a grant that they decided."""
    assert settings.catalogue is not None
    user, mark = planted.user, planted.mark
    store = CatalogueStore(open_catalogue(settings.catalogue))
    people = PeopleStore(store.engine)
    log = AuditLog(audit_directory(settings.catalogue), people.numbers)
    name = "wind"
    login = Login(
        identity=Identity(issuer="https://idp.example.org", subject=mark("subject")), provider="sram",
        name=mark("displayname"), mail=f"{mark('mailbox')}@example.org", organisation=mark("organisation"),
        assurance=(f"https://example.org/{mark('assurance')}",), acr=mark("acr"),
    )  # fmt: skip
    account = Account(name=user, unix_account=mark("unixaccount"), uid=None, mapped_by="claim")
    try:
        people.first(login, account, lambda number: log.append(Entry(event="first-login", person=number)))
        plant_project(store.engine, user)
        plant_invited(store.engine, planted)
        if not store.datasets():
            for one in (name, "rain", "snow"):
                store.put(an_entry(name=one, versions=(), latest=None))
                store.add_version(one, a_version())
                store.publish(one)
        entry = store.dataset(name)
        assert entry.agreement is not None
        project, agreement, purpose = mark("proj"), entry.agreement.version, entry.purposes[0].name
        store.accept(
            Acceptance(user=user, project=project, dataset=name, agreement=agreement, purpose=purpose, at=1.0),
            lambda: log.append(Entry(event="accepted", user=user, project=project, dataset=name)),
        )
        store.request(AccessRequest(user=user, project=mark("asking"), dataset="rain", why=mark("why"), at=2.0))
        declined = mark("declining")
        store.request(AccessRequest(user=user, project=declined, dataset="snow", why="please", at=2.0))
        store.decline("snow", declined, why=mark("whynot"))
        store.grant(Grant(dataset="rain", project=mark("granted"), by=f"operator {user}"))
        plant_request(store.engine, user, mark)
    finally:
        store.close()


def some_number() -> int:
    """A request's number that no other of them has."""
    return 1 + int.from_bytes(os.urandom(3))


def plant_request(engine: sa.Engine, user: str, mark: Callable[[str], str]) -> None:
    """A person's own request for a project, which was declined."""
    words = {name: mark(f"asked{name}") for name in ("title", "purpose", "organisation", "sector", "why")}
    fields = {
        "number": some_number(),
        "kind": "project",
        "user": user,
        "at": 1.0,
        "data": "public",
        "state": "declined",
    }
    with engine.begin() as connection:
        connection.execute(sa.insert(catalogue_tables.project_requests).values(**fields, **words))


def plant_project(engine: sa.Engine, user: str) -> None:
    """A project of others that a person made and paused, and into which they took somebody."""
    tables, name = catalogue_tables, f"of-{os.urandom(4).hex()}"
    with engine.begin() as connection:
        connection.execute(
            sa.insert(tables.projects).values(
                name=name, title="Wind", kind="research", account=f"fh-{name}", data="public", organisation="",
                sector="", profiles=[], images=[], paused="Later.", paused_by=f"owner {user}", created_at=1.0,
                created_by=f"operator {user}", serial=1,
            )
        )  # fmt: skip
        others = {"kind": "project", "user": "carolx1", "at": 1.0, "title": "Sun", "purpose": "Shine", "data": "public"}
        asked = {**others, "organisation": "", "sector": "", "project": name, "state": "declined", "why": "no"}
        answered = {"number": some_number(), "answered_at": 2.0, "answered_by": f"operator {user}"}
        connection.execute(sa.insert(tables.project_requests).values(**asked, **answered))
        someone = {"project": name, "user": "carolx1", "role": "owner", "since": 1.0}
        connection.execute(sa.insert(tables.project_people).values(**someone, by=f"owner {user}"))


def plant_invited(engine: sa.Engine, planted: Planted) -> None:
    """A person who made an invitation to a project of others, and who waits to be confirmed by one of somebody else."""
    made, other = os.urandom(6).hex(), os.urandom(6).hex()
    with engine.begin() as connection:
        project = connection.execute(sa.select(catalogue_tables.projects.c.name)).scalars().first()
        for invitation, by in ((made, f"operator {planted.user}"), (other, "root")):
            connection.execute(
                sa.insert(invitations).values(
                    id=invitation, digest=os.urandom(32).hex(), project=project, role="visitor", uses=1, used=0,
                    until=date(2030, 1, 1), domain="", by=by, at=1.0,
                )
            )  # fmt: skip
        connection.execute(
            sa.insert(invited).values(
                invitation=other, user=planted.user, state="waiting", at=1.0, name=planted.mark("claimedname"),
                organisation=planted.mark("claimedorganisation"), mail_domain=planted.mark("claimeddomain"),
            )
        )  # fmt: skip


def plant_files(root: Path, planted: Planted) -> None:
    """The log of a session, and the environment of one."""
    directory = root / planted.sessions[0]
    directory.mkdir(parents=True, mode=0o700)
    (directory / "session.log").write_text(f"{planted.mark('logline')}\n")
    (directory / "env.json").write_text(planted.mark("environment", secret=True))


def plant_certificate(settings: Settings, planted: Planted) -> None:
    """A session's certificate, as the hub keeps it."""
    directory = settings.hub.state_dir / "certs" / f"user-{planted.user}+"
    directory.mkdir(parents=True)
    (directory / "x.crt").write_text(f"certificate of {planted.user}")


def found(directory: Path, marks: dict[str, str]) -> dict[str, list[str]]:
    """Where marks stand in files below a directory, byte by byte, and in their names: by mark, what it is."""
    places: dict[str, list[str]] = {}
    for path in files(directory):
        content, name = path.read_bytes(), str(path.relative_to(directory))
        for what, mark in marks.items():
            if mark.encode() in content or mark in name:
                places.setdefault(what, []).append(name)
    return places


def files(directory: Path) -> Iterator[Path]:
    """Every plain file below a directory."""
    return (path for path in sorted(directory.rglob("*")) if path.is_file() and not path.is_symlink())


def usage_of(settings: Settings) -> list[tuple[str, float, int]]:
    """(whose, GPU-hours, jobs) of each row of daily usage."""
    path = settings.hub.state_dir / "sessions.sqlite"
    with sqlite3.connect(path) as connection:
        rows = connection.execute('SELECT "user", gpu_hours, jobs FROM usage_days').fetchall()
    return [(row[0], row[1], row[2]) for row in rows]
