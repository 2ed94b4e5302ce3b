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

function body(paths: readonly string[], clusters: readonly string[]): Widget {
  const widget = new Widget();
  widget.addClass('fabric-Continue');
  const say = (text: string): void => {
    const paragraph = document.createElement('p');
    paragraph.textContent = text;
    widget.node.append(paragraph);
  };
  say(
    trans.__(
      'A new session starts with the same choices (project, profile, image, datasets), as soon as there is room for it.'
    )
  );
  say(
    trans.__(
      'Variables are not kept: run your cells again. This session goes on until its own end, and both are charged until then.'
    )
  );
  if (clusters.length) {
    say(
      trans._n(
        'Dask cluster %2 ends with this session: a new one is started there, and its results computed again.',
        'Dask clusters %2 end with this session: a new one is started there, and its results computed again.',
        clusters.length,
        clusters.join(', ')
      )
    );
  }
  if (paths.length) {
    say(trans.__('These documents are saved, and opened again there:'));
    const list = document.createElement('ul');
    for (const path of paths) {
      const line = document.createElement('li');
      line.textContent = path;
      list.append(line);
    }
    widget.node.append(list);
  } else {
    say(trans.__('No document is open, so none is opened there.'));
  }
  return widget;
}

/** Ask, save, start the session that follows, and lead there once it is ready. */
export async function continueSession(app: JupyterFrontEnd, store: SessionStore): Promise<void> {
  const paths = openPaths(app).slice(0, MOST);
  const clusters = await store.api.clusters();
  const asked = await showDialog({
    title: trans.__('Continue in a new session'),
    body: body(paths, clusters),
    buttons: [Dialog.cancelButton({ label: trans.__('Cancel') }), Dialog.okButton({ label: trans.__('Continue') })]
  });
  if (!asked.button.accept) {
    return;
  }
  const { copied, failed } = await saveAll(app);
  const id = Notification.emit(trans.__('The next session is being asked for …'), 'in-progress', { autoClose: false });
  try {
    const answer = await store.api.continueSession(openPaths(app).slice(0, MOST));
    follow(store, id, answer, copied.length + failed.length ? ` ${unsavedText(copied, failed)}` : '');
    await store.refresh();
  } catch (error) {
    Notification.update({ id, message: words(error), type: 'error', autoClose: false });
  }
}

function follow(store: SessionStore, id: string, answer: Continued, unsaved: string): void {
  store.follow(answer);
  const url = store.nextPage;
  if (answer.state === 'ready' && url !== null) {
    Notification.update({
      id,
      message: `${trans.__('The next session is ready.')}${unsaved}`,
      type: 'success',
      autoClose: false,
      actions: [{ label: trans.__('Open it'), displayType: 'accent', callback: () => window.location.assign(url) }]
    });
    return;
  }
  say(store, id, `${answer.text || trans.__('The next session is starting.')}${unsaved}`, 'in-progress');
  lookAgain(store, id, unsaved, LOOK_MS);
}

function say(store: SessionStore, id: string, message: string, type: 'in-progress' | 'warning'): void {
  const url = store.nextPage;
  Notification.update({
    id,
    message,
    type,
    autoClose: false,
    // the hub's own page tells how it fares, also after this session has ended
    actions:
      url === null ? [] : [{ label: trans.__('Show its page'), callback: () => window.open(url, '_blank', 'noopener') }]
  });
}

/** Ask how it fares after a pause. No error is the last word: the hub may be restarting, and this session may end first. */
function lookAgain(store: SessionStore, id: string, unsaved: string, pause: number): void {
  window.setTimeout(() => {
    store.api.successor().then(
      next => follow(store, id, next, unsaved),
      error => {
        const why = error instanceof Gone ? trans.__('This session has ended.') : words(error);
        say(store, id, `${why} ${trans.__('The page of the next one tells how it fares.')}${unsaved}`, 'warning');
        lookAgain(store, id, unsaved, Math.min(LONGEST_MS, pause * 2));
      }
    );
  }, pause);
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
