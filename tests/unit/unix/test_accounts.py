from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabric_hub.config.users import UserSettings
from fabric_hub.unix.accounts import hub_name, unix_name

NAMES = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,63}", fullmatch=True)
PARTS = st.text("abc-_.", max_size=6)


@given(user=NAMES, before=PARTS, after=PARTS)
def test_a_hub_user_is_found_again_from_the_unix_account(user: str, before: str, after: str) -> None:
    users = UserSettings(unix_name=f"{before}{{user}}{after}")
    assert hub_name(users, unix_name(users, user)) == user


@pytest.mark.parametrize("unix", ["root", "demo-", "xdemo-ada", "demo-ada-y", "", "demo-x"])
def test_an_account_outside_the_pattern_is_nobodys(unix: str) -> None:
    assert hub_name(UserSettings(unix_name="demo-{user}-x"), unix) is None


def test_prefix_and_suffix_may_not_share_characters() -> None:
    assert hub_name(UserSettings(unix_name="aba{user}aba"), "ababa") is None


def test_one_account_for_everybody_names_nobody() -> None:
    assert hub_name(UserSettings(unix_name="shared"), "shared") is None
