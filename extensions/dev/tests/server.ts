import { ServerConnection } from '@jupyterlab/services';

/** An answer of the session's server: a status and a body, or nothing at all (the connection is down). */
export type Answer = { readonly status?: number; readonly body: unknown } | 'nothing';

/** As a browser's own fetch, which is no method of anything but the window. */
function ofTheWindow(answer: (request: Request) => Promise<Response>): typeof fetch {
  return async function (this: unknown, request: RequestInfo | URL): Promise<Response> {
    if (this !== undefined && this !== null && this !== globalThis) {
      throw new TypeError('Illegal invocation');
    }
    return answer(request as Request);
  };
}

/** Answers requests as a session's server would, and keeps what it was asked. */
export class AnsweringServer {
  readonly asked: { readonly method: string; readonly path: string; readonly body: unknown }[] = [];
  readonly settings: ServerConnection.ISettings;
  private readonly waiting = new Map<string, (() => void)[]>();
  private readonly held = new Set<string>();

  /** @param answers By "GET fabric/quota". */
  constructor(readonly answers: Record<string, Answer>) {
    this.settings = ServerConnection.makeSettings({
      baseUrl: 'http://session.test/',
      wsUrl: 'ws://session.test/',
      fetch: ofTheWindow(request => this.answer(request))
    });
  }

  /** Keep a question waiting until it is let go. */
  hold(question: string): void {
    this.held.add(question);
  }

  letGo(question: string): void {
    this.held.delete(question);
    this.waiting.get(question)?.forEach(go => go());
    this.waiting.delete(question);
  }

  private async answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const question = `${request.method} ${pathname.slice(1)}`;
    const text = await request.text();
    this.asked.push({ method: request.method, path: pathname, body: text ? JSON.parse(text) : null });
    const answer = this.answers[question];
    if (this.held.has(question)) {
      await new Promise<void>(go => this.waiting.set(question, [...(this.waiting.get(question) ?? []), go]));
    }
    if (answer === undefined) {
      throw new Error(`${question} was not expected`);
    }
    if (answer === 'nothing') {
      throw new TypeError('Failed to fetch');
    }
    return new Response(JSON.stringify(answer.body), { status: answer.status ?? 200 });
  }
}
