import { describe, expect, it } from 'vitest';

import {
  clientCode,
  distinct,
  each,
  facts,
  following,
  lost,
  memoryNow,
  memorySaid,
  priced,
  profile,
  scaling,
  tasksNow,
  tasksSaid
} from '../../../src/clusters/format';
import type { Cluster } from '../../../src/clusters/model';
import type { ClusterWorker, WorkerProfile } from '../../../src/schema';

const untold: ClusterWorker = {
  name: 'study-0',
  pool: 'gpu',
  address: 'tls://a',
  memory: 1e9,
  memory_limit: 4e9,
  cpu: 50.4,
  gpu_use: null,
  gpu_memory: null,
  gpu_memory_total: null
} as ClusterWorker;
const whole = { ...untold, gpu_use: 30, gpu_memory: 20e9, gpu_memory_total: 80e9 };
const cut = { ...untold, gpu_memory: 1e9, gpu_memory_total: 10e9 };
const plain = { ...untold, pool: 'cpu' };
const absent = { ...untold, address: null, memory: null, memory_limit: null, cpu: null };

function cluster(...workers: ClusterWorker[]): Cluster {
  return { name: 'study', pools: { cpu: { gpus: 0 }, gpu: { gpus: 1 } }, workers } as unknown as Cluster;
}

describe('what is said of a cluster', () => {
  it('adds up what is known of each worker’s own GPU', () => {
    expect(facts(cluster(absent))).toEqual(['0 of 1 worker']);
    expect(facts(cluster(plain))).toEqual(['1 worker', '1.0 of 4.0 GB', '50 % CPU']);
    expect(facts(cluster(untold))).toEqual(['1 worker', '1 GPU', '1.0 of 4.0 GB', '50 % CPU']);
    expect(facts(cluster(cut))[1]).toBe('1 GPU, 1.0 of 10.0 GB on it');
    expect(facts(cluster(plain, whole, cut, { ...whole, gpu_use: 41 }, absent))).toEqual([
      '4 of 5 workers',
      '3 GPUs, 36 % busy (2 of them), 41.0 of 170.0 GB on them',
      '4.0 of 16.0 GB',
      '202 % CPU'
    ]);
  });

  it('names one worker with the same facts', () => {
    expect(each(cluster(whole), whole)).toBe(
      'study-0: 1 GPU, 30 % busy, 20.0 of 80.0 GB on it · 1.0 of 4.0 GB · 50 % CPU'
    );
  });

  it('tells what it follows by itself, also without an upper limit', () => {
    const adaptive = { minimum: 1, maximum: null, pool: 'gpu' };
    expect(following({ ...cluster(), adaptive })).toBe('Follows the work: 1 to any number of workers (gpu).');
    expect(following(cluster())).toBe('');
  });

  it('tells what is lost with it', () => {
    expect(lost(cluster())).toBe('Running tasks and unsaved results are lost.');
    expect(lost(cluster(plain))).toMatch(/^Its worker stops\. Running/);
    expect(lost(cluster(plain, absent))).toMatch(/^Its 2 workers stop\. Running/);
  });
});

describe('profiles', () => {
  const one = {
    name: 'gpu-1',
    title: '',
    gpus: 1,
    gpu_type: 'h200',
    cpus: 8,
    memory_mb: 16384,
    partition: 'gpu',
    qos: null,
    max_hours: 8
  } as unknown as WorkerProfile;

  it('are named with what one worker is', () => {
    expect(profile(one)).toBe('gpu-1: 1 GPU, 8 CPUs, 16 GB each');
    expect(profile({ ...one, title: 'Small', gpus: 0, cpus: 1 })).toBe('Small: 1 CPU, 16 GB each');
  });

  it('with the same workers are offered once, by the first', () => {
    const same = { ...one, name: 'gpu-2' };
    const longer = { ...one, name: 'gpu-long', max_hours: 24 };
    expect(distinct([one, same, longer]).map(({ name }) => name)).toEqual(['gpu-1', 'gpu-long']);
  });
});

it('quotes a cluster’s name in the code for a notebook', () => {
  expect(clientCode('a"b')).toContain('DaskCluster.connect("a\\"b")');
});

describe('what a cluster is scaled to', () => {
  const words = '80 CPU-hours per hour (+76). 4 start now, 34 queue.';

  it('is a number, with the price and what happens to the workers', () => {
    expect(scaling({ least: 40, most: 40 }, words)).toBe(`Scaling to 40 workers · ${words}`);
    expect(scaling({ least: 1, most: 1 }, '')).toBe('Scaling to 1 worker');
    expect(priced({ least: 40, most: 40 }, words)).toBe(words);
  });

  it('is a range, whose price is that of its upper end', () => {
    expect(scaling({ least: 2, most: 40 }, words)).toBe(`Scaling between 2 and 40 workers · at most ${words}`);
    expect(scaling({ least: 0, most: 2 }, '')).toBe('Scaling between 0 and 2 workers');
    expect(priced({ least: 0, most: 40 }, words)).toBe(`At most ${words}`);
  });
});

it('says its curves in words', () => {
  const history = { at: [10, 15], tasks: [40, 1], memory: [9e9, 2e9], memory_limit: [16e9, 8e9] };
  expect([tasksNow(history), memoryNow(history)]).toEqual(['1 task', '2.0 of 8.0 GB']);
  expect(tasksSaid(history)).toBe('Tasks in the last 10 minutes: 1 now, 40 at most');
  expect(memorySaid(history)).toBe('Memory of workers in the last 10 minutes: 2.0 GB now, 9.0 GB at most');
  expect(memoryNow({ ...history, memory_limit: [] })).toBe('2.0 GB');
});
