import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { Widget } from '@lumino/widgets';

import { trans } from './translation';

/** As much of an editor (CodeEditor.IEditor) as is needed to type into it. */
interface IEditor {
  replaceSelection?(text: string): void;
  focus(): void;
}

interface ICell {
  readonly editor: IEditor | null;
  readonly model?: { readonly type: string };
}

/** What a notebook, a console or a file editor may hold. Told apart by shape: their packages are not ours to load. */
interface IHolder {
  readonly content?: { readonly activeCell?: ICell | null; readonly editor?: IEditor };
  readonly console?: { readonly promptCell?: ICell | null };
}

interface ISharedCell {
  setSource(source: string): void;
}

interface INotebookPanel {
  readonly context: {
    readonly ready: Promise<void>;
    readonly model: {
      readonly sharedModel: {
        readonly cells: readonly ISharedCell[];
        insertCell(index: number, cell: { readonly cell_type: 'code'; readonly source: string }): unknown;
      };
    };
  };
}

function cellOf(widget: Widget | null): ICell | null {
  const holder = widget as IHolder | null;
  return holder?.content?.activeCell ?? holder?.console?.promptCell ?? null;
}

function editorOf(widget: Widget | null): IEditor | null {
  const editor = cellOf(widget)?.editor ?? (widget as IHolder | null)?.content?.editor ?? null;
  return typeof editor?.replaceSelection === 'function' ? editor : null;
}

/** That there is no place to insert something. */
export function nowhere(): string {
  return trans.__('Click into a notebook cell, a console or a file first: that is where it is inserted.');
}

/** Type text into the active notebook cell, console or file; false where there is none. */
export function insert(app: JupyterFrontEnd, text: string): boolean {
  const editor = editorOf(app.shell.currentWidget);
  editor?.replaceSelection?.(text);
  editor?.focus();
  return editor !== null;
}

/** Insert a path: as a literal into a cell of code (the same in Python, R and Julia), elsewhere as it is. */
export function insertPath(app: JupyterFrontEnd, path: string): boolean {
  const code = cellOf(app.shell.currentWidget)?.model?.type === 'code';
  return insert(app, code ? JSON.stringify(path) : path);
}

/** A new notebook with one cell; false where it opens out of reach, as in a tab of its own (Notebook 7). */
export async function openNotebook(app: JupyterFrontEnd, code: string): Promise<boolean> {
  await app.serviceManager.kernelspecs.ready;
  const kernelName = app.serviceManager.kernelspecs.specs?.default;
  const panel = (await app.commands.execute('notebook:create-new', { kernelName })) as INotebookPanel | undefined;
  if (!panel) {
    return false;
  }
  await panel.context.ready;
  // into the document, not into an editor: a cell has none before it was in view
  const { sharedModel } = panel.context.model;
  const [first] = sharedModel.cells;
  if (first) {
    first.setSource(code);
  } else {
    sharedModel.insertCell(0, { cell_type: 'code', source: code });
  }
  return true;
}
