import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Widget } from '@lumino/widgets';
import { afterEach, expect, it } from 'vitest';

import { DatasetsActions } from '../../../src/datasets/actions';
import { DatasetsApi } from '../../../src/datasets/api';
import { DatasetsPanel } from '../../../src/datasets/panel';
import { DatasetsStore } from '../../../src/datasets/store';
import { DatasetView } from '../../../src/datasets/tab';
import { AnsweringServer } from '../server';
import { entries, entry, told } from './catalogue';

const HERE = entry('wind-farm', 'Wind farm', { here: { version: '1', path: '/data/wind-farm/1' } });
const shown: Widget[] = [];

interface IShown {
  readonly server: AnsweringServer;
  readonly store: DatasetsStore;
  readonly node: HTMLElement;
  readonly actions: DatasetsActions;
}

/** The panel in a page. */
async function panel(): Promise<IShown> {
  const server = new AnsweringServer({
    'GET fabric/datasets': { body: told(entries()) },
    'GET fabric/datasets/wind-farm/files': { body: { path: '', files: [], more: false, snippets: [] } }
  });
  const store = new DatasetsStore(new DatasetsApi(server.settings));
  await store.refresh();
  const actions = new DatasetsActions({ shell: { currentWidget: null } } as JupyterFrontEnd, store);
  const widget = new DatasetsPanel(store, actions);
  shown.push(widget);
  Widget.attach(widget, document.body);
  await expect.poll(() => widget.node.querySelector('h2')).toBeTruthy();
  return { server, store, node: widget.node, actions };
}

/** A dataset's tab in a page. */
async function tab(name: string): Promise<IShown> {
  const shownPanel = await panel();
  const { store, actions } = shownPanel;
  const view = new DatasetView(
    name,
    store,
    actions,
    () => undefined,
    () => false
  );
  shown.push(view);
  Widget.attach(view, document.body);
  await expect.poll(() => view.node.querySelector('h2')).toBeTruthy();
  return { ...shownPanel, node: view.node };
}

function control(node: HTMLElement, name: string): HTMLElement | undefined {
  return Array.from(node.querySelectorAll<HTMLElement>('button, input')).find(one =>
    [one.getAttribute('aria-label'), one.title, one.textContent].includes(name)
  );
}

/** Press a control that has the focus, as Enter does. */
function press(node: HTMLElement, name: string): void {
  const pressed = control(node, name);
  pressed?.focus();
  expect(document.activeElement).toBe(pressed);
  pressed?.click();
}

/** What has the focus, by its name; "nothing" where the page's body has it. */
function focused(): string | null | undefined {
  const here = document.activeElement;
  return here === document.body
    ? 'nothing'
    : (here?.getAttribute('aria-label') ?? here?.querySelector('.fabric-Dataset-title')?.textContent);
}

afterEach(() => shown.splice(0).forEach(widget => widget.dispose()));

it('keeps the keyboard beside a button that gives way to others', async () => {
  const { server, node } = await panel();
  server.answers['POST fabric/datasets/wind-farm'] = { body: { problem: '' } };
  server.answers['GET fabric/datasets'] = { body: told([HERE]) };
  press(node, 'Add wind-farm to this session');
  await expect.poll(focused).toBe('Insert loading code of wind-farm');
  expect(control(node, 'Insert code that loads wind-farm')).toBeTruthy();
  server.answers['DELETE fabric/datasets/wind-farm'] = { body: { problem: '' } };
  server.answers['GET fabric/datasets'] = { body: told(entries()) };
});

it('keeps the keyboard in a tab whose buttons give way to others', async () => {
  const { server, store, node } = await tab('wind-farm');
  server.answers['GET fabric/datasets'] = { body: told([HERE]) };
  await store.refresh();
  await expect.poll(() => control(node, 'Remove wind-farm from this session')).toBeTruthy();
  server.answers['DELETE fabric/datasets/wind-farm'] = { body: { problem: '' } };
  server.answers['GET fabric/datasets'] = { body: told(entries()) };
  press(node, 'Remove wind-farm from this session');
  await expect.poll(focused).toBe('Add wind-farm to this session');
});

