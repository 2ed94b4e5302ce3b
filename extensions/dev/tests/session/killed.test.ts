import { Notification } from '@jupyterlab/apputils';
import { Signal } from '@lumino/signaling';
import { beforeEach, expect, it, vi } from 'vitest';

import { now } from '../../../src/common/clock';
import { KilledKernels, type INotebook } from '../../../src/session/killed';
import type { SessionStore } from '../../../src/session/store';
import type { KilledKernel, Usage } from '../../../src/schema';

class Store {
  readonly changed = new Signal<this, void>(this);
  known: Usage | null = null;

  tell(killed: readonly KilledKernel[]): void {
    this.known = { killed } as unknown as Usage;
    this.changed.emit();
  }
}

/** A notebook of two cells, the second of which may be running as message "m". */
function notebook(path: string) {
  const outputs: object[] = [];
  const cells = ['other', 'm'].map(msg_id => ({
    isDisposed: false,
    model: { outputs: { add: (output: object) => msg_id === 'm' && outputs.push(output) } },
    outputArea: { future: { msg: { header: { msg_id } } } }
  }));
  const sender = {};
  const heard = new Signal<object, { header: object; parent_header: object; content: object }>(sender);
  const hear = (msg_type: string, msg_id: string, execution_state?: string): void =>
    heard.emit({ header: { msg_type }, parent_header: { msg_id }, content: { execution_state } });
  const disposed = new Signal<object, void>(sender);
  const made = {
    isDisposed: false,
    context: { path },
    content: { widgets: cells },
    sessionContext: { iopubMessage: heard },
    disposed
  };
  return { made: made as unknown as INotebook & Parameters<KilledKernels['add']>[0], hear, outputs, disposed };
}

const KILLED: KilledKernel = {
  kernel: 'k',
  path: 'a/work.ipynb',
  at: now(),
  scope: 'session',
  memory: 4 * 2 ** 30,
  certain: true
};

const said = vi.spyOn(Notification, 'error');
beforeEach(() => {
  said.mockReset();
});

function following(): { store: Store; killed: KilledKernels } {
  const store = new Store();
  return { store, killed: new KilledKernels(store as unknown as SessionStore, () => undefined) };
}

it('explains a killed kernel once, in a notification and below the cell that ran', () => {
  const { store, killed } = following();
  const [work, other] = [notebook('a/work.ipynb'), notebook('b.ipynb')];
  killed.add(work.made);
  killed.add(other.made);
  work.hear('execute_input', 'm');
  other.hear('execute_input', 'm');
  work.hear('status', 'of a widget', 'idle');
  store.tell([KILLED]);
  store.tell([KILLED]);
  expect(said).toHaveBeenCalledTimes(1);
  expect(said.mock.calls[0]?.[0]).toContain('work.ipynb: The kernel was stopped because');
  expect(work.outputs).toEqual([
    expect.objectContaining({
      output_type: 'error',
      ename: 'Out of memory',
      traceback: [expect.stringMatching(/^The kernel was stopped/), expect.stringContaining('more memory')]
    })
  ]);
  expect(other.outputs).toEqual([]);
});

it('leaves a notebook alone in which nothing runs, and one that was closed', () => {
  const { store, killed } = following();
  const [done, closed] = [notebook('a/work.ipynb'), notebook('a/work.ipynb')];
  for (const one of [done, closed]) {
    killed.add(one.made);
    one.hear('execute_input', 'm');
  }
  done.hear('status', 'm', 'idle');
  closed.disposed.emit();
  store.tell([KILLED]);
  expect([done.outputs, closed.outputs]).toEqual([[], []]);
  expect(said).toHaveBeenCalledTimes(1);
});

it('does not say again in a new page what happened long before it', () => {
  const { store } = following();
  store.tell([{ ...KILLED, at: now() - 3600 }]);
  expect(said).not.toHaveBeenCalled();
});
