import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import type { IDatasets, IFiles } from './model';

/** This session's own server says no, in words for the person. */
export class Refusal extends Error {}

/** Asks this session's own server, which asks the hub and the node. */
export class DatasetsApi {
  constructor(private readonly settings: ServerConnection.ISettings) {}

  all(): Promise<IDatasets> {
    return this.ask<IDatasets>([]);
  }

  files(name: string): Promise<IFiles> {
    return this.ask<IFiles>([name, 'files']);
  }

  /** Open a dataset in this session; the answer holds what went wrong beside it, or ''. */
  async add(name: string): Promise<string> {
    return (await this.ask<{ problem: string }>([name], { method: 'POST' })).problem;
  }

  async drop(name: string): Promise<string> {
    return (await this.ask<{ problem: string }>([name], { method: 'DELETE' })).problem;
  }

  async request(name: string, why: string): Promise<void> {
    await this.ask([name, 'request'], { method: 'POST', body: JSON.stringify({ why: why || null }) });
  }

  private async ask<T>(path: string[], init: RequestInit = {}): Promise<T> {
    const url = URLExt.join(this.settings.baseUrl, 'fabric', 'datasets', ...path.map(encodeURIComponent));
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(url, init, this.settings);
    } catch {
      throw new Refusal('This session does not answer: it has ended, or the connection is down. Look at the hub’s page.');
    }
    let body: unknown;
    try {
      body = await response.json();
    } catch {
      body = null;
    }
    if (!response.ok || body === null) {
      const told = (body as { message?: unknown } | null)?.message;
      throw new Refusal(
        typeof told === 'string' && told ? told : `This session's server answered with HTTP ${response.status}.`
      );
    }
    return body as T;
  }
}
