"""The part of the site's file that is about datasets; :mod:`.settings` reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from fabric_hub.messages.texts import leased_accounts as account_texts
from fabric_hub.messages.texts import site_file as texts
from fabric_hub.types import AbsolutePath, Frozen, HubUser, Slug, matching, said

from .templates import TemplateSettings

# without the characters that would end an IRI in RDF
WebAddressOrNone = Annotated[
    str,
    Field(pattern=r"^(https?://[^\s\"<>\\^`{|}\x00-\x20\x7f]{1,500})?$"),
    said("an address on the web with https:// or http://", "https://data.example.org"),
]
EmailOrNone = Annotated[
    str, Field(pattern=r"^([^@\s\"<>]{1,64}@[A-Za-z0-9.-]{1,190})?$"), said("an e-mail address", "data@example.org")
]
LanguageCode = Annotated[
    str, Field(pattern=r"^[A-Z]{3}$"), said("a language in the EU's list: three capital letters", "ENG")
]
UnixAccount = Annotated[
    str,
    Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]{0,63}$"),
    said("the name of a Unix account: letters, digits and _ . -, no digit first", "fabric-catalogue"),
]
AccountPrefix = Annotated[
    str,
    Field(pattern=r"^([a-z0-9_][a-z0-9_.@:+-]{0,22})?$"),
    said("the beginning of a Slurm account: small letters, digits and _ . @ : + -, at most 23", "fh-"),
]
# Settings that a running catalogue service takes over at once, and what they are where the section is gone.
AT_ONCE_IN_FORCE = (
    "stewards", "from_hub", "from_hub_gpu_hours", "account_prefix", "requests_per_person", "templates", "starter",
    "pools", "clean_within_minutes",
)  # fmt: skip
NOTHING_MORE: dict[str, Any] = {
    "stewards": {},
    "from_hub": (),
    "requests_per_person": 0,
    "starter": None,
    "pools": {},
}
# A dataset's name, or every dataset that has no stewards of its own.
EVERY_OTHER = "*"
DatasetOrEvery = Annotated[
    str,
    matching(r"\*|[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?"),
    said("the name of a dataset, or * for every one without stewards of its own", "patients"),
]


class ExportSettings(Frozen):
    """What an export of the catalogue says about the catalogue itself."""

    title: str = Field(default="Datasets", description="Title of the catalogue.")
    description: str = Field(default="The datasets of this site.", description="One sentence.")
    url: WebAddressOrNone = Field(
        default="", description="Address under which entries are named (URIs); default: hub.bind_url."
    )
    publisher: str = Field(
        default="", description="The organisation that publishes the catalogue; an export needs one."
    )
    publisher_uri: WebAddressOrNone = Field(default="", description="A URI of that organisation.")
    contact: str = Field(default="", description="Who answers questions about the catalogue; default: its publisher.")
    contact_email: EmailOrNone = Field(
        default="", description="Their e-mail address; default: the catalogue's own address on the web."
    )
    languages: tuple[LanguageCode, ...] = Field(
        default=("ENG",), description="Languages of titles and descriptions, as the EU's list of languages names them."
    )
    licence: WebAddressOrNone = Field(
        default="", description="Licence of the catalogue itself, not of the datasets; empty: not said."
    )


Purpose = Literal["guest", "client", "service", "rehearsal", "grading"]


class PoolSettings(Frozen):
    """Unix accounts that the site made for being lent: nobody logs in with them."""

    purpose: Purpose = Field(description="What the accounts are lent for; service: as the owner of a project's folder.")
    accounts: tuple[UnixAccount, ...] = Field(
        min_length=1,
        max_length=10_000,
        description="Unix accounts with a home of their own, in no other pool. Their uids stand in pool_uids of each "
        "node's node.json, too.",
    )


class CatalogueSettings(Frozen):
    """Datasets: who keeps the catalogue, and where nodes find what they need."""

    account: UnixAccount = Field(
        default="fabric-catalogue",
        description="Unix account of the catalogue service, which owns catalogue, grants, images and audit log.",
    )
    database: str = Field(default="", description="SQLAlchemy URL of the catalogue; default: SQLite in state_dir.")
    state_dir: AbsolutePath = Field(
        default=Path("/var/lib/fabric-catalogue"),
        description="The catalogue service's private directory: catalogue and audit log.",
    )
    socket: AbsolutePath = Field(
        default=Path("/run/fabric-catalogue/catalogue.sock"),
        description="Unix socket on which the hub reaches the catalogue service.",
    )
    store: AbsolutePath = Field(
        default=Path("/srv/fabric/datasets"),
        description="Images, on a file system that the nodes share; root reads it.",
    )
    published: AbsolutePath = Field(
        default=Path("/srv/fabric/published"),
        description="Where the nodes are told who may use what, and tell what was used; shared too.",
    )
    data_dir: AbsolutePath = Field(default=Path("/data"), description="Where sessions find datasets: DATA_DIR/NAME.")
    node_socket: AbsolutePath = Field(
        default=Path("/run/fabric/node.sock"), description="Unix socket on which a node's agent opens datasets."
    )
    stewards: dict[DatasetOrEvery, tuple[HubUser, ...]] = Field(
        default={},
        description="Hub users who answer for a dataset, by its name (* for those without stewards of their own): they "
        "decide on its page at the hub which grants that only a backup knows come back. Empty: only operators do.",
    )
    from_hub: tuple[Literal["grants", "people", "budgets", "projects", "accounts"], ...] = Field(
        default=("people", "budgets"),
        description="What may be widened at the hub, where somebody who has taken the hub over could, too. people: "
        "owners add people to their projects. budgets: operators (login.admins) raise budgets, up to "
        "from_hub_gpu_hours. projects: operators make projects, whose Slurm account is account_prefix and the name, "
        "and give them more time. grants: operators grant restricted datasets to projects whose members asked for "
        "them. accounts: operators lease accounts of pools, but none of purpose service. None of it holds for a "
        "project with non-public "
        "data or of a client: that is done with fabric-hub projects and fabric-hub datasets. Refusing and narrowing "
        "need nothing here.",
    )
    from_hub_gpu_hours: float = Field(
        default=1000.0,
        ge=0,
        allow_inf_nan=False,
        description="The largest budget, in GPU-hours, that a project can be given at the hub.",
    )
    account_prefix: AccountPrefix = Field(
        default="fh-",
        description="The Slurm account of a project that the catalogue service keeps is this and the project's name, "
        "unless it is made with another one.",
    )
    requests_per_person: int = Field(
        default=3,
        ge=0,
        le=20,
        description="How many open requests for projects, and for more of one, a person may have. 0: nobody asks on "
        "the hub's pages. Where site.request_url is set, new projects are asked for there.",
    )
    templates: dict[Slug, TemplateSettings] = Field(default={}, description="See catalogue.templates.NAME.")
    starter: Slug | None = Field(
        default=None,
        description="The template of starter projects: who logs in and is in no project gets one of their own, once, "
        "whatever becomes of it. The template needs budget_gpu_hours and days, and what it gives stays below "
        "from_hub_gpu_hours. Absent: there are none.",
    )
    pools: dict[Slug, PoolSettings] = Field(default={}, description="See catalogue.pools.NAME.")
    clean_within_minutes: float = Field(
        default=60.0,
        gt=0,
        le=10080,
        description="A leased account that was given back and is not clean after so long is set apart (quarantined), "
        "with the reason.",
    )
    keep_service_accounts_days: int = Field(
        default=365,
        ge=0,
        le=36525,
        description="How long after a project's last day its service account, which owns the project's folder, is "
        "kept; then it is given back and all that it has is removed.",
    )
    keep_names_days: int = Field(
        default=1827,
        ge=0,
        le=36525,
        description="How long after somebody last appears in the audit log their name is kept beside their number: "
        "`fabric-hub people forget` refuses before. The log itself stays as it is.",
    )
    shapes: AbsolutePath | None = Field(
        default=None, description="A directory of SHACL shapes (*.ttl) that an export is checked against."
    )
    export: ExportSettings = Field(default=ExportSettings(), description="See catalogue.export.")

    @model_validator(mode="after")
    def _starter(self) -> CatalogueSettings:
        if self.starter is None:
            return self
        template = self.templates.get(self.starter)
        if template is None:
            raise ValueError(texts.NO_SUCH_REFERENCE(name=repr(self.starter), table="catalogue.templates"))
        if template.budget_gpu_hours is None or template.days is None or template.kind == "client":
            raise ValueError(texts.STARTER_WITHOUT_END(template=self.starter))
        if template.budget_gpu_hours > self.from_hub_gpu_hours:
            raise ValueError(texts.STARTER_ABOVE_CAP(template=self.starter, hours=template.budget_gpu_hours))
        return self

    @model_validator(mode="after")
    def _in_one_pool(self) -> CatalogueSettings:
        seen: dict[str, str] = {}
        for pool, one in self.pools.items():
            for account in one.accounts:
                if account in seen:
                    raise ValueError(account_texts.TWICE_IN_POOLS(account=account, pool=seen[account], other=pool))
                if account == self.account:
                    raise ValueError(account_texts.POOL_OF_SERVICE(account=account, pool=pool))
                seen[account] = pool
        return self

    def pool_of(self, account: str) -> str | None:
        """The name of the pool that an account is in."""
        return next((name for name, pool in self.pools.items() if account in pool.accounts), None)
