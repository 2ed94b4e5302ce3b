import { memory, number } from '../common/format';
import { locale, trans } from '../common/translation';
import type { DayUse, GpuPoint, JobUse, KilledKernel } from '../schema';
import { range } from './charts';
import { hours, names } from './format';

/** What the job uses of its memory. */
export function memoryText({ memory: used, memory_limit: limit }: JobUse): string {
  if (used === null) {
    return trans.__('not known');
  }
  return limit === null
    ? trans.__('%1 in use, no limit known', memory(used))
    : trans.__('%1 of %2 in use', memory(used), memory(limit));
}

/** How many of its CPUs the job keeps busy. */
export function cpuText({ cpus_busy: busy, cpus }: JobUse): string {
  if (busy === null) {
    return trans.__('being measured');
  }
  return cpus === null
    ? trans.__('%1 CPUs busy', number(busy, 1, 1))
    : trans.__('%1 of %2 CPUs busy', number(busy, 1, 1), cpus);
}

/** Where the numbers on memory and CPU come from. */
export function sourceText({ source }: JobUse): string {
  switch (source) {
    case 'cgroup2':
      return trans.__('Read from the job’s cgroup (version 2).');
    case 'cgroup1':
      return trans.__('Read from the job’s cgroup (version 1).');
    default:
      return trans.__('Added up over this session’s processes: the job has no cgroup of its own here.');
  }
}

/** Why a kernel is gone, with the name of its notebook. */
export function killedText({ path, certain, scope, memory: limit }: KilledKernel): string {
  const why =
    scope === 'node'
      ? trans.__('The kernel was probably stopped because its node ran out of memory.')
      : limit === null
        ? trans.__('The kernel was probably stopped because the session ran out of memory.')
        : certain
          ? trans.__('The kernel was stopped because the session used all of its %1 of memory.', memory(limit))
          : trans.__('The kernel was probably stopped because the session used up its %1 of memory.', memory(limit));
  return path ? `${names([path])}: ${why}` : why;
}

/** What to do about a kernel that memory did not suffice for. */
export function nextStep(): string {
  return trans.__('Variables are gone. Load less at once, or start a session with more memory.');
}

/** What a line of ten minutes shows of a GPU, for who does not see it. */
export function sparkText(name: string, history: readonly GpuPoint[]): string {
  const [use, held] = [range(history, 'use'), range(history, 'memory')];
  const last = history[history.length - 1];
  const said = [
    use && last && last.use !== null
      ? trans.__('use %1% to %2%, now %3%', Math.round(use.least), Math.round(use.most), Math.round(last.use))
      : trans.__('use not known'),
    held ? trans.__('memory %1% to %2%', Math.round(held.least), Math.round(held.most)) : ''
  ].filter(Boolean);
  return trans.__('%1, last ten minutes: %2', name, said.join('; '));
}

/** "3 Dec". */
export function shortDay(day: string): string {
  return day === '' ? '' : new Date(`${day}T12:00:00`).toLocaleDateString(locale(), { day: 'numeric', month: 'short' });
}

/** "3 Dec: 4.0 GPU-hours, 1.5 by you". */
export function dayText({ day: at, gpu_hours: used, mine }: DayUse): string {
  return typeof mine === 'number'
    ? trans.__('%1: %2 GPU-hours, %3 by you', shortDay(at), hours(used), hours(mine))
    : trans.__('%1: %2 GPU-hours', shortDay(at), hours(used));
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
  const total = hours(days.reduce((sum, one) => sum + one.gpu_hours, 0));
  const most = hours(Math.max(...days.map(one => one.gpu_hours)));
  const span = spanText(whole, used, whole < days.length);
  return days.some(one => one.gpu_hours > 0)
    ? trans.__('%1: %2 GPU-hours, at most %3 in a day.', span, total, most)
    : trans._n(
        'No GPU-hours used in the last day · updated hourly',
        'No GPU-hours used in the last %1 days · updated hourly',
        whole
      );
}

/** "The last 28 days and today": so many whole days, and whether today is counted, or left out. */
function spanText(days: number, withToday: boolean, today: boolean): string {
  if (withToday) {
    return trans._n('The last day and today', 'The last %1 days and today', days);
  }
  return today
    ? trans._n('The last day, without today', 'The last %1 days, without today', days)
    : trans._n('The last day', 'The last %1 days', days);
}
