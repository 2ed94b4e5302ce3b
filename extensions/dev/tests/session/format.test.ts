import { describe, expect, it } from 'vitest';

import {
  alarm,
  balanceText,
  budgetPart,
  endText,
  forecast,
  fullest,
  level,
  minutesText,
  names,
  nextAlarm,
  shares,
  state,
  storagePart,
  storageText,
  summary,
  warnedOf
} from '../../../src/session/format';
import {
  cpuText,
  dayText,
  killedText,
  memoryText,
  nextStep,
  sourceText,
  sparkText,
  trendText
} from '../../../src/session/jobFormat';
import { badge, left, shortLeft, summary as factsSummary, trouble } from '../../../src/session/facts';
import type {
  Balance,
  DayUse,
  Facts,
  GpuUsage,
  JobUse,
  KilledKernel,
  SessionQuota,
  StorageUse,
  Usage
} from '../../../src/schema';

const NOW = 1_800_000_000;
const ALARMS = [1800, 600, 120];

const HOME: StorageUse = { title: 'Home', path: '/home/a', used: 81e9, limit: 100e9, files_used: 10, files_limit: 100 };
const BUDGET = { used: 80, limit: 200, left: 120, limited_by: '', above: [], lasts_until: null } as unknown as Balance;

function usage(minutes: number | null, more: Partial<SessionQuota> = {}): Usage {
  const quota = {
    gpu_hours: BUDGET,
    storage: [HOME],
    warnings: [],
    project: 'twin',
    ...more
  } as unknown as SessionQuota;
  return {
    quota,
    problem: '',
    ends_at: minutes === null ? null : NOW + minutes * 60,
    ending_since: null,
    idle: null,
    killed: []
  };
}

describe('the time that is left', () => {
  it('is told in minutes and hours', () => {
    expect([-1, 59, 60, 3599, 3600, 7500].map(seconds => left(NOW + seconds, NOW))).toEqual([
      'ending now',
      'less than a minute left',
      '1 min left',
      '59 min left',
      '1 h left',
      '2 h 5 min left'
    ]);
    expect(left(null, NOW)).toBe('');
    expect([-1, 59, 60, 3600, 7500].map(seconds => shortLeft(NOW + seconds, NOW))).toEqual([
      'ending now',
      'under 1 min',
      '1 min',
      '1 h',
      '2 h 5 min'
    ]);
    expect([1, 60, 405].map(minutesText)).toEqual(['1 minute', '1 hour', '6 hours 45 minutes']);
  });

  it('is warned of by the latest alarm that is due, and each alarm is waited for', () => {
    expect([1801, 1800, 601, 600, 120, -5].map(seconds => alarm(NOW + seconds, NOW, ALARMS))).toEqual([
      0, 1800, 1800, 600, 120, 120
    ]);
    expect([2000, 1800, 601, 100, -5].map(seconds => nextAlarm(NOW + seconds, NOW, ALARMS))).toEqual([
      200,
      1200,
      1,
      100,
      null
    ]);
    expect([alarm(null, NOW, ALARMS), nextAlarm(null, NOW, ALARMS)]).toEqual([0, null]);
  });

  it('fits a notification, which JupyterLab cuts after 140 characters', () => {
    const said = endText(120, NOW + 110, NOW, 'reservation');
    expect(said).toContain('with its reservation: 1 min left. Open documents are being saved.');
    expect(said.length).toBeLessThanOrEqual(140);
    expect(endText(600, NOW + 590, NOW)).toContain('Kernels stop then. Saved files are kept.');
    expect(endText(120, NOW + 36, NOW, 'left')).toContain('You are no longer in its project: this session ends at ');
  });
});

describe('the status bar', () => {
  it('has the time, the budget and the fullest file system', () => {
    expect(summary(usage(57), NOW)).toBe('57 min · 120 GPU-h · Home 81%');
    expect(summary(usage(57, { storage: [{ ...HOME, used: 50e9 }] }), NOW)).toBe('57 min · 120 GPU-h');
    expect(summary({ ...usage(null), quota: null }, NOW)).toBe('Usage');
  });

  it('is marked by what is most urgent', () => {
    expect([57, 9, 1].map(minutes => state(usage(minutes), NOW))).toEqual(['', 'soon', 'last']);
    expect(state({ ...usage(57), ending_since: NOW }, NOW)).toBe('last');
    expect(state(usage(57, { storage: [{ ...HOME, used: 96e9 }] }), NOW)).toBe('over');
    expect(state(usage(9, { storage: [{ ...HOME, used: 96e9 }] }), NOW)).toBe('soon');
  });
});

