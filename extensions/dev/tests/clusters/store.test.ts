import { expect, it } from 'vitest';

import { ClustersApi } from '../../../src/clusters/api';
import { ClustersStore } from '../../../src/clusters/store';
import { AnsweringServer } from '../server';

const NONE = { clusters: [], profiles: [], problem: '' };

function opened(...names: string[]): { server: AnsweringServer; store: ClustersStore } {
  const server = new AnsweringServer({
    'GET fabric/clusters': { body: { ...NONE, clusters: names.map(name => ({ name })) } }
  });
  return { server, store: new ClustersStore(new ClustersApi(server.settings)) };
}

it('shows the answer to the last question, however late the first is answered', async () => {
  const { server, store } = opened();
  const question = 'GET fabric/clusters/quote';
  server.answers[question] = { body: { words: 'for two' } };
  server.hold(question);
  const first = store.quoteNew('gpu-1', 2);
  await expect.poll(() => server.asked.length).toBe(1);
  server.answers[question] = { body: { words: 'for three' } };
  const second = store.quoteNew('gpu-1', 3);
  await expect.poll(() => server.asked.length).toBe(2);
  server.letGo(question);
  await Promise.all([first, second]);
  expect(store.quoted.get('')).toBe('for three');
  await store.quoteNew('gpu-1', 0);
  expect(store.quoted.get('')).toBe('');
});

it('says what came of an order where it was given, and above the clusters once that one has ended', async () => {
  const { server, store } = opened('study');
  await store.refresh();
  server.answers['POST fabric/clusters/study'] = { body: { words: 'It waits.' } };
  expect(await store.send('study', { verb: 'scale', n: 2, pool: 'gpu' }, words => `Done. ${words}`)).toBe(true);
  expect(store.said('study').text).toBe('Done. It waits.');
  expect([store.said(null).text, store.said('').text]).toEqual(['', '']);
  server.answers['GET fabric/clusters'] = { body: NONE };
  await store.refresh();
  expect([store.said('study').text, store.said(null).text]).toEqual(['', 'Done. It waits.']);
});

it('gives a cluster one order at a time, and says a refusal', async () => {
  const { server, store } = opened('study');
  await store.refresh();
  server.answers['POST fabric/clusters/study'] = { status: 400, body: { message: 'At most 8 workers.' } };
  server.hold('POST fabric/clusters/study');
  const first = store.send('study', { verb: 'close' }, () => 'Done.');
  expect(await store.send('study', { verb: 'close' }, () => 'Done.')).toBe(false);
  server.letGo('POST fabric/clusters/study');
  expect(await first).toBe(false);
  expect(store.said('study')).toMatchObject({ text: 'At most 8 workers.', wrong: true });
  expect(store.busy.size).toBe(0);
});
