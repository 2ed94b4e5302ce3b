import { Signal, type ISignal } from '@lumino/signaling';

import { failure } from '../common/request';
import { trans } from '../common/translation';
import type { Clusters } from '../schema';
import type { ClustersApi, Order } from './api';

/** What the panel shows, and what it may ask for. */
export class ClustersStore {
  /** The last answer; null before the first. */
  known: Clusters | null = null;
  /** Why there is no newer answer, or ''. */
  problem = '';
  /** Names of the clusters for which something is under way; '' stands for a new one. */
  readonly busy = new Set<string>();
  /** What the hub says of the workers that are wished for, by cluster; '' stands for a new one. */
  readonly quoted = new Map<string, string>();

  private readonly _changed = new Signal<this, void>(this);
  private readonly asked = new Map<string, number>();
  private last: { readonly about: string; readonly text: string; readonly wrong: boolean } | null = null;

  constructor(readonly api: ClustersApi) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /**
   * Tell what happened last, for everyone and for screen readers.
   *
   * @param about The cluster that it was asked of; '' stands for a new one.
   */
  say(about: string, text: string, wrong = false): void {
    this.last = { about, text, wrong };
    this._changed.emit();
  }

  /** What there is to say in the section of a cluster, of a new one (''), or above them (null): of one that has ended. */
  said(section: string | null): { readonly text: string; readonly wrong: boolean } {
    const about = this.last?.about ?? '';
    const there = about === '' || this.known?.clusters.some(one => one.name === about) === true;
    return this.last && section === (there ? about : null) ? this.last : { text: '', wrong: false };
  }

  async refresh(): Promise<void> {
    try {
      this.known = await this.api.all();
      this.problem = '';
    } catch (error) {
      this.problem = failure(error);
    }
    this._changed.emit();
  }

  /** Ask what so many workers of a new cluster cost; none is no question. */
  quoteNew(profile: string, workers: number): Promise<void> {
    return this.quote('', profile && workers > 0 ? () => this.api.quote(profile, workers) : null);
  }

  /** Ask a cluster what it costs with so many workers of a pool: it knows which of them are there, and all others. */
  quoteAll(name: string, pool: string, n: number): Promise<void> {
    return this.quote(name, async () => (await this.api.send(name, { verb: 'quote', n, pool })).words ?? '');
  }

  /** Nothing is asked any more of a cluster; '' stands for a new one. */
  quoteNothing(about: string): Promise<void> {
    return this.quote(about, null);
  }

  /** The last question counts, whenever it is answered. */
  private async quote(about: string, ask: (() => Promise<string>) | null): Promise<void> {
    const mine = (this.asked.get(about) ?? 0) + 1;
    this.asked.set(about, mine);
    const text = ask ? await ask().catch(failure) : '';
    if (mine === this.asked.get(about) && text !== (this.quoted.get(about) ?? '')) {
      this.quoted.set(about, text);
      this._changed.emit();
    }
  }

  start(profile: string, workers: number): Promise<boolean> {
    return this.during('', async () => {
      this.say('', trans.__('Starting cluster …'));
      const name = await this.api.start(profile, workers);
      this.say(
        '',
        trans._n('Cluster %2 is ready, starting %1 worker.', 'Cluster %2 is ready, starting %1 workers.', workers, name)
      );
    });
  }

  /**
   * Whether it was done; why not is told.
   *
   * @param done What is said then, with the hub's words on the workers, or ''.
   */
  send(name: string, order: Order, done: (words: string) => string): Promise<boolean> {
    return this.during(name, async () => {
      const answer = await this.api.send(name, order);
      this.say(name, done(answer.words ?? ''));
    });
  }

  private async during(name: string, work: () => Promise<void>): Promise<boolean> {
    if (this.busy.has(name)) {
      return false;
    }
    this.busy.add(name);
    this._changed.emit();
    let done = false;
    try {
      await work();
      done = true;
    } catch (error) {
      this.say(name, failure(error), true);
    } finally {
      this.busy.delete(name);
      await this.refresh();
    }
    return done;
  }
}
