import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { PageConfig } from '@jupyterlab/coreutils';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { SessionSettings } from '../../../src/common/settings';
import { Announcer, Banner } from '../../../src/session/announcer';
import { SessionApi } from '../../../src/session/api';
import { SessionStore } from '../../../src/session/store';
import { Warnings } from '../../../src/session/warnings';
import type { Usage } from '../../../src/schema';
import { AnsweringServer } from '../server';

const NOW = 1_800_000_000;

/** An open document that nobody has saved; `save` is JupyterLab's, or what became of it. */
class Document {
  readonly model = { dirty: true, readOnly: false, toJSON: () => ({}), toString: () => '' };
  readonly context = {
    path: 'work.ipynb',
    contentsModel: { type: 'notebook', format: 'json' },
    model: this.model,
    save: async (): Promise<void> => {
      this.saves += 1;
      this.model.dirty = false;
      return Promise.resolve();
    }
  };
  saves = 0;
}

class Room {
  readonly server = new AnsweringServer({ 'GET fabric/session': { body: {} } });
  readonly store = new SessionStore(new SessionApi(this.server.settings));
  readonly settings = new SessionSettings();
  readonly document = new Document();
  readonly warnings: Warnings;

  constructor() {
    const app = {
      shell: { widgets: (area: string) => (area === 'main' ? [this.document] : []) },
      serviceManager: { contents: { driveName: () => '', localPath: (path: string) => path } }
    } as unknown as JupyterFrontEnd;
    this.warnings = new Warnings(app, this.store, new Announcer(), new Banner(), this.settings, '/hub/home');
  }

  /** An operator ends the session at that moment, or nobody does. */
  async stopped(at: number | null, why = ''): Promise<void> {
    const order = {
      ends_at: at,
      why: 'operator',
      reasons: { text: { code: 'ends-by-operator', params: { at, why } } }
    };
    const time = at === null ? { ends_at: NOW + 7200, why: 'limit' } : order;
    await this.told({ ends_at: time.ends_at, quota: { time } as unknown as Usage['quota'] });
  }

  /** The server says this from now on, and is asked. */
  async told(usage: Partial<Usage>): Promise<void> {
    const body = { quota: null, problem: '', ends_at: null, ending_since: null, idle: null, ...usage };
    this.server.answers['GET fabric/quota'] = { body };
    await this.store.refresh();
  }
}

/** All that stands on the page, the oldest first. */
function said(): string[] {
  return Notification.manager.notifications.map(one => one.message).reverse();
}

beforeEach(() => {
  vi.useFakeTimers({ now: NOW * 1000, toFake: ['Date', 'setTimeout', 'clearTimeout'] });
});

afterEach(() => {
  Notification.dismiss();
  document.body.replaceChildren();
  vi.useRealTimers();
});

it('warns at each alarm by itself, with one notification at a time that stays', async () => {
  const room = new Room();
  await room.told({ ends_at: NOW + 2400 });
  expect(said()).toEqual([]);
  await vi.advanceTimersByTimeAsync(601_000);
  expect(said()).toEqual([expect.stringContaining('29 min left. Kernels stop then. Saved files are kept.')]);
  await vi.advanceTimersByTimeAsync(1_200_000);
  expect(said()).toEqual([expect.stringContaining('9 min left')]);
  expect(Notification.manager.notifications[0]?.options.autoClose).toBe(false);
  expect(document.querySelector('[role=alert]')?.textContent).toContain('9 min left');
  expect(room.document.saves).toBe(0);
});

it('warns at other times as soon as others are set, and always saves', async () => {
  const room = new Room();
  await room.told({ ends_at: NOW + 2400 });
  room.settings.take({ warningMinutes: [60] });
  expect(said()).toEqual([expect.stringContaining('40 min left')]);
  room.settings.take({ warningMinutes: [5] });
  expect(said()).toEqual([]);
  await vi.advanceTimersByTimeAsync(2_281_000);
  expect(room.document.saves).toBe(1);
});

it('saves what is not saved two minutes before the end, once', async () => {
  const room = new Room();
  await room.told({ ends_at: NOW + 121 });
  expect(room.document.saves).toBe(0);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(said()).toEqual([
    expect.stringContaining('Open documents are being saved.'),
    'Saved before the end: work.ipynb.'
  ]);
  await room.told({ ends_at: NOW + 121 });
  expect(room.document.saves).toBe(1);
});

it('saves at Slurm’s signal, whatever the end is thought to be', async () => {
  const room = new Room();
  await room.told({ ends_at: NOW + 3600, ending_since: NOW });
  await vi.advanceTimersByTimeAsync(1);
  expect(room.document.saves).toBe(1);
});

it('takes a warning back when the end was moved, and says one anew that was moved within it', async () => {
  const room = new Room();
  await room.told({ ends_at: NOW + 1700 });
  await room.told({ ends_at: NOW + 1690 }); // Slurm counts in minutes
  expect(said()).toEqual([expect.stringContaining('28 min left')]);
  await room.told({ ends_at: NOW + 1200 });
  expect(said()).toEqual([expect.stringContaining('20 min left')]);
  await room.told({ ends_at: NOW + 7200 });
  expect(said()).toEqual([]);
});

