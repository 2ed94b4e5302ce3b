import { Notification } from '@jupyterlab/apputils';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { Announcements, addressIn, short } from '../../../src/session/announcements';
import { Announcer } from '../../../src/session/announcer';
import { SessionApi } from '../../../src/session/api';
import { SessionStore } from '../../../src/session/store';
import type { SessionAnnouncement } from '../../../src/schema';
import { AnsweringServer } from '../server';

const INFO = { id: 'aaaaaaaaaaaa', level: 'info', text: 'New images on Monday.', ends_at: 2e9 } as const;
const CRITICAL = { id: 'bbbbbbbbbbbb', level: 'critical', text: 'Save now: power fails.', ends_at: 2e9 } as const;

class Room {
  readonly server = new AnsweringServer({});
  readonly store = new SessionStore(new SessionApi(this.server.settings), false);
  readonly announcements = new Announcements(this.store, new Announcer(), '/hub/home');

  /** The server says that these stand, or that it does not know. */
  async told(...announcements: readonly SessionAnnouncement[]): Promise<void> {
    this.server.answers['GET fabric/session'] = { body: { hub: { announcements } } };
    await this.store.refresh();
  }
}

function shown(): [string, string][] {
  return Notification.manager.notifications.map((one): [string, string] => [one.message, one.type]).reverse();
}

beforeEach(() => localStorage.clear());

afterEach(() => {
  Notification.dismiss();
  document.body.replaceChildren();
  vi.restoreAllMocks();
});

it('shows each announcement once by its level, to screen readers, too, and takes it back when it is over', async () => {
  const room = new Room();
  await room.told(CRITICAL, INFO);
  await room.told(CRITICAL, INFO);
  expect(shown()).toEqual([
    [CRITICAL.text, 'error'],
    [INFO.text, 'info']
  ]);
  expect(Notification.manager.notifications.every(one => one.options.autoClose === false)).toBe(true);
  expect(document.querySelector('[role=alert]')?.textContent).toBe(INFO.text);
  room.server.answers['GET fabric/session'] = { body: { hub: null } };
  await room.store.refresh();
  expect(shown()).toHaveLength(2); // the hub does not answer: nobody knows
  await room.told(INFO);
  expect(shown()).toEqual([[INFO.text, 'info']]);
});

it('does not show again what was closed: info nowhere in this browser, what weighs more until the page is loaded', async () => {
  const room = new Room();
  await room.told(CRITICAL, INFO);
  Notification.dismiss();
  await room.told(CRITICAL, INFO);
  expect(shown()).toEqual([]);
  await new Room().told(CRITICAL, INFO);
  expect(shown()).toEqual([[CRITICAL.text, 'error']]);
});

it('opens a link of https alone, and leads to the whole of what JupyterLab would cut', async () => {
  const open = vi.spyOn(window, 'open').mockReturnValue(null);
  const text = `Read https://example.org/a?b=(c). ${'x'.repeat(200)}`;
  await new Room().told({ ...INFO, text });
  const [one] = Notification.manager.notifications;
  expect(one?.message).toHaveLength(140);
  expect(one?.options.actions?.map(action => action.label)).toEqual(['Open the link', 'Read all of it']);
  one?.options.actions?.forEach(action => action.callback(new MouseEvent('click')));
  expect(open.mock.calls.map(([address]) => address)).toEqual(['https://example.org/a?b=(c', '/hub/home']);
});

it('makes nothing else a link', () => {
  for (const text of ['http://example.org', 'javascript:alert(1)', 'https://', 'ftp://x', 'see example.org']) {
    expect(addressIn(text)).toBeNull();
  }
  expect(addressIn('<a href="https://example.org/x">')).toBe('https://example.org/x');
  expect(short('y'.repeat(140))).toHaveLength(140);
});
