import { trans } from '../common/translation';
import type { AnsweringCluster, UnavailableCluster } from '../schema';

/** A cluster as the panel shows it; of one that does not answer, `problem` says so and the rest is missing. */
export type Cluster = UnavailableCluster & Partial<AnsweringCluster>;

/** Pages of Dask's dashboard that are worth a tab. */
export function pages(): readonly (readonly [path: string, name: string])[] {
  return [
    ['status', trans.__('Status')],
    ['individual-task-stream', trans.__('Task stream')],
    ['individual-progress', trans.__('Progress')],
    ['individual-workers-memory', trans.__('Memory of workers')],
    ['individual-gpu-utilization', trans.__('Use of GPUs')],
    ['individual-gpu-memory', trans.__('Memory of GPUs')],
    ['graph', trans.__('Graph of tasks')],
    ['workers', trans.__('Workers')],
    ['system', trans.__('System')]
  ];
}
