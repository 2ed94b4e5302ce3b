"""Has Slurm's accounts follow the projects: when a project changes, once in a while, and when somebody asks for it.

Everything comes from the gateway's own settings and the catalogue service's file. Who asks can say when, not what: a
hub that somebody has taken over gets no more done than the projects say.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Protocol

from fabric_hub.config.settings import Project, Settings, SlurmSettings
from fabric_hub.config.users import UserSettings
from fabric_hub.errors import FabricError
from fabric_hub.gateway import rate_limit
from fabric_hub.gateway.queries import associations
from fabric_hub.gateway.queries.queries import Turn, UnavailableError
from fabric_hub.gateway.request_policy import check_account
from fabric_hub.messages.text import NOTHING, Text, verbatim, whole
from fabric_hub.messages.texts import slurm_projects as texts
from fabric_hub.projects.live import LiveProjects
from fabric_hub.slurm.associations import (
    NO_LIMIT,
    AccountingRules,
    AccountTree,
    AddAccount,
    AddUser,
    Reopen,
    SetBudget,
    Step,
)
from fabric_hub.slurm.unavailable import SlurmUnavailableError
from fabric_hub.unix import accounts
from fabric_hub.unix.accounts import unix_name

from .answers import ProjectsApplied, ProjectsHealth, ProjectsPlan
from .plan import Plan, described, plan
from .record import Record
from .wanted import AllWanted, wanted

log = logging.getLogger(__name__)

# Between two looks at the serial of the projects, which are in memory.
LOOK_EVERY_S = 1.0
# What of Slurm's configuration matters is asked again after so long.
_RULES_S = 3600.0
# After a round that Slurm did not answer; doubled with each, up to the site's interval.
_AGAIN_S = 15.0
# Closings that the gateway does by itself in one round: so many, or this part of all. More of them may be lost people:
# the others come in the next rounds, and an operator who looks can still put things right.
FEW_CLOSINGS, PART_CLOSINGS = 20, 0.1
NEXT_CLOSINGS_S = 10.0
# Changes of Slurm's database a second, and at once.
CHANGES_PER_S, CHANGES_AT_ONCE = 5.0, 20.0


class AsksAccounts(Protocol):
    """What the reconciler needs of :class:`~fabric_hub.gateway.queries.queries.Queries`."""

    async def accounting_rules(self, turn: Turn) -> AccountingRules: ...
    async def account_tree(self, cluster: str, turn: Turn) -> AccountTree: ...
    async def change_accounts(self, arguments: Sequence[str]) -> str: ...


class Reconciler:
    """See the module. Start :meth:`run` as a task.

    :param bucket: the budget of questions, shared with whoever else asks Slurm.
    :param changed: called when something in Slurm is another than before.
    :param resolve: looks up the account of a hub user; may block, and raises FabricError where it may not be used.
    :param clock: monotonic seconds; ``today``: the day, in this machine's time zone.
    """

    def __init__(
        self,
        settings: Settings,
        slurm: SlurmSettings,
        asks: AsksAccounts,
        record: Record,
        bucket: rate_limit.Bucket,
        *,
        changed: Callable[[], None] = lambda: None,
        resolve: Callable[[str, UserSettings], object] = accounts.resolve,
        clock: Callable[[], float] = time.monotonic,
        today: Callable[[], date] = date.today,
    ) -> None:
        if slurm.parent_account is None:
            raise ValueError("Slurm does not follow the projects without a parent account")
        self._settings, self._slurm, self._parent = settings, slurm, slurm.parent_account
        self._asks, self._record, self._bucket = asks, record, bucket
        self._changes = rate_limit.Bucket(CHANGES_PER_S, CHANGES_AT_ONCE)
        self._changed, self._resolve, self._clock, self._today = changed, resolve, clock, today
        self._alone = asyncio.Lock()
        self._rules: tuple[float, AccountingRules] | None = None
        self._calls = 0
        self._failures = 0
        self._due = float("-inf")  # when the next round is, if nothing changes
        self._last: tuple[int, date] | None = None  # serial and day of the last round
        self.health = ProjectsHealth()

    async def run(self) -> None:
        """Follow the projects for ever; cancel the task to stop."""
        while True:
            if self._slurm.projects == "fabric" and self._is_due():
                try:
                    await self.apply()
                except FabricError as error:
                    log.warning("Slurm's accounts do not follow the projects for now: %s", error)
                except Exception:  # a fault of ours: sessions start without this
                    log.exception("Slurm's accounts do not follow the projects for now")
            await asyncio.sleep(LOOK_EVERY_S)

    def _is_due(self) -> bool:
        if self._live() is None:
            return False
        changed = self._last != (self._serial, self._today())
        return self._clock() >= self._due or (changed and not self._failures)

    @property
    def _serial(self) -> int:
        projects = self._settings.project
        return projects.serial if isinstance(projects, LiveProjects) else 0

    def _live(self) -> LiveProjects | None:
        """The projects as they are published; None: they are not known, and nobody is closed for that."""
        projects = self._settings.project
        return projects if isinstance(projects, LiveProjects) and projects.known else None

    async def plan(self) -> ProjectsPlan:
        """What is to be done; nothing is changed.

        :raises FabricError: the projects are not known, or Slurm does not answer.
        """
        async with self._alone:
            self._calls, serial = 0, self._serial
            found, rules = await self._planned()
            return ProjectsPlan(
                parent=self._parent,
                owner=self._slurm.projects,
                serial=serial,
                steps=found.steps,
                drift=found.drift,
                problems=found.problems,
                notes=notes(rules),
                calls=self._calls,
            )

    async def apply(self, *, closings: bool = False) -> ProjectsApplied:
        """Take the steps of the plan.

        :param closings: also those that wait for an operator's word: see :meth:`_held`.
        :raises FabricError: another system makes the accounts, the projects are not known, Slurm does not answer, or
            what is set cannot be kept on record.
        """
        if self._slurm.projects == "outside":
            raise FabricError(texts.OUTSIDE())
        async with self._alone:
            self._calls, serial, today = 0, self._serial, self._today()
            try:
                told = await self._applied(closings, serial)
            except Exception as error:
                self._failures += 1
                later = _AGAIN_S * 2 ** min(self._failures - 1, 10)
                self._due = self._clock() + min(later, self._slurm.projects_interval_s)
                self._keep(serial, problem=whole(error) if isinstance(error, FabricError) else verbatim(repr(error)))
                raise
            self._failures, self._last = 0, (serial, today)
            # what was put off for being many goes on soon; what waits for an operator's word does not
            soon = any(problem.code == texts.CLOSINGS_FOLLOW.code for problem in told.problems)
            self._due = self._clock() + (NEXT_CLOSINGS_S if soon else self._slurm.projects_interval_s)
            trouble = told.problems[0] if told.problems else NOTHING
            self._keep(serial, left=len(told.left), drift=len(told.drift), problem=trouble)
            return told

    def _keep(self, serial: int, *, left: int = 0, drift: int = 0, problem: Text = NOTHING) -> None:
        if problem and problem != self.health.problem:
            log.warning("Slurm's accounts and the projects: %s", problem)
        self.health = ProjectsHealth(
            serial=serial,
            at=time.time(),
            rounds=self.health.rounds + 1,
            calls=self._calls,
            left=left,
            drift=drift,
            problem=problem,
            notes=notes(self._rules[1]) if self._rules else (),
        )

    async def _applied(self, closings: bool, serial: int) -> ProjectsApplied:
        found, rules = await self._planned()
        await asyncio.to_thread(self._record.adopt, found.adopted)
        steps, problems = found.steps, list(found.problems)
        held = frozenset() if closings else self._held(found)
        if held:
            steps = tuple(step for step in steps if step not in held)
            problems += _why_held(held, found)
        done: list[Step] = []
        unlimited: set[str] = set()
        try:
            for change in associations.changes(steps, rules.cluster):
                step = change.steps[0]
                if step.account in unlimited and isinstance(step, AddUser | Reopen):
                    continue
                refusal = await self._change(change)
                if refusal is None:
                    done += change.steps
                else:
                    problems.append(refusal)
                    if lets_in_no_more(step):
                        unlimited.add(step.account)
        finally:
            if done:
                self._changed()
        taken = frozenset(done)
        left = tuple(step for step in found.steps if step not in taken)
        return ProjectsApplied(
            parent=self._parent,
            serial=serial,
            done=tuple(done),
            left=left,
            drift=found.drift,
            problems=tuple(problems),
            calls=self._calls,
        )

    async def _change(self, change: associations.Change) -> Text | None:
        """Have Slurm take some steps; why it does not."""
        await asyncio.sleep(self._changes.turn_s(self._clock()))
        await asyncio.to_thread(self._record.begin, change.steps)
        self._calls += 1
        try:
            words = await self._asks.change_accounts(change.argv)
        except UnavailableError as error:
            raise SlurmUnavailableError(error.text) from error
        step = described(change.steps[0])
        if words:
            about = {"step": step, "words": words, "parent": self._parent, "gateway": accounts.own_name()}
            return (texts.DENIED if associations.is_denied(words) else texts.FAILED)(**about)
        await asyncio.to_thread(self._record.done, change.steps)
        for one in change.steps:
            log.info("in Slurm, for the projects: %s", described(one))
        return None

    def _held(self, found: Plan) -> frozenset[Step]:
        """The closings that are not for this round: of projects that are gone, which wait for an operator's word, and
        those beyond the first ones of people whom a published project no longer has.
        """
        if not found.closings:
            return frozenset()
        everything = sum(key.limit == "submit" for key in self._record.all())
        most = int(max(FEW_CLOSINGS, PART_CLOSINGS * everything))
        gone = [step for step in found.closings if step.account in found.vanished]
        left = [step for step in found.closings if step.account not in found.vanished]
        return frozenset([*gone, *left[most:]])

    async def _planned(self) -> tuple[Plan, AccountingRules]:
        live = self._live()
        if live is None:
            raise FabricError(texts.NOT_KNOWN())
        try:
            rules = await self._current_rules()
            tree = await self._asks.account_tree(rules.cluster, self._turn)
        except UnavailableError as error:
            raise SlurmUnavailableError(error.text) from error
        if self._parent not in tree.accounts:
            none = texts.NO_PARENT(parent=self._parent, gateway=accounts.own_name())
            return Plan((), (), (none,), {}), rules
        # beside the loop that answers everybody: a thousand projects take a moment, a name service may take longer
        return await asyncio.to_thread(self._compared, live, tree), rules

    def _compared(self, live: LiveProjects, tree: AccountTree) -> Plan:
        wants = self._wanted({name: project for name, project in live.items() if live.is_kept(name)})
        found = plan(wants.accounts, tree, self._record.all(), self._parent)
        strangers = self._without_account(found.steps, wants)
        steps = tuple(step for step in found.steps if step not in strangers)
        problems = (*found.problems, *wants.problems, *strangers.values())
        return found._replace(steps=steps, problems=problems)

    def _wanted(self, kept: Mapping[str, Project]) -> AllWanted:
        users, own = self._settings.users, accounts.own_name()
        return wanted(kept, lambda user: own if users.shared_account else unix_name(users, user), self._today())

    def _without_account(self, steps: Iterable[Step], wants: AllWanted) -> dict[Step, Text]:
        """Those who are to be added and have no account that may be used, each with the reason."""
        found: dict[Step, Text] = {}
        checked: dict[str, Text | None] = {}
        for step in steps:
            if not isinstance(step, AddUser):
                continue
            if step.user not in checked:
                checked[step.user] = self._why_not(wants.accounts[step.account].people[step.user])
            if why := checked[step.user]:
                found[step] = texts.NOT_ADDED(user=step.user, account=step.account, why=why)
        return found

    def _why_not(self, user: str) -> Text | None:
        try:
            self._resolve(user, self._settings.users)
            if not self._settings.users.shared_account:
                check_account(self._settings, unix_name(self._settings.users, user))
        except FabricError as error:
            return whole(error)
        return None

    async def _current_rules(self) -> AccountingRules:
        if self._rules is None or self._clock() - self._rules[0] > _RULES_S:
            self._rules = (self._clock(), await self._asks.accounting_rules(self._turn))
        return self._rules[1]

    async def _turn(self) -> None:
        """Count one more question, and wait until it may be asked."""
        self._calls += 1
        await asyncio.sleep(self._bucket.turn_s(self._clock()))


def _why_held(held: Iterable[Step], found: Plan) -> Iterator[Text]:
    """Of closings that are not done in this round, why not. Pure."""
    gone = sum(step.account in found.vanished for step in held)
    later = sum(step.account not in found.vanished for step in held)
    if later:
        yield texts.CLOSINGS_FOLLOW(n=later)
    if gone:
        yield texts.CLOSINGS_WAIT(n=gone)


def lets_in_no_more(refused: Step) -> bool:
    """Whether nobody more may use an account because Slurm refused a step: it would lack a limit of its projects."""
    if isinstance(refused, SetBudget) and refused.minutes != NO_LIMIT:
        return refused.before == NO_LIMIT or refused.before > refused.minutes
    return isinstance(refused, AddAccount)


def notes(rules: AccountingRules) -> tuple[Text, ...]:
    """What must be known of budgets on this cluster."""
    found = []
    if rules.decays:
        found.append(texts.DECAYS(half_life=rules.decays))
    if rules.resets:
        found.append(texts.RESETS(period=rules.resets))
    if not_enforced(rules):
        found.append(texts.NOT_ENFORCED(words=tuple(sorted(rules.enforced)) or verbatim("none")))
    return tuple(found)


def not_enforced(rules: AccountingRules) -> bool:
    """Whether Slurm holds people to accounts and limits. ``limits`` and ``safe`` imply associations."""
    return not rules.enforced & {"limits", "safe", "all"}