describe('storage', () => {
  it('is as full as its space or its files, whichever is more', () => {
    expect(storagePart(HOME)).toBe(0.81);
    expect(storagePart({ ...HOME, files_used: 99 })).toBe(0.99);
    expect(storagePart({ ...HOME, limit: null, files_limit: null })).toBeNull();
    expect(storagePart({ ...HOME, problem: 'Not asked.' })).toBeNull();
    expect(storagePart({ ...HOME, used: 1, limit: 0 })).toBe(1);
    const more = { ...HOME, title: 'Project', used: 90e9 };
    expect(fullest(usage(1, { storage: [HOME, more, { ...HOME, problem: 'x', used: 99e9 }] }).quota!)?.title).toBe(
      'Project'
    );
  });

  it('says its own problem instead of figures', () => {
    expect(storageText(HOME)).toBe('81 GB of 100 GB used; 10 of 100 files');
    expect(storageText({ ...HOME, limit: null, files_limit: null })).toBe('81 GB used, no limit');
    expect(storageText({ ...HOME, problem: 'It was not asked.' })).toBe('It was not asked.');
  });

  it('hurts from 95%, and is worth a look from 80%', () => {
    expect([null, 0.79, 0.8, 0.95].map(level)).toEqual(['none', 'fine', 'high', 'full']);
  });
});

describe('a budget', () => {
  const above = { name: 'account faculty', used: 4990, limit: 5000, rate_per_day: 50, lasts_until: NOW + 86_400 };
  const limited = {
    used: 100,
    limit: 1000,
    left: 10,
    limited_by: 'account faculty',
    above: [above],
    rate_per_day: 2,
    lasts_until: NOW + 86_400
  } as unknown as Balance;

  it('tells what is used and what is left', () => {
    expect(balanceText(BUDGET)).toBe('80.0 of 200 GPU-hours used, 120 left');
    expect(balanceText({ ...BUDGET, limit: null, left: null })).toBe('80.0 GPU-hours used, no limit');
    expect(balanceText({ ...BUDGET, used: 210, left: -10 })).toBe('210 of 200 GPU-hours used, 0.0 left');
  });

  it('names the limit above it that leaves less', () => {
    expect(balanceText(limited)).toBe('100 of 1,000 GPU-hours used; account faculty has 10.0 of 5,000 left');
    expect(budgetPart(limited)).toBe(0.998);
    expect(forecast(limited)).toMatch(/^At the present rate of account faculty \(50\.0 a day\) this lasts until /);
  });

  it('says that nothing is left, and nothing where nothing is known', () => {
    expect(forecast({ ...BUDGET, left: 0 })).toBe('Nothing is left: no new session with a GPU can start.');
    expect(forecast({ ...BUDGET, limit: null })).toBe('');
    expect(forecast(BUDGET)).toBe('');
  });

  it('is warned of once: by the hub or by its own forecast', () => {
    const { quota } = usage(1, { warnings: [{ id: 'project:twin#7-days' }] as unknown as SessionQuota['warnings'] });
    expect([warnedOf(quota!, 'project'), warnedOf(quota!, 'user')]).toEqual([true, false]);
  });
});

describe('the use of days', () => {
  const today = new Date(NOW * 1000);
  const day = (ago: number, gpu_hours: number): DayUse => {
    const at = new Date(today.getFullYear(), today.getMonth(), today.getDate() - ago);
    const parts = [at.getFullYear(), at.getMonth() + 1, at.getDate()];
    return { day: parts.map(part => String(part).padStart(2, '0')).join('-'), gpu_hours };
  };

  it('leaves out a today of which nothing is known yet', () => {
    expect(trendText([day(2, 1), day(1, 3.5), day(0, 0)], NOW)).toBe(
      'The last 2 days, without today: 4.5 GPU-hours, at most 3.5 in a day.'
    );
    expect(trendText([day(1, 1), day(0, 2)], NOW)).toBe('The last day and today: 3.0 GPU-hours, at most 2.0 in a day.');
    expect(trendText([day(1, 0), day(0, 0)], NOW)).toBe('No GPU-hours used in the last day · updated hourly');
  });
});

it('names files shortly', () => {
  expect(names(['a/b.ipynb', 'c.py', 'd.py'])).toBe('b.ipynb and 2 more');
  expect(names([`${'x'.repeat(60)}.ipynb`])).toHaveLength(40);
});

it('says for how long Slurm has been silent, in place of the hub’s own problem only', () => {
  const facts = { problem: '', hub: { slurm_unavailable_since: NOW - 300 } } as unknown as Facts;
  expect(trouble(facts, NOW)).toMatch(/^Slurm has not answered the hub for 5 min\./);
  expect(trouble({ ...facts, problem: 'The hub is silent.' }, NOW)).toBe('The hub is silent.');
  expect(trouble({ ...facts, hub: null }, NOW)).toBe('');
});

