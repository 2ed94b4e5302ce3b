// Written by scripts/make_schema.py; run `make docs` after a change.

// What the hub's service sends a session, and is sent by it.

/** http://publications.europa.eu/resource/authority/access-right: who may see and use it. */
export type Access = 'public' | 'restricted' | 'non-public';

/** How much an announcement weighs. */
export type AnnouncementLevel = 'info' | 'warning' | 'critical';

/** What the dataset holds about people, as the GDPR parts it (articles 4 and 9). */
export type PersonalData = 'none' | 'pseudonymised' | 'personal' | 'special';

/** What a job's state means for the person waiting for it. */
export type Phase = 'queued' | 'running' | 'ending' | 'ended';

/** What a user can do with a dataset in a project today. */
export type State = 'open' | 'agreement' | 'not-granted' | 'retired' | 'unknown';

/** An organisation or a person (foaf:Agent); `uri` is where there is one to name. */
export interface Agent {
  readonly name: string;
  readonly uri?: string | null;
}

/** The terms that a user accepts; another version asks again. */
export interface Agreement {
  readonly version: string;
  readonly text: string;
}

/**
 * GPU-hours of a project or of a user in it.
 *
 * `limit` is its own, `left` what the tightest of all that count leaves; `above` are those that are not its own.
 *
 * `running` is how many GPUs are in use now, and `to_come` what their jobs may still take by their time limits;
 * `rate_per_day` is what the last days took on average, and `lasts_until` when nothing is left at that rate, or
 * before, when what runs now may take all (null: no limit, no use, or not known).
 */
export interface Balance {
  readonly limit: number | null;
  readonly used: number;
  readonly left: number | null;
  readonly running?: number;
  readonly to_come?: number;
  readonly rate_per_day?: number | null;
  readonly lasts_until?: number | null;
  readonly of?: string;
  readonly limited_by?: string;
  readonly above?: readonly ParentLimit[];
}

/** The datasets on a session's record. */
export interface Chosen {
  readonly datasets: readonly string[];
}

/**
 * What a session's clusters may ask Slurm for, and what Slurm last said of them.
 *
 * `job_name` and the cluster's own name make the name that its jobs must have, so that they end with the session.
 */
export interface ClusterOffer {
  readonly job_name: string;
  readonly account: string;
  readonly session_ends_at: number | null;
  readonly profiles: readonly WorkerProfile[];
  readonly jobs: readonly WorkerJob[];
  readonly age_s: number | null;
  readonly unavailable_since: number | null;
}

/** Where questions go (vcard:Kind): an e-mail address, a web address, or both. */
export interface Contact {
  readonly name: string;
  readonly email?: string | null;
  readonly url?: string | null;
}

/**
 * Which files the successor opens again: paths relative to where the session's server begins.
 *
 * `end_this`: the caller's session ends as soon as its successor is ready. It does so by itself two minutes after
 * that; whoever has saved what is open asks for it before (`/session/continue/end`).
 */
export interface ContinueRequest {
  readonly reopen?: readonly string[];
  readonly end_this?: boolean;
}

/** How the successor of a session fares. `url` is where it is opened; it waits there while it starts. */
export interface Continued {
  readonly server_name: string;
  readonly url: string;
  readonly state: string;
  readonly session: string | null;
  readonly text: string;
  readonly reopen: readonly string[];
  readonly reasons?: Readonly<Record<string, unknown>>;
}

/** A request of a session's user for a dataset; `why` is one line for the operators. */
export interface DatasetRequest {
  readonly why?: string | null;
}

/** GPU-hours of a project on a day; `mine` are those of the person who is told, null where that is nobody. */
export interface DayUse {
  readonly day: string;
  readonly gpu_hours: number;
  readonly mine?: number | null;
}

/** The new end of a session, and how many minutes it has in all. */
export interface Extended {
  readonly ends_at: number;
  readonly minutes: number;
  readonly text: string;
  readonly reasons?: Readonly<Record<string, unknown>>;
}

export interface ExtensionRequest {
  readonly minutes: number;
}

/**
 * What the hub makes of a report. `state` "off": the profile has no policy.
 *
 * A warning says that `what` is so since `quiet_since`; its `text` is the whole sentence.
 */
export interface IdleAnswer {
  readonly state: string;
  readonly idle_for_s?: number;
  readonly stop_at?: number | null;
  readonly text?: string;
  readonly what?: string;
  readonly quiet_since?: number | null;
  readonly next_report_s?: number;
  readonly reasons?: Readonly<Record<string, unknown>>;
}

