import type { ClusterWorker, WorkerProfile } from '../schema';
import type { Cluster } from './model';

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(1);
}

function sum(workers: readonly ClusterWorker[], of: (worker: ClusterWorker) => number | null): number {
  return workers.reduce((total, worker) => total + (of(worker) ?? 0), 0);
}

/** "20.0 of 80.0 GB" of memory that is known of some workers; '' while it is of none. */
function of(
  workers: readonly ClusterWorker[],
  used: (worker: ClusterWorker) => number | null,
  total: (worker: ClusterWorker) => number | null
): string {
  const known = workers.filter(worker => used(worker) !== null);
  return known.length ? `${gigabytes(sum(known, used))} of ${gigabytes(sum(known, total))} GB` : '';
}

/** "3 of 4 workers", "2 GPUs, 35 % busy, 40.0 of 160.0 GB on them", "1.2 of 16.0 GB": what is there and what it does. */
export function facts(cluster: Cluster): string[] {
  const wanted = cluster.workers ?? [];
  const here = wanted.filter(worker => worker.address !== null);
  const count = `${here.length === wanted.length ? '' : `${here.length} of `}${wanted.length}`;
  return [`${count} worker${wanted.length === 1 ? '' : 's'}`, ...(here.length ? doing(cluster, here) : [])];
}

/** "2 GPUs, 35 % busy, 40.0 of 160.0 GB on them": the mean use of those that tell it (a slice does not), and all memory. */
function onGpus(gpus: number, workers: readonly ClusterWorker[]): string {
  const telling = workers.filter(worker => worker.gpu_use !== null);
  const busy = Math.round(sum(telling, worker => worker.gpu_use) / telling.length);
  const used = of(
    workers,
    worker => worker.gpu_memory,
    worker => worker.gpu_memory_total
  );
  const parts = [
    `${gpus} GPU${gpus === 1 ? '' : 's'}`,
    telling.length ? `${busy} % busy${telling.length < gpus ? ` (${telling.length} of them)` : ''}` : '',
    used && `${used} on ${gpus === 1 ? 'it' : 'them'}`
  ];
  return parts.filter(Boolean).join(', ');
}

/** "study-0: 1 GPU, 35 % busy, 20.0 of 80.0 GB on it · 0.2 of 4.0 GB · 3 % CPU": one worker that is there. */
export function each(cluster: Cluster, worker: ClusterWorker): string {
  return `${worker.name}: ${doing(cluster, [worker]).join(' · ')}`;
}

function doing(cluster: Cluster, workers: readonly ClusterWorker[]): string[] {
  const gpus = sum(workers, worker => cluster.pools?.[worker.pool]?.gpus ?? 0);
  const memory = of(
    workers,
    worker => worker.memory,
    worker => worker.memory_limit
  );
  const cpu = `${Math.round(sum(workers, worker => worker.cpu))} % CPU`;
  return [gpus ? onGpus(gpus, workers) : '', memory, cpu].filter(Boolean);
}

/** What the cluster follows by itself, or ''. */
export function following(cluster: Cluster): string {
  const { adaptive } = cluster;
  return adaptive
    ? `Follows the work: ${adaptive.minimum} to ${adaptive.maximum ?? 'any number of'} workers (${adaptive.pool}).`
    : '';
}

/** "One GPU: 1 GPU, 8 CPUs, 16 GB each": a profile, and what one worker of it is. */
export function profile(one: WorkerProfile): string {
  const parts = [
    one.gpus ? `${one.gpus} GPU${one.gpus === 1 ? '' : 's'}` : '',
    `${one.cpus} CPU${one.cpus === 1 ? '' : 's'}`,
    `${Math.round(one.memory_mb / 1024)} GB`
  ];
  return `${one.title || one.name}: ${parts.filter(Boolean).join(', ')} each`;
}

/** The profiles to choose from: of those whose workers are the same, such as of one GPU and of two, the first. */
export function distinct(profiles: readonly WorkerProfile[]): WorkerProfile[] {
  const worker = (one: WorkerProfile): string =>
    JSON.stringify([one.gpus, one.gpu_type, one.cpus, one.memory_mb, one.partition, one.qos, one.max_hours]);
  return profiles.filter((one, index) => profiles.findIndex(other => worker(other) === worker(one)) === index);
}

/** What is lost with a cluster. */
export function lost(cluster: Cluster): string {
  const count = (cluster.workers ?? []).length;
  const workers = count === 0 ? 'It ends' : count === 1 ? 'Its worker ends' : `Its ${count} workers end`;
  return `${workers}, with all that is computed or held there: tasks that run, and results that were not fetched or written.`;
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
