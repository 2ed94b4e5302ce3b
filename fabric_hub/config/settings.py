"""The site's file (TOML): the only place that reads it, typed, every mistake at once.

``load(path)`` returns :class:`Settings` or raises :class:`FabricError` with one
line per mistake: ``site.toml:12: profile.gpu-1.gpus: ...``. The hub, the gateway,
the service and the command line all start from the same file; the gateway trusts
nothing else.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from fabric_hub.errors import FabricError
from fabric_hub.messages.text import verbatim
from fabric_hub.messages.texts import site_file as texts
from fabric_hub.types import (
    AbsolutePath,
    AccountName,
    Better,
    EnvName,
    Frozen,
    GpuType,
    Gres,
    HubUser,
    QosName,
    Slug,
    SlurmName,
    said,
)

from . import earlier
from .assurance import Asks
from .catalogue import CatalogueSettings
from .folders import FoldersSettings
from .hub import HubSettings
from .log import LogSettings
from .login import LoginSettings, between_tables
from .mistakes import Mistake, MistakesError, across, at_line, explain
from .notices import NoticesSettings
from .privacy import PrivacySettings
from .quotas import QuotasSettings
from .site import SiteSettings
from .spelling import as_compared
from .support import MailSettings, ReportsSettings
from .users import UserSettings

ENV = "FABRIC_HUB_SITE"
DEFAULT_PATH = Path("/etc/fabric-hub/site.toml")


def _in_slurms_units(text: str) -> Better | None:
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?\s*", text, re.IGNORECASE)
    if not match or not float(match[1]):
        return None
    return Better("setting-write", {"name": f"{match[1]}{match[2].upper() or 'M'}"})


MemorySize = Annotated[
    str,
    Field(pattern=r"^[1-9][0-9]*(?:\.[0-9]+)?[KMGT]$"),
    said("an amount of memory as Slurm writes it: a number with K, M, G or T", "8G", _in_slurms_units),
]


OrNothing = Annotated[
    str,
    Field(pattern=r"^[^\x00-\x1f\x7f]{0,100}$"),
    said("one line of at most 100 characters", "Delta University"),
]


class GatewaySettings(Frozen):
    """The only process that talks to Slurm for others."""

    socket: AbsolutePath = Field(default=Path("/run/fabric-hub/gateway.sock"), description="Unix socket of its API.")
    accounts_file: AbsolutePath = Field(
        default=Path("/run/fabric-leases/accounts.json"),
        description="Where the gateway says how far it is with leased accounts that were given back. Its directory is "
        "the gateway's alone to write, in one of root's; the catalogue service reads it.",
    )
    submit_timeout_s: float = Field(default=30.0, gt=0, description="How long sbatch or scancel may take.")
    environment_from_hub: tuple[EnvName, ...] = Field(
        default=(),
        description="Variables of c.Spawner.environment that sessions get, besides JUPYTERHUB_* and FABRIC_*.",
    )
    script_text_from_hub: bool = Field(
        default=False, description="Accept req_options, req_prologue and req_epilogue from the hub's configuration."
    )
    prologue: str = Field(
        default="",
        description="Shell lines that every session runs first (module load cuda), as in a login shell of the node. "
        "One that fails ends the start; end what may fail in || true.",
    )


class SlurmSettings(Frozen):
    """How to reach Slurm."""

    conf: AbsolutePath | None = Field(
        default=None, description="slurm.conf, when it is not where Slurm's own clients look."
    )
    bin_dir: AbsolutePath = Field(default=Path("/usr/bin"), description="Where sbatch, squeue, sinfo and scancel are.")
    watch_interval_s: float = Field(default=5.0, ge=1, le=300, description="Between two questions about all jobs.")
    nodes_interval_s: float = Field(
        default=30.0, ge=2, le=3600, description="Between two questions about all nodes, and about reservations."
    )
    limits_interval_s: float = Field(
        default=60.0, ge=2, le=3600, description="Between two questions about all limits and their use."
    )
    query_timeout_s: float = Field(default=20.0, gt=0, description="When a question counts as unanswered.")
    accounting_timeout_s: float = Field(
        default=120.0, gt=0, le=600, description="The same of a question about a day's jobs, to Slurm's database."
    )
    max_queries_per_s: float = Field(default=0.5, gt=0, description="Upper bound for all questions together.")
    extend: Literal["never", "as-user", "as-gateway"] = Field(
        default="never",
        description="Whether a running session may get more time, up to its profile's max_hours, and who asks Slurm "
        "for it. Plain Slurm lets users only lower a limit: as-gateway needs a gateway whose account is an Operator.",
    )
    parent_account: AccountName | None = Field(
        default=None,
        description="The account below which the projects that the catalogue service keeps have theirs. The gateway's "
        "account must be its coordinator, and needs no more. Absent: Slurm does not follow the projects.",
    )
    projects: Literal["fabric", "outside"] = Field(
        default="fabric",
        description="Who makes accounts, users and budgets below parent_account. fabric: the gateway. outside: another "
        "system does, and `fabric-hub projects plan` shows what differs.",
    )
    projects_interval_s: float = Field(
        default=600.0,
        ge=10,
        le=86400,
        description="How often the accounts below parent_account are compared with the projects, besides whenever a "
        "project changes.",
    )


class ImageSettings(Frozen):
    """An image that the site offers; it is built in images.dir."""

    title: str = Field(default="", description="What people read; empty: the name.")
    description: str = Field(default="", description="One sentence for the start form.")
    when_built: bool = Field(
        default=False,
        description="Offered only where images.dir/NAME/current is there, which hub and service must then see, too. "
        "false: always offered.",
    )


class ImagesSettings(Frozen):
    """Where images are."""

    dir: AbsolutePath = Field(description="Readable by every user on every node; NAME/current is the live build.")


class Profile(Frozen):
    """A named resource request. ``gpus`` is per session, of ``gpu_type`` when given."""

    title: str = Field(default="", description="What people read; empty: the name.")
    kind: Literal["slurm", "local"] = Field(
        default="slurm",
        description="slurm: a job. local: a process on the hub's own machine, for machines without Slurm.",
    )
    partition: SlurmName | None = Field(default=None, description="Slurm partition; default: Slurm's own.")
    qos: QosName | None = Field(default=None, description="Slurm QOS; default: the account's.")
    cpus: int = Field(default=1, ge=1, le=4096, description="CPUs of one session (sbatch --cpus-per-task).")
    memory: MemorySize | None = Field(
        default=None, description='Memory of one session, as "8G"; default: Slurm\'s own.'
    )
    gpus: int = Field(default=0, ge=0, le=64, description="GPUs of one session.")
    gpu_type: GpuType | None = Field(default=None, description="Slurm's type name of the GPUs; default: any.")
    shards: int = Field(default=0, ge=0, le=1024, description="GPU shards of one session, instead of whole GPUs.")
    default_hours: float = Field(default=1.0, gt=0, le=8784, description="Time asked for when the user says nothing.")
    max_hours: float = Field(default=8.0, gt=0, le=8784, description="Longest time that a user may ask for.")
    idle_minutes: float | None = Field(
        default=None, gt=0, le=10080, description="A session that is idle for so long is stopped; absent: never."
    )
    idle_gpu_percent: float = Field(
        default=5.0, gt=0, le=100, description="A session with a GPU in use by at least so much is not idle."
    )
    idle_warn_minutes: float = Field(
        default=10.0, gt=0, le=1440, description="How long before it is stopped an idle session is told."
    )

    @model_validator(mode="after")
    def _consistent(self) -> Profile:
        if self.idle_minutes is not None and self.idle_warn_minutes >= self.idle_minutes:
            raise ValueError(texts.IDLE_WARNING(warn=self.idle_warn_minutes, idle=self.idle_minutes))
        if self.gpus and self.shards:
            raise ValueError(texts.GPUS_AND_SHARDS())
        if self.default_hours > self.max_hours:
            raise ValueError(texts.DEFAULT_HOURS(default=self.default_hours, most=self.max_hours))
        if self.kind == "local" and (self.gpus or self.shards or self.partition):
            raise ValueError(texts.LOCAL_PROFILE())
        return self

    @property
    def gres(self) -> tuple[Gres, ...]:
        """The profile's generic resources as sbatch's --gres takes them."""
        if self.shards:
            return (f"shard:{self.shards}",)
        if self.gpus:
            return (f"gpu:{self.gpu_type}:{self.gpus}" if self.gpu_type else f"gpu:{self.gpus}",)
        return ()


class Members(Frozen):
    """Who belongs to a project, by role. All but visitors may start sessions in it. A plain list is one of members."""

    owner: tuple[HubUser, ...] = Field(default=(), description="Hub users who are responsible for the project.")
    member: tuple[HubUser, ...] = Field(default=(), description="Hub users who work in the project.")
    trainer: tuple[HubUser, ...] = Field(default=(), description="Hub users who run the courses of the project.")
    steward: tuple[HubUser, ...] = Field(default=(), description="Hub users who answer for the project's data.")
    visitor: tuple[HubUser, ...] = Field(
        default=(), description="Hub users who see what the project shows them; they start nothing."
    )

    @model_validator(mode="before")
    @classmethod
    def _plain_list(cls, data: Any) -> Any:
        return {"member": data} if isinstance(data, list | tuple) else data

    def __contains__(self, user: str) -> bool:
        """Whether somebody may start sessions."""
        return any(user in people for people in (self.owner, self.member, self.trainer, self.steward))


class Project(Frozen):
    """Who may use what, charged to which Slurm account. Empty profiles or images mean all."""

    title: str = Field(default="", description="What people read; empty: the name.")
    kind: Literal["research", "course", "client"] = Field(default="research", description="What sort of project it is.")
    account: AccountName = Field(description="The Slurm account that its sessions are charged to.")
    members: Members = Field(default=Members(), description="See project.NAME.members.")
    budget_gpu_hours: float | None = Field(
        default=None,
        ge=0,
        description="GPU hours granted. On record only: the limit of the account in Slurm is what holds.",
    )
    profiles: tuple[Slug, ...] = Field(
        default=(), description="Profiles of the project, its default first; empty: all."
    )
    images: tuple[Slug, ...] = Field(default=(), description="Images of the project, its default first; empty: all.")
    data: Literal["public", "non-public"] = Field(
        default="public",
        description="Whether the project works with data that not everybody may see. The hub alone adds nobody to a "
        "project with non-public data.",
    )
    paused: OrNothing = Field(default="", description="Why nothing starts in it for now; empty: it is not paused.")
    service_account: OrNothing = Field(
        default="", description="The Unix account that owns the project's folder; empty: it has none."
    )
    asks: Asks | None = Field(default=None, description="What it asks of a login. See project.NAME.asks.")
    organisation: OrNothing = Field(default="", description="Whose project it is, for the month sheet.")
    sector: OrNothing = Field(default="", description="The sector of that organisation, for the month sheet.")
    start: date | None = Field(default=None, description="First day on which sessions can start.")
    end: date | None = Field(default=None, description="Last day on which sessions can start.")

    @model_validator(mode="after")
    def _dates(self) -> Project:
        if self.start and self.end and self.end < self.start:
            raise ValueError(texts.PROJECT_DATES(end=str(self.end), start=str(self.start)))
        return self


class Settings(Frozen):
    """The whole site's file."""

    site: SiteSettings = SiteSettings()
    hub: HubSettings
    login: LoginSettings = LoginSettings()
    log: LogSettings = LogSettings()
    gateway: GatewaySettings = GatewaySettings()
    slurm: SlurmSettings | None = Field(default=None, description="Absent on a machine without Slurm.")
    users: UserSettings = UserSettings()
    images: ImagesSettings
    image: dict[Slug, ImageSettings] = Field(default_factory=dict)
    profile: dict[Slug, Profile] = Field(default_factory=dict)
    # from load() the site's file's own; with_live_projects() of projects/live.py adds those of the catalogue service
    project: Mapping[Slug, Project] = Field(default_factory=dict)
    catalogue: CatalogueSettings | None = Field(default=None, description="Absent: this site offers no datasets.")
    folders: FoldersSettings | None = Field(default=None, description="Absent: projects have no folders.")
    quotas: QuotasSettings = QuotasSettings()
    mail: MailSettings | None = Field(
        default=None, description="Absent: the hub sends no mail, and operators read reports on their page."
    )
    reports: ReportsSettings = ReportsSettings()
    notices: NoticesSettings = NoticesSettings()
    privacy: PrivacySettings = PrivacySettings()

    @model_validator(mode="before")
    @classmethod
    def _names(cls, data: Any) -> Any:
        return as_compared(data)

    @model_validator(mode="after")
    def _references(self) -> Settings:
        wrong = across(self.model_dump())
        wrong += between_tables(self.login, self.hub, self.catalogue is not None)
        if wrong:
            raise MistakesError(wrong)
        return self

    @property
    def enforces_datasets(self) -> bool:
        """Whether the nodes' kernels keep people apart who share this site's datasets."""
        return self.slurm is not None and not self.users.shared_account

    def dataset_environment(self, names: Iterable[str]) -> dict[str, str]:
        """What a session is told of the datasets that it asked for, and of where they are.

        Where nothing is enforced there is no node agent to ask: datasets are plain directories.
        """
        if self.catalogue is None:
            return {}
        told = {"FABRIC_DATASETS": ",".join(names), "FABRIC_DATA_DIR": str(self.catalogue.data_dir)}
        return told | ({"FABRIC_NODE_SOCKET": str(self.catalogue.node_socket)} if self.enforces_datasets else {})

    @property
    def folder_environment(self) -> dict[str, str]:
        """What a session is told of where the projects' folders are; the node's kernel says which it may enter."""
        return {"FABRIC_FOLDERS_DIR": str(self.folders.directory)} if self.folders else {}

    @property
    def service_url_for_nodes(self) -> str:
        """The REST service's public address as nodes reach it; under internal TLS sessions call the hub's port."""
        return f"{self.hub.url_for_nodes}/services/fabric/api"


