import type { ServerConnection } from '@jupyterlab/services';

import { ask } from '../common/request';
import type { ChangedDataset, Datasets, Files, Table } from '../schema';

/** Asks this session's own server, which asks the hub and the node. */
export class DatasetsApi {
  constructor(private readonly settings: ServerConnection.ISettings) {}

  all(): Promise<Datasets> {
    return this.ask<Datasets>([]);
  }

  files(name: string): Promise<Files> {
    return this.ask<Files>([name, 'files']);
  }

  /** The first rows of a file of an open dataset. */
  table(name: string, file: string): Promise<Table> {
    return this.ask<Table>([name, 'table'], {}, `?file=${encodeURIComponent(file)}`);
  }

  /** Open a dataset in this session; the answer holds what went wrong beside it, or ''. */
  async add(name: string): Promise<string> {
    return (await this.ask<ChangedDataset>([name], { method: 'POST' })).problem;
  }

  async drop(name: string): Promise<string> {
    return (await this.ask<ChangedDataset>([name], { method: 'DELETE' })).problem;
  }

  async request(name: string, why: string): Promise<void> {
    await this.ask([name, 'request'], { method: 'POST', body: JSON.stringify({ why: why || null }) });
  }

  private ask<T>(path: readonly string[], init: RequestInit = {}, query = ''): Promise<T> {
    return ask<T>(this.settings, ['datasets', ...path], init, query);
  }
}
