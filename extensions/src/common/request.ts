import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import { trans } from './translation';

/** This session's own server says no, in words for the person. */
export class Refusal extends Error {}

/** What answered: this session's server, or who stands in its place. `body` is null where it is no JSON. */
export interface IAnswer {
  readonly response: Response;
  readonly body: unknown;
}

/**
 * One request to this session's own server, which asks the hub, the node and the clusters.
 *
 * @param path Below `fabric/`, in parts that are quoted here.
 * @returns null where nothing answers.
 */
export async function send(
  settings: ServerConnection.ISettings,
  path: readonly string[],
  init: RequestInit = {},
  query = ''
): Promise<IAnswer | null> {
  const url = URLExt.join(settings.baseUrl, 'fabric', ...path.map(encodeURIComponent)) + query;
  let response: Response;
  try {
    response = await ServerConnection.makeRequest(url, init, settings);
  } catch {
    return null;
  }
  try {
    return { response, body: await response.json() };
  } catch {
    return { response, body: null };
  }
}

/** What went wrong, for the person. */
export function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Why an order was not carried out, for the person: the server's own words where it has any. */
export function failure(error: unknown): string {
  return error instanceof Refusal ? error.message : trans.__('This did not work: %1', String(error));
}

/** That this session’s server does not answer at all. */
export function noAnswer(): string {
  return trans.__('This session does not answer: it has ended, or the connection is down. Look at the hub’s page.');
}

/** What a refusal says, in the server's words where it has any. */
export function refusal({ response, body }: IAnswer): Refusal {
  const message = (body as { message?: unknown } | null)?.message;
  return new Refusal(
    typeof message === 'string' && message
      ? message
      : trans.__('This session’s server answered with HTTP %1.', response.status)
  );
}

/** The body of an answer; anything else is thrown as a {@link Refusal}. */
export async function ask<T>(
  settings: ServerConnection.ISettings,
  path: readonly string[],
  init: RequestInit = {},
  query = ''
): Promise<T> {
  const answer = await send(settings, path, init, query);
  if (!answer) {
    throw new Refusal(noAnswer());
  }
  if (!answer.response.ok || answer.body === null) {
    throw refusal(answer);
  }
  return answer.body as T;
}
