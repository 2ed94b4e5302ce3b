import { URLExt } from '@jupyterlab/coreutils';
import type { ServerConnection } from '@jupyterlab/services';
import { Signal, type ISignal } from '@lumino/signaling';

const SCHEMA = 'https://fabric-lab.example/session/v1';
const FIRST_MS = 2_000;
const LONGEST_MS = 60_000;

/**
 * One connection to Jupyter's events: hears at once what the session's server has to tell, and that it is gone.
 * `changed` is emitted for both; whoever hears it asks.
 */
export class SessionEvents {
  private readonly _changed = new Signal<this, void>(this);
  private pause = FIRST_MS;

  constructor(private readonly settings: ServerConnection.ISettings) {
    this.connect();
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  private connect(): void {
    const { wsUrl, token, appendToken, WebSocket } = this.settings;
    const query = appendToken && token ? `?token=${encodeURIComponent(token)}` : '';
    const socket = new WebSocket(URLExt.join(wsUrl, 'api', 'events', 'subscribe') + query);
    let opened = false;
    socket.onopen = () => {
      opened = true;
      if (this.pause > FIRST_MS) {
        this._changed.emit(); // it is back
      }
      this.pause = FIRST_MS;
    };
    socket.onmessage = event => {
      if (typeof event.data === 'string' && event.data.includes(SCHEMA)) {
        this._changed.emit();
      }
    };
    socket.onclose = () => {
      if (opened) {
        this._changed.emit();
      }
      window.setTimeout(() => this.connect(), this.pause);
      this.pause = Math.min(LONGEST_MS, this.pause * 2);
    };
  }
}
