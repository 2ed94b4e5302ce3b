import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import type { Widget } from '@lumino/widgets';

import { now } from '../common/clock';
import { trans } from '../common/translation';
import type { KilledKernel } from '../schema';
import { killedText, nextStep } from './jobFormat';
import type { SessionStore } from './store';

/** What happened so long before the page was opened is told in the panel only. */
const NEWS_S = 60;

interface ICell {
  readonly isDisposed: boolean;
  readonly model: { readonly outputs?: { add(output: object): unknown } };
  readonly outputArea?: { readonly future: { readonly msg: { readonly header: { readonly msg_id: string } } } | null };
}

interface IMessage {
  readonly header: { readonly msg_type: string };
  readonly parent_header: { readonly msg_id?: string };
  readonly content: { readonly execution_state?: string };
}

/** As much of JupyterLab's notebook as is used here; its package is none of ours. */
export interface INotebook {
  readonly isDisposed: boolean;
  readonly context: { readonly path: string };
  readonly content: { readonly widgets: readonly ICell[] };
  readonly sessionContext: {
    readonly iopubMessage: { connect(slot: (sender: unknown, message: IMessage) => void): unknown };
  };
}

/** The cell of a notebook that runs, as long as its kernel has not said that it is done. */
class RunningCell {
  private asked = '';
  private cell: ICell | null = null;

  constructor(readonly notebook: INotebook) {
    notebook.sessionContext.iopubMessage.connect((_, message) => this.hear(message));
  }

  private hear({ header, parent_header: parent, content }: IMessage): void {
    const id = parent.msg_id ?? '';
    if (header.msg_type === 'execute_input') {
      this.asked = id;
      this.cell = this.notebook.content.widgets.find(one => one.outputArea?.future?.msg.header.msg_id === id) ?? null;
    } else if (header.msg_type === 'status' && content.execution_state === 'idle' && id === this.asked) {
      this.cell = null;
    }
  }

  /** Say below the cell why it ended; nothing where none runs. */
  explain(title: string, sentences: readonly string[]): void {
    const cell = this.cell;
    this.cell = null;
    if (cell && !cell.isDisposed) {
      const output = { output_type: 'error', ename: title, evalue: sentences.join(' '), traceback: [...sentences] };
      cell.model.outputs?.add(output);
    }
  }
}

/** Explains a kernel that was killed for memory: below the cell that ran, and in a notification that stays. */
export class KilledKernels {
  private readonly notebooks = new Set<RunningCell>();
  private readonly told = new Set<string>();
  private readonly since = now() - NEWS_S;

  /** @param show Shows the panel, where the memory is. */
  constructor(
    private readonly store: SessionStore,
    private readonly show: () => void
  ) {
    store.changed.connect(this.look, this);
  }

  /** Follow the notebooks that are opened from now on. */
  follow(app: JupyterFrontEnd): void {
    app.docRegistry.addWidgetExtension('Notebook', {
      createNew: panel => {
        this.add(panel as unknown as INotebook & Widget);
      }
    });
  }

  /** Follow one notebook for as long as it is open. */
  add(notebook: INotebook & Pick<Widget, 'disposed'>): void {
    const cell = new RunningCell(notebook);
    this.notebooks.add(cell);
    notebook.disposed.connect(() => this.notebooks.delete(cell));
  }

  private look(): void {
    for (const one of this.store.known?.killed ?? []) {
      const mark = `${one.kernel} ${one.at}`;
      if (!this.told.has(mark)) {
        this.told.add(mark);
        if (one.at >= this.since) {
          this.tell(one);
        }
      }
    }
  }

  private tell(one: KilledKernel): void {
    for (const running of this.notebooks) {
      if (one.path && running.notebook.context.path === one.path) {
        running.explain(trans.__('Out of memory'), [killedText({ ...one, path: '' }), nextStep()]);
      }
    }
    Notification.error(killedText(one), {
      autoClose: false,
      actions: [{ label: trans.__('Show memory'), callback: this.show }]
    });
  }
}
