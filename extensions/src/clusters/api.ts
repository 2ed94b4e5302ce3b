import { PageConfig, URLExt } from '@jupyterlab/coreutils';
import type { ServerConnection } from '@jupyterlab/services';

import { ask } from '../common/request';
import type { Clusters, NewCluster, Quote, RunningClusters, ScaledStatus } from '../schema';

export type Order =
  | { readonly verb: 'scale'; readonly n: number; readonly pool: string }
  | { readonly verb: 'adapt'; readonly minimum: number; readonly maximum: number; readonly pool: string }
  | { readonly verb: 'quote'; readonly n: number; readonly pool: string }
  | { readonly verb: 'close' };

/** Asks this session's own server, which asks the clusters and the hub. */
export class ClustersApi {
  constructor(private readonly settings: ServerConnection.ISettings) {}

  all(): Promise<Clusters> {
    return this.ask<Clusters>([]);
  }

  /** Names of the clusters that are there; no cluster is asked. */
  async running(): Promise<readonly string[]> {
    return (await ask<RunningClusters>(this.settings, ['running-clusters'])).names;
  }

  async start(profile: string, workers: number): Promise<string> {
    const body = { n_workers: workers, ...(profile ? { profile } : {}) };
    return (await this.ask<NewCluster>([], { method: 'POST', body: JSON.stringify(body) })).name;
  }

  /** The cluster's status after it, with what the hub says of the workers as `words`. */
  send(name: string, order: Order): Promise<ScaledStatus> {
    return this.ask([name], { method: 'POST', body: JSON.stringify(order) });
  }

  /** What so many workers of a new cluster cost and wait for. */
  async quote(profile: string, workers: number): Promise<string> {
    const query = URLExt.objectToQueryString({ profile, workers });
    return (await this.ask<Quote>(['quote'], {}, query)).words;
  }

  /** Where a page of a cluster's dashboard is, for a tab of the browser. */
  address(name: string, path: string): string {
    return URLExt.join(this.settings.baseUrl, 'fabric', 'dask', encodeURIComponent(name), path);
  }

  /** The same with this session's word for a page that may be framed. */
  page(name: string, path: string): string {
    const query = URLExt.objectToQueryString({ 'fabric-frame': PageConfig.getOption('fabricFrame') });
    return this.address(name, path) + query;
  }

  private ask<T>(path: readonly string[], init: RequestInit = {}, query = ''): Promise<T> {
    return ask<T>(this.settings, ['clusters', ...path], init, query);
  }
}
