import { day, number, size } from '../common/format';
import { trans } from '../common/translation';
import type { Balance, GpuUsage, IdleDecision, SessionQuota, StorageUse, TimeLeft, Usage } from '../schema';
import type { IEnded } from './api';
import { clock, left, shortLeft, SOON_S } from './facts';

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
  const decimals = Math.abs(value) < 100 ? 1 : 0;
  return number(value, decimals, decimals);
}

/** "30 minutes", "1 hour", "6 hours 45 minutes". */
export function minutesText(minutes: number): string {
  const [whole, rest] = [Math.floor(minutes / 60), minutes % 60];
  return [whole ? trans._n('%1 hour', '%1 hours', whole) : '', rest ? trans._n('%1 minute', '%1 minutes', rest) : '']
    .filter(Boolean)
    .join(' ');
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

/** The status bar: "57 min · 87.5 GPU-h", what is left; and a file system that is nearly full: "Home 81%". */
export function summary(usage: Usage, now: number): string {
  const balance = usage.quota?.gpu_hours;
  const storage = usage.quota ? fullest(usage.quota) : undefined;
  const parts = [
    shortLeft(usage.ends_at, now),
    balance?.left === null || balance?.left === undefined ? '' : trans.__('%1 GPU-h', hours(Math.max(0, balance.left))),
    storage && (storagePart(storage) ?? 0) >= HIGH ? `${storage.title} ${percent(storagePart(storage))}` : ''
  ].filter(Boolean);
  return parts.join(' · ') || trans.__('Usage');
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

/** What is used of a budget and left of it; of one person's (`personal`) the account's is said elsewhere. */
export function balanceText(balance: Balance, personal = false): string {
  const used = hours(balance.used);
  if (personal && balance.limit === null) {
    return trans.__('%1 GPU-hours (no personal limit)', used);
  }
  if (balance.limit === null && balance.left === null) {
    return trans.__('%1 GPU-hours used, no limit', used);
  }
  const own = balance.limit === null ? null : Math.max(0, balance.limit - balance.used);
  const rest = Math.max(0, balance.left ?? own ?? 0);
  const above = limiting(balance);
  // as shown: the last bits of the two differences are not the same
  if (balance.limit !== null && own !== null && !above && (rest >= own || hours(rest) === hours(own))) {
    return trans.__('%1 of %2 GPU-hours used, %3 left', used, hours(balance.limit), hours(rest));
  }
  const ours =
    balance.limit === null
      ? trans.__('%1 GPU-hours used (no limit set)', used)
      : trans.__('%1 of %2 GPU-hours used', used, hours(balance.limit));
  const who = balance.limited_by || trans.__('a limit above');
  const theirs = above
    ? trans.__('%1 has %2 of %3 left', who, hours(rest), hours(above.limit))
    : trans.__('%1 has %2 left', who, hours(rest));
  return `${ours}; ${theirs}`;
}

/** How long a budget lasts, as a sentence; '' where nothing can be said. */
export function forecast(balance: Balance): string {
  if (budgetPart(balance) === null) {
    return '';
  }
  if (balance.left !== null && balance.left <= 0) {
    return trans.__('Nothing is left: no new session with a GPU can start.');
  }
  const above = balance.above?.find(one => one.lasts_until === balance.lasts_until);
  const rate = (above ?? balance).rate_per_day;
  if (typeof balance.lasts_until !== 'number' || typeof rate !== 'number') {
    return '';
  }
  const until = day(balance.lasts_until);
  return above
    ? trans.__('At the present rate of %1 (%2 a day) this lasts until %3.', above.name, hours(rate), until)
    : trans.__('At the present rate (%1 a day) this lasts until %2.', hours(rate), until);
}

export function storageText(storage: StorageUse): string {
  if (storage.problem) {
    return storage.problem;
  }
  const used = size(storage.used ?? 0);
  const bytes =
    typeof storage.limit === 'number'
      ? trans.__('%1 of %2 used', used, size(storage.limit))
      : trans.__('%1 used, no limit', used);
  const files =
    typeof storage.files_limit === 'number'
      ? trans.__('%1 of %2 files', number(storage.files_used ?? 0), number(storage.files_limit))
      : '';
  return [bytes, files].filter(Boolean).join('; ');
}

export function gpuText(gpu: GpuUsage): string {
  if (gpu.problem || gpu.memory_used === null || gpu.memory_total === null) {
    return gpu.problem || trans.__('not known');
  }
  const [used, total] = [size(gpu.memory_used), size(gpu.memory_total)];
  return gpu.percent === null
    ? trans.__('%1 of %2 memory', used, total)
    : trans.__('%1% in use, %2 of %3 memory', Math.round(gpu.percent), used, total);
}

/** "just now", "12 min ago". */
export function ago(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1) {
    return trans.__('just now');
  }
  return minutes < 120 ? trans.__('%1 min ago', minutes) : trans.__('%1 h ago', Math.floor(minutes / 60));
}

/** What is shown of a budget as a ring: shares of its limit that are mine and that are others'. */
export interface IShares {
  readonly mine: number;
  readonly others: number;
}

/** null where there is no limit of its own, or another one leaves less: then a bar shows what counts. */
export function shares(balance: Balance, own: Balance | null): IShares | null {
  if (balance.limit === null || balance.limit <= 0 || limiting(balance)) {
    return null;
  }
  const used = Math.min(1, Math.max(0, balance.used / balance.limit));
  const mine = Math.min(used, Math.max(0, (own?.used ?? 0) / balance.limit));
  return { mine, others: used - mine };
}

/** Whether a warning in force says already how long a budget lasts: one sentence, and one number, is enough. */
export function warnedOf(quota: SessionQuota, whose: 'project' | 'user'): boolean {
  return quota.warnings.some(one => one.id.startsWith(`${whose}:${quota.project}${whose === 'user' ? '/' : '#'}`));
}

/** An operator's order to end this session: when, in Unix seconds, and why, in the operator's own words. */
export interface IStop {
  readonly at: number;
  readonly why: string;
}

/** The operator's order that a session's time tells of; null where there is none. */
export function stopOf(time: TimeLeft | undefined): IStop | null {
  const fact = time?.reasons?.['text'] as { code?: string; params?: Partial<IStop> } | undefined;
  const { at, why } = fact?.params ?? {};
  return fact?.code === 'ends-by-operator' && typeof at === 'number' && typeof why === 'string' ? { at, why } : null;
}

/** The whole of it, by this browser's clock. */
export function stopText({ at, why }: IStop, now: number): string {
  return trans.__('An operator ends this session at %1: %2', clock(at, now), why);
}

/** When a session ends and why, by this browser's clock. */
export function endsText(endsAt: number, now: number, time: TimeLeft | undefined): string {
  const at = clock(endsAt, now);
  const fact = time?.reasons?.['text'] as { code?: string; params?: { over?: number; project?: string } } | undefined;
  switch (fact?.code) {
    case 'ends-by-operator': {
      const stop = stopOf(time);
      return stop ? stopText(stop, now) : trans.__('This session ends at %1.', at);
    }
    case 'ends-by-limit':
      return trans.__('This session ends at %1 (time limit).', at);
    case 'ends-by-reservation':
      return trans.__('This session ends at %1 (end of its reservation).', at);
    case 'ends-after-reservation':
      return trans.__(
        'This session ends at %1: Slurm lets it go on for %2 after its reservation.',
        at,
        minutesText(Math.round((fact.params?.over ?? 0) / 60))
      );
    case 'ends-by-leaving':
      return trans.__(
        'You are no longer in project %1: this session ends at %2, and open documents are being saved.',
        fact.params?.project ?? '',
        at
      );
    case 'ends-by-project':
      return trans.__('This session ends at %1: its project ends then, too; nothing new starts in it.', at);
    case 'ends-at-latest':
      return trans.__('This session ends at %1 at the latest; the end of its reservation is not known yet.', at);
    default:
      return trans.__('This session ends at %1.', at);
  }
}

/** What is said of an idle session, by this browser's clock. */
export function idleText(decision: IdleDecision, now: number): string {
  const { what, quiet_since: since, stop_at: stop } = decision;
  return what && since && stop
    ? trans.__(
        '%1 since %2. This session is stopped at %3 if that stays so. Run something to keep it.',
        what,
        clock(since, now),
        clock(stop, now)
      )
    : decision.text;
}

/** What is said when the end comes near. */
export function endText(due: number, endsAt: number, now: number, why = ''): string {
  const [at, rest] = [clock(endsAt, now), left(endsAt, now)];
  const says =
    why === 'reservation'
      ? trans.__('This session ends at %1 with its reservation: %2.', at, rest)
      : why === 'operator'
        ? trans.__('An operator ends this session at %1: %2.', at, rest)
        : why === 'left'
          ? trans.__('You are no longer in its project: this session ends at %1: %2.', at, rest)
          : trans.__('This session ends at %1: %2.', at, rest);
  const then =
    due === LAST_S
      ? trans.__('Open documents are being saved. Kernels stop then.') // JupyterLab cuts after 140 characters
      : trans.__('Kernels stop then. Saved files are kept.');
  return `${says} ${then}`;
}

/** Documents that were not saved themselves, with the copies that were: a sentence for a notification; '' for none. */
export function unsavedText(copied: readonly string[], failed: readonly string[]): string {
  return [
    copied.length
      ? trans.__('Saved as a copy: %1; the document itself changed on disk, or cannot be written.', names(copied))
      : '',
    failed.length ? trans.__('Not saved: %1. Save now, under another name if need be.', names(failed)) : ''
  ]
    .filter(Boolean)
    .join(' ');
}

/** Why a session is gone, in the hub's word. */
export function whyText({ ended_at, text }: IEnded, now: number): string {
  if (ended_at === null) {
    return trans.__('This session does not answer, but the hub knows of no end: the connection may be down.');
  }
  return [trans.__('This session ended at %1.', clock(ended_at, now)), text].filter(part => part !== '').join(' ');
}

/** What of so many open documents is saved, once nothing can be saved any more. */
export function savedText(open: number, unsaved: readonly string[]): string {
  if (unsaved.length) {
    return trans.__('Not saved: %1.', names(unsaved));
  }
  return open ? trans.__('All open documents are saved.') : '';
}

/** Names of files for a notification, which JupyterLab cuts after 140 characters: "a.ipynb", "a.ipynb and 3 more". */
export function names(paths: readonly string[]): string {
  const [first = '', ...more] = paths.map(path => path.slice(path.lastIndexOf('/') + 1));
  const short = first.length > 40 ? `${first.slice(0, 39)}…` : first;
  return more.length ? trans.__('%1 and %2 more', short, more.length) : short;
}