/** A profile's: stopped after so many idle minutes, told so many before; GPUs below this use (percent) are idle. */
export interface IdlePolicy {
  readonly minutes: number;
  readonly gpu_percent: number;
  readonly warn_minutes: number;
}

/**
 * A session's own word: seconds since anybody did anything, whether a kernel or terminal is at work, and the
 * highest use of each of its GPUs since its last report (null: it cannot be read).
 *
 * `kernels_busy` are the kernels that run a cell now, `others_busy` says whether a terminal printed or a Dask
 * cluster worked since the last report, and `unsaved` are the documents with changes that are in no file, in all
 * open tabs; null: it does not know. Its person is told before they stop it.
 */
export interface IdleReport {
  readonly idle_s: number;
  readonly busy: boolean;
  readonly gpu_percent?: readonly number[] | null;
  readonly kernels_busy?: number | null;
  readonly others_busy?: boolean | null;
  readonly unsaved?: number | null;
}

/** A published version. `path` on the cluster's file system is not told: sessions find it below `data_dir`. */
export interface OfferedVersion {
  readonly version: string;
  readonly kind: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly files: number;
  readonly formats: Readonly<Record<string, number>>;
  readonly published_at: number | null;
}

/**
 * A limit on GPU-hours that counts for a project and is not its account's own: of an account above, or of a QOS.
 *
 * All of it is of everybody whom it holds. `profiles` are those of the project that it counts for (empty: all).
 * The other fields are those of `Balance`.
 */
export interface ParentLimit {
  readonly name: string;
  readonly limit: number;
  readonly used: number;
  readonly left: number;
  readonly running?: number;
  readonly to_come?: number;
  readonly rate_per_day?: number | null;
  readonly lasts_until?: number | null;
  readonly profiles?: readonly string[];
}

/**
 * The body of every error answer of our APIs.
 *
 * `message` and `hint` are sentences in the language that was asked for; `said` and `advice` are the same as
 * codes with parameters, where they have any.
 */
export interface Problem {
  readonly message: string;
  readonly reason: string;
  readonly hint?: string;
  readonly since?: number | null;
  readonly said?: Text | null;
  readonly advice?: Text | null;
}

/** One thing that the dataset may be used for; a user names it by its slug. */
export interface Purpose {
  readonly name: string;
  readonly text: string;
}

/**
 * What so many workers of a profile would cost and wait for, before they are submitted.
 *
 * `now` of those that are not there yet find a place as things are; `held_by` is the limit of Slurm's that keeps
 * others waiting, or empty. `words` says all of it.
 */
export interface Quote {
  readonly profile: string;
  readonly workers: number;
  readonly gpu_hours_per_hour: number;
  readonly cpus: number;
  readonly now: number;
  readonly held_by: string;
  readonly words: string;
  readonly reasons?: Readonly<Record<string, unknown>>;
}

/**
 * A session's announcement: it listens on this port of its own node.
 *
 * `phases` are seconds since its launcher began, by name.
 */
export interface Ready {
  readonly port: number;
  readonly phases?: Readonly<Record<string, number>>;
}

/**
 * What an operator announces until `ends_at`, in the reader's language where it was written in that; or what the
 * session's person was told and has not read.
 */
export interface SessionAnnouncement {
  readonly id: string;
  readonly level: AnnouncementLevel;
  readonly text: string;
  readonly ends_at: number;
}

/** An entry as a session sees it; `chosen` are those on the session's own record. */
export interface SessionDataset {
  readonly state: State;
  readonly why: string;
  readonly hint: string;
  readonly until: string | null;
  readonly requested: boolean;
  readonly waits?: boolean;
  readonly refused?: boolean;
  readonly may_request?: boolean;
  readonly told?: string;
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly description_html?: string;
  readonly publisher: Agent | null;
  readonly creator: Agent | null;
  readonly contact: Contact | null;
  readonly licence: string | null;
  readonly access: Access;
  readonly themes: readonly string[];
  readonly keywords: readonly string[];
  readonly languages: readonly string[];
  readonly personal_data: PersonalData | null;
  readonly purposes: readonly Purpose[];
  readonly agreement: Agreement | null;
  readonly provenance: string | null;
  readonly retention: string | null;
  readonly retain_until: string | null;
  readonly page: string | null;
  readonly versions: readonly OfferedVersion[];
  readonly latest: string | null;
  readonly path: string;
  readonly chosen: boolean;
  readonly reasons?: Readonly<Record<string, unknown>>;
}

