"""Hub users and Unix accounts: names only, no account is looked up."""

from __future__ import annotations

from .capabilities import can_become_others
from .settings import UserSettings


def unix_name(users: UserSettings, hub_user: str) -> str:
    """The Unix account under which a hub user's sessions run (unless all share one)."""
    return users.unix_name.replace("{user}", hub_user)


def hub_name(users: UserSettings, unix: str) -> str | None:
    """The hub user of a Unix account, or None when the account is nobody's here."""
    before, placeholder, after = users.unix_name.partition("{user}")
    if not placeholder or not unix.startswith(before) or not unix.endswith(after):
        return None
    name = unix[len(before) : len(unix) - len(after)] if after else unix[len(before) :]
    return name or None


def runs_local_sessions(users: UserSettings) -> bool:
    """Whether this process may run sessions on its own machine: as their users, or where all share one account."""
    return users.shared_account or can_become_others()
