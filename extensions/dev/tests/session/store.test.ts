import { expect, it, vi } from 'vitest';

import { SessionApi } from '../../../src/session/api';
import { SessionStore } from '../../../src/session/store';
import { AnsweringServer } from '../server';

const USAGE = { quota: null, problem: '', ends_at: null, ending_since: null, idle: null, killed: [] };

const FACTS = { session: 'a', node: 'gpu1' };

function opened(): { server: AnsweringServer; store: SessionStore } {
  const server = new AnsweringServer({ 'GET fabric/session': { body: FACTS }, 'GET fabric/quota': { body: USAGE } });
  return { server, store: new SessionStore(new SessionApi(server.settings)) };
}

it('takes silence and a proxy’s word in the server’s place for the end, and an answer for its return', async () => {
  const { server, store } = opened();
  server.answers['GET fabric/quota'] = 'nothing';
  await store.refresh();
  expect([store.gone, store.problem]).toEqual([true, expect.stringMatching(/^This session does not answer/)]);
  for (const status of [404, 424, 502, 503, 504]) {
    server.answers['GET fabric/quota'] = { status, body: { status, message: 'of the hub' } };
    await store.refresh();
    expect([store.gone, store.problem]).toEqual([true, expect.stringMatching(/^This session has ended/)]);
  }
  server.answers['GET fabric/quota'] = { body: USAGE };
  await store.refresh();
  expect([store.gone, store.problem, store.known]).toEqual([false, '', USAGE]);
});

it('does not take the server’s own refusal for the end, nor forget what it knew', async () => {
  const { server, store } = opened();
  await store.refresh();
  server.answers['GET fabric/quota'] = { status: 503, body: { reason: 'hub', message: 'The hub is silent.' } };
  await store.refresh();
  expect([store.gone, store.problem, store.known]).toEqual([false, 'The hub is silent.', USAGE]);
});

it('leads to the next session only by an address of the web', () => {
  const { store } = opened();
  const next = { session: 'session-2', server_name: 'session-2', state: 'waiting', text: '', hint: '', reopen: [] };
  for (const [url, leads] of [
    ['/hub/spawn-pending/a', 'http://localhost:3000/hub/spawn-pending/a'],
    ['https://hub.example/a', 'https://hub.example/a'],
    ['javascript:alert(1)', null]
  ] as const) {
    store.follow({ ...next, url });
    expect(store.nextPage).toBe(leads);
  }
});

const READINGS = { gpus: [{ index: 0 }], every_s: 5, history: [], job: null };

it('shows no readings rather than old ones', async () => {
  const { server, store } = opened();
  server.answers['GET fabric/readings'] = { body: READINGS };
  await store.refreshReadings();
  expect(store.readings).toEqual(READINGS);
  server.answers['GET fabric/readings'] = 'nothing';
  await store.refreshReadings();
  expect(store.readings).toBeNull();
});

it('asks for the GPUs of a session that has some, for the status bar, while the page is seen', async () => {
  const { server, store } = opened();
  server.answers['GET fabric/session'] = { body: { ...FACTS, gpu_count: 1 } };
  server.answers['GET fabric/readings'] = { body: READINGS };
  await store.refresh();
  expect(store.readings).toEqual(READINGS);
  const hidden = vi.spyOn(document, 'hidden', 'get').mockReturnValue(true);
  await store.refresh();
  hidden.mockRestore();
  expect(server.asked.filter(one => one.path === '/fabric/readings')).toHaveLength(1);
});

it('asks for what only the status bar shows out of sight only until it knows it', async () => {
  const { server, store } = opened();
  const hidden = vi.spyOn(document, 'hidden', 'get').mockReturnValue(true);
  await store.refresh();
  await store.refresh();
  hidden.mockRestore();
  expect(server.asked.map(one => one.path).sort()).toEqual(['/fabric/quota', '/fabric/quota', '/fabric/session']);
  expect(store.facts).toEqual(FACTS);
});

it('asks for no use where the hub knows nothing of the session, and says why nothing is known', async () => {
  const { server } = opened();
  const store = new SessionStore(new SessionApi(server.settings), false);
  server.answers['GET fabric/session'] = 'nothing';
  await store.refresh();
  expect([store.facts, store.factsProblem]).toEqual([null, expect.stringMatching(/^This session does not answer/)]);
  expect(server.asked.map(one => one.path)).toEqual(['/fabric/session']);
});
