import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Dialog, InputDialog, Notification, showDialog } from '@jupyterlab/apputils';
import { Widget } from '@lumino/widgets';

import { now } from '../common/clock';
import { words } from '../common/request';
import { trans } from '../common/translation';
import type { Continued } from '../schema';
import { Gone } from './api';
import { openPaths, saveAll } from './documents';
import { clock } from './facts';
import { minutesText, unsavedText } from './format';
import type { SessionStore } from './store';

const LOOK_MS = 3_000;
const LONGEST_MS = 30_000;
const MOST = 50;

/** What is asked before the next session starts; its value: whether this one ends when that is ready. */
class Question extends Widget implements Dialog.IBodyWidget<boolean> {
  private readonly box = document.createElement('input');

  constructor(paths: readonly string[], clusters: readonly string[]) {
    super();
    this.addClass('fabric-Continue');
    this.say(
      trans.__(
        'A new session starts with the same choices (project, profile, image, datasets), as soon as there is room for it.'
      )
    );
    this.say(trans.__('Variables are not kept: run your cells again. Both sessions are charged until this one ends.'));
    if (clusters.length) {
      this.say(
        trans._n(
          'Dask cluster %2 ends with this session: a new one is started there, and its results computed again.',
          'Dask clusters %2 end with this session: a new one is started there, and its results computed again.',
          clusters.length,
          clusters.join(', ')
        )
      );
    }
    if (paths.length) {
      this.say(trans.__('These documents are saved, and opened again there:'));
      const list = document.createElement('ul');
      for (const path of paths) {
        const line = document.createElement('li');
        line.textContent = path;
        list.append(line);
      }
      this.node.append(list);
    } else {
      this.say(trans.__('No document is open, so none is opened there.'));
    }
    const label = document.createElement('label');
    this.box.type = 'checkbox';
    label.append(this.box, ` ${trans.__('End this session when the new one is ready')}`);
    this.node.append(label);
    this.say(trans.__('What is open is saved first; running cells are stopped.'));
  }

  getValue(): boolean {
    return this.box.checked;
  }

  private say(text: string): void {
    const paragraph = document.createElement('p');
    paragraph.textContent = text;
    this.node.append(paragraph);
  }
}

/** Ask, save, start the session that follows, and lead there once it is ready. */
export async function continueSession(app: JupyterFrontEnd, store: SessionStore): Promise<void> {
  const paths = openPaths(app).slice(0, MOST);
  const clusters = await store.api.clusters();
  const asked = await showDialog({
    title: trans.__('Continue in a new session'),
    body: new Question(paths, clusters),
    buttons: [Dialog.cancelButton({ label: trans.__('Cancel') }), Dialog.okButton({ label: trans.__('Continue') })]
  });
  if (!asked.button.accept) {
    return;
  }
  const endThis = asked.value === true;
  const { copied, failed } = await saveAll(app);
  const id = Notification.emit(trans.__('The next session is being asked for …'), 'in-progress', { autoClose: false });
  const unsaved = copied.length + failed.length ? ` ${unsavedText(copied, failed)}` : '';
  const following = new Following(app, store, id, endThis, unsaved);
  try {
    await following.tell(await store.api.continueSession(openPaths(app).slice(0, MOST), endThis));
    await store.refresh();
  } catch (error) {
    Notification.update({ id, message: words(error), type: 'error', autoClose: false });
  }
}

/** Tells in one notification how the next session fares, until it is ready; then this one ends, where that was wished. */
class Following {
  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly store: SessionStore,
    private readonly id: string,
    private readonly endThis: boolean,
    private unsaved: string
  ) {}

  async tell(answer: Continued): Promise<void> {
    this.store.follow(answer);
    const url = this.store.nextPage;
    if (answer.state !== 'ready' || url === null) {
      this.say(`${answer.text || trans.__('The next session is starting.')}${this.unsaved}`, 'in-progress');
      this.lookAgain(LOOK_MS);
      return;
    }
    const ended = this.endThis && (await this.end());
    Notification.update({
      id: this.id,
      message: `${ended ? trans.__('The next session is ready, and this one has ended.') : trans.__('The next session is ready.')}${this.unsaved}`,
      type: 'success',
      autoClose: false,
      actions: [{ label: trans.__('Open it'), displayType: 'accent', callback: () => window.location.assign(url) }]
    });
  }

  /** Save what was changed meanwhile, and end this session; false where something could not be saved, or it goes on. */
  private async end(): Promise<boolean> {
    const { copied, failed } = await saveAll(this.app);
    if (copied.length + failed.length) {
      this.unsaved = ` ${unsavedText(copied, failed)}`;
    }
    try {
      await this.store.api.endContinued();
    } catch {
      return false; // the hub ends it by itself a little later: it was told of the wish
    }
    return true;
  }

  private say(message: string, type: 'in-progress' | 'warning'): void {
    const url = this.store.nextPage;
    Notification.update({
      id: this.id,
      message,
      type,
      autoClose: false,
      // the hub's own page tells how it fares, also after this session has ended
      actions:
        url === null
          ? []
          : [{ label: trans.__('Show its page'), callback: () => window.open(url, '_blank', 'noopener') }]
    });
  }

  /** Ask how it fares after a pause. No error is the last word: the hub may be restarting, and this session may end. */
  private lookAgain(pause: number): void {
    window.setTimeout(() => {
      this.store.api.successor().then(
        next => this.tell(next),
        error => {
          const why = error instanceof Gone ? trans.__('This session has ended.') : words(error);
          this.say(`${why} ${trans.__('The page of the next one tells how it fares.')}${this.unsaved}`, 'warning');
          this.lookAgain(Math.min(LONGEST_MS, pause * 2));
        }
      );
    }, pause);
  }
}

/** Ask for how long, and for that much more time. */
export async function extend(store: SessionStore): Promise<void> {
  const most = store.known?.quota?.time.extend_most_minutes ?? 0;
  const choices = [...new Set([30, 60, 120, 240].filter(minutes => minutes < most).concat(most))];
  const items = choices.map(minutes =>
    minutes === most ? trans.__('%1 (the most)', minutesText(minutes)) : minutesText(minutes)
  );
  const asked = await InputDialog.getItem({
    title: trans.__('Extend this session'),
    label: trans.__('By how much'),
    items,
    current: choices.indexOf(60) < 0 ? choices.length - 1 : choices.indexOf(60),
    okLabel: trans.__('Extend'),
    cancelLabel: trans.__('Cancel')
  });
  const minutes = asked.value === null ? undefined : choices[items.indexOf(asked.value)];
  if (!asked.button.accept || minutes === undefined) {
    return;
  }
  try {
    const answer = await store.api.extend(minutes);
    const text = answer.ends_at ? trans.__('This session now ends at %1.', clock(answer.ends_at, now())) : answer.text;
    Notification.success(text || trans.__('This session lasts %1 longer.', minutesText(minutes)), { autoClose: 8000 });
  } catch (error) {
    Notification.error(words(error), { autoClose: false });
  }
  await store.refresh();
}
