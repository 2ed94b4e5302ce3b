import { expect, it, vi } from 'vitest';

import { SessionApi } from '../../../src/session/api';
import { SessionStore } from '../../../src/session/store';
import { AnsweringServer } from '../server';

const USAGE = { quota: null, problem: '', ends_at: null, ending_since: null, idle: null };

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

it('shows no GPUs rather than old ones', async () => {
  const { server, store } = opened();
  server.answers['GET fabric/gpu'] = { body: { gpus: [{ index: 0 }] } };
  await store.refreshGpus();
  expect(store.gpus).toHaveLength(1);
  server.answers['GET fabric/gpu'] = 'nothing';
  await store.refreshGpus();
  expect(store.gpus).toEqual([]);
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
