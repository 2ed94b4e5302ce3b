import { trans } from '../common/translation';
import type { AnsweringCluster, UnavailableCluster } from '../schema';
import type { IRange } from './range';

/** A cluster as the panel shows it; of one that does not answer, `problem` says so and the rest is missing. */
export type Cluster = UnavailableCluster & Partial<AnsweringCluster>;

/** A page of Dask's dashboard: its short name, for a link, and what it is in full, for a tab. */
export interface IPage {
  readonly path: string;
  readonly name: string;
  readonly title: string;
  /** It is empty where no worker has a GPU. */
  readonly ofGpus?: true;
}

/** Pages of Dask's dashboard that are worth a tab. */
export function pages(): readonly IPage[] {
  return [
    { path: 'status', name: trans.__('Status'), title: trans.__('Status') },
    { path: 'individual-task-stream', name: trans.__('Tasks'), title: trans.__('Task stream') },
    { path: 'individual-progress', name: trans.__('Progress'), title: trans.__('Progress') },
    { path: 'individual-workers-memory', name: trans.__('Memory'), title: trans.__('Memory of workers') },
    { path: 'individual-gpu-utilization', name: trans.__('GPU use'), title: trans.__('Use of GPUs'), ofGpus: true },
    { path: 'individual-gpu-memory', name: trans.__('GPU memory'), title: trans.__('Memory of GPUs'), ofGpus: true },
    { path: 'graph', name: trans.__('Graph'), title: trans.__('Graph of tasks') },
    { path: 'workers', name: trans.__('Workers'), title: trans.__('Workers') },
    { path: 'system', name: trans.__('System'), title: trans.__('System') }
  ];
}

/** The pages that show something of a cluster. */
export function pagesOf(cluster: Cluster): readonly IPage[] {
  const gpus = Object.values(cluster.pools ?? {}).some(pool => pool.gpus > 0);
  return pages().filter(page => gpus || !page.ofGpus);
}

/** How many workers of a pool there may be: what it follows the work between, or the number that there shall be. */
export function rangeOf(cluster: Cluster, pool: string, most: number): IRange {
  const { adaptive } = cluster;
  if (adaptive?.pool === pool) {
    return { least: adaptive.minimum, most: adaptive.maximum ?? most };
  }
  const workers = (cluster.workers ?? []).filter(worker => worker.pool === pool).length;
  return { least: workers, most: workers };
}
