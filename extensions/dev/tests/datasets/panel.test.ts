import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Widget } from '@lumino/widgets';
import { afterEach, expect, it } from 'vitest';

import { DatasetsActions } from '../../../src/datasets/actions';
import { DatasetsApi } from '../../../src/datasets/api';
import { DatasetsPanel } from '../../../src/datasets/panel';
import { DatasetsStore } from '../../../src/datasets/store';
import { AnsweringServer } from '../server';
import { entries, entry, told } from './catalogue';

const HERE = entry('wind-farm', 'Wind farm', { here: { version: '1', path: '/data/wind-farm/1' } });
const shown: Widget[] = [];

/** The panel in a page, with the details of one dataset open. */
async function panel(selected = ''): Promise<{ server: AnsweringServer; store: DatasetsStore; node: HTMLElement }> {
  const server = new AnsweringServer({
    'GET fabric/datasets': { body: told(entries()) },
    'GET fabric/datasets/wind-farm/files': { body: { entries: [], snippets: [] } }
  });
  const store = new DatasetsStore(new DatasetsApi(server.settings));
  await store.refresh();
  await store.select(selected);
  const widget = new DatasetsPanel(store, new DatasetsActions({} as JupyterFrontEnd, store));
  shown.push(widget);
  Widget.attach(widget, document.body);
  await expect.poll(() => widget.node.querySelector('h2')).toBeTruthy();
  if (selected) {
    await expect.poll(() => document.activeElement?.getAttribute('aria-expanded')).toBe('true');
  }
  return { server, store, node: widget.node };
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
  const { server, node } = await panel('wind-farm');
  server.answers['POST fabric/datasets/wind-farm'] = { body: { problem: '' } };
  server.answers['GET fabric/datasets'] = { body: told([HERE]) };
  press(node, 'Add wind-farm to this session');
  await expect.poll(focused).toBe('Insert path of wind-farm');
  server.answers['DELETE fabric/datasets/wind-farm'] = { body: { problem: '' } };
  server.answers['GET fabric/datasets'] = { body: told(entries()) };
  press(node, 'Remove wind-farm from this session');
  await expect.poll(focused).toBe('Add wind-farm to this session');
});

it('puts the keyboard back on the dataset where nothing is left to press in its details', async () => {
  const { server, node } = await panel('grid-faults');
  server.answers['POST fabric/datasets/grid-faults/request'] = { body: {} };
  server.answers['GET fabric/datasets'] = {
    body: told([entry('grid-faults', 'Faults of a power grid', { state: 'not-granted', requested: true })])
  };
  press(node, 'Request access to grid-faults');
  await expect.poll(focused).toBe('Faults of a power grid');
});

it('leaves the keyboard alone where something else has it', async () => {
  const { server, store, node } = await panel('wind-farm');
  const search = node.querySelector<HTMLInputElement>('input[type=search]');
  search?.focus();
  server.answers['GET fabric/datasets'] = { body: told([HERE]) };
  await store.refresh();
  await expect.poll(() => control(node, 'Insert path of wind-farm')).toBeTruthy();
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
  const { store, node, server } = await panel('wind-farm');
  const html =
    '<p onclick="x()">Power by <strong>hour</strong></p><script>x()</script><p><a href="javascript:x()">y</a></p>';
  server.answers['GET fabric/datasets'] = { body: told([{ ...HERE, description_html: html }]) };
  await store.refresh();
  await expect.poll(() => node.querySelector('.fabric-Dataset-description strong')?.textContent).toBe('hour');
  const shown = node.querySelector('.fabric-Dataset-description');
  expect(shown?.querySelector('script')).toBeNull();
  expect(shown?.innerHTML).not.toMatch(/onclick|javascript/);
});
