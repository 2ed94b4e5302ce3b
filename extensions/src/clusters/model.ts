import type { AnsweringCluster, UnavailableCluster } from '../schema';

/** A cluster as the panel shows it; of one that does not answer, `problem` says so and the rest is missing. */
export type Cluster = UnavailableCluster & Partial<AnsweringCluster>;

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