describe('the status bar', () => {
  const FACTS = { project: 'twin', project_title: 'Digital Twin', gpus: [], gpu_count: 0 } as unknown as Facts;
  const gpu = (percent: number | null, name = 'NVIDIA H200'): GpuUsage => ({ percent, name }) as GpuUsage;

  it('names the project once, its GPUs by their model, and what they do', () => {
    expect(factsSummary(FACTS)).toBe('Digital Twin · CPU');
    const two = { ...FACTS, gpu_count: 2 };
    expect(factsSummary(two)).toBe('Digital Twin · 2 GPUs');
    expect(factsSummary(two, [gpu(87), gpu(88)])).toBe('Digital Twin · 2 × H200 88%');
    expect(factsSummary(two, [gpu(null), gpu(87, 'NVIDIA L40S')])).toBe('Digital Twin · 2 GPUs 87%');
    expect(factsSummary({ ...two, gpus: [{ index: 0, device: '0', name: 'NVIDIA H200' }] })).toBe(
      'Digital Twin · 2 × H200'
    );
    expect(factsSummary({ ...FACTS, project_title: '' })).toBe('twin · CPU');
  });

  it('has a badge for a client’s project', () => {
    expect(badge(FACTS)).toBe('');
    expect(badge({ ...FACTS, hub: { project_kind: 'client' } } as unknown as Facts)).toBe('Client');
  });
});

describe('memory and CPU', () => {
  const JOB: JobUse = { source: 'cgroup2', memory: 3 * 2 ** 30, memory_limit: 4 * 2 ** 30, cpus_busy: 1.8, cpus: 4 };

  it('are told in Slurm’s units against what was asked for, with where that is from', () => {
    expect([memoryText(JOB), cpuText(JOB)]).toEqual(['3 GB of 4 GB in use', '1.8 of 4 CPUs busy']);
    expect(memoryText({ ...JOB, memory: 300 * 2 ** 20, memory_limit: null })).toBe('300 MB in use, no limit known');
    expect([memoryText({ ...JOB, memory: null }), cpuText({ ...JOB, cpus_busy: null })]).toEqual([
      'not known',
      'being measured'
    ]);
    expect(cpuText({ ...JOB, cpus: null })).toBe('1.8 CPUs busy');
    expect(sourceText(JOB)).toContain('version 2');
    expect(sourceText({ ...JOB, source: 'cgroup1' })).toContain('version 1');
    expect(sourceText({ ...JOB, source: 'processes' })).toContain('processes');
  });

  it('that were used up are said for sure only where the system counts it', () => {
    const killed: KilledKernel = {
      kernel: 'k',
      path: 'a/work.ipynb',
      at: NOW,
      scope: 'session',
      memory: 4 * 2 ** 30,
      certain: true
    };
    expect(killedText(killed)).toBe(
      'work.ipynb: The kernel was stopped because the session used all of its 4 GB of memory.'
    );
    expect(killedText({ ...killed, path: '', certain: false })).toBe(
      'The kernel was probably stopped because the session used up its 4 GB of memory.'
    );
    expect(killedText({ ...killed, path: '', certain: false, memory: null })).toContain('probably');
    expect(killedText({ ...killed, path: '', certain: false, scope: 'node' })).toContain('its node ran out of memory');
    const longest = killedText({ ...killed, path: `${'x'.repeat(80)}.ipynb`, certain: false });
    expect(longest.length).toBeLessThanOrEqual(140); // JupyterLab cuts a notification there
    expect(nextStep()).toContain('more memory');
  });
});

describe('a budget’s ring', () => {
  it('has my share and that of others, and none where another limit counts', () => {
    expect(shares(BUDGET, { ...BUDGET, used: 20 })).toEqual({ mine: 0.1, others: 0.30000000000000004 });
    expect(shares({ ...BUDGET, used: 300 }, { ...BUDGET, used: 250 })).toEqual({ mine: 1, others: 0 });
    expect(shares(BUDGET, null)).toEqual({ mine: 0, others: 0.4 });
    expect(shares({ ...BUDGET, limit: null }, null)).toBeNull();
    expect(shares({ ...BUDGET, limited_by: 'a', above: [{ name: 'a' }] } as unknown as Balance, null)).toBeNull();
  });
});

it('says of a day and of ten minutes what is drawn', () => {
  expect(dayText({ day: '2026-12-03', gpu_hours: 4, mine: 1.5 })).toBe('3 Dec: 4.0 GPU-hours, 1.5 by you');
  expect(dayText({ day: '2026-12-03', gpu_hours: 4 })).toBe('3 Dec: 4.0 GPU-hours');
  const history = [
    { use: 10, memory: 20 },
    { use: null, memory: 30 },
    { use: 87.4, memory: 25 }
  ];
  expect(sparkText('GPU 0 · H200', history)).toBe(
    'GPU 0 · H200, last ten minutes: use 10% to 87%, now 87%; memory 20% to 30%'
  );
  expect(sparkText('GPU 0', [{ use: null, memory: null }])).toBe('GPU 0, last ten minutes: use not known');
});
