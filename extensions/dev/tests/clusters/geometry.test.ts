import { expect, it } from 'vitest';

import { corners, counted, memory, span, tasks } from '../../../src/clusters/geometry';
import { pagesOf, type Cluster } from '../../../src/clusters/model';
import type { ClusterWorker } from '../../../src/schema';

const box = { width: 120, height: 20, seconds: 600, highest: 10 };

it('counts workers by state in the order of the bar, without states that nobody is in', () => {
  const workers = ['lost', 'queued', 'running', 'queued'].map(state => ({ state })) as ClusterWorker[];
  expect(counted(workers)).toEqual([
    ['running', 1],
    ['queued', 2],
    ['lost', 1]
  ]);
  expect(counted([])).toEqual([]);
});

it('draws a curve by time, the last point at the right, and within its box', () => {
  expect(
    corners(
      [
        [400, 0],
        [700, 5],
        [1000, 12]
      ],
      box
    )
  ).toBe('0.0,20.0 60.0,10.0 120.0,0.0');
});

it('leaves out what is older than the box is wide, and draws nothing of nothing', () => {
  expect(
    corners(
      [
        [0, 10],
        [1000, 0]
      ],
      box
    )
  ).toBe('120.0,20.0');
  expect(corners([], box)).toBe('');
});

it('shows all of a young cluster, and ten minutes of an old one', () => {
  const aged = (seconds: number): number =>
    span([
      [1000, 0],
      [1000 + seconds, 0]
    ]);
  expect([span([]), aged(5), aged(200), aged(900)]).toEqual([60, 60, 200, 600]);
});

it('takes both curves from what the cluster has kept', () => {
  const history = { at: [10, 15], tasks: [3, 1], memory: [5], memory_limit: [8, 8] };
  expect(tasks(history)).toEqual([
    [10, 3],
    [15, 1]
  ]);
  expect(memory(history)).toEqual([
    [10, 5],
    [15, 0]
  ]);
});

it('offers the pages on GPUs only where a worker may have one', () => {
  const paths = (gpus: number): string[] =>
    pagesOf({ name: 'a', pools: { one: { gpus } } } as unknown as Cluster).map(page => page.path);
  expect(paths(1)).toContain('individual-gpu-memory');
  expect(paths(0)).toContain('status');
  expect(paths(0).filter(path => path.includes('gpu'))).toEqual([]);
});
