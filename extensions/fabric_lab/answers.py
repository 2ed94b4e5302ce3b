"""What the session's own Jupyter Server answers to its JupyterLab: the service's word, joined with what is here.

The service's own shapes are in :mod:`.schema`, which is generated from its OpenAPI document. These are ours, declared
here and nowhere else: ``src/schema.ts`` is generated from both (``make docs``). Times are Unix seconds, sizes bytes.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, NotRequired, TypedDict

from .schema import SessionDataset, SessionInfo, SessionQuota, State, WorkerJob, WorkerProfile


class Gpu(TypedDict):
    """One GPU as programs in the session number it; ``device`` is Slurm's name of it."""

    index: int
    device: str
    name: NotRequired[str]


class Facts(TypedDict):
    """``GET fabric/session``. None and "" mean: not known."""

    session: str
    project: str
    project_title: str
    profile: str
    image: str
    node: str
    job_id: int | None
    gpus: list[Gpu]
    gpu_count: int
    ends_at: float | None
    hub: SessionInfo | None
    problem: str


class LeftOut(TypedDict):
    """One thing of the home directory that the session does without.

    ``kind``: "everything" (the server did not start with it), "rescue" (rescue sessions use none of it), or what it
    is. ``place``: its file or directory, as a person would write it. ``why``: what went wrong, a clause in plain words
    or a program's own; "" where ``kind`` says it.
    """

    kind: Literal["everything", "rescue", "settings", "kernel", "server-extension", "lab-extension"]
    name: str
    place: str
    why: str


class Home(TypedDict):
    """``GET fabric/home``; ``log`` is the session's, or ""."""

    left_out: list[LeftOut]
    log: str


class Welcome(TypedDict):
    """``POST fabric/welcome``: the notebook that was written to show a person around, or ""."""

    path: str


class IdleDecision(TypedDict):
    """What the service makes of a session's idleness: "off", "active", "idle", "warn" or "stopped".

    ``text`` has its moments by the hub's clock: it says that ``what`` is so since ``quiet_since``, and what happens at
    ``stop_at``.
    """

    state: str
    text: str
    what: str
    quiet_since: float | None
    stop_at: float | None


class Usage(TypedDict):
    """``GET fabric/quota``: the service's own answer, or None and ``problem`` says why.

    ``ends_at`` is the best that is known here; ``ending_since`` when Slurm's signal came.
    """

    quota: SessionQuota | None
    problem: str
    ends_at: float | None
    ending_since: float | None
    idle: IdleDecision | None


class GpuUsage(TypedDict):
    """One GPU as programs number it; None: not told, as the use of a MIG slice."""

    index: int
    device: str
    name: str
    percent: float | None
    memory_used: int | None
    memory_total: int | None
    problem: str


class GpusInUse(TypedDict):
    """``GET fabric/gpu``: read now; none where the session has none."""

    gpus: list[GpuUsage]


class Active(TypedDict):
    """``POST fabric/active``: what the hub then thinks of the session."""

    idle: IdleDecision | None


class Here(TypedDict):
    """Where an open dataset is: ``path`` of the version that this session reads."""

    version: str | None
    path: str


class KnownDataset(SessionDataset):
    """An entry of the service's, and where it is open in this session."""

    here: Here | None


class OpenDataset(TypedDict):
    """A dataset that is open here, and that the hub does not tell of: it is silent, or has withdrawn it since."""

    name: str
    state: State
    here: Here | None


class Datasets(TypedDict):
    """``GET fabric/datasets``; ``problem`` and ``node_problem`` are sentences, or ""."""

    project: str
    enforced: bool | None
    notice: str
    datasets_page: str
    datasets: list[KnownDataset | OpenDataset]
    problem: str
    node_problem: str


class ChangedDataset(TypedDict):
    """``POST`` or ``DELETE fabric/datasets/NAME``: where it is open now, and what went wrong beside it, or ""."""

    here: Here | None
    problem: str


class File(NamedTuple):
    """A plain file; ``name`` is its path below the dataset's directory. ``table``: its rows can be shown."""

    name: str
    bytes: int
    table: bool


