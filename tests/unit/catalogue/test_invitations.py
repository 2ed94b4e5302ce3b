"""Invitations: who comes in by one, who waits, who does not; on both databases, and on record without a code."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa

from fabric_hub.catalogue import invitation_store as store_module
from fabric_hub.catalogue.audit.log import AuditLog, Entry
from fabric_hub.catalogue.invitation_rows import MOST_OPEN
from fabric_hub.catalogue.invitation_store import Guest, InvitationStore
from fabric_hub.catalogue.invitation_tables import invitations, invited
from fabric_hub.catalogue.invitations import TRIES_AT_ONCE, InvitationDesk
from fabric_hub.catalogue.people.store import KnownIdentity, PeopleStore
from fabric_hub.catalogue.project_policy import Asker, inviter, must_wait
from fabric_hub.catalogue.project_store import ProjectStore
from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import message_of
from fabric_hub.projects.changes import AddPerson, Change, Create, Describe, Invite, RemovePerson, TurnAway, Withdraw
from fabric_hub.projects.invitations import CodeBody, ListBody, Offer, digest_of, id_of, new_code

ROOT, ADA, BO = Asker("root", operator=True, from_hub=False), Asker("ada"), Asker("bo")
W: dict[str, Any] = {"project": "waves"}
TODAY = date.today()  # noqa: DTZ011 - as the code has it
MONTH = TODAY + timedelta(days=30)


def identity(mail: str | None, name: str = "Eve E.", at: float = 1.0) -> KnownIdentity:
    return KnownIdentity(
        issuer="https://idp.example.org", subject=f"s{at}", provider="sram", first_at=at, last_at=at,
        display_name=name, mail=mail, organisation="Delta University",
    )  # fmt: skip


class Invited:
    """A project with two owners, a member and what came into its audit log."""

    def __init__(self, engine: sa.Engine, site: Settings) -> None:
        self.engine, self.site = engine, site
        self.projects, self.invitations = ProjectStore(engine), InvitationStore(engine)
        self.log: list[Entry] = []
        self(Create(**W, title="Waves", owners=("ada", "bo")), ROOT)
        self(AddPerson(**W, user="mo", role="member"), ROOT)
        self.log.clear()

    def __call__(self, change: Change, asker: Asker = ADA) -> bool:
        return self.projects.change(self.site, change, asker, self.log.extend)

    def invite(self, asker: Asker = ADA, until: date = MONTH, **about: Any) -> str:
        code = new_code()
        assert self(Invite(**W, digest=digest_of(code), until=until, **about), asker)
        return code

    def accept(self, code: str, user: str, *mails: str | None, operators: tuple[str, ...] = ()) -> Offer:
        guest = Guest(user=user, identities=tuple(map(identity, mails)))
        return self.invitations.accept(self.site, code, guest, operators, self.log.extend)

    def look(self, code: str, user: str = "eve", *mails: str | None) -> Offer:
        guest = Guest(user=user, identities=tuple(map(identity, mails)))
        return self.invitations.offer(self.site, code, guest)

    def roles(self, user: str) -> list[str]:
        kept = self.projects.kept("waves")
        assert kept
        return [one.role for one in kept.people if one.user == user]

    def said(self) -> list[tuple[Any, ...]]:
        found = [(one.event, one.user, one.by, json.loads(one.after) if one.after else None) for one in self.log]
        self.log.clear()
        return found


@pytest.fixture
def waves(engine: sa.Engine, site: Settings) -> Invited:
    return Invited(engine, site)


def refused(code: str) -> Any:
    return pytest.raises(FabricError, check=lambda error: message_of(error).code == code)


def test_an_invited_person_is_in_and_it_is_on_record_without_the_code(waves: Invited) -> None:
    code = waves.invite()
    offered = waves.look(code)
    assert (offered.project, offered.title, offered.role, offered.standing) == ("waves", "Waves", "member", "offered")
    assert waves.roles("eve") == []
    assert waves.accept(code, "eve").standing == "in"
    assert waves.roles("eve") == ["member"]
    made = id_of(digest_of(code))
    facts = {"invitation": made, "role": "member", "uses": 1, "domain": "", "until": MONTH.isoformat()}
    assert waves.said() == [
        ("invited", "ada", "owner ada", facts),
        ("invitation-accepted", "eve", "owner ada", {"invitation": made, "role": "member", "standing": "in"}),
        ("person-added", "eve", "owner ada", {"roles": ["member"]}),
    ]
    sources = {one.user: (one.by, one.invited) for one in waves.invitations.of("waves").sources}
    assert sources == {
        "ada": ("root", False), "bo": ("root", False), "mo": ("root", False), "eve": ("owner ada", True)
    }  # fmt: skip


def test_the_database_has_a_digest_and_never_a_code(waves: Invited) -> None:
    code = waves.invite(uses=3)
    waves.accept(code, "eve")
    with waves.engine.connect() as connection:
        rows = [*connection.execute(sa.select(invitations)), *connection.execute(sa.select(invited))]
    assert digest_of(code) in str(rows)
    assert code not in str(rows)
    assert len(code) == 32
    with refused("invitation-unknown"):
        waves.look(digest_of(code)[:32])


def test_accepting_again_changes_nothing_and_counts_once(waves: Invited) -> None:
    code = waves.invite(uses=2)
    waves.accept(code, "eve")
    waves.log.clear()
    assert waves.accept(code, "eve").standing == "in"
    assert waves.accept(code, "mo").standing == "in", "who has the role already"
    assert waves.said() == []
    assert [one.used for one in waves.invitations.of("waves").open] == [1]


def test_of_two_who_accept_the_last_use_at_once_one_comes_in(waves: Invited, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are told that it is open, and then both accept; eight times."""
    for number in range(8):
        code, together = waves.invite(), Barrier(2)
        users = [f"left{number}", f"right{number}"]

        def one(user: str, code: str = code, together: Barrier = together) -> str:
            assert waves.look(code, user).standing == "offered"
            together.wait(10)
            try:
                return waves.accept(code, user).standing
            except FabricError as error:
                return message_of(error).code

        with ThreadPoolExecutor(2) as hands:
            assert sorted(hands.map(one, users)) == ["in", "invitation-used-up"]
        assert sorted(len(waves.roles(user)) for user in users) == [0, 1]


