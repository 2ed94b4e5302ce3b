"""The child that runs a session as a process of the hub's own machine, where there is no Slurm.

Where the hub may become its users (``fabric-hub up --local`` as root) each session
runs under its own account; where everybody shares the hub's account, it says so;
anywhere else it refuses, because a session would hold the hub's rights.
"""

from __future__ import annotations

import asyncio
import os
import pwd
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, ClassVar

from jupyterhub.spawner import LocalProcessSpawner, set_user_setuid
from traitlets import Any as AnyTrait

from fabric_hub.config.settings import Settings
from fabric_hub.errors import FabricError
from fabric_hub.launch.choice import Choice
from fabric_hub.messages.texts import starts as texts
from fabric_hub.messages.texts.waiting import HEAD_STARTING_HERE
from fabric_hub.sessions.store import Session
from fabric_hub.slurm.model import JobSpec, Snapshot
from fabric_hub.unix.accounts import runs_local_sessions, unix_name

from .child import session_variables
from .runtime import HubRuntime, runtime


class FabricLocalSpawner(LocalProcessSpawner):  # type: ignore[misc]
    """One session as one process beside the hub."""

    env_keep: ClassVar[list[str]] = ["PATH", "LANG", "LC_ALL"]
    session = AnyTrait(None, allow_none=True)
    job_spec: JobSpec | None = None
    environment: dict[str, Any]
    popen_kwargs: dict[str, Any]

    @property
    def shared(self) -> HubRuntime:
        return runtime()

    @staticmethod
    def refuse_if_impossible(
        settings: Settings, choice: Choice, _spec: JobSpec | None, _snapshot: Snapshot | None
    ) -> None:
        """Refuse a start that would run a user's code with the hub's own rights.

        :raises FabricError: it would.
        """
        if not runs_local_sessions(settings.users):
            raise FabricError(texts.NOT_FOR_USERS(profile=choice.profile))

    @property
    def image_python(self) -> Path:
        return self.shared.settings.images.dir / str(self.session.image) / "current" / "bin" / "python"

    def make_preexec_fn(self, name: str) -> Callable[[], None]:
        users = self.shared.settings.users
        # enters the home directory only after it has become the user, who alone may
        become: Callable[[], None] = (
            (lambda: None) if users.shared_account else set_user_setuid(unix_name(users, name), chdir=True)
        )
        umask = int(users.umask, 8)

        def prepare() -> None:
            os.umask(umask)
            become()

        return prepare

    def user_env(self, env: dict[str, str]) -> dict[str, str]:
        account, home = self._account()
        env.update(USER=account, LOGNAME=account, HOME=str(home), SHELL="/bin/bash")
        return env

    def _account(self) -> tuple[str, Path]:
        users = self.shared.settings.users
        name = self.user.name
        entry = pwd.getpwuid(os.getuid()) if users.shared_account else pwd.getpwnam(unix_name(users, name))
        home = Path(users.home.replace("{user}", name)) if users.home else Path(entry.pw_dir)
        return entry.pw_name, home

    @staticmethod
    async def end_job(_shared: HubRuntime, _session: Session, _why: Any) -> None:
        """Processes of an earlier hub are not known by their session; JupyterHub itself keeps those it knows."""

    async def move_certs(self, paths: dict[str, str]) -> dict[str, str]:
        return paths

    async def run_session(self, again: bool) -> tuple[str, int]:
        """Start the process; returns where it will listen.

        :raises FabricError: the image is not built, or the process does not start.
        """
        session = self.session
        if not self.image_python.exists():
            raise FabricError(texts.IMAGE_NOT_BUILT(image=session.image))
        self.cmd = [str(self.image_python), "-I", "-m", "fabric_lab.launch"]
        settings = self.shared.settings
        told = session_variables(settings, session, self.hub.api_url)
        told |= settings.dataset_environment(session.datasets) | settings.folder_environment
        if settings.hub.nodes_ca and not settings.hub.internal_ssl:
            told["FABRIC_CA_FILE"] = str(settings.hub.nodes_ca)
        self.environment = {**self.environment, **told}
        if self.shared.settings.users.shared_account:
            self.popen_kwargs = {**self.popen_kwargs, "cwd": str(self._account()[1])}
        address: tuple[str, int] = await super().start()
        return address

    async def poll_session(self) -> int | None:
        status: int | None = await super().poll()
        if status is not None:
            self.shared.store.end(self.session.id, reason="exited", text=texts.PROCESS_ENDED(status=status))
        return status

    async def last_lines(self) -> tuple[str, ...]:
        return ()

    async def abandon(self) -> None:
        await self.stop_session(now=True)

    async def stop_session(self, now: bool) -> None:
        if self.pid:
            await super().stop(now)

    async def session_progress(self) -> AsyncIterator[dict[str, Any]]:
        yield {
            "progress": 60,
            "heading": HEAD_STARTING_HERE().say(),
            "message": texts.STARTING_HERE().say(),
        }
        await asyncio.sleep(0)
