import { expect, it } from 'vitest';

import { DatasetsApi } from '../../../src/datasets/api';
import { DatasetsStore } from '../../../src/datasets/store';
import { AnsweringServer } from '../server';
import { entries, entry, told } from './catalogue';

const FILES = { entries: [], snippets: [{ label: 'Python', code: 'open()' }] };

function opened(): { server: AnsweringServer; store: DatasetsStore } {
  const server = new AnsweringServer({
    'GET fabric/datasets': { body: told(entries()) },
    'GET fabric/datasets/wind-farm/files': { body: FILES }
  });
  return { server, store: new DatasetsStore(new DatasetsApi(server.settings)) };
}

it('keeps what it knew when the server does not answer, and says why nothing is newer', async () => {
  const { server, store } = opened();
  await store.refresh();
  server.answers['GET fabric/datasets'] = 'nothing';
  await store.refresh();
  expect(store.known?.datasets).toHaveLength(5);
  expect(store.problem).toMatch(/^This session does not answer/);
  server.answers['GET fabric/datasets'] = { body: told([]) };
  await store.refresh();
  expect([store.known?.datasets, store.problem]).toEqual([[], '']);
});

it('says where an added dataset is, with what went wrong beside it', async () => {
  const { server, store } = opened();
  await store.refresh();
  server.answers['POST fabric/datasets/wind-farm'] = { body: { problem: 'The hub was not told.' } };
  const here = { version: '1', path: '/data/wind-farm/1' };
  server.answers['GET fabric/datasets'] = { body: told([entry('wind-farm', 'Wind farm', { here })]) };
  expect(await store.add('wind-farm')).toBe(true);
  expect(store.said).toEqual({
    text: 'Added to this session · /data/wind-farm/1 The hub was not told.',
    wrong: true,
    about: 'wind-farm',
    insert: true
  });
});

it('does one thing at a time with a dataset, and says a refusal in the server’s words', async () => {
  const { server, store } = opened();
  await store.refresh();
  server.answers['DELETE fabric/datasets/wind-farm'] = { status: 409, body: { message: 'It is in use.' } };
  server.hold('DELETE fabric/datasets/wind-farm');
  const first = store.drop('wind-farm');
  expect(store.busy.has('wind-farm')).toBe(true);
  expect(await store.drop('wind-farm')).toBe(false);
  server.letGo('DELETE fabric/datasets/wind-farm');
  expect(await first).toBe(false);
  expect(store.said).toMatchObject({ text: 'It is in use.', wrong: true, about: 'wind-farm' });
  expect(store.busy.size).toBe(0);
  expect(server.asked.filter(one => one.method === 'DELETE')).toHaveLength(1);
});

it('asks for the files of the open details once per directory, and only where the dataset is open', async () => {
  const { server, store } = opened();
  await store.refresh();
  await store.select('wind-farm');
  expect(store.files.size).toBe(0);
  const here = { version: '1', path: '/data/wind-farm/1' };
  server.answers['GET fabric/datasets'] = { body: told([entry('wind-farm', 'Wind farm', { here })]) };
  await store.refresh();
  await store.refresh();
  expect([...store.files.keys()]).toEqual(['/data/wind-farm/1']);
  expect(server.asked.filter(one => one.path.endsWith('/files'))).toHaveLength(1);
});

it('asks for access with the reason, or without one', async () => {
  const { server, store } = opened();
  await store.refresh();
  server.answers['POST fabric/datasets/grid-faults/request'] = { body: {} };
  await store.request('grid-faults', '');
  expect(server.asked.find(one => one.method === 'POST')?.body).toEqual({ why: null });
  expect(store.said.text).toBe("Requested by you. You'll see the decision here.");
  const asked = { state: 'not-granted', requested: true, told: 'Requested 29 Nov by you.' } as const;
  server.answers['GET fabric/datasets'] = { body: told([entry('grid-faults', 'Faults', asked)]) };
  store.ask('grid-faults');
  await store.request('grid-faults', 'For a study');
  expect([store.said.text, store.said.about, store.asking]).toEqual(['Requested 29 Nov by you.', 'grid-faults', '']);
});

it('fetches the first rows of a file once, and keeps why they cannot be had', async () => {
  const { server, store } = opened();
  const here = { version: '1', path: '/data/wind-farm/1' };
  server.answers['GET fabric/datasets'] = { body: told([entry('wind-farm', 'Wind farm', { here })]) };
  await store.refresh();
  const table = { file: 'a.csv', columns: [], rows: [], more: false, total: 0, more_columns: 0 };
  server.answers['GET fabric/datasets/wind-farm/table'] = { body: table };
  await store.showRows('wind-farm', 'a.csv');
  await store.showRows('wind-farm', 'a.csv');
  expect(store.rowsOf('wind-farm', 'a.csv')).toEqual(table);
  expect(server.asked.filter(one => one.path.endsWith('/table'))).toHaveLength(1);
  server.answers['GET fabric/datasets/wind-farm/table'] = { status: 409, body: { message: 'No table.' } };
  await store.showRows('wind-farm', 'b.csv');
  expect(store.rowsOf('wind-farm', 'b.csv')).toBe('No table.');
  expect(store.rowsOf('gone', 'b.csv')).toBeUndefined();
});
