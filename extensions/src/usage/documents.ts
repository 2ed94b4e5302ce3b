import type { JupyterFrontEnd } from '@jupyterlab/application';

/** An open document. Told apart by shape: the packages of notebooks and editors are not ours to load. */
interface IDocument {
  readonly context: {
    readonly path: string;
    readonly model: { readonly dirty: boolean; readonly readOnly: boolean };
    save(): Promise<void>;
  };
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

/** Save what is unsaved; returns the paths that were saved and those that could not be. */
export async function saveAll(app: JupyterFrontEnd): Promise<{ saved: string[]; failed: string[] }> {
  const saved: string[] = [];
  const failed: string[] = [];
  await Promise.all(
    documents(app)
      .filter(one => one.model.dirty && !one.model.readOnly)
      .map(async one => {
        try {
          await one.save();
          (one.model.dirty ? failed : saved).push(one.path);
        } catch {
          failed.push(one.path);
        }
      })
  );
  return { saved, failed };
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
