import { locale, trans } from './translation';

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** A number with so many decimals at the most, and at the least: "1,240", "87.5". */
export function number(value: number, most = 0, least = 0): string {
  return value.toLocaleString(locale(), { maximumFractionDigits: most, minimumFractionDigits: least });
}

/** "340 B", "1.2 MB", "48 GB": decimal units, as storage is sold. */
export function size(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const decimals = unit > 0 && value < 9.95 ? 1 : 0;
  return `${number(value, decimals, decimals)} ${UNITS[unit]}`;
}

/** Memory of jobs as Slurm counts it, in units of 1024: what was asked for as "4G" is "4 GB". */
export function memory(bytes: number): string {
  const gigabytes = bytes / 2 ** 30;
  return gigabytes < 0.995 ? `${number(bytes / 2 ** 20)} MB` : `${number(gigabytes, gigabytes < 9.95 ? 1 : 0)} GB`;
}

/** A day in words from Unix seconds or an ISO date, "3 December 2026"; '' for none. */
export function day(moment: number | string | null | undefined): string {
  if (moment === null || moment === undefined || moment === '') {
    return '';
  }
  const date = typeof moment === 'number' ? new Date(moment * 1000) : new Date(`${moment}T12:00:00`);
  return date.toLocaleDateString(locale(), { day: 'numeric', month: 'long', year: 'numeric' });
}

/** "1 GPU", "2 GPUs". */
export function gpus(count: number): string {
  return trans._n('%1 GPU', '%1 GPUs', count);
}
