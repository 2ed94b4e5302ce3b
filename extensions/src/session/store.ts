import { Signal, type ISignal } from '@lumino/signaling';

import { now } from '../common/clock';
import { words } from '../common/request';
import type { Continued, Facts, Readings, Usage } from '../schema';
import { Gone, type SessionApi } from './api';

/** What is known of the session, its use and its time; one for the status bar, the panel and the warnings. */
export class SessionStore {
  /** Where this runs; null before the first answer, and while there is none. */
  facts: Facts | null = null;
  /** Why there is none, or ''. */
  factsProblem = '';
  /** The last answer on use and time; null before the first. */
  known: Usage | null = null;
  /** When it came, in Unix seconds. */
  knownAt = 0;
  /** Why there is no newer one, or ''. */
  problem = '';
  /** The session's server is not there any more. */
  gone = false;
  /** What this session's server reads of GPUs, memory and CPU; null before the first, and while there is none. */
  readings: Readings | null = null;
  /** The session that follows this one, once one was asked for here. */
  next: Continued | null = null;

  private readonly _changed = new Signal<this, void>(this);

  /** @param ofHub Whether the hub knows of this session: else there is no use or time to ask for. */
  constructor(
    readonly api: SessionApi,
    private readonly ofHub = true
  ) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  async refresh(): Promise<void> {
    // what only the status bar shows is not asked for out of sight
    const seen = !document.hidden || this.facts === null;
    await Promise.all([seen ? this.refreshFacts() : null, this.ofHub ? this.refreshUsage() : null]);
    if (seen && this.ofHub && this.facts?.gpu_count) {
      await this.refreshReadings();
    }
  }

  private async refreshFacts(): Promise<void> {
    try {
      this.facts = await this.api.facts();
      this.factsProblem = '';
    } catch (error) {
      this.facts = null;
      this.factsProblem = words(error);
    }
    this._changed.emit();
  }

  private async refreshUsage(): Promise<void> {
    try {
      this.known = await this.api.usage();
      this.knownAt = now();
      this.problem = '';
      this.gone = false;
    } catch (error) {
      this.problem = words(error);
      this.gone = error instanceof Gone;
    }
    this._changed.emit();
  }

  async refreshReadings(): Promise<void> {
    try {
      this.readings = await this.api.readings();
    } catch {
      this.readings = null; // the question about the session says why
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
