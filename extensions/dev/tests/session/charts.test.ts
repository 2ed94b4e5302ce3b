import { describe, expect, it } from 'vitest';

import {
  arcs,
  columnAt,
  columnBy,
  columns,
  dashes,
  lines,
  POINTS,
  range,
  roundUp,
  timeShare
} from '../../../src/session/charts';
import type { DayUse, GpuPoint } from '../../../src/schema';

const day = (gpu_hours: number, mine?: number): DayUse => ({ day: '2026-12-03', gpu_hours, mine: mine ?? null });
const point = (use: number | null): GpuPoint => ({ use, memory: null });

describe('a ring', () => {
  it('has its parts one after the other, and never more than the whole', () => {
    expect(arcs([0.25, 0.5])).toEqual([
      { from: 0, length: 0.25 },
      { from: 0.25, length: 0.5 }
    ]);
    expect(arcs([0.75, 0.5, 0.5])).toEqual([
      { from: 0, length: 0.75 },
      { from: 0.75, length: 0.25 },
      { from: 1, length: 0 }
    ]);
    expect(arcs([-1, NaN])).toEqual([
      { from: 0, length: 0 },
      { from: 0, length: 0 }
    ]);
  });

  it('is drawn from its top on, with a gap after each part, and whole without one', () => {
    expect(dashes({ from: 0, length: 0.5 })).toEqual({ strokeDasharray: '49.20 50.80', strokeDashoffset: 25 });
    expect(dashes({ from: 0.5, length: 0.25 })).toEqual({ strokeDasharray: '24.20 75.80', strokeDashoffset: -25 });
    expect(dashes({ from: 0, length: 1 }).strokeDasharray).toBe('100.00 0.00');
    expect(dashes({ from: 0, length: 0.001 }).strokeDasharray).toBe('0.10 99.90');
  });

  it('shows the share of the time that is left', () => {
    expect([0, 75, 100, 200].map(now => timeShare(0, 100, now))).toEqual([1, 0.25, 0, 0]);
    expect([timeShare(null, 100, 0), timeShare(0, null, 0), timeShare(100, 100, 0)]).toEqual([null, null, null]);
  });
});

describe('columns of days', () => {
  it('end at a round number', () => {
    expect([0, 0.3, 1, 1.2, 4.9, 5, 17, 99, 1001].map(roundUp)).toEqual([1, 0.5, 1, 2, 5, 5, 20, 100, 2000]);
  });

  it('have mine below and the others above it, side by side', () => {
    const drawn = columns([day(4, 1), day(2), day(1, 3)], 4);
    expect(drawn.map(({ mine, others }) => [mine, others])).toEqual([
      [0.25, 0.75],
      [0, 0.5],
      [0.25, 0]
    ]);
    expect(drawn[1]?.x).toBeGreaterThan((drawn[0]?.x ?? 0) + (drawn[0]?.width ?? 0));
    expect((drawn[2]?.x ?? 0) + (drawn[2]?.width ?? 0)).toBeLessThan(1);
    expect(columns([], 1)).toEqual([]);
  });

  it('are found by a place and by keys', () => {
    expect([-1, 0, 0.5, 0.99, 7].map(place => columnAt(place, 4))).toEqual([0, 0, 2, 3, 3]);
    expect(columnBy('ArrowLeft', null, 4)).toBe(3);
    expect(columnBy('ArrowLeft', 0, 4)).toBe(0);
    expect(columnBy('ArrowRight', 3, 4)).toBe(3);
    expect(columnBy('Home', 3, 4)).toBe(0);
    expect(columnBy('End', 0, 4)).toBe(3);
    expect(columnBy('Tab', 0, 4)).toBeNull();
  });
});

describe('ten minutes of a GPU', () => {
  it('end at the right edge, with no line over what is not known', () => {
    const width = POINTS - 1;
    expect(lines([point(0), point(100), point(50)], 'use', width, 40)).toEqual([
      `${width - 2}.0,40.0 ${width - 1}.0,0.0 ${width}.0,20.0`
    ]);
    expect(
      lines([point(0), point(0), point(null), point(100), point(100), point(null), point(1)], 'use', width, 40)
    ).toEqual([`${width - 6}.0,40.0 ${width - 5}.0,40.0`, `${width - 3}.0,0.0 ${width - 2}.0,0.0`]);
    expect(lines([point(1), point(2)], 'memory', width, 40)).toEqual([]);
  });

  it('are no more than that, within the box', () => {
    const [line] = lines(
      Array.from({ length: 150 }, () => point(120)),
      'use',
      POINTS - 1,
      40
    );
    expect(line?.split(' ')).toHaveLength(POINTS);
    expect(line?.startsWith('0.0,0.0 ')).toBe(true);
  });

  it('have a least and a most', () => {
    expect(range([point(3), point(null), point(1)], 'use')).toEqual({ least: 1, most: 3 });
    expect(range([point(null)], 'use')).toBeNull();
  });
});