export interface SessionDatasets {
  readonly enforced: boolean;
  readonly notice: string;
  readonly unavailable_since: number | null;
  readonly problem: string;
  readonly data_dir: string;
  readonly datasets_page: string;
  readonly project: string;
  readonly datasets: readonly SessionDataset[];
  readonly reasons?: Readonly<Record<string, unknown>>;
}

/**
 * A session as its own server may know it. Times are Unix seconds; `gpus` is what was asked for.
 *
 * `stop_at` is when an operator ends it; null: nobody does.
 */
export interface SessionInfo {
  readonly session: string;
  readonly user: string;
  readonly project: string;
  readonly project_title: string;
  readonly project_kind: string;
  readonly account: string;
  readonly profile: string;
  readonly image: string;
  readonly hours: number;
  readonly phase: string;
  readonly job_id: number | null;
  readonly node: string | null;
  readonly started_at: number | null;
  readonly ends_at: number | null;
  readonly stop_at?: number | null;
  readonly gpus: number;
  readonly snapshot_age_s: number | null;
  readonly slurm_unavailable_since: number | null;
  readonly site: SessionSite;
  readonly announcements?: readonly SessionAnnouncement[];
}

/** What a session is told. */
export interface SessionQuota {
  readonly session: string;
  readonly user: string;
  readonly project: string;
  readonly project_title: string;
  readonly account: string;
  readonly profile: string;
  readonly gpus: number;
  readonly gpu_hours: Balance | null;
  readonly user_gpu_hours: Balance | null;
  readonly trend: readonly DayUse[];
  readonly storage: readonly StorageUse[];
  readonly time: TimeLeft;
  readonly idle: IdlePolicy | null;
  readonly warnings: readonly Warned[];
  readonly age_s: number | null;
  readonly unavailable_since: number | null;
  readonly problem: string;
  readonly reasons?: Readonly<Record<string, unknown>>;
}

/**
 * Whose hub a session is of, and where people find help; "" where the site names none.
 *
 * `welcome`: a person's first session opens a notebook that shows around.
 */
export interface SessionSite {
  readonly name: string;
  readonly help_url: string;
  readonly docs_url: string;
  readonly support_email: string;
  readonly welcome: boolean;
}

/**
 * One file system's quota, by its own tools. `at` is when they were asked; `problem` why they said nothing.
 *
 * `project` is the project whose quota it is; empty: it is the user's own, or one for all.
 */
export interface StorageUse {
  readonly title: string;
  readonly path: string;
  readonly project?: string;
  readonly scope?: string;
  readonly used?: number;
  readonly limit?: number | null;
  readonly files_used?: number | null;
  readonly files_limit?: number | null;
  readonly at?: number | null;
  readonly problem?: string;
  readonly reasons?: Readonly<Record<string, unknown>>;
}

