import { gpus as gpuCount } from '../common/format';
import { locale, trans } from '../common/translation';
import type { Facts, GpuUsage } from '../schema';

/** A session is worth a warning when it ends within this many seconds. */
export const SOON_S = 600;

/** How long a session has: "57 min left", "2 h 5 min left"; '' when that is not known. */
export function left(endsAt: number | null, now: number): string {
  if (endsAt === null) {
    return '';
  }
  const minutes = Math.floor((endsAt - now) / 60);
  if (minutes < 1) {
    return endsAt <= now ? trans.__('ending now') : trans.__('less than a minute left');
  }
  if (minutes < 60) {
    return trans.__('%1 min left', minutes);
  }
  const rest = minutes % 60;
  const hours = Math.floor(minutes / 60);
  return rest ? trans.__('%1 h %2 min left', hours, rest) : trans.__('%1 h left', hours);
}

/** The same in as few words as the status bar has room for: "57 min", "2 h 5 min". */
export function shortLeft(endsAt: number | null, now: number): string {
  if (endsAt === null) {
    return '';
  }
  const minutes = Math.floor((endsAt - now) / 60);
  if (minutes < 1) {
    return endsAt <= now ? trans.__('ending now') : trans.__('under 1 min');
  }
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  if (hours < 1) {
    return trans.__('%1 min', minutes);
  }
  return rest ? trans.__('%1 h %2 min', hours, rest) : trans.__('%1 h', hours);
}

/** A time by this browser's clock: "14:05", with the date when it is not today: "27 Nov 00:17". */
export function clock(seconds: number, now: number): string {
  const [at, today] = [new Date(seconds * 1000), new Date(now * 1000)];
  const time = at.toLocaleTimeString(locale(), { hour: '2-digit', minute: '2-digit' });
  const day = at.toLocaleDateString(locale(), { day: '2-digit', month: 'short' });
  return at.toDateString() === today.toDateString() ? time : `${day} ${time}`;
}

export function gpus(count: number): string {
  return count === 0 ? trans.__('no GPU') : gpuCount(count);
}

/** "NVIDIA H200" as people call it: "H200". */
export function shortGpu(name: string): string {
  return name.replace(/^NVIDIA\s+/i, '').trim();
}

/** How much of its GPUs a session uses, on average, in per cent; null where that is not known of any. */
export function gpuUse(read: readonly GpuUsage[]): number | null {
  const known = read.flatMap(gpu => (gpu.percent === null ? [] : [gpu.percent]));
  return known.length ? Math.round(known.reduce((sum, one) => sum + one, 0) / known.length) : null;
}

/** One line: "Digital Twin · 1 × H200 87%". Time and budget have an item of their own. */
export function summary(facts: Facts, read: readonly GpuUsage[] = []): string {
  const names = [...facts.gpus.map(gpu => gpu.name ?? ''), ...read.map(gpu => gpu.name)].filter(name => name !== '');
  const [name, ...others] = [...new Set(names.map(shortGpu))];
  const use = gpuUse(read);
  const machine =
    facts.gpu_count === 0
      ? trans.__('CPU')
      : name && !others.length
        ? `${facts.gpu_count} × ${name}`
        : gpus(facts.gpu_count);
  return [facts.project_title || facts.project, use === null ? machine : `${machine} ${use}%`]
    .filter(part => part !== '')
    .join(' · ');
}

/** What the project is called beside its title where that matters: nobody works for a client by accident. */
export function badge(facts: Facts): string {
  return facts.hub?.project_kind === 'client' ? trans.__('Client') : '';
}

/** Names and values for the details, without what is not known. */
export function details(facts: Facts, now: number): [string, string][] {
  const title =
    facts.project_title && facts.project_title !== facts.project
      ? `${facts.project_title} (${facts.project})`
      : facts.project;
  const names = [...new Set(facts.gpus.map(gpu => gpu.name ?? ''))].filter(name => name !== '');
  const ends = facts.ends_at === null ? '' : `${clock(facts.ends_at, now)} (${left(facts.ends_at, now)})`;
  const account = facts.hub?.['account'];
  const rows: [string, string][] = [
    [trans.__('Project'), title],
    [trans.__('Account'), typeof account === 'string' ? account : ''],
    [trans.__('Profile'), facts.profile],
    [trans.__('Image'), facts.image],
    [trans.__('Node'), facts.node],
    [trans.__('GPUs'), gpus(facts.gpu_count) + (names.length ? `: ${names.join(', ')}` : '')],
    [trans.__('Slurm job'), facts.job_id === null ? '' : `${facts.job_id}`],
    [trans.__('Session'), facts.session],
    [trans.__('Ends'), ends]
  ];
  return rows.filter(([, value]) => value !== '');
}

/** Plain words for what is wrong right now, or ''. */
export function trouble(facts: Facts, now: number): string {
  if (facts.problem) {
    return facts.problem;
  }
  const silent = facts.hub?.['slurm_unavailable_since'];
  if (typeof silent === 'number') {
    const minutes = Math.max(1, Math.round((now - silent) / 60));
    return trans.__('Slurm has not answered the hub for %1 min. Your notebook and kernels are not affected.', minutes);
  }
  return '';
}
