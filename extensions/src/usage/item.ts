import { Widget } from '@lumino/widgets';

import type { UsageStore } from './store';
import { state, summary } from './words';

/** The status bar item: time left, GPU-hours left, the fullest disk. A click shows the panel. */
export class UsageItem extends Widget {
  private readonly button = document.createElement('button');

  constructor(
    private readonly store: UsageStore,
    show: () => void
  ) {
    super();
    this.button.type = 'button';
    this.button.className = 'fabric-Session fabric-UsageItem';
    this.button.addEventListener('click', show);
    this.node.append(this.button);
    store.changed.connect(this.draw, this);
    this.draw();
  }

  private draw(): void {
    const { known, gone, problem } = this.store;
    const now = Date.now() / 1000;
    const text = gone ? 'Session ended or unreachable' : known ? summary(known, now) : 'Usage …';
    this.button.textContent = text;
    this.button.title = problem || known?.quota?.problem || known?.problem || 'Use, limits and time left: show the panel';
    this.button.dataset['state'] = gone ? 'last' : known ? state(known, now) : '';
    this.button.setAttribute('aria-label', `Usage: ${text}. Show the panel`);
  }
}