/** A fact with its code, and the sentence that it is in the language that was asked for. */
export interface Text {
  readonly code: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/**
 * When a session ends and why; whether it could be later, by at most so many minutes, or why not.
 *
 * `text` says so with the moment by the hub's clock; a browser, which has its own, makes the sentence from its code.
 */
export interface TimeLeft {
  readonly started_at?: number | null;
  readonly ends_at?: number | null;
  readonly why?: 'limit' | 'reservation' | 'project' | 'operator' | 'left' | '';
  readonly text?: string;
  readonly can_extend?: boolean;
  readonly extend_most_minutes?: number;
  readonly extend_why_not?: string;
  readonly reasons?: Readonly<Record<string, unknown>>;
}

/** A warning in force, since when; `id` is the same for as long as it is. */
export interface Warned {
  readonly id: string;
  readonly level: 'info' | 'warning' | 'danger';
  readonly subject: string;
  readonly text: string;
  readonly since: number;
  readonly reasons?: Readonly<Record<string, unknown>>;
}

/**
 * One job of a cluster, or the waiting tasks of its array.
 *
 * `why` says in words why it waits; of one that has ended, what befell its node meanwhile.
 */
export interface WorkerJob {
  readonly cluster: string;
  readonly job_id: number;
  readonly array_id: number | null;
  readonly tasks: string;
  readonly state: string;
  readonly phase: Phase;
  readonly why: string;
  readonly starts_at: number | null;
  readonly started_at: number | null;
  readonly ends_at: number | null;
  readonly node: string;
  readonly reasons?: Readonly<Record<string, unknown>>;
}

/** A profile that a worker may be like; `memory_mb` and `cpus` are of one worker, `per_job` share a job. */
export interface WorkerProfile {
  readonly name: string;
  readonly title: string;
  readonly partition: string | null;
  readonly qos: string | null;
  readonly cpus: number;
  readonly memory_mb: number;
  readonly gpus: number;
  readonly gpu_type: string | null;
  readonly default_hours: number;
  readonly max_hours: number;
  readonly per_job: number;
}

// What the session's own server answers: fabric_lab/answers.py.

/** One GPU as programs in the session number it; `device` is Slurm's name of it. */
export interface Gpu {
  readonly index: number;
  readonly device: string;
  readonly name?: string;
}

/** `GET fabric/session`. null and "" mean: not known. */
export interface Facts {
  readonly session: string;
  readonly project: string;
  readonly project_title: string;
  readonly profile: string;
  readonly image: string;
  readonly node: string;
  readonly job_id: number | null;
  readonly gpus: readonly Gpu[];
  readonly gpu_count: number;
  readonly ends_at: number | null;
  readonly hub: SessionInfo | null;
  readonly problem: string;
}

/**
 * One thing of the home directory that the session does without.
 *
 * `kind`: "everything" (the server did not start with it), "rescue" (rescue sessions use none of it), or what it
 * is. `place`: its file or directory, as a person would write it. `why`: what went wrong, a clause in plain words
 * or a program's own; "" where `kind` says it.
 */
export interface LeftOut {
  readonly kind: 'everything' | 'rescue' | 'settings' | 'kernel' | 'server-extension' | 'lab-extension';
  readonly name: string;
  readonly place: string;
  readonly why: string;
}

/** `GET fabric/home`; `log` is the session's, or "". */
export interface Home {
  readonly left_out: readonly LeftOut[];
  readonly log: string;
}

/** `POST fabric/welcome`: the notebook that was written to show a person around, or "". */
export interface Welcome {
  readonly path: string;
}

/**
 * What the service makes of a session's idleness: "off", "active", "idle", "warn" or "stopped".
 *
 * `text` has its moments by the hub's clock: it says that `what` is so since `quiet_since`, and what happens at
 * `stop_at`.
 */
export interface IdleDecision {
  readonly state: string;
  readonly text: string;
  readonly what: string;
  readonly quiet_since: number | null;
  readonly stop_at: number | null;
}

/**
 * `GET fabric/quota`: the service's own answer, or null and `problem` says why.
 *
 * `ends_at` is the best that is known here; `ending_since` when Slurm's signal came. `killed` are kernels that
 * were killed for memory, the latest last.
 */
export interface Usage {
  readonly quota: SessionQuota | null;
  readonly problem: string;
  readonly ends_at: number | null;
  readonly ending_since: number | null;
  readonly idle: IdleDecision | null;
  readonly killed: readonly KilledKernel[];
}

/** One GPU as programs number it; null: not told, as the use of a MIG slice. */
export interface GpuUsage {
  readonly index: number;
  readonly device: string;
  readonly name: string;
  readonly percent: number | null;
  readonly memory_used: number | null;
  readonly memory_total: number | null;
  readonly problem: string;
}

/** A GPU at a moment, in per cent of its time and of its memory; null: not told. */
export interface GpuPoint {
  readonly use: number | null;
  readonly memory: number | null;
}

/** One GPU, the newest point last. */
export interface GpuHistory {
  readonly points: readonly GpuPoint[];
}

/**
 * What the session's job uses on this node against what it has asked for; null: not known.
 *
 * `source`: the kernel counts it in the job's cgroup (version 2 or 1), or its processes are added up.
 * `cpus_busy` is an average of some seconds.
 */
export interface JobUse {
  readonly source: 'cgroup2' | 'cgroup1' | 'processes';
  readonly memory: number | null;
  readonly memory_limit: number | null;
  readonly cpus_busy: number | null;
  readonly cpus: number | null;
}

/**
 * `GET fabric/readings`: what this session's own server reads on its node. It is never billed.
 *
 * `history` has the GPUs' last ten minutes, for each GPU a point every `every_s` seconds. No GPU: the session has
 * none.
 */
export interface Readings {
  readonly gpus: readonly GpuUsage[];
  readonly every_s: number;
  readonly history: readonly GpuHistory[];
  readonly job: JobUse | null;
}

/**
 * A kernel that was killed because memory was used up: the session's `memory` bytes, or the node's.
 *
 * `path` is its notebook, or ""; `certain` False: the signs speak for it, but the kernel of the system does not.
 */
export interface KilledKernel {
  readonly kernel: string;
  readonly path: string;
  readonly at: number;
  readonly scope: 'session' | 'node';
  readonly memory: number | null;
  readonly certain: boolean;
}

/** `POST fabric/active`: what the hub then thinks of the session. */
export interface Active {
  readonly idle: IdleDecision | null;
}

/** Where an open dataset is: `path` of the version that this session reads. */
export interface Here {
  readonly version: string | null;
  readonly path: string;
}

/** An entry of the service's, and where it is open in this session. */
export interface KnownDataset {
  readonly state: 'open' | 'agreement' | 'not-granted' | 'retired' | 'unknown';
  readonly why: string;
  readonly hint: string;
  readonly until: string | null;
  readonly requested: boolean;
  readonly waits?: boolean;
  readonly refused?: boolean;
  readonly may_request?: boolean;
  readonly told?: string;
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly description_html?: string;
  readonly publisher: Agent | null;
  readonly creator: Agent | null;
  readonly contact: Contact | null;
  readonly licence: string | null;
  readonly access: 'public' | 'restricted' | 'non-public';
  readonly themes: readonly string[];
  readonly keywords: readonly string[];
  readonly languages: readonly string[];
  readonly personal_data: 'none' | 'pseudonymised' | 'personal' | 'special' | null;
  readonly purposes: readonly Purpose[];
  readonly agreement: Agreement | null;
  readonly provenance: string | null;
  readonly retention: string | null;
  readonly retain_until: string | null;
  readonly page: string | null;
  readonly versions: readonly OfferedVersion[];
  readonly latest: string | null;
  readonly path: string;
  readonly chosen: boolean;
  readonly reasons?: Readonly<Record<string, unknown>>;
  readonly here: Here | null;
}

/** A dataset that is open here, and that the hub does not tell of: it is silent, or has withdrawn it since. */
export interface OpenDataset {
  readonly name: string;
  readonly state: 'open' | 'agreement' | 'not-granted' | 'retired' | 'unknown';
  readonly here: Here | null;
}

/** `GET fabric/datasets`; `problem` and `node_problem` are sentences, or "". */
export interface Datasets {
  readonly project: string;
  readonly enforced: boolean | null;
  readonly notice: string;
  readonly datasets_page: string;
  readonly datasets: readonly (KnownDataset | OpenDataset)[];
  readonly problem: string;
  readonly node_problem: string;
}

/** `POST` or `DELETE fabric/datasets/NAME`: where it is open now, and what went wrong beside it, or "". */
export interface ChangedDataset {
  readonly here: Here | null;
  readonly problem: string;
}

/** A plain file; `name` is its path below the dataset's directory. `table`: its rows can be shown. */
export interface File {
  readonly name: string;
  readonly bytes: number;
  readonly table: boolean;
}

/**
 * `label` names what is loaded ("CSV with pandas"), `code` is one notebook cell.
 *
 * `plot` is a cell that draws what that one has loaded; "" where there is nothing to draw.
 */
export interface Snippet {
  readonly label: string;
  readonly code: string;
  readonly plot: string;
}

/** `kind` is what it holds: the file's own type, or what its first rows hold ("integer"); "" where it is empty. */
export interface Column {
  readonly name: string;
  readonly kind: string;
}

/**
 * `GET fabric/datasets/NAME/table?file=F`: the first rows of a file, cells as text, null where there is none.
 *
 * `more`: there are further rows, `total` in all where that is known; `more_columns` are not shown.
 */
export interface Table {
  readonly file: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly (string | null)[])[];
  readonly more: boolean;
  readonly total: number | null;
  readonly more_columns: number;
}

