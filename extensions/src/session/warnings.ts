import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';

import { now } from '../common/clock';
import { words } from '../common/request';
import type { ISessionSettings } from '../common/settings';
import { trans } from '../common/translation';
import type { Announcer, Banner, IFarewell } from './announcer';
import type { IEnded } from './api';
import { continueSession, extend } from './continue';
import { downloadUnsaved, openPaths, saveAll, unsavedPaths } from './documents';
import {
  alarm,
  endText,
  LAST_S,
  idleText,
  names,
  nextAlarm,
  savedText,
  stopOf,
  stopText,
  unsavedText,
  whyText
} from './format';
import type { SessionStore } from './store';

/** An end that differs by so much from the one that was said is another one; Slurm counts in minutes. */
const MOVED_S = 60;

/**
 * Says what cannot wait: the end, an operator's order to end it, an idle session, a session that is gone. Nothing of it
 * blocks; all of it stays.
 */
export class Warnings {
  private due = 0;
  private ending = false;
  private saidFor: number | null = null;
  private savedFor: number | null = null;
  private idle = '';
  private stop = '';
  private gone = false;
  private why: IEnded | null = null;
  private asking = false;
  private shown: { end?: string; idle?: string; stop?: string } = {};
  private timer = 0;

  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly store: SessionStore,
    private readonly announcer: Announcer,
    private readonly banner: Banner,
    private readonly settings: ISessionSettings,
    private readonly hub: string
  ) {
    store.changed.connect(this.look, this);
    settings.changed.connect(this.look, this);
  }

  private look(): void {
    this.sayGone();
    if (!this.store.gone) {
      this.sayEnd();
      this.sayStop();
      this.sayIdle();
    }
  }

  private sayEnd(): void {
    const { known } = this.store;
    const at = now();
    const endsAt = known?.ends_at ?? null;
    const ending = known?.ending_since !== null && known?.ending_since !== undefined;
    const alarms = this.settings.values.warningMinutes.map(minutes => minutes * 60);
    const due = ending ? LAST_S : alarm(endsAt, at, alarms);
    this.wakeAt(nextAlarm(endsAt, at, alarms));
    // an end that was moved within the same warning makes what stands on the page wrong
    const moved = this.saidFor !== null && endsAt !== null && Math.abs(endsAt - this.saidFor) >= MOVED_S;
    if (due === this.due && ending === this.ending && !(due && moved)) {
      return;
    }
    [this.due, this.ending, this.saidFor] = [due, ending, endsAt];
    this.clear('end');
    this.clear('stop'); // the warning says so, too
    if (due === 0 || (endsAt !== null && endsAt <= at)) {
      return;
    }
    const text = endText(due, endsAt ?? at + LAST_S, at, known?.quota?.time.why);
    this.shown.end = this.show(text, due === LAST_S ? 'error' : 'warning', [
      this.goOn(),
      ...(known?.quota?.time.can_extend
        ? [{ label: trans.__('Extend …'), callback: () => void extend(this.store) }]
        : [])
    ]);
    if (due === LAST_S && this.savedFor !== endsAt) {
      this.savedFor = endsAt;
      void this.save();
    }
  }

  /**
   * An operator ends the session: a notification now, however far the end is, and the whole reason over the page until
   * whoever reads it hides it; JupyterLab cuts a notification.
   */
  private sayStop(): void {
    const at = now();
    const order = stopOf(this.store.known?.quota?.time);
    const key = order ? JSON.stringify(order) : '';
    if (key === this.stop) {
      return;
    }
    this.stop = key;
    this.clear('stop');
    this.banner.clear();
    if (!order) {
      return;
    }
    const text = stopText(order, at);
    if (this.shown.end === undefined) {
      this.shown.stop = this.show(endText(0, order.at, at, 'operator'), 'warning', [this.goOn()]);
    }
    this.banner.show({
      text,
      links: [],
      buttons: [
        [trans.__('Continue in a new session …'), () => void continueSession(this.app, this.store)],
        [trans.__('Hide'), () => this.banner.clear()]
      ]
    });
  }

  private goOn(): Notification.IAction {
    return {
      label: trans.__('Continue …'),
      displayType: 'accent',
      callback: () => void continueSession(this.app, this.store)
    };
  }

  private async save(): Promise<void> {
    const { saved, copied, failed } = await saveAll(this.app);
    // one after the other: JupyterLab cuts what is longer than one of them
    if (failed.length) {
      this.show(unsavedText([], failed), 'error');
    }
    if (copied.length) {
      this.show(unsavedText(copied, []), 'warning');
    }
    if (saved.length) {
      Notification.success(trans.__('Saved before the end: %1.', names(saved)), { autoClose: false });
    }
  }

  private sayIdle(): void {
    const decision = this.store.known?.idle;
    const text = decision?.state === 'warn' || decision?.state === 'stopped' ? idleText(decision, now()) : '';
    if (text === this.idle) {
      return;
    }
    this.idle = text;
    this.clear('idle');
    if (text) {
      this.shown.idle = this.show(text, 'warning', [
        { label: trans.__('I am still here'), displayType: 'accent', callback: () => void this.stay() }
      ]);
    }
  }

  private async stay(): Promise<void> {
    try {
      await this.store.api.active();
    } catch (error) {
      Notification.error(words(error), { autoClose: false });
    }
    await this.store.refresh();
  }

  private sayGone(): void {
    if (!this.store.gone) {
      if (this.gone) {
        this.banner.clear();
      }
      this.why = null;
    } else {
      if (!this.gone) {
        this.clear('end');
        this.clear('idle');
        this.clear('stop');
        [this.due, this.ending, this.idle, this.stop] = [0, false, '', ''];
      }
      this.banner.show(this.farewell());
      if (this.why?.ended_at === undefined || this.why.ended_at === null) {
        void this.askWhy();
      }
    }
    this.gone = this.store.gone;
  }

  /** The hub may not know of the end yet: it is asked again whenever the session does not answer again. */
  private async askWhy(): Promise<void> {
    if (this.asking) {
      return;
    }
    this.asking = true;
    const why = await this.store.api.whyEnded();
    this.asking = false;
    if (why && this.store.gone) {
      this.why = why;
      this.banner.show(this.farewell());
    }
  }

  private farewell(): IFarewell {
    const next = this.store.nextPage;
    const unsaved = unsavedPaths(this.app);
    return {
      text: [
        this.why ? whyText(this.why, now()) : this.store.problem,
        savedText(openPaths(this.app).length, unsaved),
        next === null ? '' : trans.__('The next session starts as soon as there is room for it.')
      ]
        .filter(part => part !== '')
        .join(' '),
      links: [
        next !== null
          ? [trans.__('Go to the next session'), next]
          : this.why
            ? [trans.__('Start a new one'), this.why.start]
            : [trans.__('Go to your sessions'), this.hub]
      ],
      buttons: unsaved.length ? [[trans.__('Download unsaved work'), () => downloadUnsaved(this.app)]] : []
    };
  }

  private show(text: string, type: 'warning' | 'error', actions: Notification.IAction[] = []): string {
    this.announcer.say(text);
    return Notification.emit(text, type, { autoClose: false, actions });
  }

  private clear(which: keyof Warnings['shown']): void {
    const id = this.shown[which];
    if (id !== undefined) {
      Notification.dismiss(id);
      delete this.shown[which];
    }
  }

  /** Look again at the moment of the next warning: in a tab that is out of sight nothing else may come by. */
  private wakeAt(seconds: number | null): void {
    window.clearTimeout(this.timer);
    if (seconds !== null && seconds < 86_400) {
      this.timer = window.setTimeout(() => this.store.tick(), seconds * 1000 + 50);
    }
  }
}
