"""Logins that end: cookies and tokens of before are nobody's, once; a session's own token stays as long as that."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from jupyterhub import orm, roles, scopes
from sqlalchemy.orm import Session

from fabric_hub.config.settings import Members, Project, Settings
from fabric_hub.hub.login_ends import HEARD_S, end_logins
from fabric_hub.hub.roles import is_worker, may_log_in
from fabric_hub.projects.document import LoginEnd
from fabric_hub.projects.live import why_blocked
from fabric_hub.projects.membership import is_member
from fabric_hub.sessions.scopes import scopes_of
from tests.support.kept_projects import KeptProjects


@pytest.fixture
def db() -> Session:
    made: Session = orm.new_session_factory("sqlite:///:memory:")()
    return made


def person(db: Session, name: str) -> Any:
    user = orm.User(name=name)
    db.add(user)
    db.commit()
    return user


def test_cookies_and_tokens_of_before_end_and_a_sessions_own_token_and_other_people_stay(db: Session) -> None:
    scopes.define_custom_scopes({"custom:fabric:session": {"description": "a session"}})
    for role in roles.get_default_roles():
        roles.create_role(db, role)
    anna, bob = person(db, "anna"), person(db, "bob")
    cookies = anna.cookie_id, bob.cookie_id
    server = orm.APIToken(user_id=anna.id, scopes=scopes_of("anna", "work"), prefix="ssss", hashed="s", note="server")
    server.client_id = "jupyterhub"
    db.add(orm.Spawner(name="work", user=anna, server=orm.Server(base_url="/user/anna/work/")))
    by_hand = orm.APIToken(
        user_id=anna.id, scopes=scopes_of("anna", "never"), prefix="nnnn", hashed="n", note="by hand"
    )
    by_hand.client_id = "jupyterhub"
    own = orm.APIToken(user_id=anna.id, scopes=["self"], prefix="oooo", hashed="o", note="own")
    theirs = orm.APIToken(user_id=bob.id, scopes=["self"], prefix="tttt", hashed="t", note="other")
    db.add_all([orm.OAuthClient(identifier="jupyterhub"), server, by_hand, own, theirs])
    db.commit()
    assert end_logins(db, {"anna": LoginEnd(at=time.time() + 1), "nobody": LoginEnd(at=1.0)}) == 1
    assert sorted(token.note for token in db.query(orm.APIToken)) == ["other", "server"]
    assert anna.cookie_id != cookies[0]
    assert bob.cookie_id == cookies[1]
    later = orm.APIToken(user_id=anna.id, scopes=["self"], prefix="llll", hashed="l", note="later")
    db.add(later)
    db.commit()
    end_logins(db, {"anna": LoginEnd(at=time.time() - HEARD_S - 60)})
    assert "later" in [token.note for token in db.query(orm.APIToken)], "what was made afterwards stays"
    end_logins(db, {"anna": LoginEnd(at=time.time() - 2)})
    assert "later" not in [token.note for token in db.query(orm.APIToken)], "made before the hub heard of it"


def test_who_is_blocked_is_in_no_project_and_logs_in_as_nobody_an_operator_either(
    catalogue_site: Settings, tmp_path: Path
) -> None:
    kept = KeptProjects(catalogue_site, tmp_path)
    waves = Project(account="fh-waves", members=Members(owner=("anna",), member=("bob",)))
    kept.publish(waves=waves)
    (admin,) = kept.settings.login.admins[:1] or ("root-of-all",)
    assert may_log_in(kept.settings, "bob")
    kept.publish_ends(
        {"bob": LoginEnd(at=1.0, blocked="Mines coins."), admin: LoginEnd(at=1.0, blocked="Left.")}, waves=waves
    )
    assert why_blocked(kept.settings, "bob") == "Mines coins."
    assert not may_log_in(kept.settings, "bob")
    assert not may_log_in(kept.settings, admin)
    assert not is_worker(kept.settings, admin, admin=True)
    assert not is_member(kept.settings.project["waves"], "bob")
    assert kept.settings.project["waves"].members.owner == ("anna",)
    kept.publish_ends({"bob": LoginEnd(at=1.0)}, waves=waves)
    assert may_log_in(kept.settings, "bob")
    assert is_member(kept.settings.project["waves"], "bob")
