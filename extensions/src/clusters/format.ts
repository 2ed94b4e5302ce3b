import { gpus as gpuCount, number } from '../common/format';
import { trans } from '../common/translation';
import type { ClusterHistory, ClusterWorker, WorkerProfile } from '../schema';
import type { WorkerState } from './geometry';
import type { Cluster } from './model';
import { isFixed, type IRange } from './range';

function gigabytes(bytes: number): string {
  return number(bytes / 1e9, 1, 1);
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
  return known.length ? trans.__('%1 of %2 GB', gigabytes(sum(known, used)), gigabytes(sum(known, total))) : '';
}

/** "3 of 4 workers", "2 GPUs, 35 % busy, 40.0 of 160.0 GB on them", "1.2 of 16.0 GB": what is there and what it does. */
export function facts(cluster: Cluster): string[] {
  const wanted = cluster.workers ?? [];
  const here = wanted.filter(worker => worker.address !== null);
  const all = wanted.length;
  const count =
    here.length === all
      ? trans._n('%1 worker', '%1 workers', all)
      : trans._n('%2 of %1 worker', '%2 of %1 workers', all, here.length);
  return [count, ...(here.length ? doing(cluster, here) : [])];
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
  const some = telling.length < gpus ? trans.__('%1 % busy (%2 of them)', busy, telling.length) : '';
  const parts = [
    gpuCount(gpus),
    telling.length ? some || trans.__('%1 % busy', busy) : '',
    used && trans._n('%2 on it', '%2 on them', gpus, used)
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
  const cpu = trans.__('%1 % CPU', number(sum(workers, worker => worker.cpu)));
  return [gpus ? onGpus(gpus, workers) : '', memory, cpu].filter(Boolean);
}

/** "4 running": how many workers are in a state. */
export function stateText(state: WorkerState, count: number): string {
  switch (state) {
    case 'running':
      return trans.__('%1 running', count);
    case 'starting':
      return trans.__('%1 starting', count);
    case 'queued':
      return trans.__('%1 queued', count);
    case 'lost':
      return trans.__('%1 lost', count);
  }
}

function last(values: readonly number[]): number {
  return values.at(-1) ?? 0;
}

export function tasksNow(history: ClusterHistory): string {
  return trans._n('%1 task', '%1 tasks', last(history.tasks));
}

/** The curve of tasks in words. */
export function tasksSaid(history: ClusterHistory): string {
  const most = Math.max(0, ...history.tasks);
  return trans.__('Tasks in the last 10 minutes: %1 now, %2 at most', number(last(history.tasks)), number(most));
}

export function memoryNow(history: ClusterHistory): string {
  const limit = last(history.memory_limit);
  const used = gigabytes(last(history.memory));
  return limit ? trans.__('%1 of %2 GB', used, gigabytes(limit)) : trans.__('%1 GB', used);
}

/** The curve of memory in words. */
export function memorySaid(history: ClusterHistory): string {
  const most = gigabytes(Math.max(0, ...history.memory));
  return trans.__(
    'Memory of workers in the last 10 minutes: %1 GB now, %2 GB at most',
    gigabytes(last(history.memory)),
    most
  );
}

/** What is done about so many workers, with the hub's words on them, which may be ''. */
export function scaling(range: IRange, words: string): string {
  const { least, most } = range;
  if (isFixed(range)) {
    return words
      ? trans._n('Scaling to %1 worker · %2', 'Scaling to %1 workers · %2', most, words)
      : trans._n('Scaling to %1 worker', 'Scaling to %1 workers', most);
  }
  return words
    ? trans.__('Scaling between %1 and %2 workers · at most %3', least, most, words)
    : trans.__('Scaling between %1 and %2 workers', least, most);
}

/** The price of workers that may be asked for. */
export function priced(range: IRange, words: string): string {
  return isFixed(range) ? words : trans.__('At most %1', words);
}

/** What the cluster follows by itself, or ''. */
export function following(cluster: Cluster): string {
  const { adaptive } = cluster;
  if (!adaptive) {
    return '';
  }
  const { minimum, maximum, pool } = adaptive;
  return typeof maximum === 'number'
    ? trans.__('Follows the work: %1 to %2 workers (%3).', minimum, maximum, pool)
    : trans.__('Follows the work: %1 to any number of workers (%2).', minimum, pool);
}

/** "One GPU: 1 GPU, 8 CPUs, 16 GB each": a profile, and what one worker of it is. */
export function profile(one: WorkerProfile): string {
  const parts = [
    one.gpus ? gpuCount(one.gpus) : '',
    trans._n('%1 CPU', '%1 CPUs', one.cpus),
    `${number(one.memory_mb / 1024)} GB`
  ];
  return trans.__('%1: %2 each', one.title || one.name, parts.filter(Boolean).join(', '));
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
  return count === 0
    ? trans.__('Running tasks and unsaved results are lost.')
    : trans._n(
        'Its worker stops. Running tasks and unsaved results are lost.',
        'Its %1 workers stop. Running tasks and unsaved results are lost.',
        count
      );
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