class Snippet(NamedTuple):
    """``label`` names what is loaded ("CSV with pandas"), ``code`` is one notebook cell.

    ``plot`` is a cell that draws what that one has loaded; "" where there is nothing to draw.
    """

    label: str
    code: str
    plot: str


class Column(TypedDict):
    """``kind`` is what it holds: the file's own type, or what its first rows hold ("integer"); "" where it is empty."""

    name: str
    kind: str


class Table(TypedDict):
    """``GET fabric/datasets/NAME/table?file=F``: the first rows of a file, cells as text, None where there is none.

    ``more``: there are further rows, ``total`` in all where that is known; ``more_columns`` are not shown.
    """

    file: str
    columns: list[Column]
    rows: list[list[str | None]]
    more: bool
    total: int | None
    more_columns: int


class Files(TypedDict):
    """``GET fabric/datasets/NAME/files``; ``more``: there are files that were not looked at, or not told."""

    path: str
    files: list[File]
    more: bool
    snippets: list[Snippet]


class ClusterWorker(TypedDict):
    """A worker that shall be; ``address`` is None until it is there. ``cpu`` and ``gpu_use`` are in per cent.

    ``state``: "running" (connected), "starting" (its job runs, its program is not there yet), "queued", or "lost" (it
    was there, or could not start; it is started again).
    What is said of a GPU is said of the worker's own; a slice of one has memory, but no use.
    """

    name: str
    pool: str
    state: Literal["running", "starting", "queued", "lost"]
    job: str | None
    begun: bool
    address: str | None
    threads: int | None
    memory: int | None
    memory_limit: int | None
    cpu: float | None
    gpu_memory: int | None
    gpu_memory_total: int | None
    gpu_use: float | None


class ClusterPool(TypedDict):
    """A kind of worker; ``memory`` is that of one."""

    profile: str
    gpus: int
    threads: int
    memory: int


class Adaptive(TypedDict):
    """Between how many workers of a pool the cluster follows the work; ``maximum`` None: any number."""

    pool: str
    minimum: int
    maximum: int | None


class Used(TypedDict):
    """CPU-hours and GPU-hours of connected workers, and how many of each they use per hour now."""

    cpu_hours: float
    gpu_hours: float
    cpus: float
    gpus: int


class LateWorkers(TypedDict):
    """Workers of a pool that Slurm expects to start after the session's end; ``keep`` of the pool's are in time."""

    pool: str
    count: int
    keep: int


class ClusterHistory(TypedDict):
    """A cluster's last ten minutes, oldest first: at these times (Unix seconds) so many ``tasks`` ran or were ready to.

    ``memory`` is what the workers used of ``memory_limit``, all of theirs together, in bytes.
    """

    at: list[float]
    tasks: list[int]
    memory: list[int]
    memory_limit: list[int]


class ClusterStatus(TypedDict):
    """What a cluster says of itself.

    ``jobs`` is the hub's word on its jobs while a worker is missing; None when nobody asked or knows. ``problems`` are
    sentences by worker, ``said`` is what the site said to its submissions, ``hub`` why the hub says nothing.
    """

    name: str
    jobs: list[WorkerJob] | None
    session_ends_at: float | None
    hub: str
    workers: list[ClusterWorker]
    problems: dict[str, str]
    said: str
    adaptive: Adaptive | None
    calls: dict[str, int]
    pools: dict[str, ClusterPool]
    used: Used
    waiting: list[str]
    late: list[LateWorkers]
    history: ClusterHistory
    cost: str


class ScaledStatus(ClusterStatus):
    """A cluster's status after it was told something, with what the hub says of its workers."""

    words: NotRequired[str]


class UnavailableCluster(TypedDict):
    """A cluster that does not answer, and why."""

    name: str
    problem: str


class AnsweringCluster(ClusterStatus):
    """A cluster that answers; its ``problem`` is ""."""

    problem: str


class Clusters(TypedDict):
    """``GET fabric/clusters``: the session's, and the profiles that workers of a new one may be like."""

    clusters: list[AnsweringCluster | UnavailableCluster]
    profiles: list[WorkerProfile]
    problem: str


class RunningClusters(TypedDict):
    """``GET fabric/running-clusters``: their names."""

    names: list[str]


class NewCluster(TypedDict):
    """``POST fabric/clusters``: the name of the one that has begun."""

    name: str