def test_a_closed_invitation_says_why_and_what_to_do(waves: Invited, monkeypatch: pytest.MonkeyPatch) -> None:
    with refused("invitation-unknown"):
        waves.look(new_code())
    used, withdrawn, over = waves.invite(), waves.invite(), waves.invite(until=TODAY)
    waves.accept(used, "eve")
    waves(Withdraw(**W, invitation=id_of(digest_of(withdrawn))))
    assert not waves(Withdraw(**W, invitation=id_of(digest_of(withdrawn)))), "it was already"
    assert waves.look(over, "zoe").standing == "offered", "its last day is a whole day"
    monkeypatch.setattr(store_module, "_today", lambda: TODAY + timedelta(days=1))
    for code, reason in (
        (used, "invitation-used-up"),
        (withdrawn, "invitation-withdrawn"),
        (over, "invitation-expired"),
    ):
        with refused(reason) as caught:
            waves.accept(code, "zoe")
        assert "waves" not in str(caught.value).casefold(), "nobody learns a project's name by it"
        assert "Ask whoever sent it" in str(message_of(caught.value).hint)
    assert waves.roles("zoe") == []


def test_a_domain_is_compared_whole_and_by_what_any_login_claims(waves: Invited) -> None:
    code = waves.invite(domain="delta.example", uses=9)
    for mail in ("eve@delta.example.org", "eve@sub.delta.example", "delta.example", "eve@other@notdelta.example"):
        with pytest.raises(FabricError):
            waves.accept(code, "eve", mail)
    with refused("invitation-mail-other"):
        waves.accept(code, "eve", "eve@elsewhere.example")
    with refused("invitation-mail-missing"):
        waves.accept(code, "eve", None)
    assert waves.roles("eve") == []
    assert waves.accept(code, "eve", "eve@elsewhere.example", "Eve@Delta.Example").standing == "in"


