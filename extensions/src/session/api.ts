import { PageConfig } from '@jupyterlab/coreutils';
import type { ServerConnection } from '@jupyterlab/services';

import { refusal, send } from '../common/request';
import { locale, trans } from '../common/translation';
import type { Active, Clusters, Continued, Extended, Facts, IdleDecision, Readings, Usage } from '../schema';

/** Nothing answers where this session's server was, or the hub says that it has ended. */
export class Gone extends Error {}

/** How this session fares at the hub; `start` is the page of the form that is filled with its choices. */
export interface IEnded {
  readonly ended_at: number | null;
  readonly text: string;
  readonly start: string;
}

/** Who wants to continue waits no longer to hear of clusters. */
const CLUSTERS_MS = 3_000;
const ENDED_MS = 10_000;

/** Asks this session's own server about the session, its use and its time; it asks the hub for all tabs together. */
export class SessionApi {
  constructor(private readonly settings: ServerConnection.ISettings) {}

  facts(): Promise<Facts> {
    return this.ask('session');
  }

  usage(): Promise<Usage> {
    return this.ask('quota');
  }

  readings(): Promise<Readings> {
    return this.ask('readings');
  }

  /** Names of the session's Dask clusters; none where that is not known, or where there is no Dask. */
  async clusters(): Promise<readonly string[]> {
    if (PageConfig.getOption('fabricClusters') !== 'true') {
      return [];
    }
    try {
      const signal = AbortSignal.timeout(CLUSTERS_MS);
      return (await this.ask<Clusters>('clusters', { signal })).clusters.map(one => one.name);
    } catch {
      return [];
    }
  }

  /** Start the session that follows this one; asked again, how it fares. With `endThis` this one ends when it is ready. */
  continueSession(reopen: readonly string[], endThis: boolean): Promise<Continued> {
    return this.ask('continue', { method: 'POST', body: JSON.stringify({ reopen, end_this: endThis }) });
  }

  /** End this session: the one that follows it is ready. */
  endContinued(): Promise<Continued> {
    return this.ask('continue/end', { method: 'POST', body: '{}' });
  }

  successor(): Promise<Continued> {
    return this.ask('continue');
  }

  extend(minutes: number): Promise<Extended> {
    return this.ask('extend', { method: 'POST', body: JSON.stringify({ minutes }) });
  }

  async active(): Promise<IdleDecision | null> {
    return (await this.ask<Active>('active', { method: 'POST', body: '{}' })).idle;
  }

  /** Say which documents are unsaved in this tab; null: the tab is being closed. */
  async unsaved(tab: string, paths: readonly string[] | null): Promise<void> {
    const body = JSON.stringify({ tab, unsaved: paths });
    await this.ask('unsaved', { method: 'POST', body, keepalive: paths === null });
  }

  /** Why this session ended, in the hub's word; null where the hub does not say. Nothing of the session is needed. */
  async whyEnded(): Promise<IEnded | null> {
    const url = PageConfig.getOption('fabricEnded');
    if (!url) {
      return null;
    }
    try {
      const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
      const address = new URL(url, window.location.href);
      // at another address of the site the browser would ask first whether it may send that
      const own = address.origin === window.location.origin ? { 'X-Time-Zone': zone } : {};
      const headers = { 'Accept-Language': locale(), ...own };
      const signal = AbortSignal.timeout(ENDED_MS);
      const request = new this.settings.Request(address.href, { headers, credentials: 'omit', signal });
      // a browser's own fetch is a function of the window's, not of the settings'
      const answer = await this.settings.fetch.call(null, request);
      const told = answer.ok ? ((await answer.json()) as IEnded) : null;
      return told && { ...told, start: new URL(told.start, address).href };
    } catch {
      return null;
    }
  }

  private async ask<T>(path: string, init: RequestInit = {}): Promise<T> {
    const answer = await send(this.settings, path.split('/'), init);
    if (!answer) {
      throw new Gone(trans.__('This session does not answer: it has ended, or the connection is down.'));
    }
    const { response, body } = answer;
    // this session's server marks what it says; anything else is the hub's or a proxy's word in its place
    const own = typeof body === 'object' && body !== null && !('status' in body);
    if (!response.ok && [404, 424, 502, 503, 504].includes(response.status) && !(own && 'reason' in body)) {
      throw new Gone(trans.__('This session has ended. Download what you have not saved.'));
    }
    if (!response.ok || !own) {
      throw refusal(answer);
    }
    return body as T;
  }
}
