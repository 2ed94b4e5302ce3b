import type { ICluster, IProfile, IWorker } from './model';

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(1);
}

function sum(workers: readonly IWorker[], of: (worker: IWorker) => number | null): number {
  return workers.reduce((total, worker) => total + (of(worker) ?? 0), 0);
}

/** "3 of 4 workers", "2 GPUs, 35 % busy", "1.2 of 16.0 GB": what is there and what it does. */
export function facts(cluster: ICluster): string[] {
  const wanted = cluster.workers ?? [];
  const here = wanted.filter(worker => worker.address !== null);
  const gpus = sum(here, worker => cluster.pools?.[worker.pool]?.gpus ?? 0);
  const measured = here.filter(worker => worker.gpu_use !== null);
  const found = [
    `${here.length === wanted.length ? '' : `${here.length} of `}${wanted.length} worker${wanted.length === 1 ? '' : 's'}`
  ];
  if (gpus) {
    const busy = measured.length
      ? `, ${Math.round(sum(measured, worker => worker.gpu_use) / measured.length)} % busy,` +
        ` ${gigabytes(sum(measured, worker => worker.gpu_memory))} GB used`
      : '';
    found.push(`${gpus} GPU${gpus === 1 ? '' : 's'}${busy}`);
  }
  if (here.length) {
    const [used, limit] = [sum(here, worker => worker.memory), sum(here, worker => worker.memory_limit)];
    found.push(`${gigabytes(used)} of ${gigabytes(limit)} GB`);
    found.push(`${Math.round(sum(here, worker => worker.cpu))} % CPU`);
  }
  return found;
}

/** What the cluster follows by itself, or ''. */
export function following(cluster: ICluster): string {
  const { adaptive } = cluster;
  return adaptive
    ? `Follows the work: ${adaptive.minimum} to ${adaptive.maximum ?? 'any number of'} workers (${adaptive.pool}).`
    : '';
}

/** "cpu: 2 CPUs, 4 GB", "gpu-1: 1 GPU, 8 CPUs, 16 GB". */
export function profile(one: IProfile): string {
  const parts = [
    one.gpus ? `${one.gpus} GPU` : '',
    `${one.cpus} CPU${one.cpus === 1 ? '' : 's'}`,
    `${Math.round(one.memory_mb / 1024)} GB`
  ];
  return `${one.title || one.name}: ${parts.filter(Boolean).join(', ')}`;
}

/** Code that gives a notebook this cluster and its client. */
export function clientCode(name: string): string {
  return [
    'from fabric_lab import DaskCluster',
    '',
    `cluster = DaskCluster.connect(${JSON.stringify(name)})`,
    'client = cluster.get_client()',
    'client'
  ].join('\n');
}
