"""Has the projects' folders follow the projects: when one changes, and every few seconds.

Everything comes from the gateway's own settings and the catalogue service's file. What is done in a folder is done as
the project's service account; this process needs no right there but to become that account. Putting out needs nobody's
word, however many it are: who is in the project is let in again by the next round.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Mapping

from fabric_hub.config.folders import FoldersSettings
from fabric_hub.config.settings import Project, Settings
from fabric_hub.errors import FabricError
from fabric_hub.messages.text import Said, Text, WithTexts, message_of, sentences, whole
from fabric_hub.messages.texts import folders as texts
from fabric_hub.projects.folders import shared_accounts, with_folder
from fabric_hub.projects.live import LiveProjects, are_known
from fabric_hub.projects.membership import people
from fabric_hub.slurm.storage import StorageAnswer
from fabric_hub.unix import accounts
from fabric_hub.unix.accounts import Account

from . import top
from .plan import Decision, decide
from .usage import FolderUsage

log = logging.getLogger(__name__)

# Between two looks at the serial of the projects, which are in memory.
LOOK_EVERY_S = 1.0
# The name service is asked again about an account that it knew, and about one that it did not know.
_KNOWN_S, _UNKNOWN_S = 600.0, 30.0
# Folders that are set at the same time.
_AT_ONCE = 4


class FoldersHealth(WithTexts):
    """How the folders follow the projects, as of the last round; ``at`` is its moment (Unix seconds)."""

    at: float | None = None
    rounds: int = 0
    folders: int = 0
    problems: tuple[Said, ...] = ()


class _Uids:
    """The uids of hub users, asked of the name service once in a while."""

    def __init__(self, settings: Settings, clock: Callable[[], float]) -> None:
        self._settings, self._clock = settings, clock
        self._found: dict[str, tuple[float, int | FabricError]] = {}

    def of(self, user: str) -> int | FabricError:
        """A person's uid, or why there is none. May block."""
        now = self._clock()
        if user not in self._found or self._found[user][0] <= now:
            try:
                found: int | FabricError = accounts.resolve(user, self._settings.users).uid
            except FabricError as error:
                found = error
            self._found[user] = (now + (_KNOWN_S if isinstance(found, int) else _UNKNOWN_S), found)
        return self._found[user][1]


class FolderReconciler:
    """See the module. Start :meth:`run` as a task.

    :param clock: monotonic seconds.
    """

    def __init__(
        self, settings: Settings, folders: FoldersSettings, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings, self._folders, self._clock = settings, folders, clock
        self._uids = _Uids(settings, clock)
        self._usage = FolderUsage(folders.measure_hours * 3600, clock)
        self._alone = asyncio.Lock()
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._told: frozenset[Text] = frozenset()
        self._serial: int | None = None
        self._due = float("-inf")
        self.health = FoldersHealth()

    async def run(self) -> None:
        """Follow the projects for ever; cancel the task to stop."""
        measuring = asyncio.create_task(self._usage.run(), name="FolderUsage")
        try:
            while True:
                if self._is_due():
                    try:
                        await self.follow()
                    except Exception:  # a fault of ours: sessions start without this
                        log.exception("the projects' folders do not follow the projects for now")
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            measuring.cancel()

    def beside(self, quotas: StorageAnswer, projects: Collection[str]) -> StorageAnswer:
        """Quotas, and what the folders of these projects hold, of those whose own quota is not known."""
        known = {one.project for one in quotas.quotas if one.scope == "project" and one.project and not one.problem}
        held = (self._usage.of(project) for project in projects if project not in known)
        return quotas.model_copy(update={"quotas": (*quotas.quotas, *(one for one in held if one is not None))})

    def _is_due(self) -> bool:
        return self._clock() >= self._due or self._serial != self._now_serial()

    def _now_serial(self) -> int:
        projects = self._settings.project
        return projects.serial if isinstance(projects, LiveProjects) else 0

    async def follow(self) -> None:
        """One round: look at each folder, and set what is not as the projects want it."""
        if not await asyncio.to_thread(are_known, self._settings):
            return  # nobody is put out for a file that was not read yet
        async with self._alone:
            self._serial, self._due = self._now_serial(), self._clock() + self._folders.interval_s
            projects = with_folder(self._settings)
            problems: list[Text] = []
            if projects:
                try:
                    await asyncio.to_thread(top.check_parent, self._folders.directory)
                except FabricError as error:
                    problems.append(message_of(error))
                else:
                    problems += [one for found in await self._all(projects) for one in found]
            self._tell(problems)
            self.health = FoldersHealth(
                at=time.time(), rounds=self.health.rounds + 1, folders=len(projects), problems=tuple(problems)
            )

    def _tell(self, problems: list[Text]) -> None:
        """Each problem once in the log, until it is over."""
        now = frozenset(problems)
        for problem in sorted(now - self._told, key=str):
            log.warning("a project's folder: %s", sentences(problem, problem.hint))
        self._told = now

    async def _all(self, projects: Mapping[str, Project]) -> list[list[Text]]:
        shared = shared_accounts(self._settings)
        owners: dict[str, Account] = {}
        found = await asyncio.gather(
            *(self._one(name, project, project.service_account in shared, owners) for name, project in projects.items())
        )
        self._usage.follow({self._folders.directory / name: owner for name, owner in owners.items()})
        return found

    async def _one(self, name: str, project: Project, is_shared: bool, owners: dict[str, Account]) -> list[Text]:
        account = project.service_account
        problems = [texts.SHARED_OWNER(project=name, account=account)] if is_shared else []
        async with self._places:
            try:
                owner, wanted, more = await asyncio.to_thread(self._decided, name, project)
                problems += more
                owners[name] = owner
                if wanted is not None:
                    lacking = await top.set_gate(self._folders.directory, name, owner, wanted)
                    problems += [lacking] if lacking else []
                    log.info(
                        "folder of project %s: let in %s, put out %s",
                        name, sorted(wanted.let_in), sorted(wanted.put_out),
                    )  # fmt: skip
            except FabricError as error:
                problems.append(message_of(error))
        return problems

    def _decided(self, name: str, project: Project) -> tuple[Account, Decision | None, list[Text]]:
        """What is to be set of one folder, and who of its people cannot be let in. Blocks."""
        try:
            owner = accounts.resolve_service(project.service_account, self._settings.users)
        except FabricError as error:
            raise FabricError(
                texts.NO_OWNER(project=name, account=project.service_account, why=whole(error))
            ) from error
        seen = top.look(self._folders.directory, name, owner)
        problems: list[Text] = []
        uids: list[int] = []
        some_unknown = False
        for user in people(project):
            found = self._uids.of(user)
            if isinstance(found, int):
                uids.append(found)
                continue
            some_unknown = some_unknown or isinstance(found, accounts.UnknownAccountError)
            problems.append(texts.NOT_LET_IN(user=user, project=name, why=whole(found)))
        wanted = decide(seen, uids, some_unknown=some_unknown, has_name=lambda uid: bool(top.name_of(uid)))
        return owner, wanted, problems
