/** How many workers of a kind there may be: as many as both say where they are the same, else as the work wants it. */
export interface IRange {
  readonly least: number;
  readonly most: number;
}

export type End = keyof IRange;

/** More no cluster may have; the hub refuses them. */
export const MOST_WORKERS = 1000;
/** Where a slider may end. */
const TOPS = [16, 32, 64, 128, 256, 512, MOST_WORKERS];

/**
 * A range with one end moved to a value.
 *
 * An end takes the other one along where it would pass it: moved up with the lower end, or down with the upper one, a
 * fixed number stays a fixed one.
 */
export function moved(range: IRange, end: End, value: number): IRange {
  const to = Math.min(MOST_WORKERS, Math.max(0, Math.round(value) || 0));
  return end === 'least'
    ? { least: to, most: Math.max(to, range.most) }
    : { least: Math.min(to, range.least), most: to };
}

/** The ends where at most so many are kept: what {@link moved} gives for the upper one. */
export function reduced(range: IRange, keep: number): IRange {
  return keep < range.most ? moved(range, 'most', keep) : range;
}

/** Where the slider ends: at twice what the cluster has, and not before what is chosen, which may be typed. */
export function top(known: IRange, chosen: IRange): number {
  return TOPS.find(one => one >= Math.max(2 * known.most, chosen.most)) ?? MOST_WORKERS;
}

/** Where the line between both ends begins and how long it is, in per cent of the slider. */
export function between(range: IRange, end: number): { readonly start: number; readonly length: number } {
  return { start: (100 * range.least) / end, length: (100 * (range.most - range.least)) / end };
}

export function isFixed(range: IRange): boolean {
  return range.least === range.most;
}

export function same(one: IRange, other: IRange): boolean {
  return one.least === other.least && one.most === other.most;
}
