import { size } from '../common/format';
import type { Balance, DayUse, GpuUsage, IdleDecision, SessionQuota, StorageUse, TimeLeft, Usage } from '../schema';
import { clock, left, SOON_S } from './facts';

type Above = NonNullable<Balance['above']>[number];

/** From here on a budget or a disk is worth a look, and from here on it hurts. */
export const HIGH = 0.8;
export const FULL = 0.95;

/** So many seconds before the end documents are saved; the last warning says so. */
export const LAST_S = 120;

/**
 * The latest alarm that is due; 0 for none.
 *
 * @param alarms Seconds before the end at which a person is told, the first that comes first.
 */
export function alarm(endsAt: number | null, now: number, alarms: readonly number[]): number {
  return endsAt === null ? 0 : ([...alarms].reverse().find(before => endsAt - now <= before) ?? 0);
}

/** Seconds until the next alarm, or until the end; null when nothing more comes. */
export function nextAlarm(endsAt: number | null, now: number, alarms: readonly number[]): number | null {
  if (endsAt === null) {
    return null;
  }
  const next = [...alarms, 0].find(before => endsAt - now > before);
  return next === undefined ? null : endsAt - now - next;
}

/** "87.5", "1,240". */
export function hours(value: number): string {
  return Math.abs(value) < 100 ? value.toFixed(1) : Math.round(value).toLocaleString('en-GB');
}

/** "30 minutes", "1 hour", "6 hours 45 minutes". */
export function minutesText(minutes: number): string {
  const count = (number: number, what: string): string => (number ? `${number} ${what}${number > 1 ? 's' : ''}` : '');
  return [count(Math.floor(minutes / 60), 'hour'), count(minutes % 60, 'minute')].filter(Boolean).join(' ');
}

/** What is wrong with a share of something, for its colour; the text says the same. */
export function level(part: number | null): 'none' | 'fine' | 'high' | 'full' {
  return part === null ? 'none' : part >= FULL ? 'full' : part >= HIGH ? 'high' : 'fine';
}

export function part(used: number, limit: number | null | undefined): number | null {
  return limit === null || limit === undefined ? null : limit > 0 ? used / limit : 1;
}

/** The share of a file system that is used: of its space or its files, whichever is more. */
export function storagePart(storage: StorageUse): number | null {
  const parts = [part(storage.used ?? 0, storage.limit), part(storage.files_used ?? 0, storage.files_limit)];
  const known = parts.filter(one => one !== null);
  return known.length && !storage.problem ? Math.max(...known) : null;
}

/** The file system that is fullest, of those with a limit. */
export function fullest(quota: SessionQuota): StorageUse | undefined {
  return [...quota.storage]
    .filter(one => storagePart(one) !== null)
    .sort((a, b) => (storagePart(b) ?? 0) - (storagePart(a) ?? 0))[0];
}

/** The status bar: "57 min left · 87.5 GPU-h left · Home 81%". */
export function summary(usage: Usage, now: number): string {
  const balance = usage.quota?.gpu_hours;
  const storage = usage.quota ? fullest(usage.quota) : undefined;
  const parts = [
    left(usage.ends_at, now),
    balance?.left === null || balance?.left === undefined ? '' : `${hours(Math.max(0, balance.left))} GPU-h left`,
    storage ? `${storage.title} ${percent(storagePart(storage))}` : ''
  ].filter(Boolean);
  return parts.join(' · ') || 'Usage';
}

/** How the status item is coloured. */
export function state(usage: Usage, now: number): 'over' | 'soon' | 'last' | '' {
  const rest = usage.ends_at === null ? Infinity : usage.ends_at - now;
  if (usage.ending_since !== null || rest <= LAST_S) {
    return 'last';
  }
  const balance = usage.quota?.gpu_hours;
  const storage = usage.quota ? fullest(usage.quota) : undefined;
  const parts = [balance ? budgetPart(balance) : null, storage ? storagePart(storage) : null];
  return rest <= SOON_S ? 'soon' : parts.some(one => level(one) === 'full') ? 'over' : '';
}

export function percent(value: number | null): string {
  return value === null ? '' : `${Math.round(value * 100)}%`;
}

/** The limit above that leaves the least, with its own numbers; undefined where the budget's own does, or there is none. */
function limiting(balance: Balance): Above | undefined {
  return balance.above?.find(one => one.name === balance.limited_by);
}

/** The share of a budget that is used: of its own limit or of the one above that leaves the least, whichever is more. */
export function budgetPart(balance: Balance): number | null {
  const above = limiting(balance);
  const parts = [part(balance.used, balance.limit), above ? part(above.used, above.limit) : null];
  const known = parts.filter(one => one !== null);
  return known.length ? Math.max(...known) : null;
}

export function balanceText(balance: Balance): string {
  const used = `${hours(balance.used)}${balance.limit === null ? '' : ` of ${hours(balance.limit)}`} GPU-hours used`;
  if (balance.limit === null && balance.left === null) {
    return `${used}, no limit`;
  }
  const own = balance.limit === null ? null : Math.max(0, balance.limit - balance.used);
  const rest = Math.max(0, balance.left ?? own ?? 0);
  const above = limiting(balance);
  // as shown: the last bits of the two differences are not the same
  if (own !== null && !above && (rest >= own || hours(rest) === hours(own))) {
    return `${used}, ${hours(rest)} left`;
  }
  const has = `${hours(rest)}${above ? ` of ${hours(above.limit)}` : ''} left`;
  return `${used}${own === null ? ', no limit of its own' : ''}; ${balance.limited_by || 'a limit above'} has ${has}`;
}

