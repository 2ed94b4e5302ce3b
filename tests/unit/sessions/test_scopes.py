from __future__ import annotations

import pytest

from fabric_hub.sessions.scopes import SESSION_SCOPE, SESSION_TOKEN_SCOPES, server_of

OWN = ["users:activity!user=jan", SESSION_SCOPE]


@pytest.mark.parametrize("server", ["", "a", "my-server"])
def test_a_sessions_token_names_its_server(server: str) -> None:
    assert server_of("jan", [*OWN, f"access:servers!server=jan/{server}"]) == server


@pytest.mark.parametrize(
    "scopes",
    [
        [],
        OWN,
        ["access:servers!server=jan/a"],
        [*OWN, "access:servers!server=jan/a", "access:servers!server=jan/b"],
        [*OWN, "access:servers!server=jan/a", "access:servers!user=jan"],
        [*OWN, "access:servers!server=jan/a", "access:servers"],
        [*OWN, "access:servers!server=eve/a"],
        [*OWN, "access:servers!server=jan"],
        [*OWN, "access:servers!server=janet/a"],
    ],
)
def test_any_other_token_is_not_a_sessions(scopes: list[str]) -> None:
    assert server_of("jan", scopes) is None


def test_a_sessions_token_opens_no_other_server_and_starts_nothing() -> None:
    for scope in SESSION_TOKEN_SCOPES:
        assert scope == SESSION_SCOPE or "!" in scope
        assert not scope.startswith(("admin", "servers", "tokens", "users:", "self")) or scope == "users:activity!user"
