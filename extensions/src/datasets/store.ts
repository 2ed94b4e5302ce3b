import { Signal, type ISignal } from '@lumino/signaling';

import { failure } from '../common/request';
import { trans } from '../common/translation';
import type { Datasets, Files, Table } from '../schema';
import type { DatasetsApi } from './api';
import { EVERYTHING, type IFilter } from './filter';
import type { Dataset } from './model';

/** What came of something; `about` is the dataset whose row shows it, and `insert` offers its loading code there. */
export interface ISaid {
  readonly text: string;
  readonly wrong: boolean;
  readonly about: string;
  readonly insert: boolean;
}

/** What the panel shows, and what it may ask for. One for all views. */
export class DatasetsStore {
  /** The last answer; null before the first. */
  known: Datasets | null = null;
  /** Why there is no newer answer, or ''. */
  problem = '';
  filter: IFilter = EVERYTHING;
  /** Name of the dataset whose tab was in front last, or ''. */
  selected = '';
  /** Files and loading code by the directory that is open. */
  readonly files = new Map<string, Files>();
  /** Names of the datasets for which something is under way. */
  readonly busy = new Set<string>();
  /** What happened last, for everyone and for screen readers. */
  said: ISaid = { text: '', wrong: false, about: '', insert: false };
  /** Name of the dataset for which access is being asked in the list, or ''. */
  asking = '';
  /** First rows by directory and file; words where they cannot be had. */
  readonly tables = new Map<string, Table | string>();

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

  /** Open or close the form in the list that asks for access. */
  ask(name: string): void {
    this.asking = this.asking === name ? '' : name;
    this._changed.emit();
  }

  say(text: string, { wrong = false, about = '', insert = false }: Partial<Omit<ISaid, 'text'>> = {}): void {
    this.said = { text, wrong, about, insert };
    this._changed.emit();
  }

  async add(name: string): Promise<boolean> {
    return this.during(name, async () => {
      const problem = await this.api.add(name);
      await this.refresh();
      const place = this.find(name)?.here?.path;
      const added = trans.__('Added to this session · %1', place ?? name);
      this.say(`${added} ${problem}`.trim(), { wrong: problem !== '', about: name, insert: true });
    });
  }

  async drop(name: string): Promise<boolean> {
    return this.during(name, async () => {
      const problem = await this.api.drop(name);
      await this.refresh();
      this.say(problem || trans.__('%1 is no longer open in this session.', name), {
        wrong: problem !== '',
        about: name
      });
    });
  }

  async request(name: string, why: string): Promise<boolean> {
    return this.during(name, async () => {
      await this.api.request(name, why);
      this.asking = '';
      await this.refresh();
      // the row says when, and by whom
      this.say(this.find(name)?.told || trans.__("Requested by you. You'll see the decision here."), { about: name });
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
        this.say(failure(error), { wrong: true, about: name });
      }
    }
    return this.files.get(place);
  }

  /** Fetch the first rows of a file of an open dataset. */
  async showRows(name: string, file: string): Promise<void> {
    const key = this.keyOf(name, file);
    if (key === '' || this.tables.has(key)) {
      return;
    }
    try {
      this.tables.set(key, await this.api.table(name, file));
    } catch (error) {
      this.tables.set(key, failure(error));
    }
    this._changed.emit();
  }

  /** The first rows of a file as they were fetched, words where they cannot be had, or undefined before. */
  rowsOf(name: string, file: string): Table | string | undefined {
    return this.tables.get(this.keyOf(name, file));
  }

  private keyOf(name: string, file: string): string {
    const place = this.find(name)?.here?.path;
    return place === undefined ? '' : `${place}\n${file}`;
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
      this.say(failure(error), { wrong: true, about: name });
      return false;
    } finally {
      this.busy.delete(name);
      this._changed.emit();
    }
  }
}
