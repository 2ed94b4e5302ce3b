import { Signal, type ISignal } from '@lumino/signaling';

import { now } from '../common/clock';
import type { Continued, GpuUsage, Usage } from '../schema';
import { Gone, type UsageApi } from './api';

/** What is known of use and time; one for the status bar, the panel and the warnings. */
export class UsageStore {
  /** The last answer; null before the first. */
  known: Usage | null = null;
  /** When it came, in Unix seconds. */
  knownAt = 0;
  /** Why there is no newer one, or ''. */
  problem = '';
  /** The session's server is not there any more. */
  gone = false;
  gpus: readonly GpuUsage[] = [];
  /** The session that follows this one, once one was asked for here. */
  next: Continued | null = null;

  private readonly _changed = new Signal<this, void>(this);

  constructor(readonly api: UsageApi) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  async refresh(): Promise<void> {
    try {
      this.known = await this.api.usage();
      this.knownAt = now();
      this.problem = '';
      this.gone = false;
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
      this.gone = error instanceof Gone;
    }
    this._changed.emit();
  }

  async refreshGpus(): Promise<void> {
    try {
      this.gpus = await this.api.gpus();
    } catch {
      this.gpus = []; // the question about the session says why
    }
    this._changed.emit();
  }

  /** The page of the session that follows this one; only an address of the web, or of this hub. */
  get nextPage(): string | null {
    const url = this.next && new URL(this.next.url, window.location.href);
    return url && (url.protocol === 'https:' || url.protocol === 'http:') ? url.href : null;
  }

  /** How the session that follows this one fares. */
  follow(next: Continued): void {
    this.next = next;
    this._changed.emit();
  }

  /** Draw again with the clock as it is now. */
  tick(): void {
    this._changed.emit();
  }
}
