"""Accounts of Slurm with their people and the limits that projects set, and the steps that change them. Types, no I/O.

A limit is a whole number; :data:`NO_LIMIT` is none, as Slurm's own clients write it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from fabric_hub.types import AccountName, Frozen, SlurmKey, SlurmName

NO_LIMIT = -1
CLOSED = 0  # MaxSubmitJobs of a person, GrpSubmitJobs of an account

Amount = Annotated[int, Field(ge=NO_LIMIT)]


class SlurmAccount(Frozen):
    """An account. ``users`` are its people by Unix account, with their MaxSubmitJobs in it.

    Somebody with several associations in it, one for each partition, has the largest of their limits.
    """

    parent: SlurmKey = ""
    gpu_minutes: Amount = NO_LIMIT
    submit: Amount = NO_LIMIT
    users: Mapping[str, Amount] = Field(default={})


class AccountTree(Frozen):
    """All accounts of a cluster, by name."""

    accounts: Mapping[SlurmKey, SlurmAccount] = Field(default={})

    def below(self, parent: str) -> frozenset[str]:
        """The accounts below one, however far; not that one itself."""
        children: dict[str, list[str]] = {}
        for name, account in self.accounts.items():
            children.setdefault(account.parent, []).append(name)
        found: set[str] = set()
        ahead = [parent]
        while ahead:
            fresh = [name for name in children.get(ahead.pop(), ()) if name not in found and name != parent]
            found.update(fresh)
            ahead += fresh
        return frozenset(found)


class AccountingRules(Frozen):
    """What of a cluster's configuration budgets rest on.

    :ivar decays: use is forgotten little by little (``PriorityDecayHalfLife``).
    :ivar resets: when use begins at zero again (``PriorityUsageResetPeriod``); "" is never.
    :ivar enforced: the words of ``AccountingStorageEnforce``.
    """

    cluster: SlurmName
    decays: str = ""
    resets: str = ""
    enforced: frozenset[str] = frozenset()


class AddAccount(Frozen):
    """Make an account below the parent."""

    do: Literal["add-account"] = "add-account"
    account: AccountName
    parent: AccountName


class AddUser(Frozen):
    """Let somebody use an account."""

    do: Literal["add-user"] = "add-user"
    account: AccountName
    user: SlurmName


class SetBudget(Frozen):
    """Set the GPU-minutes that an account may ever use."""

    do: Literal["set-budget"] = "set-budget"
    account: AccountName
    minutes: Amount
    before: Amount = NO_LIMIT


class Close(Frozen):
    """Let nothing more be submitted: by a person in an account, or in the whole account where ``user`` is empty."""

    do: Literal["close"] = "close"
    account: AccountName
    user: SlurmName | Literal[""] = ""
    before: Amount = NO_LIMIT


class Reopen(Frozen):
    """Give back the limit that was there before it was closed."""

    do: Literal["reopen"] = "reopen"
    account: AccountName
    user: SlurmName | Literal[""] = ""
    limit: Amount = NO_LIMIT


Step = Annotated[AddAccount | AddUser | SetBudget | Close | Reopen, Field(discriminator="do")]
