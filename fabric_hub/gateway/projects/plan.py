"""What is to be done in Slurm so that it is as the projects say, and what people changed there by hand. Pure.

How a limit that somebody set by hand is told from a former value of ours: what was set last is on record
(:mod:`.record`). A limit that is neither what the record says nor what is wanted is somebody's, and stays. A step that
was begun and never confirmed counts as ours with both of its values.

Nothing outside the parent account is ever in a step, and nothing is removed: slurmdbd refuses to remove an association
with running jobs, and a user's default account. Who leaves is closed, and so is a project that is paused or over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from fabric_hub.messages.text import Text
from fabric_hub.messages.texts import slurm_projects as texts
from fabric_hub.slurm.associations import (
    CLOSED,
    NO_LIMIT,
    AccountTree,
    AddAccount,
    AddUser,
    Close,
    Reopen,
    SetBudget,
    SlurmAccount,
    Step,
)

from .wanted import Wanted

Limit = Literal["budget", "submit"]


class Key(NamedTuple):
    """A limit of ours: the GPU-minutes of an account, or what may be submitted in it, by all or by one person."""

    account: str
    user: str
    limit: Limit


class Applied(NamedTuple):
    """What is on record of a limit.

    :ivar value: what was set last; None: nothing was, for sure.
    :ivar trying: what was about to be set, and may be; None: nothing.
    :ivar before: the limit that was there when it was closed, to be given back.
    """

    value: int | None = None
    trying: int | None = None
    before: int = NO_LIMIT

    @property
    def ours(self) -> frozenset[int]:
        """The values that may be there by us; what was never set for sure has no limit."""
        first = NO_LIMIT if self.value is None else self.value
        return frozenset({first} if self.trying is None else {first, self.trying})

    def is_opened(self, limit: int) -> bool:
        """Whether somebody opened by hand what we had closed; not where Slurm never took the closing."""
        never = self.trying == CLOSED != self.value and limit == self.before
        return CLOSED in self.ours and limit not in self.ours and not never


class Plan(NamedTuple):
    """Steps in the order in which they are to be taken; what narrows comes first.

    :ivar drift: what people changed by hand, which stays.
    :ivar problems: what cannot be done.
    :ivar adopted: what is as wanted and not on record yet.
    :ivar vanished: accounts of ours that no project has any more. Projects end, they do not vanish: a catalogue that
        was lost looks like this.
    """

    steps: tuple[Step, ...]
    drift: tuple[Text, ...]
    problems: tuple[Text, ...]
    adopted: Mapping[Key, int]
    vanished: frozenset[str] = frozenset()

    @property
    def closings(self) -> tuple[Close, ...]:
        return tuple(step for step in self.steps if isinstance(step, Close))


def plan(wanted: Mapping[str, Wanted], tree: AccountTree, applied: Mapping[Key, Applied], parent: str) -> Plan:
    """The plan for one parent account.

    :param wanted: what there should be below it, by account.
    :param tree: all that Slurm has.
    :param applied: what is on record, of accounts that may be gone by now as well.
    """
    return _Planning(wanted, tree, applied, parent).made()


class _Planning:
    def __init__(
        self, wanted: Mapping[str, Wanted], tree: AccountTree, applied: Mapping[Key, Applied], parent: str
    ) -> None:
        self._wanted, self._tree, self._applied, self._parent = wanted, tree, applied, parent
        self._below = tree.below(parent)
        self._closings: list[Step] = []
        self._others: list[Step] = []
        self._drift: list[Text] = []
        self._problems: list[Text] = []
        self._adopted: dict[Key, int] = {}
        self._vanished: list[str] = []

    def made(self) -> Plan:
        for account, want in self._wanted.items():
            if account == self._parent:
                self._problems.append(texts.IS_PARENT(project=want.projects, account=account))
            elif account in self._below:
                self._follow(account, want, self._tree.accounts[account])
            elif account in self._tree.accounts:
                about = {"account": account, "project": want.projects, "parent": self._parent}
                self._problems.append(texts.ELSEWHERE(**about))
            else:
                self._make(account, want)
        for account in sorted(self._below - self._wanted.keys()):
            self._nobodys(account, self._tree.accounts[account])
        steps = (*self._closings, *self._others)
        drift, problems = tuple(self._drift), tuple(self._problems)
        return Plan(steps, drift, problems, self._adopted, frozenset(self._vanished))

    def _make(self, account: str, want: Wanted) -> None:
        """An account that Slurm does not have: it is made, unless it was there and somebody removed it."""
        if self._was_set(Key(account, "", "submit")):
            self._drift.append(texts.ACCOUNT_GONE(account=account, parent=self._parent))
        elif want.is_open:
            self._others.append(AddAccount(account=account, parent=self._parent))
            if want.gpu_minutes != NO_LIMIT:
                self._others.append(SetBudget(account=account, minutes=want.gpu_minutes))
            self._others += [AddUser(account=account, user=user) for user in sorted(want.people)]

    def _follow(self, account: str, want: Wanted, known: SlurmAccount) -> None:
        self._budget(account, want.gpu_minutes, known.gpu_minutes)
        self._door(account, "", want.is_open, known.submit)
        for user, limit in sorted(known.users.items()):
            if user in want.people:
                self._door(account, user, True, limit)
            else:
                self._stranger(account, user, limit)
        for user in sorted(want.people.keys() - known.users.keys()):
            if self._was_set(Key(account, user, "submit")):
                self._drift.append(texts.USER_GONE(account=account, user=user))
            elif want.is_open:
                self._others.append(AddUser(account=account, user=user))

    def _nobodys(self, account: str, known: SlurmAccount) -> None:
        """An account below the parent that no project has: one of ours is closed, one made by hand is shown."""
        if Key(account, "", "submit") in self._applied:
            self._vanished.append(account)
            self._door(account, "", False, known.submit)
        else:
            self._drift.append(texts.ACCOUNT_BY_HAND(account=account, parent=self._parent))

    def _stranger(self, account: str, user: str, limit: int) -> None:
        """Somebody with an account whose project they are not in: who was added for it has left."""
        if Key(account, user, "submit") in self._applied:
            self._door(account, user, False, limit)
        elif limit != CLOSED:
            self._drift.append(texts.USER_BY_HAND(account=account, user=user))

    def _budget(self, account: str, minutes: int, found: int) -> None:
        key = Key(account, "", "budget")
        if found == minutes:
            self._adopt(key, minutes)
        elif found in self._applied.get(key, Applied()).ours:
            self._others.append(SetBudget(account=account, minutes=minutes, before=found))
        else:
            self._drift.append(
                texts.BUDGET_BY_HAND(account=account, found=amount(found), wanted=amount(minutes), minutes=minutes)
            )

    def _door(self, account: str, user: str, is_open: bool, found: int) -> None:
        """Whether jobs are taken. Any limit but 0 is open: how many jobs somebody may have is not ours to say."""
        key = Key(account, user, "submit")
        known = self._applied.get(key, Applied())
        if is_open == (found != CLOSED):
            if found != CLOSED or CLOSED in known.ours:  # closed by hand: not ours to open again later
                self._adopt(key, found)
        elif is_open and CLOSED in known.ours:
            self._others.append(Reopen(account=account, user=user, limit=known.before))
        elif is_open:
            self._drift.append((texts.USER_CLOSED_BY_HAND if user else texts.ACCOUNT_CLOSED_BY_HAND)(
                account=account, user=user
            ))  # fmt: skip
        elif known.is_opened(found):
            self._drift.append((texts.USER_OPENED_BY_HAND if user else texts.ACCOUNT_OPENED_BY_HAND)(
                account=account, user=user
            ))  # fmt: skip
        else:
            self._closings.append(Close(account=account, user=user, before=found))

    def _was_set(self, key: Key) -> bool:
        known = self._applied.get(key)
        return known is not None and known.value is not None

    def _adopt(self, key: Key, value: int) -> None:
        known = self._applied.get(key)
        if known is None or known.value != value or known.trying is not None:
            self._adopted[key] = value


def amount(minutes: int) -> Text:
    """GPU-minutes as people read them."""
    return texts.NO_LIMIT() if minutes == NO_LIMIT else texts.HOURS(hours=minutes / 60)


def described(step: Step) -> Text:
    """A step as people read it."""
    match step:
        case AddAccount():
            return texts.ADD_ACCOUNT(account=step.account, parent=step.parent)
        case AddUser():
            return texts.ADD_USER(account=step.account, user=step.user)
        case SetBudget(minutes=minutes) if minutes == NO_LIMIT:
            return texts.NO_BUDGET(account=step.account, before=amount(step.before))
        case SetBudget():
            about = {"account": step.account, "hours": step.minutes / 60, "before": amount(step.before)}
            return texts.SET_BUDGET(**about)
        case Close():
            return (texts.CLOSE_USER if step.user else texts.CLOSE_ACCOUNT)(account=step.account, user=step.user)
        case Reopen():
            return (texts.REOPEN_USER if step.user else texts.REOPEN_ACCOUNT)(account=step.account, user=step.user)


def effects(step: Step) -> Iterator[tuple[Key, int]]:
    """The limits that a step of ours leaves behind, for the record."""
    match step:
        case AddAccount():
            yield Key(step.account, "", "submit"), NO_LIMIT
        case AddUser():
            yield Key(step.account, step.user, "submit"), NO_LIMIT
        case SetBudget():
            yield Key(step.account, "", "budget"), step.minutes
        case Close():
            yield Key(step.account, step.user, "submit"), CLOSED
        case Reopen():
            yield Key(step.account, step.user, "submit"), step.limit
