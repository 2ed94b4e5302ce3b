import { Signal, type ISignal } from '@lumino/signaling';

import { Refusal } from '../datasets/api';
import type { ClustersApi, Order } from './api';
import type { IClusters } from './model';

function words(error: unknown): string {
  return error instanceof Refusal ? error.message : `Something went wrong: ${String(error)}`;
}

/** What the panel shows, and what it may ask for. */
export class ClustersStore {
  /** The last answer; null before the first. */
  known: IClusters | null = null;
  /** Why there is no newer answer, or ''. */
  problem = '';
  /** Names of the clusters for which something is under way; '' stands for a new one. */
  readonly busy = new Set<string>();
  /** What happened last, for everyone and for screen readers. */
  said: { readonly text: string; readonly wrong: boolean } = { text: '', wrong: false };
  /** What the hub says of a new cluster, or ''. */
  quoted = '';

  private readonly _changed = new Signal<this, void>(this);
  private asked = 0;

  constructor(readonly api: ClustersApi) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  say(text: string, wrong = false): void {
    this.said = { text, wrong };
    this._changed.emit();
  }

  async refresh(): Promise<void> {
    try {
      this.known = await this.api.all();
      this.problem = '';
    } catch (error) {
      this.problem = words(error);
    }
    this._changed.emit();
  }

  async quote(profile: string, workers: number): Promise<void> {
    const mine = ++this.asked;
    let text = '';
    if (profile && workers > 0) {
      text = await this.api.quote(profile, workers).catch(words);
    }
    if (mine === this.asked) {
      this.quoted = text;
      this._changed.emit();
    }
  }

  start(profile: string, workers: number): Promise<void> {
    return this.during('', async () => {
      this.say('A cluster starts …');
      this.say(`Cluster ${await this.api.start(profile, workers)} is there; its workers follow.`);
    });
  }

  tell(name: string, order: Order, done: string): Promise<void> {
    return this.during(name, async () => {
      const told = await this.api.tell(name, order);
      this.say(`${done} ${told.words ?? ''}`.trim());
    });
  }

  private async during(name: string, work: () => Promise<void>): Promise<void> {
    if (this.busy.has(name)) {
      return;
    }
    this.busy.add(name);
    this._changed.emit();
    try {
      await work();
    } catch (error) {
      this.say(words(error), true);
    } finally {
      this.busy.delete(name);
      await this.refresh();
    }
  }
}