/** How long a budget lasts, as a sentence; '' where nothing can be said. */
export function forecast(balance: Balance): string {
  if (budgetPart(balance) === null) {
    return '';
  }
  if (balance.left !== null && balance.left <= 0) {
    return 'Nothing is left: no new session with a GPU can start.';
  }
  const above = balance.above?.find(one => one.lasts_until === balance.lasts_until);
  const rate = (above ?? balance).rate_per_day;
  if (typeof balance.lasts_until !== 'number' || typeof rate !== 'number') {
    return '';
  }
  const day = new Date(balance.lasts_until * 1000).toLocaleDateString('en-GB', {
    day: 'numeric',
    month: 'long',
    year: 'numeric'
  });
  return `At the present rate${above ? ` of ${above.name}` : ''} (${hours(rate)} a day) this lasts until ${day}.`;
}

export function storageText(storage: StorageUse): string {
  if (storage.problem) {
    return storage.problem;
  }
  const used = size(storage.used ?? 0);
  const bytes = typeof storage.limit === 'number' ? `${used} of ${size(storage.limit)} used` : `${used} used, no limit`;
  const files =
    typeof storage.files_limit === 'number'
      ? `; ${(storage.files_used ?? 0).toLocaleString('en-GB')} of ${storage.files_limit.toLocaleString('en-GB')} files`
      : '';
  return bytes + files;
}

export function gpuText(gpu: GpuUsage): string {
  if (gpu.problem || gpu.memory_used === null || gpu.memory_total === null) {
    return gpu.problem || 'not known';
  }
  const use = gpu.percent === null ? '' : `${Math.round(gpu.percent)}% in use, `;
  return `${use}${size(gpu.memory_used)} of ${size(gpu.memory_total)} memory`;
}

/** "just now", "12 min ago". */
export function ago(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  return minutes < 1 ? 'just now' : minutes < 120 ? `${minutes} min ago` : `${Math.floor(minutes / 60)} h ago`;
}

/** The points of a line of days in a box, for SVG: "0,20 10,5". */
export function points(days: readonly DayUse[], width: number, height: number): string {
  const most = Math.max(...days.map(day => day.gpu_hours), 0) || 1;
  const step = days.length > 1 ? width / (days.length - 1) : 0;
  return days
    .map((day, index) => `${(index * step).toFixed(1)},${(height - (day.gpu_hours / most) * height).toFixed(1)}`)
    .join(' ');
}

/**
 * "The last 28 days and today: 12.0 GPU-hours, at most 3.5 in a day.": today is not a whole day yet. It is summed up every
 * hour: a today without use is left out, for there may be some already.
 */
export function trendText(days: readonly DayUse[], now: number): string {
  const at = new Date(now * 1000);
  const today = [at.getFullYear(), at.getMonth() + 1, at.getDate()]
    .map(part => String(part).padStart(2, '0'))
    .join('-');
  const whole = days.filter(one => one.day < today).length;
  const used = days.some(one => one.day >= today && one.gpu_hours > 0);
  const without = whole < days.length ? ', without today' : '';
  const span = `The last ${whole === 1 ? 'day' : `${whole} days`}${used ? ' and today' : without}`;
  const total = days.reduce((sum, one) => sum + one.gpu_hours, 0);
  const most = Math.max(...days.map(one => one.gpu_hours));
  return total > 0
    ? `${span}: ${hours(total)} GPU-hours, at most ${hours(most)} in a day.`
    : `${span}: nothing was used.`;
}

/** Whether a warning in force says already how long a budget lasts: one sentence, and one number, is enough. */
export function warnedOf(quota: SessionQuota, whose: 'project' | 'user'): boolean {
  return quota.warnings.some(one => one.id.startsWith(`${whose}:${quota.project}${whose === 'user' ? '/' : '#'}`));
}

/** When a session ends and why, by this browser's clock. */
export function endsText(endsAt: number, now: number, time: TimeLeft | undefined): string {
  return `This session ends at ${clock(endsAt, now)}${time?.rest || '.'}`;
}

/** What is said of an idle session, by this browser's clock. */
export function idleText(decision: IdleDecision, now: number): string {
  const { what, quiet_since: since, stop_at: stop } = decision;
  return what && since && stop
    ? `${what} since ${clock(since, now)}. This session is stopped at ${clock(stop, now)} if that stays so. Run something to keep it.`
    : decision.text;
}

/** What is said when the end comes near. */
export function endText(due: number, endsAt: number, now: number, why = ''): string {
  const says = `This session ends at ${clock(endsAt, now)}${why === 'reservation' ? ' with its reservation' : ''}: ${left(endsAt, now)}.`;
  const kernels = 'Its kernels end with it';
  return due === LAST_S
    ? `${says} Open documents are being saved. ${kernels}.` // JupyterLab cuts after 140 characters
    : `${says} ${kernels}; what is saved stays.`;
}

/** Documents that were not saved themselves, with the copies that were: a sentence for a notification; '' for none. */
export function unsavedText(copied: readonly string[], failed: readonly string[]): string {
  return [
    copied.length
      ? `Saved as a copy: ${names(copied)}; the document itself changed on disk, or cannot be written.`
      : '',
    failed.length ? `Not saved: ${names(failed)}. Save now, under another name if need be.` : ''
  ]
    .filter(Boolean)
    .join(' ');
}

/** Names of files for a notification, which JupyterLab cuts after 140 characters: "a.ipynb", "a.ipynb and 3 more". */
export function names(paths: readonly string[]): string {
  const [first = '', ...more] = paths.map(path => path.slice(path.lastIndexOf('/') + 1));
  const short = first.length > 40 ? `${first.slice(0, 39)}…` : first;
  return more.length ? `${short} and ${more.length} more` : short;
}
