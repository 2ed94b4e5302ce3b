"""The words of the catalogue as types: in memory, in files and on the wire alike. No I/O.

The terms are those of DCAT-AP-NL 3.0 (https://docs.geostandaarden.nl/dcat/dcat-ap-nl30/) where it has one.
Times are Unix seconds (float), sizes bytes, digests SHA-256 in small hexadecimal letters.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from fabric_hub.config.assurance import Asks
from fabric_hub.rpc.feed_value import FeedValue
from fabric_hub.types import Frozen, HubUser, Slug, matching, said

VersionName = Annotated[
    str,
    matching(r"[0-9A-Za-z](?:[0-9A-Za-z._-]{0,30}[0-9A-Za-z])?"),
    said("a version: letters, digits and . _ - between them, at most 32", "2026.1"),
]
Digest = Annotated[str, matching(r"[0-9a-f]{64}")]
# What steers a terminal (C0 and C1), or turns the order of letters round: people's words are shown to operators.
_STEERS = r"\x7f-\x9f\u2028-\u202e\u2066-\u2069"
Line = Annotated[
    str, matching(rf"[^\x00-\x1f{_STEERS}]{{1,300}}"), said("one line of text, 1 to 300 characters", "Wind farm")
]
Text = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=20_000, strict=True, pattern=rf"^[^\x00-\x08\x0b\x0c\x0e-\x1f{_STEERS}]*$"
    ),
    said("text without control characters, 1 to 20000 characters", "Twelve turbines"),
]
WebAddress = Annotated[
    str,
    matching(r"https?://[^\s\"<>\\^`{|}\x00-\x20\x7f]{1,500}"),
    said("an address on the web with https:// or http://", "https://data.example.org"),
]
# http://publications.europa.eu/resource/authority/language
Language = Annotated[str, matching(r"[A-Z]{3}"), said("a language in the EU's list: three capital letters", "ENG")]
# http://publications.europa.eu/resource/authority/data-theme
Theme = Literal[
    "AGRI", "ECON", "EDUC", "ENER", "ENVI", "GOVE", "HEAL", "INTR", "JUST", "REGI", "SOCI", "TECH", "TRAN",
]  # fmt: skip


class Access(StrEnum):
    """http://publications.europa.eu/resource/authority/access-right: who may see and use it."""

    PUBLIC = "public"
    RESTRICTED = "restricted"
    NON_PUBLIC = "non-public"


class PersonalData(StrEnum):
    """What the dataset holds about people, as the GDPR parts it (articles 4 and 9)."""

    NONE = "none"
    PSEUDONYMISED = "pseudonymised"
    PERSONAL = "personal"
    SPECIAL = "special"


class Agent(Frozen):
    """An organisation or a person (foaf:Agent); ``uri`` is where there is one to name."""

    name: Line
    uri: WebAddress | None = None


class Contact(Frozen):
    """Where questions go (vcard:Kind): an e-mail address, a web address, or both."""

    name: Line
    email: (
        Annotated[
            str, matching(r"[^@\s\"<>]{1,64}@[A-Za-z0-9.-]{1,190}"), said("an e-mail address", "data@example.org")
        ]
        | None
    ) = None
    url: WebAddress | None = None


class Purpose(Frozen):
    """One thing that the dataset may be used for; a user names it by its slug."""

    name: Slug
    text: Line


class Agreement(Frozen):
    """The terms that a user accepts; another version asks again."""

    version: VersionName
    text: Text


class Version(Frozen):
    """One immutable state of a dataset.

    ``image`` is one SquashFS file of ``bytes``, whose digest is ``sha256``; ``directory`` is a path on the shared
    file system, whose digest is that of its listing (path, size and digest of every file).
    """

    version: VersionName
    kind: Literal["image", "directory"]
    path: str
    sha256: Digest
    bytes: int = Field(ge=0)
    files: int = Field(ge=0)
    formats: dict[str, int] = Field(default_factory=dict, description="file suffix -> number of files")
    created_at: float
    published_at: float | None = None
    retired_at: float | None = None


class Dataset(Frozen):
    """An entry of the catalogue. What may be missing in a draft is optional; publishing needs all of it."""

    name: Slug
    title: Line | None = None
    description: Text | None = None
    publisher: Agent | None = None
    creator: Agent | None = None
    contact: Contact | None = None
    licence: WebAddress | None = None
    access: Access | None = None
    themes: tuple[Theme, ...] = ()
    keywords: tuple[Line, ...] = ()
    languages: tuple[Language, ...] = ()
    personal_data: PersonalData | None = None
    purposes: tuple[Purpose, ...] = ()  # what it may be used for; required unless access is public
    agreement: Agreement | None = None
    provenance: Text | None = None
    retention: Line | None = None
    retain_until: date | None = None
    page: WebAddress | None = None
    asks: Asks | None = None  # of the login of who accepts its agreement
    versions: tuple[Version, ...] = ()
    latest: VersionName | None = None  # the published version that /data/NAME/latest is
    created_at: float = 0.0
    published_at: float | None = None
    retired_at: float | None = None


class Grant(Frozen):
    """A project may use a dataset, until the end of a day (None: no end)."""

    dataset: Slug
    project: Slug
    until: date | None = None
    by: Line = "operator"
    at: float = 0.0


class HeldGrant(Grant):
    """A grant that a restore shut at ``held_at``; nobody uses it before the steward confirms it."""

    held_at: float


class Acceptance(Frozen):
    """A user accepted a version of a dataset's agreement for a purpose, in a project."""

    user: HubUser
    project: Slug
    dataset: Slug
    agreement: VersionName
    purpose: Slug
    at: float = 0.0


class Accepting(Frozen):
    """A user's words with a start: this version of a dataset's agreement is accepted, for this purpose."""

    version: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,31}$", strict=True)]
    purpose: Slug


class AccessRequest(Frozen):
    """A user asks for a dataset for a project; an operator grants or declines."""

    user: HubUser
    project: Slug
    dataset: Slug
    why: Line | None = None
    at: float = 0.0


class Declined(Frozen):
    """A user's request for a dataset was declined, with the reason that they read; until they ask again."""

    user: HubUser
    project: Slug
    dataset: Slug
    why: Line | None = None
    at: float = 0.0


class Catalogue(FeedValue):
    """What the catalogue service tells the hub: everything published, who was granted what, and what was accepted."""

    datasets: tuple[Dataset, ...] = ()
    grants: tuple[Grant, ...] = ()
    acceptances: tuple[Acceptance, ...] = ()
    requests: tuple[AccessRequest, ...] = ()
    held: tuple[HeldGrant, ...] = ()
    declined: tuple[Declined, ...] = ()

    @property
    def asked_at(self) -> float | None:
        return self.now or None
