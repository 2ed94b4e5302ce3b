import { describe, expect, it } from 'vitest';

import { rangeOf, type Cluster } from '../../../src/clusters/model';
import { between, isFixed, moved, reduced, same, top } from '../../../src/clusters/range';

const fixed = { least: 4, most: 4 };

describe('an end of a range that is moved', () => {
  it('stays on its side of the other', () => {
    expect(moved(fixed, 'most', 9)).toEqual({ least: 4, most: 9 });
    expect(moved({ least: 2, most: 9 }, 'least', 5)).toEqual({ least: 5, most: 9 });
  });

  it('takes the other one along where it would pass it, so that a fixed number stays one', () => {
    expect(moved(fixed, 'least', 7)).toEqual({ least: 7, most: 7 });
    expect(moved(fixed, 'most', 1)).toEqual({ least: 1, most: 1 });
    expect(isFixed(moved(fixed, 'most', 0))).toBe(true);
  });

  it('is a whole number from 0 to what a cluster may have, whatever is typed', () => {
    expect(moved(fixed, 'most', 5000).most).toBe(1000);
    expect(moved(fixed, 'most', Number.NaN)).toEqual({ least: 0, most: 0 });
    expect(moved(fixed, 'least', -3)).toEqual({ least: 0, most: 4 });
    expect(moved(fixed, 'most', 6.4).most).toBe(6);
  });
});

it('a range is reduced to those that come in time, and never raised', () => {
  expect(reduced({ least: 40, most: 40 }, 6)).toEqual({ least: 6, most: 6 });
  expect(reduced({ least: 2, most: 40 }, 6)).toEqual({ least: 2, most: 6 });
  expect(reduced(fixed, 6)).toBe(fixed);
});

describe('the slider', () => {
  it('ends at twice what the cluster has, and not before what is chosen', () => {
    expect(top(fixed, fixed)).toBe(16);
    expect(top({ least: 9, most: 9 }, fixed)).toBe(32);
    expect(top(fixed, { least: 4, most: 90 })).toBe(128);
    expect(top(fixed, { least: 4, most: 1000 })).toBe(1000);
  });

  it('does not grow while its end is dragged to where it ends', () => {
    const end = top(fixed, fixed);
    expect(top(fixed, moved(fixed, 'most', end))).toBe(end);
  });

  it('shows the line between its ends', () => {
    expect(between({ least: 4, most: 12 }, 16)).toEqual({ start: 25, length: 50 });
    expect(between(fixed, 16).length).toBe(0);
  });
});

it('begins where the cluster is: what it follows the work between, or a fixed number', () => {
  const workers = [{ pool: 'cpu' }, { pool: 'gpu' }, { pool: 'gpu' }];
  const cluster = { name: 'study', workers, adaptive: null } as unknown as Cluster;
  expect(rangeOf(cluster, 'gpu', 1000)).toEqual({ least: 2, most: 2 });
  const follows = { ...cluster, adaptive: { pool: 'gpu', minimum: 1, maximum: null } };
  expect(rangeOf(follows, 'gpu', 1000)).toEqual({ least: 1, most: 1000 });
  expect(rangeOf(follows, 'cpu', 1000)).toEqual({ least: 1, most: 1 });
  expect(same(rangeOf(follows, 'cpu', 1000), { least: 1, most: 1 })).toBe(true);
});
