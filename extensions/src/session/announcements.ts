import { Notification } from '@jupyterlab/apputils';

import { trans } from '../common/translation';
import type { SessionAnnouncement } from '../schema';
import type { Announcer } from './announcer';
import type { SessionStore } from './store';

/** JupyterLab cuts what is longer. */
const MOST = 140;
const TYPES = { info: 'info', warning: 'warning', critical: 'error' } as const;
const ADDRESS = /https:\/\/[^\s<>"']*[^\s<>"'.,;:!?)\]}]/;
/** Which of them this browser has put away; those of level info are not shown there again. */
const PUT_AWAY = 'fabric-lab:announcements';

/** What fits a notification. */
export function short(text: string): string {
  return text.length > MOST ? `${text.slice(0, MOST - 1).trimEnd()}…` : text;
}

/** The first address in a text that begins with https://, or null; nothing else is made a link. */
export function addressIn(text: string): string | null {
  return ADDRESS.exec(text)?.[0] ?? null;
}

/** What operators announce, as notifications that stay until they are put away or are over. */
export class Announcements {
  private readonly shown = new Map<string, string>();

  /** @param hub The hub's first page, where a long text stands whole. */
  constructor(
    private readonly store: SessionStore,
    private readonly announcer: Announcer,
    private readonly hub: string
  ) {
    store.changed.connect(this.look, this);
    Notification.manager.changed.connect((_, change) => {
      if (change.type === 'removed') {
        this.removed(change.notification.id);
      }
    });
  }

  private look(): void {
    const hub = this.store.facts?.hub;
    if (!hub) {
      return; // nobody knows
    }
    const standing = (hub.announcements ?? []).filter(one => !(one.level === 'info' && putAway().includes(one.id)));
    const ids = new Set(standing.map(one => one.id));
    for (const [id, notification] of [...this.shown]) {
      if (!ids.has(id)) {
        this.shown.delete(id);
        Notification.dismiss(notification);
      }
    }
    standing.forEach(one => this.show(one));
  }

  private show(one: SessionAnnouncement): void {
    if (this.shown.has(one.id)) {
      return;
    }
    const address = addressIn(one.text);
    const open = (href: string) => (): void => void window.open(href, '_blank', 'noopener');
    const actions = [
      ...(address === null ? [] : [{ label: trans.__('Open the link'), callback: open(address) }]),
      ...(one.text.length > MOST ? [{ label: trans.__('Read all of it'), callback: open(this.hub) }] : [])
    ];
    this.announcer.say(one.text);
    const notification = Notification.emit(short(one.text), TYPES[one.level], { autoClose: false, actions });
    this.shown.set(one.id, notification);
  }

  /** Whoever closes a notification does not get it again in this page; one of level info nowhere in this browser. */
  private removed(notification: string): void {
    const closed = [...this.shown].find(([, shown]) => shown === notification);
    if (closed) {
      const kept = new Set((this.store.facts?.hub?.announcements ?? []).map(one => one.id));
      localStorage.setItem(PUT_AWAY, JSON.stringify([...putAway().filter(id => kept.has(id)), closed[0]]));
    }
  }
}

function putAway(): string[] {
  try {
    const told: unknown = JSON.parse(localStorage.getItem(PUT_AWAY) ?? '[]');
    return Array.isArray(told) ? told.filter(one => typeof one === 'string') : [];
  } catch {
    return [];
  }
}
