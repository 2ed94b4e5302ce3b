"""After a restore no login and no token is in force that may have been revoked since, and those of sessions are."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from jupyterhub import orm
from jupyterhub.orm import new_session_factory

from fabric_hub.backup.logins import LiveSession, Token, of_sessions, void
from fabric_hub.hub.spawner.session_tokens import hash_of
from fabric_hub.messages.text import verbatim
from fabric_hub.sessions.scopes import scopes_of
from fabric_hub.sessions.store import SessionStore
from tests.support.builders import fields_of_a_session

OWN = tuple(scopes_of("jan", "lab"))


@pytest.mark.parametrize(
    ("token", "live", "kept"),
    [
        (Token(1, "ab", "jan", "jupyterhub", OWN), LiveSession("jan", "lab", "ab"), True),
        # a hand-made token may have a session's scopes, and is not the one that the record names
        (Token(1, "cd", "jan", "jupyterhub", OWN), LiveSession("jan", "lab", "ab"), False),
        (Token(1, "ab", "jan", "jupyterhub", OWN), LiveSession("jan", "lab", None), True),
        (Token(1, "ab", "jan", "jupyterhub", OWN), LiveSession("jan", "other", None), False),
        (Token(1, "ab", "eve", "jupyterhub", OWN), LiveSession("jan", "lab", None), False),
        (Token(1, "ab", "jan", "jupyterhub-user-jan", OWN), LiveSession("jan", "lab", None), False),
        (Token(1, "ab", "jan", "jupyterhub", ("self",)), LiveSession("jan", "lab", None), False),
        (Token(1, "ab", None, "jupyterhub", OWN), LiveSession("jan", "lab", None), False),
    ],
)
def test_only_the_tokens_of_sessions_that_go_on_stay(token: Token, live: LiveSession, kept: bool) -> None:
    assert (1 in of_sessions([token], [live])) is kept


@pytest.mark.long  # JupyterHub takes seconds to make its database
def test_tokens_logins_codes_and_shares_are_void_and_a_sessions_token_is_not(tmp_path: Path) -> None:
    hub, record = f"sqlite:///{tmp_path / 'jupyterhub.sqlite'}", f"sqlite:///{tmp_path / 'sessions.sqlite'}"
    db = new_session_factory(hub)()
    for client in ("jupyterhub", "jupyterhub-user-jan"):
        db.add(orm.OAuthClient(identifier=client))
    jan, robot = orm.User(name="jan"), orm.Service(name="robot")
    db.add_all([jan, robot])
    db.commit()
    session, ended, made = (orm.APIToken.new(user=jan, scopes=[], client_id="jupyterhub") for _ in range(3))
    robots = orm.APIToken.new(service=robot, scopes=[], client_id="jupyterhub")
    for token, server in ((session, ""), (ended, "ended")):
        orm.APIToken.find(db, token).scopes = scopes_of("jan", server)
    login = orm.APIToken.new(user=jan, client_id="jupyterhub-user-jan", scopes=[], session_id="s")
    db.add(orm.OAuthCode(client_id="jupyterhub-user-jan", user_id=jan.id, code="c"))
    db.commit()
    cookie = jan.cookie_id
    store = SessionStore(record)
    store.create(**fields_of_a_session(user="jan", server_name="", token_hash=hash_of(session)))
    over = store.create(**fields_of_a_session(user="jan", server_name="ended", token_hash=hash_of(ended)))
    store.end(over.id, reason="stopped", text=verbatim("Stopped."))
    store.close()

    assert void(hub, record) == 4
    db.expire_all()
    found = {name: orm.APIToken.find(db, token) is not None for name, token in (
        ("session", session), ("ended", ended), ("made", made), ("robot", robots), ("login", login)
    )}  # fmt: skip
    assert found == {"session": True, "ended": False, "made": False, "robot": False, "login": False}
    assert db.query(orm.OAuthCode).count() == 0
    assert jan.cookie_id != cookie
    assert void(hub, record) == 0
    db.close()
    db.get_bind().dispose()


def test_a_database_that_jupyterhub_never_made_has_none(tmp_path: Path) -> None:
    for name in ("hub", "record"):
        sa.create_engine(f"sqlite:///{tmp_path / name}").connect().close()
    assert void(f"sqlite:///{tmp_path / 'hub'}", f"sqlite:///{tmp_path / 'record'}") == 0
