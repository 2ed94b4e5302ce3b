import type { ClusterHistory, ClusterWorker } from '../schema';

export type WorkerState = ClusterWorker['state'];

/** In the order in which a bar shows them. */
const STATES: readonly WorkerState[] = ['running', 'starting', 'queued', 'lost'];

/** How many workers are in each state that any of them is in. */
export function counted(workers: readonly ClusterWorker[]): readonly (readonly [state: WorkerState, count: number])[] {
  return STATES.map(state => [state, workers.filter(worker => worker.state === state).length] as const).filter(
    ([, count]) => count > 0
  );
}

/** A curve's value at a moment (Unix seconds). */
export type Point = readonly [at: number, value: number];

export function tasks(history: ClusterHistory): Point[] {
  return history.at.map((at, index) => [at, history.tasks[index] ?? 0]);
}

export function memory(history: ClusterHistory): Point[] {
  return history.at.map((at, index) => [at, history.memory[index] ?? 0]);
}

/** How many seconds a curve shows: all that there is, at least a minute and at most ten. */
export function span(points: readonly Point[]): number {
  const age = (points.at(-1)?.[0] ?? 0) - (points[0]?.[0] ?? 0);
  return Math.min(600, Math.max(60, age));
}

/**
 * The corners of a curve in a box, as SVG's polyline takes them.
 *
 * @param seconds How long a time the box is wide; its right end is the last point's.
 * @param highest The value at its upper end, above 0.
 */
export function corners(
  points: readonly Point[],
  { width, height, seconds, highest }: { width: number; height: number; seconds: number; highest: number }
): string {
  const last = points.at(-1)?.[0] ?? 0;
  return points
    .filter(([at]) => last - at <= seconds)
    .map(([at, value]) => {
      const x = width * (1 - (last - at) / seconds);
      const y = height * (1 - Math.min(1, value / highest));
      return `${x.toFixed(1)},${y.toFixed(1)}`;
    })
    .join(' ');
}