it('says that a session is idle until it is not', async () => {
  const room = new Room();
  const idle = { state: 'warn', text: 'No cell runs.', what: '', quiet_since: null, stop_at: null };
  await room.told({ idle });
  await room.told({ idle });
  expect(said()).toEqual(['No cell runs.']);
  await room.told({ idle: { ...idle, state: 'active', text: '' } });
  expect(said()).toEqual([]);
});

it('says in place of all else that the session is gone, with the way to the hub, and takes that back', async () => {
  const room = new Room();
  await room.told({ ends_at: NOW + 1700 });
  room.server.answers['GET fabric/quota'] = 'nothing';
  await room.store.refresh();
  await room.store.refresh();
  expect(said()).toEqual([]);
  const banners = document.querySelectorAll('.fabric-Banner');
  expect(banners).toHaveLength(1);
  expect(banners[0]?.querySelector('a')?.getAttribute('href')).toBe('/hub/home');
  await room.told({ ends_at: NOW + 1700 });
  expect(document.querySelector('.fabric-Banner')).toBeNull();
  expect(said()).toEqual([expect.stringContaining('28 min left')]);
});

it('says in the hub’s word why a session ended, what is not saved, and leads to the form of the next one', async () => {
  PageConfig.setOption('fabricEnded', 'http://hub.test/hub/ended/abcdefgh2345/00ff');
  const room = new Room();
  await room.told({ ends_at: NOW + 1700 });
  room.server.answers['GET fabric/quota'] = 'nothing';
  const ended = 'GET hub/ended/abcdefgh2345/00ff';
  room.server.answers[ended] = { body: { ended_at: null, text: '', start: '/hub/spawn/ann?profile=gpu' } };
  await room.store.refresh();
  const banner = (): Element | null => document.querySelector('.fabric-Banner');
  await vi.waitFor(() => expect(banner()?.textContent).toContain('the hub knows of no end'));
  room.server.answers[ended] = {
    body: { ended_at: NOW, text: 'It reached its time limit.', start: '/hub/spawn/ann?profile=gpu' }
  };
  await room.store.refresh();
  await vi.waitFor(() => expect(banner()?.textContent).toContain('It reached its time limit. Not saved: work.ipynb.'));
  expect(banner()?.querySelector('a')?.href).toBe('http://hub.test/hub/spawn/ann?profile=gpu');
  expect(banner()?.querySelector('button')?.textContent).toBe('Download unsaved work');
  expect(document.querySelectorAll('.fabric-Banner')).toHaveLength(1);
  const asked = room.server.asked.filter(one => one.path.startsWith('/hub/ended')).length;
  await room.store.refresh();
  // once it is known, nobody is asked again
  expect(room.server.asked.filter(one => one.path.startsWith('/hub/ended'))).toHaveLength(asked);
  room.document.model.dirty = false;
  await room.store.refresh();
  expect(banner()?.textContent).toContain('All open documents are saved.');
  expect(banner()?.querySelector('button')).toBeNull();
  PageConfig.setOption('fabricEnded', '');
});

it('says at once that an operator ends the session, with the whole reason over the page until it is hidden', async () => {
  const room = new Room();
  const banner = (): Element | null => document.querySelector('.fabric-Banner');
  const why = `Node gpu2 needs a new fan. ${'x'.repeat(200)}`;
  await room.stopped(NOW + 3600, why);
  await room.stopped(NOW + 3600, why);
  expect(said()).toEqual([expect.stringMatching(/^An operator ends this session at \d\d:\d\d: 1 h left\./)]);
  expect(banner()?.textContent).toContain(why);
  expect(banner()?.getAttribute('role')).toBe('alert');
  banner()?.querySelectorAll('button')[1]?.click();
  expect(banner()).toBeNull();
  await room.stopped(NOW + 3600, why);
  expect(banner()).toBeNull();
  expect(room.document.saves).toBe(0);
});

it('warns before an operator’s end as before any other, with one notification, and saves', async () => {
  const room = new Room();
  await room.stopped(NOW + 900, 'New fan.');
  expect(said()).toEqual([expect.stringContaining('An operator ends this session at')]);
  await vi.advanceTimersByTimeAsync(781_000);
  expect(room.document.saves).toBe(1);
  expect(said()).toEqual([
    expect.stringMatching(/^An operator ends this session at .*Open documents are being saved/),
    'Saved before the end: work.ipynb.'
  ]);
});

it('takes an operator’s end back when it is withdrawn, and says another one anew', async () => {
  const room = new Room();
  const banner = (): Element | null => document.querySelector('.fabric-Banner');
  await room.stopped(NOW + 3600, 'first');
  await room.stopped(null);
  expect(said()).toEqual([]);
  expect(banner()).toBeNull();
  await room.stopped(NOW + 900, 'second');
  expect(said()).toHaveLength(1);
  expect(banner()?.textContent).toContain('second');
  room.server.answers['GET fabric/quota'] = 'nothing';
  await room.store.refresh();
  expect(said()).toEqual([]);
  expect(banner()?.textContent).not.toContain('second');
});
