"""What the hub's service sends a session, and is sent by it.

Written by scripts/make_schema.py; run `make docs` after a change.
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

# http://publications.europa.eu/resource/authority/access-right: who may see and use it.
Access = Literal["public", "restricted", "non-public"]

# How much an announcement weighs.
AnnouncementLevel = Literal["info", "warning", "critical"]

# What the dataset holds about people, as the GDPR parts it (articles 4 and 9).
PersonalData = Literal["none", "pseudonymised", "personal", "special"]

# What a job's state means for the person waiting for it.
Phase = Literal["queued", "running", "ending", "ended"]

# What a user can do with a dataset in a project today.
State = Literal["open", "agreement", "not-granted", "retired", "unknown"]


class Agent(TypedDict):
    """An organisation or a person (foaf:Agent); ``uri`` is where there is one to name."""

    name: str
    uri: NotRequired[str | None]


class Agreement(TypedDict):
    """The terms that a user accepts; another version asks again."""

    version: str
    text: str


class Balance(TypedDict):
    """GPU-hours of a project or of a user in it.

    ``limit`` is its own, ``left`` what the tightest of all that count leaves; ``above`` are those that are not its own.

    ``running`` is how many GPUs are in use now, and ``to_come`` what their jobs may still take by their time limits;
    ``rate_per_day`` is what the last days took on average, and ``lasts_until`` when nothing is left at that rate, or
    before, when what runs now may take all (None: no limit, no use, or not known).
    """

    limit: float | None
    used: float
    left: float | None
    running: NotRequired[float]
    to_come: NotRequired[float]
    rate_per_day: NotRequired[float | None]
    lasts_until: NotRequired[float | None]
    of: NotRequired[str]
    limited_by: NotRequired[str]
    above: NotRequired[list[ParentLimit]]


class Chosen(TypedDict):
    """The datasets on a session's record."""

    datasets: list[str]


class ClusterOffer(TypedDict):
    """What a session's clusters may ask Slurm for, and what Slurm last said of them.

    ``job_name`` and the cluster's own name make the name that its jobs must have, so that they end with the session.
    """

    job_name: str
    account: str
    session_ends_at: float | None
    profiles: list[WorkerProfile]
    jobs: list[WorkerJob]
    age_s: float | None
    unavailable_since: float | None


class Contact(TypedDict):
    """Where questions go (vcard:Kind): an e-mail address, a web address, or both."""

    name: str
    email: NotRequired[str | None]
    url: NotRequired[str | None]


class ContinueRequest(TypedDict):
    """Which files the successor opens again: paths relative to where the session's server begins.

    ``end_this``: the caller's session ends as soon as its successor is ready. It does so by itself two minutes after
    that; whoever has saved what is open asks for it before (``/session/continue/end``).
    """

    reopen: NotRequired[list[str]]
    end_this: NotRequired[bool]


class Continued(TypedDict):
    """How the successor of a session fares. ``url`` is where it is opened; it waits there while it starts."""

    server_name: str
    url: str
    state: str
    session: str | None
    text: str
    reopen: list[str]
    reasons: NotRequired[dict[str, object]]


class DatasetRequest(TypedDict):
    """A request of a session's user for a dataset; ``why`` is one line for the operators."""

    why: NotRequired[str | None]


class DayUse(TypedDict):
    """GPU-hours of a project on a day; ``mine`` are those of the person who is told, None where that is nobody."""

    day: str
    gpu_hours: float
    mine: NotRequired[float | None]


class Extended(TypedDict):
    """The new end of a session, and how many minutes it has in all."""

    ends_at: float
    minutes: int
    text: str
    reasons: NotRequired[dict[str, object]]


class ExtensionRequest(TypedDict):
    minutes: int


class IdleAnswer(TypedDict):
    """What the hub makes of a report. ``state`` "off": the profile has no policy.

    A warning says that ``what`` is so since ``quiet_since``; its ``text`` is the whole sentence.
    """

    state: str
    idle_for_s: NotRequired[float]
    stop_at: NotRequired[float | None]
    text: NotRequired[str]
    what: NotRequired[str]
    quiet_since: NotRequired[float | None]
    next_report_s: NotRequired[float]
    reasons: NotRequired[dict[str, object]]


