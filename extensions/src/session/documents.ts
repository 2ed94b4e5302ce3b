import type { JupyterFrontEnd } from '@jupyterlab/application';
import { PathExt } from '@jupyterlab/coreutils';
import type { Contents } from '@jupyterlab/services';

/**
 * How long a document may take to be saved. JupyterLab asks with a dialog when the file was changed on disk, and waits
 * for the answer for ever: at the end of a session there may be nobody to give it.
 */
const SAVE_MS = 15_000;
/** A browser may ask first where a file is to go. */
const KEEP_MS = 600_000;

/** An open document. Told apart by shape: the packages of notebooks and editors are not ours to load. */
interface IDocument {
  readonly context: {
    readonly path: string;
    readonly contentsModel: Pick<Contents.IModel, 'type' | 'format'> | null;
    readonly model: { readonly dirty: boolean; readonly readOnly: boolean; toJSON(): unknown; toString(): string };
    save(): Promise<void>;
  };
}

/** What became of the documents that were not saved: `copied` are the paths of copies beside those that could not be. */
export interface ISaved {
  readonly saved: string[];
  readonly copied: string[];
  readonly failed: string[];
}

function isDocument(widget: unknown): widget is IDocument {
  const context = (widget as Partial<IDocument> | null)?.context;
  return typeof context?.path === 'string' && typeof context.save === 'function' && context.model !== undefined;
}

/** Each open document once, in the order of the tabs. */
function documents(app: JupyterFrontEnd): IDocument['context'][] {
  const found = new Map<string, IDocument['context']>();
  for (const area of ['main', 'left', 'right', 'down']) {
    for (const widget of app.shell.widgets(area)) {
      if (isDocument(widget)) {
        found.set(widget.context.path, widget.context);
      }
    }
  }
  return [...found.values()];
}

/** Paths of the open documents, below where the server began; those of other drives are not ours to open again. */
export function openPaths(app: JupyterFrontEnd): string[] {
  const { contents } = app.serviceManager;
  return documents(app)
    .filter(one => contents.driveName(one.path) === '')
    .map(one => contents.localPath(one.path));
}

/** Paths of the open documents that hold what is not saved. */
export function unsavedPaths(app: JupyterFrontEnd): string[] {
  return unsaved(app).map(one => one.path);
}

/** Hand every document that is not saved to the browser as a file: the session can write none any more. */
export function downloadUnsaved(app: JupyterFrontEnd): void {
  for (const { path, contentsModel, model } of unsaved(app)) {
    const text = contentsModel?.format === 'json' ? JSON.stringify(model.toJSON(), null, 1) : model.toString();
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([text], { type: 'application/octet-stream' }));
    link.download = PathExt.basename(path);
    document.body.append(link);
    link.click();
    link.remove();
    window.setTimeout(() => URL.revokeObjectURL(link.href), KEEP_MS);
  }
}

function unsaved(app: JupyterFrontEnd): IDocument['context'][] {
  return documents(app).filter(one => one.model.dirty && !one.model.readOnly);
}

/** Save what is unsaved, each document itself or, where that takes too long or fails, a copy beside it. */
export async function saveAll(app: JupyterFrontEnd): Promise<ISaved> {
  const done: ISaved = { saved: [], copied: [], failed: [] };
  await Promise.all(
    unsaved(app).map(async one => {
      try {
        await within(one.save());
      } catch {
        // it is still not saved
      }
      if (!one.model.dirty) {
        done.saved.push(one.path);
        return;
      }
      try {
        done.copied.push(await within(copy(app, one)));
      } catch {
        done.failed.push(one.path);
      }
    })
  );
  return done;
}

/** Write what a document holds now to a new file beside its own; returns that one's path. */
async function copy(app: JupyterFrontEnd, { path, contentsModel, model }: IDocument['context']): Promise<string> {
  if (!contentsModel) {
    throw new Error(`${path} was not loaded yet.`);
  }
  const { type, format } = contentsModel;
  const ending = PathExt.extname(path);
  const moment = new Date().toISOString().slice(0, 19).replace(/[-:]/g, '');
  const beside = `${path.slice(0, path.length - ending.length)}-unsaved-${moment}Z${ending}`;
  await app.serviceManager.contents.save(beside, {
    type,
    format,
    content: format === 'json' ? model.toJSON() : model.toString()
  });
  return beside;
}

function within<T>(work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = window.setTimeout(() => reject(new Error('This took too long.')), SAVE_MS);
    work.then(resolve, reject).finally(() => window.clearTimeout(timer));
  });
}

/** Open documents again that the session before had open; returns the paths of those that are there. */
export async function reopen(app: JupyterFrontEnd, paths: readonly string[]): Promise<string[]> {
  const opened: string[] = [];
  for (const path of paths) {
    try {
      await app.serviceManager.contents.get(path, { content: false });
      await app.commands.execute('docmanager:open', { path });
      opened.push(path);
    } catch {
      // it was moved or removed meanwhile: the others are still opened
    }
  }
  return opened;
}
