/** The time by this browser's clock, in Unix seconds, as all times of the hub are. */
export function now(): number {
  return Date.now() / 1000;
}