class IdlePolicy(TypedDict):
    """A profile's: stopped after so many idle minutes, told so many before; GPUs below this use (percent) are idle."""

    minutes: float
    gpu_percent: float
    warn_minutes: float


class IdleReport(TypedDict):
    """A session's own word: seconds since anybody did anything, whether a kernel or terminal is at work, and the
    highest use of each of its GPUs since its last report (null: it cannot be read).

    ``kernels_busy`` are the kernels that run a cell now, ``others_busy`` says whether a terminal printed or a Dask
    cluster worked since the last report, and ``unsaved`` are the documents with changes that are in no file, in all
    open tabs; null: it does not know. Its person is told before they stop it.
    """

    idle_s: float
    busy: bool
    gpu_percent: NotRequired[list[float] | None]
    kernels_busy: NotRequired[int | None]
    others_busy: NotRequired[bool | None]
    unsaved: NotRequired[int | None]


class OfferedVersion(TypedDict):
    """A published version. ``path`` on the cluster's file system is not told: sessions find it below ``data_dir``."""

    version: str
    kind: str
    sha256: str
    bytes: int
    files: int
    formats: dict[str, int]
    published_at: float | None


class ParentLimit(TypedDict):
    """A limit on GPU-hours that counts for a project and is not its account's own: of an account above, or of a QOS.

    All of it is of everybody whom it holds. ``profiles`` are those of the project that it counts for (empty: all).
    The other fields are those of :class:`Balance`.
    """

    name: str
    limit: float
    used: float
    left: float
    running: NotRequired[float]
    to_come: NotRequired[float]
    rate_per_day: NotRequired[float | None]
    lasts_until: NotRequired[float | None]
    profiles: NotRequired[list[str]]


class Problem(TypedDict):
    """The body of every error answer of our APIs.

    ``message`` and ``hint`` are sentences in the language that was asked for; ``said`` and ``advice`` are the same as
    codes with parameters, where they have any.
    """

    message: str
    reason: str
    hint: NotRequired[str]
    since: NotRequired[float | None]
    said: NotRequired[Text | None]
    advice: NotRequired[Text | None]


class Purpose(TypedDict):
    """One thing that the dataset may be used for; a user names it by its slug."""

    name: str
    text: str


class Quote(TypedDict):
    """What so many workers of a profile would cost and wait for, before they are submitted.

    ``now`` of those that are not there yet find a place as things are; ``held_by`` is the limit of Slurm's that keeps
    others waiting, or empty. ``words`` says all of it.
    """

    profile: str
    workers: int
    gpu_hours_per_hour: float
    cpus: int
    now: int
    held_by: str
    words: str
    reasons: NotRequired[dict[str, object]]


class Ready(TypedDict):
    """A session's announcement: it listens on this port of its own node.

    ``phases`` are seconds since its launcher began, by name.
    """

    port: int
    phases: NotRequired[dict[str, float]]


class SessionAnnouncement(TypedDict):
    """What an operator announces until ``ends_at``, in the reader's language where it was written in that; or what the
    session's person was told and has not read.
    """

    id: str
    level: AnnouncementLevel
    text: str
    ends_at: float


class SessionDataset(TypedDict):
    """An entry as a session sees it; ``chosen`` are those on the session's own record."""

    state: State
    why: str
    hint: str
    until: str | None
    requested: bool
    waits: NotRequired[bool]
    refused: NotRequired[bool]
    may_request: NotRequired[bool]
    told: NotRequired[str]
    name: str
    title: str
    description: str
    description_html: NotRequired[str]
    publisher: Agent | None
    creator: Agent | None
    contact: Contact | None
    licence: str | None
    access: Access
    themes: list[str]
    keywords: list[str]
    languages: list[str]
    personal_data: PersonalData | None
    purposes: list[Purpose]
    agreement: Agreement | None
    provenance: str | None
    retention: str | None
    retain_until: str | None
    page: str | None
    versions: list[OfferedVersion]
    latest: str | None
    path: str
    chosen: bool
    reasons: NotRequired[dict[str, object]]


