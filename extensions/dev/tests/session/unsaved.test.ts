import type { JupyterFrontEnd } from '@jupyterlab/application';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { SessionApi } from '../../../src/session/api';
import { Unsaved } from '../../../src/session/unsaved';
import { AnsweringServer } from '../server';

const WHERE = 'POST fabric/unsaved';

function document(path: string, dirty: boolean, readOnly = false): unknown {
  return { context: { path, contentsModel: null, model: { dirty, readOnly }, save: () => Promise.resolve() } };
}

class Tab {
  readonly server = new AnsweringServer({ [WHERE]: { body: {} } });
  open: unknown[] = [document('work.ipynb', false)];
  readonly unsaved = new Unsaved(
    { shell: { widgets: (area: string) => (area === 'main' ? this.open : []) } } as unknown as JupyterFrontEnd,
    new SessionApi(this.server.settings)
  );

  get told(): unknown[] {
    return this.server.asked.map(one => (one.body as { unsaved: unknown }).unsaved);
  }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
});

afterEach(() => {
  vi.useRealTimers();
});

it('tells what is unsaved when that is something else, and again after a while', async () => {
  const tab = new Tab();
  await tab.unsaved.look();
  await tab.unsaved.look();
  expect(tab.told).toEqual([[]]);
  tab.open = [document('work.ipynb', true), document('given.csv', true, true), document('notes.md', false)];
  await tab.unsaved.look();
  await tab.unsaved.look();
  expect(tab.told).toEqual([[], ['work.ipynb']]);
  vi.advanceTimersByTime(61_000);
  await tab.unsaved.look();
  expect(tab.told).toEqual([[], ['work.ipynb'], ['work.ipynb']]);
});

it('says it again when the server did not take it', async () => {
  const tab = new Tab();
  tab.server.answers[WHERE] = 'nothing';
  await tab.unsaved.look();
  tab.server.answers[WHERE] = { body: {} };
  await tab.unsaved.look();
  expect(tab.told).toEqual([[], []]);
});

it('says that it is closed, as one of several tabs', async () => {
  const tab = new Tab();
  const poll = tab.unsaved.follow();
  window.dispatchEvent(new Event('pagehide'));
  await vi.waitFor(() => expect(tab.told).toContain(null));
  poll.dispose();
  const names = tab.server.asked.map(one => (one.body as { tab: string }).tab);
  expect(new Set(names).size).toBe(1);
  expect(names[0]).not.toBe('');
});