/** `GET fabric/datasets/NAME/files`; `more`: there are files that were not looked at, or not told. */
export interface Files {
  readonly path: string;
  readonly files: readonly File[];
  readonly more: boolean;
  readonly snippets: readonly Snippet[];
}

/**
 * A worker that shall be; `address` is null until it is there. `cpu` and `gpu_use` are in per cent.
 *
 * `state`: "running" (connected), "starting" (its job runs, its program is not there yet), "queued", or "lost" (it
 * was there, or could not start; it is started again).
 * What is said of a GPU is said of the worker's own; a slice of one has memory, but no use.
 */
export interface ClusterWorker {
  readonly name: string;
  readonly pool: string;
  readonly state: 'running' | 'starting' | 'queued' | 'lost';
  readonly job: string | null;
  readonly begun: boolean;
  readonly address: string | null;
  readonly threads: number | null;
  readonly memory: number | null;
  readonly memory_limit: number | null;
  readonly cpu: number | null;
  readonly gpu_memory: number | null;
  readonly gpu_memory_total: number | null;
  readonly gpu_use: number | null;
}

/** A kind of worker; `memory` is that of one. */
export interface ClusterPool {
  readonly profile: string;
  readonly gpus: number;
  readonly threads: number;
  readonly memory: number;
}

