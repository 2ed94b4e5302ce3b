import type { JupyterFrontEnd } from '@jupyterlab/application';
import { ServerConnection, type Contents } from '@jupyterlab/services';
import { UUID } from '@lumino/coreutils';
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

interface INotebookPanel {
  readonly context: { readonly ready: Promise<void>; save(): Promise<void> };
  readonly sessionContext: { readonly ready: Promise<void> };
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

/** Type text into the active notebook cell, console or file, or into that of another widget; false: there is none. */
export function insert(app: JupyterFrontEnd, text: string, into: Widget | null = app.shell.currentWidget): boolean {
  const editor = editorOf(into);
  if (into && editor && into !== app.shell.currentWidget) {
    app.shell.activateById(into.id);
  }
  editor?.replaceSelection?.(text);
  editor?.focus();
  return editor !== null;
}

/** Insert a path: as a literal into a cell of code (the same in Python, R and Julia), elsewhere as it is. */
export function insertPath(app: JupyterFrontEnd, path: string, into: Widget | null = app.shell.currentWidget): boolean {
  const code = cellOf(into)?.model?.type === 'code';
  return insert(app, code ? JSON.stringify(path) : path, into);
}

/** Remembers what was worked in last, for what is inserted from a tab of its own. */
export class LastEditor {
  private last: Widget | null = null;

  constructor(private readonly app: JupyterFrontEnd) {
    app.shell.currentChanged?.connect((_, { newValue }) => {
      if (newValue && holds(newValue)) {
        this.last = newValue;
      }
    });
  }

  /** The notebook, console or file that is in front, else the one that was last; null where none is open. */
  get widget(): Widget | null {
    const { currentWidget } = this.app.shell;
    if (currentWidget && holds(currentWidget)) {
      return currentWidget;
    }
    return this.last?.isDisposed ? null : this.last;
  }
}

function holds(widget: Widget): boolean {
  const { content, console } = widget as IHolder;
  return Boolean(console) || (content !== undefined && ('activeCell' in content || 'editor' in content));
}

/** A notebook that was saved and opened; `shown` is false where it opens out of reach, in a tab of its own. */
export interface IOpened {
  readonly path: string;
  readonly shown: boolean;
}

/**
 * Save a new notebook of that name (`name.ipynb`, or `name-2.ipynb` where there is one), open it, run it and save what
 * came of it.
 *
 * @param name Without its ending; a plain name of a file.
 * @param cells Code.
 * @throws Where it cannot be saved.
 */
export async function openNotebook(app: JupyterFrontEnd, name: string, cells: readonly string[]): Promise<IOpened> {
  const { contents, kernelspecs } = app.serviceManager;
  await kernelspecs.ready;
  const kernel = kernelspecs.specs?.default ?? 'python3';
  const path = await freePath(contents, name);
  await contents.save(path, { type: 'notebook', format: 'json', content: notebook(kernel, cells) });
  const panel = (await app.commands.execute('docmanager:open', { path, kernel: { name: kernel } })) as
    INotebookPanel | undefined;
  if (!panel?.context) {
    return { path, shown: false };
  }
  void run(app, panel);
  return { path, shown: true };
}

async function freePath(contents: Contents.IManager, name: string): Promise<string> {
  for (let count = 1; ; count += 1) {
    const path = count === 1 ? `${name}.ipynb` : `${name}-${count}.ipynb`;
    try {
      await contents.get(path, { content: false });
    } catch (error) {
      if (error instanceof ServerConnection.ResponseError && error.response.status === 404) {
        return path;
      }
      throw error;
    }
  }
}

function notebook(kernel: string, cells: readonly string[]): object {
  return {
    cells: cells.map(source => ({
      cell_type: 'code',
      execution_count: null,
      id: UUID.uuid4(),
      metadata: {},
      outputs: [],
      source
    })),
    metadata: { kernelspec: { display_name: kernel, name: kernel } },
    nbformat: 4,
    nbformat_minor: 5
  };
}

/** Run all cells, once; nobody is asked anything: who wants it anew does as in any notebook. */
async function run(app: JupyterFrontEnd, panel: INotebookPanel): Promise<void> {
  await panel.context.ready;
  await panel.sessionContext.ready;
  if (app.shell.currentWidget === (panel as unknown as Widget)) {
    await app.commands.execute('notebook:run-all-cells');
    await panel.context.save();
  }
}
