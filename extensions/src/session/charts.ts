import type { DayUse, GpuPoint } from '../schema';

/** A part of a ring, in shares of the whole: where it begins, and how long it is. */
export interface IArc {
  readonly from: number;
  readonly length: number;
}

/** Parts of a ring one after the other; what is beyond the whole is left out, what is no number is nothing. */
export function arcs(parts: readonly number[]): IArc[] {
  let from = 0;
  return parts.map(part => {
    const length = Math.min(1 - from, Math.max(0, Number.isFinite(part) ? part : 0));
    const arc = { from, length };
    from += length;
    return arc;
  });
}

/** The part of a ring that is left free between two of its parts. */
const BETWEEN = 0.008;

/** A part of a ring as SVG's dashes on a circle that is 100 round, from its top on. */
export function dashes({ from, length }: IArc): { strokeDasharray: string; strokeDashoffset: number } {
  const drawn = Math.max(0.1, (length < 1 ? length - BETWEEN : length) * 100);
  return { strokeDasharray: `${drawn.toFixed(2)} ${(100 - drawn).toFixed(2)}`, strokeDashoffset: 25 - from * 100 };
}

/** The share of a session's time that is left, 0 to 1; null where its beginning or its end is not known. */
export function timeShare(startedAt: number | null | undefined, endsAt: number | null, now: number): number | null {
  if (typeof startedAt !== 'number' || endsAt === null || endsAt <= startedAt) {
    return null;
  }
  return Math.min(1, Math.max(0, (endsAt - now) / (endsAt - startedAt)));
}

/** A round number at or above this one: 1, 2 or 5 times a power of ten. */
export function roundUp(value: number): number {
  if (!(value > 0)) {
    return 1;
  }
  const power = 10 ** Math.floor(Math.log10(value));
  const factor = [1, 2, 5, 10].find(one => one * power >= value * (1 - 1e-9)) ?? 10;
  return factor * power;
}

/** One day's column in a box that is 1 wide and 1 high, from its top left: what is mine stands on the ground. */
export interface IColumn {
  readonly day: DayUse;
  readonly x: number;
  readonly width: number;
  readonly mine: number;
  readonly others: number;
}

/** The part of a column's place that is left free beside it. */
const GAP = 0.25;

/** @param most What the height of the box stands for. */
export function columns(days: readonly DayUse[], most: number): IColumn[] {
  const step = days.length ? 1 / days.length : 0;
  return days.map((day, index) => {
    const mine = Math.min(day.mine ?? 0, day.gpu_hours) / most;
    return {
      day,
      x: (index + GAP / 2) * step,
      width: step * (1 - GAP),
      mine,
      others: day.gpu_hours / most - mine
    };
  });
}

/** Which of so many columns is at a place, 0 to 1. */
export function columnAt(place: number, count: number): number {
  return Math.min(count - 1, Math.max(0, Math.floor(place * count)));
}

/** The column to go to from one by a key; null for a key that leads nowhere. Without one before, the latest. */
export function columnBy(key: string, from: number | null, count: number): number | null {
  const at = from ?? count;
  switch (key) {
    case 'ArrowLeft':
    case 'ArrowDown':
      return Math.max(0, at - 1);
    case 'ArrowRight':
    case 'ArrowUp':
      return Math.min(count - 1, at + 1);
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return null;
  }
}

/** How many moments a sparkline has room for: ten minutes, every five seconds. */
export const POINTS = 120;

/**
 * Lines through the moments of a GPU in a box, for SVG: the newest at the right edge, and none over a moment of which
 * nothing is known.
 *
 * @param what What is drawn; per cent.
 */
export function lines(history: readonly GpuPoint[], what: keyof GpuPoint, width: number, height: number): string[] {
  const last = history.slice(-POINTS);
  const step = width / (POINTS - 1);
  const found: string[][] = [[]];
  last.forEach((point, index) => {
    const value = point[what];
    if (value === null) {
      found.push([]);
      return;
    }
    const x = width - (last.length - 1 - index) * step;
    const y = height - (Math.min(100, Math.max(0, value)) / 100) * height;
    found[found.length - 1]?.push(`${x.toFixed(1)},${y.toFixed(1)}`);
  });
  return found.filter(line => line.length > 1).map(line => line.join(' '));
}

/** The least and the most that was told; null where nothing was. */
export function range(history: readonly GpuPoint[], what: keyof GpuPoint): { least: number; most: number } | null {
  const values = history.slice(-POINTS).flatMap(point => (point[what] === null ? [] : [point[what]]));
  return values.length ? { least: Math.min(...values), most: Math.max(...values) } : null;
}
