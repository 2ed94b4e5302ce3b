import type { JupyterFrontEnd } from '@jupyterlab/application';

import { insert, insertPath, LastEditor, nowhere, openNotebook } from '../common/insert';
import { words } from '../common/request';
import { trans } from '../common/translation';
import type { Snippet } from '../schema';
import type { DatasetsStore } from './store';

/** What the buttons and the commands do; each says what came of it. */
export class DatasetsActions {
  private readonly editor: LastEditor;

  /** @param show Opens the tab of a dataset. */
  constructor(
    private readonly app: JupyterFrontEnd,
    readonly store: DatasetsStore,
    readonly show: (name: string) => void = () => undefined
  ) {
    this.editor = new LastEditor(app);
  }

  insertPath(name: string): void {
    const path = this.store.find(name)?.here?.path;
    if (path !== undefined) {
      this.inserted(
        insertPath(this.app, path, this.editor.widget),
        name,
        trans.__('The path of %1 is inserted.', name)
      );
    }
  }

  async insertCode(name: string, wanted = 0): Promise<void> {
    const snippet = await this.snippet(name, wanted);
    if (snippet) {
      this.inserted(
        insert(this.app, snippet.code, this.editor.widget),
        name,
        trans.__('Loading code for %1 (%2) is inserted.', name, snippet.label)
      );
    }
  }

  /** Add a dataset where it is not open yet, and show a new notebook, saved under its name, that loads and plots it. */
  async tryOut(name: string): Promise<void> {
    if (!this.store.find(name)?.here && !(await this.store.add(name))) {
      return;
    }
    const snippet = await this.snippet(name, 0);
    if (snippet) {
      try {
        const cells = [snippet.code, snippet.plot].filter(code => code !== '');
        const { path, shown } = await openNotebook(this.app, name, cells);
        this.store.say(
          shown
            ? trans.__('%1 added. %2 loads it.', name, path)
            : trans.__('%1 added. %2 loads it, in a tab of its own.', name, path),
          { about: name }
        );
      } catch (error) {
        this.store.say(trans.__('%1 added, but its notebook cannot be saved: %2', name, words(error)), {
          about: name,
          wrong: true
        });
      }
    }
  }

  private async snippet(name: string, wanted: number): Promise<Snippet | undefined> {
    const snippets = (await this.store.filesOf(name))?.snippets ?? [];
    return snippets[wanted] ?? snippets[0];
  }

  private inserted(done: boolean, about: string, said: string): void {
    this.store.say(done ? said : nowhere(), { about, wrong: !done });
  }
}
