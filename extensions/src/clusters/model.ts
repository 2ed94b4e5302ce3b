/**
 * A worker that shall be; `address` is null until it is there. Memory is in bytes, `cpu` and `gpu_use` in per cent.
 * What is said of a GPU is said of the worker's own; a slice of one has memory, but no use.
 */
export interface IWorker {
  readonly name: string;
  readonly pool: string;
  readonly job: string | null;
  readonly address: string | null;
  readonly memory: number | null;
  readonly memory_limit: number | null;
  readonly cpu: number | null;
  readonly gpu_memory: number | null;
  readonly gpu_memory_total: number | null;
  readonly gpu_use: number | null;
}

export interface IPool {
  readonly profile: string;
  readonly gpus: number;
  readonly threads: number;
}

/** What a cluster says of itself; where it does not answer, `problem` says so and the rest is missing. */
export interface ICluster {
  readonly name: string;
  readonly problem: string;
  readonly workers?: readonly IWorker[];
  readonly pools?: Readonly<Record<string, IPool>>;
  readonly waiting?: readonly string[];
  readonly cost?: string;
  readonly problems?: Readonly<Record<string, string>>;
  readonly hub?: string;
  readonly adaptive?: { readonly pool: string; readonly minimum: number; readonly maximum: number | null } | null;
}

export interface IProfile {
  readonly name: string;
  readonly title: string;
  readonly cpus: number;
  readonly memory_mb: number;
  readonly gpus: number;
  readonly gpu_type?: string | null;
  readonly partition?: string | null;
  readonly qos?: string | null;
  readonly max_hours?: number;
}

/** The body of `GET fabric/clusters`. */
export interface IClusters {
  readonly clusters: readonly ICluster[];
  readonly profiles: readonly IProfile[];
  readonly problem: string;
}

/** Pages of Dask's dashboard that are worth a tab. */
export const PAGES: readonly (readonly [path: string, name: string])[] = [
  ['status', 'Status'],
  ['individual-task-stream', 'Task stream'],
  ['individual-progress', 'Progress'],
  ['individual-workers-memory', 'Memory of workers'],
  ['individual-gpu-utilization', 'Use of GPUs'],
  ['individual-gpu-memory', 'Memory of GPUs'],
  ['graph', 'Graph of tasks'],
  ['workers', 'Workers'],
  ['system', 'System']
];
