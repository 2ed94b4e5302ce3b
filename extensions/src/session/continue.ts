import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Dialog, InputDialog, Notification, showDialog } from '@jupyterlab/apputils';
import { Widget } from '@lumino/widgets';

import { now } from '../common/clock';
import { words } from '../common/request';
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
    'A new session starts with the same choices (project, profile, image, datasets), as soon as there is room for it.'
  );
  say(
    'The memory of kernels is not carried over: variables are gone, and cells must be run again. ' +
      'This session goes on until its own end.'
  );
  if (clusters.length) {
    const [them, end] = clusters.length === 1 ? ['Dask cluster', 'ends'] : ['Dask clusters', 'end'];
    say(
      `${them} ${clusters.join(', ')} ${end} with this session: a new one is started there, and its results computed again.`
    );
  }
  if (paths.length) {
    say('These documents are saved, and opened again there:');
    const list = document.createElement('ul');
    for (const path of paths) {
      const line = document.createElement('li');
      line.textContent = path;
      list.append(line);
    }
    widget.node.append(list);
  } else {
    say('No document is open, so none is opened there.');
  }
  return widget;
}

/** Ask, save, start the session that follows, and lead there once it is ready. */
export async function continueSession(app: JupyterFrontEnd, store: SessionStore): Promise<void> {
  const paths = openPaths(app).slice(0, MOST);
  const clusters = await store.api.clusters();
  const asked = await showDialog({
    title: 'Continue in a new session',
    body: body(paths, clusters),
    buttons: [Dialog.cancelButton(), Dialog.okButton({ label: 'Continue' })]
  });
  if (!asked.button.accept) {
    return;
  }
  const { copied, failed } = await saveAll(app);
  const id = Notification.emit('The next session is being asked for …', 'in-progress', { autoClose: false });
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
      message: `The next session is ready.${unsaved}`,
      type: 'success',
      autoClose: false,
      actions: [{ label: 'Open it', displayType: 'accent', callback: () => window.location.assign(url) }]
    });
    return;
  }
  say(store, id, `${answer.text || 'The next session is starting.'}${unsaved}`, 'in-progress');
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
    actions: url === null ? [] : [{ label: 'Show its page', callback: () => window.open(url, '_blank', 'noopener') }]
  });
}

/** Ask how it fares after a pause. No error is the last word: the hub may be restarting, and this session may end first. */
function lookAgain(store: SessionStore, id: string, unsaved: string, pause: number): void {
  window.setTimeout(() => {
    store.api.successor().then(
      next => follow(store, id, next, unsaved),
      error => {
        const why = error instanceof Gone ? 'This session has ended.' : words(error);
        say(store, id, `${why} The page of the next one tells how it fares.${unsaved}`, 'warning');
        lookAgain(store, id, unsaved, Math.min(LONGEST_MS, pause * 2));
      }
    );
  }, pause);
}

/** Ask for how long, and for that much more time. */
export async function extend(store: SessionStore): Promise<void> {
  const most = store.known?.quota?.time.extend_most_minutes ?? 0;
  const choices = [...new Set([30, 60, 120, 240].filter(minutes => minutes < most).concat(most))];
  const items = choices.map(minutes => minutesText(minutes) + (minutes === most ? ' (the most)' : ''));
  const asked = await InputDialog.getItem({
    title: 'Extend this session',
    label: 'By how much',
    items,
    current: choices.indexOf(60) < 0 ? choices.length - 1 : choices.indexOf(60),
    okLabel: 'Extend'
  });
  const minutes = asked.value === null ? undefined : choices[items.indexOf(asked.value)];
  if (!asked.button.accept || minutes === undefined) {
    return;
  }
  try {
    const answer = await store.api.extend(minutes);
    const text = answer.ends_at ? `This session now ends at ${clock(answer.ends_at, now())}.` : answer.text;
    Notification.success(text || `This session lasts ${minutesText(minutes)} longer.`, { autoClose: 8000 });
  } catch (error) {
    Notification.error(words(error), { autoClose: false });
  }
  await store.refresh();
}