it('shows the files of a dataset and the first rows of one, as text', async () => {
  const { server, store, node } = await tab('wind-farm');
  const files = [
    { name: 'output.csv', bytes: 1200, table: true },
    { name: 'readme.md', bytes: 10, table: false }
  ];
  server.answers['GET fabric/datasets/wind-farm/files'] = { body: { path: '', files, more: true, snippets: [] } };
  server.answers['GET fabric/datasets/wind-farm/table'] = {
    body: {
      file: 'output.csv',
      columns: [{ name: '<b>hour</b>', kind: 'integer' }],
      rows: [['0'], [null]],
      more: true,
      total: 8760,
      more_columns: 0
    }
  };
  server.answers['GET fabric/datasets'] = { body: told([HERE]) };
  await store.refresh();
  await store.select('wind-farm');
  await expect.poll(() => node.textContent).toContain('2 of 8,760 rows.');
  expect(node.textContent).toContain('<b>hour</b> integer');
  expect(node.textContent).toContain('There are more files than these 2.');
});

it('offers no request for what waits for the steward, and shows what became of one', async () => {
  const { server, store, node } = await panel();
  const shut = { state: 'not-granted', may_request: false } as const;
  server.answers['GET fabric/datasets'] = {
    body: told([
      entry('held', 'Held', { ...shut, waits: true }),
      entry('asked', 'Asked', { ...shut, requested: true, told: 'Requested 29 Nov by you.' }),
      entry('refused', 'Refused', { state: 'not-granted', refused: true, told: 'Not for courses.' })
    ])
  };
  await store.refresh();
  await expect.poll(() => node.textContent).toContain('Requested 29 Nov by you.');
  expect(node.textContent).toContain('Waits for the steward');
  expect(node.textContent).toContain('Not for courses.');
  expect(['held', 'asked', 'refused'].map(name => Boolean(control(node, `Request access to ${name}`)))).toEqual([
    false,
    false,
    true
  ]);
});

it('puts the keyboard back on the dataset where nothing is left to press beside it', async () => {
  const { server, node } = await panel();
  server.answers['POST fabric/datasets/grid-faults/request'] = { body: {} };
  server.answers['GET fabric/datasets'] = {
    body: told([entry('grid-faults', 'Faults of a power grid', { state: 'not-granted', requested: true })])
  };
  press(node, 'Request access to grid-faults');
  await expect.poll(() => control(node, 'Send the request for grid-faults')).toBeTruthy();
  press(node, 'Send the request for grid-faults');
  await expect.poll(focused).toBe('Details of Faults of a power grid: Access requested');
});

it('leaves the keyboard alone where something else has it', async () => {
  const { server, store, node } = await panel();
  const search = node.querySelector<HTMLInputElement>('input[type=search]');
  search?.focus();
  server.answers['GET fabric/datasets'] = { body: told([HERE]) };
  await store.refresh();
  await expect.poll(() => control(node, 'Insert loading code of wind-farm')).toBeTruthy();
  expect(document.activeElement).toBe(search);
});

it('puts the keyboard into an emptied search', async () => {
  const { store, node } = await panel();
  store.choose({ text: 'nothing has this name' });
  await expect.poll(() => control(node, 'Clear search')).toBeTruthy();
  press(node, 'Clear search');
  await expect.poll(() => control(node, 'Clear search')).toBeUndefined();
  expect(document.activeElement).toBe(node.querySelector('input[type=search]'));
});

it('shows a description as it is written, and runs nothing of it', async () => {
  const { store, node, server } = await tab('wind-farm');
  const html =
    '<p onclick="x()">Power by <strong>hour</strong></p><script>x()</script><p><a href="javascript:x()">y</a></p>';
  server.answers['GET fabric/datasets'] = { body: told([{ ...HERE, description_html: html }]) };
  await store.refresh();
  await expect.poll(() => node.querySelector('.fabric-Dataset-description strong')?.textContent).toBe('hour');
  const shown = node.querySelector('.fabric-Dataset-description');
  expect(shown?.querySelector('script')).toBeNull();
  expect(shown?.innerHTML).not.toMatch(/onclick|javascript/);
});
