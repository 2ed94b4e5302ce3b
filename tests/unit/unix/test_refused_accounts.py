"""Accounts that no session may run as are refused by their reason, and so are paths that a script could misread."""

from __future__ import annotations

import os

import pytest

from fabric_hub.config.users import UserSettings
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Text
from fabric_hub.messages.texts.accounts import HOME_OF, SESSION_LOG
from fabric_hub.unix.accounts import NOBODY, check_entry, check_path, resolve


def text_of(error: FabricError) -> Text:
    assert (error.reason, error.status) == ("account", 403)
    assert isinstance(error.said, Text)
    return error.said


@pytest.mark.parametrize(
    ("asked", "found", "uid", "code", "told"),
    [
        ("root", "root", 0, "account-root", "The account root is root; sessions never run as root."),
        (
            "ann",
            "ann",
            5,
            "account-low-uid",
            "The account ann has uid 5; sessions run only as accounts from uid 10 on.",
        ),
        ("nobody", "nobody", NOBODY, "account-nobodys", "The account nobody is nobody's; sessions never run as it."),
        ("gw", "gw", 77, "account-hubs-own", "The account gw is the hub's own; sessions never run as it."),
        ("Ann", "ann", 42, "account-other-spelling", "The account Ann is written ann on this cluster."),
    ],
)
def test_an_account_that_may_not_be_used_is_refused_by_its_reason(
    asked: str, found: str, uid: int, code: str, told: str
) -> None:
    with pytest.raises(FabricError) as refused:
        check_entry(asked, found, uid, 10, 77)
    assert text_of(refused.value).code == code
    assert refused.value.message == told
    assert refused.value.hint


def test_an_account_that_nobody_knows_is_named_with_its_user() -> None:
    with pytest.raises(FabricError) as refused:
        resolve("nobody-at-all", UserSettings(unix_name="fabric-test-{user}"))
    assert text_of(refused.value).code == "account-unknown"
    assert "There is no Unix account fabric-test-nobody-at-all" in refused.value.message


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: an account that all share")
@pytest.mark.root
def test_root_is_no_account_for_everybody() -> None:
    with pytest.raises(FabricError) as refused:
        resolve("ann", UserSettings(shared_account=True))
    assert text_of(refused.value).code == "account-gateway-root"


@pytest.mark.parametrize("path", ["home/ann", "/home/../root", "/home/a\\b", "/home/a\nb"])
def test_a_path_that_could_be_misread_is_refused_by_what_it_is(path: str) -> None:
    with pytest.raises(FabricError) as refused:
        check_path(path, HOME_OF(user="ann"))
    assert text_of(refused.value).code == "account-no-plain-path"
    assert refused.value.message == f"The home directory of ann is {path!r}, which is not a plain absolute path."
    assert (str(HOME_OF(user="ann")), str(SESSION_LOG())) == ("the home directory of ann", "the session's log")
    with pytest.raises(FabricError, match="The session's log is"):
        check_path(path, SESSION_LOG())
    with pytest.raises(FabricError, match=r"users\.rescue_dir is"):
        check_path(path, "users.rescue_dir")