/** Between how many workers of a pool the cluster follows the work; `maximum` null: any number. */
export interface Adaptive {
  readonly pool: string;
  readonly minimum: number;
  readonly maximum: number | null;
}

/** CPU-hours and GPU-hours of connected workers, and how many of each they use per hour now. */
export interface Used {
  readonly cpu_hours: number;
  readonly gpu_hours: number;
  readonly cpus: number;
  readonly gpus: number;
}

/** Workers of a pool that Slurm expects to start after the session's end; `keep` of the pool's are in time. */
export interface LateWorkers {
  readonly pool: string;
  readonly count: number;
  readonly keep: number;
}

/**
 * A cluster's last ten minutes, oldest first: at these times (Unix seconds) so many `tasks` ran or were ready to.
 *
 * `memory` is what the workers used of `memory_limit`, all of theirs together, in bytes.
 */
export interface ClusterHistory {
  readonly at: readonly number[];
  readonly tasks: readonly number[];
  readonly memory: readonly number[];
  readonly memory_limit: readonly number[];
}

/**
 * What a cluster says of itself.
 *
 * `jobs` is the hub's word on its jobs while a worker is missing; null when nobody asked or knows. `problems` are
 * sentences by worker, `said` is what the site said to its submissions, `hub` why the hub says nothing.
 */
export interface ClusterStatus {
  readonly name: string;
  readonly jobs: readonly WorkerJob[] | null;
  readonly session_ends_at: number | null;
  readonly hub: string;
  readonly workers: readonly ClusterWorker[];
  readonly problems: Readonly<Record<string, string>>;
  readonly said: string;
  readonly adaptive: Adaptive | null;
  readonly calls: Readonly<Record<string, number>>;
  readonly pools: Readonly<Record<string, ClusterPool>>;
  readonly used: Used;
  readonly waiting: readonly string[];
  readonly late: readonly LateWorkers[];
  readonly history: ClusterHistory;
  readonly cost: string;
}

/** A cluster's status after it was told something, with what the hub says of its workers. */
export interface ScaledStatus {
  readonly name: string;
  readonly jobs: readonly WorkerJob[] | null;
  readonly session_ends_at: number | null;
  readonly hub: string;
  readonly workers: readonly ClusterWorker[];
  readonly problems: Readonly<Record<string, string>>;
  readonly said: string;
  readonly adaptive: Adaptive | null;
  readonly calls: Readonly<Record<string, number>>;
  readonly pools: Readonly<Record<string, ClusterPool>>;
  readonly used: Used;
  readonly waiting: readonly string[];
  readonly late: readonly LateWorkers[];
  readonly history: ClusterHistory;
  readonly cost: string;
  readonly words?: string;
}

/** A cluster that does not answer, and why. */
export interface UnavailableCluster {
  readonly name: string;
  readonly problem: string;
}

/** A cluster that answers; its `problem` is "". */
export interface AnsweringCluster {
  readonly name: string;
  readonly jobs: readonly WorkerJob[] | null;
  readonly session_ends_at: number | null;
  readonly hub: string;
  readonly workers: readonly ClusterWorker[];
  readonly problems: Readonly<Record<string, string>>;
  readonly said: string;
  readonly adaptive: Adaptive | null;
  readonly calls: Readonly<Record<string, number>>;
  readonly pools: Readonly<Record<string, ClusterPool>>;
  readonly used: Used;
  readonly waiting: readonly string[];
  readonly late: readonly LateWorkers[];
  readonly history: ClusterHistory;
  readonly cost: string;
  readonly problem: string;
}

/** `GET fabric/clusters`: the session's, and the profiles that workers of a new one may be like. */
export interface Clusters {
  readonly clusters: readonly (AnsweringCluster | UnavailableCluster)[];
  readonly profiles: readonly WorkerProfile[];
  readonly problem: string;
}

/** `GET fabric/running-clusters`: their names. */
export interface RunningClusters {
  readonly names: readonly string[];
}

/** `POST fabric/clusters`: the name of the one that has begun. */
export interface NewCluster {
  readonly name: string;
}