def test_a_visitor_waits_until_an_owner_confirms_name_and_organisation(waves: Invited) -> None:
    code = waves.invite(role="visitor", uses=2)
    assert waves.accept(code, "eve", "eve@delta.example").standing == "waiting"
    assert waves.roles("eve") == []
    (found,) = waves.invitations.of("waves").waiting
    assert (found.user, found.role, found.name, found.organisation, found.mail_domain) == (
        "eve", "visitor", "Eve E.", "Delta University", "delta.example"
    )  # fmt: skip
    assert waves.look(code).standing == "waiting"
    assert waves(AddPerson(**W, user="eve", role="visitor"), BO)
    assert waves.roles("eve") == ["visitor"]
    assert waves.invitations.of("waves").waiting == ()
    with waves.engine.connect() as connection:
        assert "Delta University" not in str(connection.execute(sa.select(invited)).all()), "claims go with the wait"
    # and one who is not let in stays out, by this code
    waves.accept(code, "zoe")
    assert waves(TurnAway(**W, user="zoe"), BO)
    waves.said()
    with refused("invitation-turned-away"):
        waves.accept(code, "zoe")
    with refused("invitation-not-waiting"):
        waves(TurnAway(**W, user="zoe"), BO)


def test_nobody_comes_into_a_project_with_non_public_data_at_the_hub(waves: Invited) -> None:
    before = waves.invite(uses=5)
    waves(Describe(**W, data="non-public"))
    with refused("project-not-from-hub"):
        waves.invite()
    by_root = waves.invite(ROOT)
    for code, user in ((before, "eve"), (by_root, "zoe")):
        assert waves.accept(code, user).standing == "waiting"
        with refused("project-not-from-hub"):
            waves(AddPerson(**W, user=user, role="member"))
        assert waves.roles(user) == []
    assert waves(AddPerson(**W, user="eve", role="member"), ROOT)
    assert waves.roles("eve") == ["member"]


def test_what_waits_by_role_kind_data_and_the_sites_word(waves: Invited) -> None:
    catalogue = waves.site.catalogue
    kept = waves.projects.kept("waves")
    assert catalogue
    assert kept
    project = kept.project
    shut = catalogue.model_copy(update={"from_hub": ("budgets",)})
    assert not must_wait("member", project, catalogue)
    assert must_wait("visitor", project, catalogue)
    assert must_wait("member", project, shut)
    assert must_wait("member", project.model_copy(update={"kind": "client"}), catalogue)
    assert must_wait("member", project.model_copy(update={"data": "non-public"}), catalogue)
    assert inviter("operator sam", ("sam",)) == Asker("sam", operator=True)
    assert inviter("operator sam", ()) == Asker("sam")
    for erased in ("operator", "owner", "account"):
        assert inviter(erased, ("sam",)) == Asker(""), "only the role is left of who is erased"
    assert inviter("root", ()) == Asker("root", operator=True, from_hub=False)


def test_only_owners_and_operators_invite_withdraw_and_turn_away(waves: Invited) -> None:
    made = id_of(digest_of(waves.invite()))
    digest = digest_of(new_code())
    for change in (Invite(**W, digest=digest, until=MONTH), Withdraw(**W, invitation=made), TurnAway(**W, user="eve")):
        with refused("project-not-owner"):
            waves(change, Asker("mo"))
        with refused("project-unknown"):
            waves(change, Asker("stranger"))
    assert waves(Invite(**W, digest=digest, until=MONTH), Asker("sam", operator=True))


def test_who_is_removed_does_not_come_back_by_a_code_that_was_open(waves: Invited) -> None:
    first, second, used_up = waves.invite(uses=9), waves.invite(uses=9), waves.invite()
    waves.accept(first, "eve")
    waves.accept(used_up, "zoe")
    waves(RemovePerson(**W, user="eve"))
    waves(RemovePerson(**W, user="zoe"))
    for code in (first, second):
        with refused("invitation-removed"):
            waves.accept(code, "eve")
        assert waves.look(code, "new").standing == "offered"
    with refused("invitation-removed"):
        waves.accept(used_up, "zoe")
    assert waves.accept(waves.invite(), "eve").standing == "in", "a new one is a new decision"