class SessionDatasets(TypedDict):
    enforced: bool
    notice: str
    unavailable_since: float | None
    problem: str
    data_dir: str
    datasets_page: str
    project: str
    datasets: list[SessionDataset]
    reasons: NotRequired[dict[str, object]]


class SessionInfo(TypedDict):
    """A session as its own server may know it. Times are Unix seconds; ``gpus`` is what was asked for.

    ``stop_at`` is when an operator ends it; null: nobody does.
    """

    session: str
    user: str
    project: str
    project_title: str
    project_kind: str
    account: str
    profile: str
    image: str
    hours: float
    phase: str
    job_id: int | None
    node: str | None
    started_at: float | None
    ends_at: float | None
    stop_at: NotRequired[float | None]
    gpus: int
    snapshot_age_s: float | None
    slurm_unavailable_since: float | None
    site: SessionSite
    announcements: NotRequired[list[SessionAnnouncement]]


class SessionQuota(TypedDict):
    """What a session is told."""

    session: str
    user: str
    project: str
    project_title: str
    account: str
    profile: str
    gpus: int
    gpu_hours: Balance | None
    user_gpu_hours: Balance | None
    trend: list[DayUse]
    storage: list[StorageUse]
    time: TimeLeft
    idle: IdlePolicy | None
    warnings: list[Warned]
    age_s: float | None
    unavailable_since: float | None
    problem: str
    reasons: NotRequired[dict[str, object]]


class SessionSite(TypedDict):
    """Whose hub a session is of, and where people find help; "" where the site names none.

    ``welcome``: a person's first session opens a notebook that shows around.
    """

    name: str
    help_url: str
    docs_url: str
    support_email: str
    welcome: bool


class StorageUse(TypedDict):
    """One file system's quota, by its own tools. ``at`` is when they were asked; ``problem`` why they said nothing.

    ``project`` is the project whose quota it is; empty: it is the user's own, or one for all.
    """

    title: str
    path: str
    project: NotRequired[str]
    scope: NotRequired[str]
    used: NotRequired[int]
    limit: NotRequired[int | None]
    files_used: NotRequired[int | None]
    files_limit: NotRequired[int | None]
    at: NotRequired[float | None]
    problem: NotRequired[str]
    reasons: NotRequired[dict[str, object]]


class Text(TypedDict):
    """A fact with its code, and the sentence that it is in the language that was asked for."""

    code: str
    params: dict[str, object]
    text: str


class TimeLeft(TypedDict):
    """When a session ends and why; whether it could be later, by at most so many minutes, or why not.

    ``text`` says so with the moment by the hub's clock; a browser, which has its own, makes the sentence from its code.
    """

    started_at: NotRequired[float | None]
    ends_at: NotRequired[float | None]
    why: NotRequired[Literal["limit", "reservation", "project", "operator", "left", ""]]
    text: NotRequired[str]
    can_extend: NotRequired[bool]
    extend_most_minutes: NotRequired[int]
    extend_why_not: NotRequired[str]
    reasons: NotRequired[dict[str, object]]


class Warned(TypedDict):
    """A warning in force, since when; ``id`` is the same for as long as it is."""

    id: str
    level: Literal["info", "warning", "danger"]
    subject: str
    text: str
    since: float
    reasons: NotRequired[dict[str, object]]


class WorkerJob(TypedDict):
    """One job of a cluster, or the waiting tasks of its array.

    ``why`` says in words why it waits; of one that has ended, what befell its node meanwhile.
    """

    cluster: str
    job_id: int
    array_id: int | None
    tasks: str
    state: str
    phase: Phase
    why: str
    starts_at: float | None
    started_at: float | None
    ends_at: float | None
    node: str
    reasons: NotRequired[dict[str, object]]


class WorkerProfile(TypedDict):
    """A profile that a worker may be like; ``memory_mb`` and ``cpus`` are of one worker, ``per_job`` share a job."""

    name: str
    title: str
    partition: str | None
    qos: str | None
    cpus: int
    memory_mb: int
    gpus: int
    gpu_type: str | None
    default_hours: float
    max_hours: float
    per_job: int
