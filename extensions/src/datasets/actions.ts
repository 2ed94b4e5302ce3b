import type { JupyterFrontEnd } from '@jupyterlab/application';

import { insert, insertPath, nowhere, openNotebook } from '../common/insert';
import { trans } from '../common/translation';
import type { Snippet } from '../schema';
import type { DatasetsStore } from './store';

/** What the buttons and the commands do; each says what came of it. */
export class DatasetsActions {
  constructor(
    private readonly app: JupyterFrontEnd,
    readonly store: DatasetsStore
  ) {}

  insertPath(name: string): void {
    const path = this.store.find(name)?.here?.path;
    if (path !== undefined) {
      this.inserted(insertPath(this.app, path), trans.__('The path of %1 is inserted.', name));
    }
  }

  async insertCode(name: string, wanted = 0): Promise<void> {
    const snippet = await this.snippet(name, wanted);
    if (snippet) {
      this.inserted(
        insert(this.app, snippet.code),
        trans.__('Loading code for %1 (%2) is inserted.', name, snippet.label)
      );
    }
  }

  /** Add a dataset where it is not open yet, and show a new notebook that loads it. */
  async tryOut(name: string): Promise<void> {
    if (!this.store.find(name)?.here && !(await this.store.add(name))) {
      return;
    }
    const snippet = await this.snippet(name, 0);
    if (snippet) {
      const done = await openNotebook(this.app, snippet.code);
      this.store.say(
        done
          ? trans.__('%1 added. A notebook that loads it is open.', name)
          : trans.__('The notebook opens in a tab of its own: insert the loading code from the panel there.'),
        !done
      );
    }
  }

  private async snippet(name: string, wanted: number): Promise<Snippet | undefined> {
    const snippets = (await this.store.filesOf(name))?.snippets ?? [];
    return snippets[wanted] ?? snippets[0];
  }

  private inserted(done: boolean, said: string): void {
    this.store.say(done ? said : nowhere(), !done);
  }
}