@pytest.mark.parametrize(
    "gone", [RemovePerson(**W, user="ada"), RemovePerson(**W, user="ada", role="owner")], ids=["removed", "demoted"]
)
def test_removing_an_owner_withdraws_what_they_invited_and_nothing_else(waves: Invited, gone: Change) -> None:
    mine, other = waves.invite(ADA, uses=3), waves.invite(BO)
    waves(AddPerson(**W, user="ada", role="member"), BO)
    waves.accept(mine, "eve")
    waves.said()
    waves(gone, BO)
    assert ("invitation-withdrawn", None, "owner bo", {"invitation": id_of(digest_of(mine))}) in waves.said()
    with refused("invitation-withdrawn"):
        waves.accept(mine, "zoe")
    assert waves.roles("eve") == ["member"], "who came in before stays"
    assert waves.look(other, "new").standing == "offered"


def test_blocking_an_owner_withdraws_what_they_invited_for_good(waves: Invited) -> None:
    mine, other = waves.invite(ADA, uses=3), waves.invite(BO)
    people = PeopleStore(waves.engine)
    number = people.numbers(["ada"])["ada"]
    assert people.block(number, "Mines coins.", lambda _number: None)
    with refused("invitation-withdrawn"):
        waves.accept(mine, "eve")
    assert people.unblock(number, lambda _number: None)
    with refused("invitation-withdrawn"):
        waves.accept(mine, "eve")
    assert waves.look(other, "new").standing == "offered"


def test_an_operators_invitation_is_of_use_while_they_are_one(waves: Invited) -> None:
    code = waves.invite(Asker("sam", operator=True), uses=2)
    with refused("invitation-inviter-may-not"):
        waves.accept(code, "eve")
    assert waves.roles("eve") == []
    assert [one.used for one in waves.invitations.of("waves").open] == [0], "undone with it"
    assert waves.accept(code, "eve", operators=("sam",)).standing == "in"


def test_what_cannot_be_on_record_does_not_happen(waves: Invited) -> None:
    code = waves.invite()

    def full(_entries: object) -> None:
        raise FabricError("the disk is full")

    record: Callable[..., object] = full
    with pytest.raises(FabricError, match="the disk is full"):
        waves.invitations.accept(waves.site, code, Guest(user="eve"), (), record)
    assert waves.roles("eve") == []
    assert waves.accept(code, "eve").standing == "in"


def test_a_project_has_so_many_open_invitations_and_none_that_is_over(waves: Invited) -> None:
    with refused("invitation-over-already"):
        waves.invite(until=TODAY - timedelta(days=1))
    for _ in range(MOST_OPEN):
        waves.invite()
    with refused("invitation-too-many"):
        waves.invite()


def test_after_a_restore_every_invitation_is_withdrawn(waves: Invited) -> None:
    codes = [waves.invite(), waves.invite(ROOT)]
    waves.said()
    assert waves.invitations.withdraw_all("root", waves.log.extend) == 2
    assert [one[:3] for one in waves.said()] == [("invitation-withdrawn", None, "root")]
    assert waves.invitations.withdraw_all("root", waves.log.extend) == 0
    assert waves.said() == []
    for code in codes:
        with refused("invitation-withdrawn"):
            waves.accept(code, "eve")


def test_one_code_is_one_invitation(waves: Invited) -> None:
    change = Invite(**W, digest=digest_of(new_code()), until=MONTH)
    assert waves(change)
    with refused("invitation-same-code"):
        waves(change)


def test_who_tries_codes_is_stopped_and_nobody_else(waves: Invited, tmp_path: Path) -> None:
    async def told() -> None:
        return None

    people = PeopleStore(waves.engine)
    log = AuditLog(tmp_path / "audit", people.numbers)
    desk = InvitationDesk(people, log, lambda: waves.site, lambda entries: log.append(*entries), told)
    right = waves.invite()

    async def tries() -> None:
        for _ in range(TRIES_AT_ONCE):
            with refused("invitation-unknown"):
                await desk.offered(CodeBody(user="eve", code=new_code()))
        for ask in (desk.offered, desk.accept):
            with refused("invitation-too-often"):
                await ask(CodeBody(user="eve", code=right))
        assert (await desk.accept(CodeBody(user="zoe", code=right))).standing == "in"
        listed = await desk.listed(ListBody(by="ada", project="waves"))
        assert [one.user for one in listed.sources if one.invited] == ["zoe"]
        for stranger in ("eve", "mo", "zoe"):
            with refused("project-unknown"):
                await desk.listed(ListBody(by=stranger, project="waves"))

    asyncio.run(tries())
    assert right not in "".join(path.read_text() for path in (tmp_path / "audit").iterdir())
