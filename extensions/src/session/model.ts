/** A limit on GPU-hours above a project's own: of an account, or of a QOS; its numbers are of everybody whom it holds. */
export interface IBound {
  readonly name: string;
  readonly limit: number;
  readonly used: number;
  readonly rate_per_day?: number | null;
  readonly lasts_until?: number | null;
}

/** A budget in GPU-hours; null: no limit, or not known. */
export interface IBalance {
  readonly limit: number | null;
  readonly used: number;
  readonly left: number | null;
  readonly running?: number;
  readonly rate_per_day?: number | null;
  readonly lasts_until?: number | null;
  /** Whose limit leaves the least. */
  readonly limited_by?: string;
  readonly above?: readonly IBound[];
}

/** One file system's quota; sizes in bytes. */
export interface IStorage {
  readonly title: string;
  readonly path: string;
  readonly scope?: string;
  readonly used: number;
  readonly limit: number | null;
  readonly files_used?: number | null;
  readonly files_limit?: number | null;
  readonly at?: number | null;
  readonly problem?: string;
}

export interface ITime {
  readonly ends_at: number | null;
  readonly why?: string;
  /** The whole sentence, its moment by the hub's clock. */
  readonly text: string;
  /** What follows the moment in it. */
  readonly rest?: string;
  readonly can_extend: boolean;
  readonly extend_most_minutes: number;
  readonly extend_why_not: string;
}

export interface IWarning {
  readonly id: string;
  readonly level: string;
  readonly text: string;
}

export interface IDay {
  readonly day: string;
  readonly gpu_hours: number;
}

/** The service's `GET /session/quota`; times are Unix seconds. */
export interface IQuota {
  readonly project: string;
  readonly project_title: string;
  readonly gpu_hours: IBalance | null;
  readonly user_gpu_hours: IBalance | null;
  readonly trend: readonly IDay[];
  readonly storage: readonly IStorage[];
  readonly time: ITime;
  readonly idle: { readonly minutes: number; readonly gpu_percent: number } | null;
  readonly warnings: readonly IWarning[];
  readonly age_s: number | null;
  readonly silent_since: number | null;
  readonly problem: string;
}

export interface IVerdict {
  readonly state: string;
  /** What a person is told, its moments by the hub's clock. */
  readonly text: string;
  /** The same in parts: "No cell runs", since when, and when it is stopped. */
  readonly what?: string;
  readonly quiet_since?: number | null;
  readonly stop_at: number | null;
}

/** The body of this session's `GET fabric/quota`. */
export interface IUsage {
  readonly quota: IQuota | null;
  readonly problem: string;
  readonly ends_at: number | null;
  readonly ending_since: number | null;
  readonly idle: IVerdict | null;
}

export interface IGpuUse {
  readonly index: number;
  readonly name: string;
  readonly percent: number | null;
  readonly memory_used: number | null;
  readonly memory_total: number | null;
  readonly problem: string;
}

/** The session that follows this one. */
export interface ISuccessor {
  readonly url: string;
  readonly state: string;
  readonly text: string;
}
