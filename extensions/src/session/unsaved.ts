import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Poll } from '@lumino/polling';

import type { SessionApi } from './api';
import { unsavedPaths } from './documents';

const LOOK_MS = 3_000;
/** Said again though nothing has changed: the session's server may have been started anew. */
const AGAIN_MS = 60_000;

/** Tells the session's server which documents are unsaved here: whoever stops the session at the hub is asked first. */
export class Unsaved {
  private readonly tab = Math.random().toString(36).slice(2);
  private told = '';
  private toldAt = -AGAIN_MS;

  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly api: SessionApi
  ) {}

  /** Look again and again, also out of sight: what is unsaved there is lost, too. */
  follow(): Poll {
    window.addEventListener('pagehide', () => {
      this.told = '';
      void this.api.unsaved(this.tab, null).catch(() => undefined);
    });
    return new Poll({
      name: 'fabric-lab:unsaved',
      factory: () => this.look(),
      frequency: { interval: LOOK_MS, backoff: false, max: LOOK_MS },
      standby: 'never'
    });
  }

  /** Tell what is unsaved where that is something else, or was said a while ago. */
  async look(): Promise<void> {
    const paths = unsavedPaths(this.app);
    const now = JSON.stringify(paths);
    if (now === this.told && performance.now() - this.toldAt < AGAIN_MS) {
      return;
    }
    try {
      await this.api.unsaved(this.tab, paths);
      this.told = now;
      this.toldAt = performance.now();
    } catch {
      // it is said again at the next look
    }
  }
}
