import { ServerConnection } from '@jupyterlab/services';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { SessionEvents } from '../../../src/session/events';

/** The browser's end of a line, which a test opens, closes and speaks through. */
class Line {
  static all: Line[] = [];
  onopen: () => void = () => undefined;
  onclose: () => void = () => undefined;
  onmessage: (event: { data: unknown }) => void = () => undefined;

  constructor(readonly url: string) {
    Line.all.push(this);
  }
}

function listening(): { line: Line; heard: () => number } {
  let heard = 0;
  const settings = ServerConnection.makeSettings({
    baseUrl: 'http://session.test/',
    wsUrl: 'ws://session.test/user/a/',
    token: 'a b',
    appendToken: true,
    WebSocket: Line as unknown as typeof WebSocket
  });
  new SessionEvents(settings).changed.connect(() => (heard += 1));
  return { line: Line.all[0]!, heard: () => heard };
}

beforeEach(() => {
  Line.all = [];
  vi.useFakeTimers();
});
afterEach(() => vi.useRealTimers());

it('hears this session’s own events among Jupyter’s', () => {
  const { line, heard } = listening();
  expect(line.url).toBe('ws://session.test/user/a/api/events/subscribe?token=a%20b');
  line.onopen();
  line.onmessage({ data: '{"schema_id": "https://events.jupyter.org/jupyter_server/contents_service/v1"}' });
  expect(heard()).toBe(0);
  line.onmessage({ data: '{"schema_id": "https://fabric-lab.example/session/v1", "what": "ending"}' });
  expect(heard()).toBe(1);
});

it('asks when the line breaks and when it is back, and knocks less and less often meanwhile', () => {
  const { line, heard } = listening();
  line.onopen();
  line.onclose();
  expect(heard()).toBe(1);
  for (const seconds of [2, 4, 8, 16, 32, 60, 60]) {
    const before = Line.all.length;
    vi.advanceTimersByTime(seconds * 1000 - 1);
    expect(Line.all).toHaveLength(before);
    vi.advanceTimersByTime(1);
    expect(Line.all).toHaveLength(before + 1);
    Line.all.at(-1)!.onclose();
  }
  expect(heard()).toBe(1); // a knock that nobody answers is no news
  vi.advanceTimersByTime(60_000);
  Line.all.at(-1)!.onopen();
  expect(heard()).toBe(2);
});
