import { Signal, type ISignal } from '@lumino/signaling';

import { failure } from '../common/request';
import { trans } from '../common/translation';
import type { Datasets, Files } from '../schema';
import type { DatasetsApi } from './api';
import { EVERYTHING, type IFilter } from './filter';
import type { Dataset } from './model';

/** What the panel shows, and what it may ask for. One for all views. */
export class DatasetsStore {
  /** The last answer; null before the first. */
  known: Datasets | null = null;
  /** Why there is no newer answer, or ''. */
  problem = '';
  filter: IFilter = EVERYTHING;
  /** Name of the dataset whose details are open, or ''. */
  selected = '';
  /** Files and loading code by the directory that is open. */
  readonly files = new Map<string, Files>();
  /** Names of the datasets for which something is under way. */
  readonly busy = new Set<string>();
  /** What happened last, for everyone and for screen readers. */
  said: { readonly text: string; readonly wrong: boolean } = { text: '', wrong: false };

  private readonly _changed = new Signal<this, void>(this);

  constructor(private readonly api: DatasetsApi) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  find(name: string): Dataset | undefined {
    return this.known?.datasets.find(one => one.name === name);
  }

  async refresh(): Promise<void> {
    try {
      this.known = await this.api.all();
      this.problem = '';
    } catch (error) {
      this.problem = failure(error);
    }
    this._changed.emit();
    await this.look();
  }

  choose(filter: Partial<IFilter>): void {
    this.filter = { ...this.filter, ...filter };
    this._changed.emit();
  }

  async select(name: string): Promise<void> {
    this.selected = name;
    this._changed.emit();
    await this.look();
  }

  say(text: string, wrong = false): void {
    this.said = { text, wrong };
    this._changed.emit();
  }

  async add(name: string): Promise<boolean> {
    return this.during(name, async () => {
      const problem = await this.api.add(name);
      await this.refresh();
      const place = this.find(name)?.here?.path;
      const added = trans.__('Added to this session · %1', place ?? name);
      this.say(`${added} ${problem}`.trim(), problem !== '');
    });
  }

  async drop(name: string): Promise<boolean> {
    return this.during(name, async () => {
      const problem = await this.api.drop(name);
      await this.refresh();
      this.say(problem || trans.__('%1 is no longer open in this session.', name), problem !== '');
    });
  }

  async request(name: string, why: string): Promise<boolean> {
    return this.during(name, async () => {
      await this.api.request(name, why);
      await this.refresh();
      const { project } = this.known ?? {};
      this.say(
        project
          ? trans.__('Access to %1 is requested for %2.', name, project)
          : trans.__('Access to %1 is requested for this project.', name)
      );
    });
  }

  /** Files and loading code of an open dataset; undefined (and said why) when they cannot be had. */
  async filesOf(name: string): Promise<Files | undefined> {
    const place = this.find(name)?.here?.path;
    if (place === undefined) {
      return undefined;
    }
    if (!this.files.has(place)) {
      try {
        this.files.set(place, await this.api.files(name));
        this._changed.emit();
      } catch (error) {
        this.say(failure(error), true);
      }
    }
    return this.files.get(place);
  }

  /** Fetch what the open details show beside the catalogue's words. */
  private async look(): Promise<void> {
    if (this.find(this.selected)?.here) {
      await this.filesOf(this.selected);
    }
  }

  private async during(name: string, work: () => Promise<void>): Promise<boolean> {
    if (this.busy.has(name)) {
      return false;
    }
    this.busy.add(name);
    this.say('');
    try {
      await work();
      return true;
    } catch (error) {
      this.say(failure(error), true);
      return false;
    } finally {
      this.busy.delete(name);
      this._changed.emit();
    }
  }
}