def path_from_environment() -> Path:
    """Where this machine's site file is: $FABRIC_HUB_SITE, or /etc/fabric-hub/site.toml."""
    return Path(os.environ.get(ENV) or DEFAULT_PATH)


def load(path: Path | None = None) -> Settings:
    """Read and check a site's file.

    :param path: default :func:`path_from_environment`.
    :raises FabricError: it cannot be read, or has mistakes; all of them, each with its line.
    """
    path = path or path_from_environment()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = verbatim(error.strerror or "") if isinstance(error, OSError) else texts.NOT_UTF8()
        raise FabricError(texts.UNREADABLE(path=str(path), why=why, variable=ENV)) from error
    return parse(text, str(path))


def parse(text: str, name: str = "site.toml") -> Settings:
    """Check the text of a site's file; errors as :func:`load` raises them."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FabricError(texts.NOT_TOML(name=name, why=str(error))) from error
    try:
        return Settings.model_validate(earlier.with_places(data))
    except ValidationError as error:
        found = [{**item, "loc": earlier.as_written(item["loc"], data)} for item in error.errors()]
        lines = [line for item in found for line in explain(item, text, name)]
        if all(item["loc"] for item in found):  # pydantic did not come to the check of the whole file
            lines += [at_line(mistake, text, name) for mistake in across(earlier.renamed(data))]
        raise FabricError(texts.MISTAKES(name=name, n=len(lines), mistakes=tuple(lines))) from error


def refuse(mistakes: Sequence[Mistake], path: Path) -> None:
    """Refuse a site's file for mistakes that are found beside it, as in a file that it names.

    :raises FabricError: there are any; as :func:`load` raises it.
    """
    if mistakes:
        text = path.read_text(encoding="utf-8")
        lines = tuple(at_line(mistake, text, str(path)) for mistake in mistakes)
        raise FabricError(texts.MISTAKES(name=str(path), n=len(lines), mistakes=lines))
