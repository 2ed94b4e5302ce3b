import { showPopup, type Popup } from '@jupyterlab/statusbar';
import { Widget } from '@lumino/widgets';

import { now } from '../common/clock';
import type { Facts } from '../schema';
import { details, left, SOON_S, summary, trouble } from './facts';
import { state, summary as usageSummary } from './format';
import type { UsageStore } from './store';

/** What the page knows: facts, or why there are none. */
export type Known = { readonly facts: Facts } | { readonly problem: string };

/** The status bar item: one line about this session, and a popup with the details. */
export class SessionStatus extends Widget {
  private readonly button = document.createElement('button');
  private known: Known | null = null;
  private popup: Popup | null = null;

  constructor() {
    super();
    this.button.type = 'button';
    this.button.className = 'fabric-Session';
    this.button.setAttribute('aria-haspopup', 'dialog');
    this.button.addEventListener('click', () => this.toggle());
    this.node.append(this.button);
    this.render();
  }

  /** Show what the latest answer said. */
  display(known: Known): void {
    this.known = known;
    this.render();
  }

  /** Draw again with the clock as it is now. */
  render(): void {
    const at = now();
    let text = 'Session …';
    let title = 'Asking about this session';
    if (this.known && 'facts' in this.known) {
      const { facts } = this.known;
      const wrong = trouble(facts, at);
      text = summary(facts) + (wrong ? ' · hub not answering' : '');
      if (wrong && !facts.problem) {
        text = `${summary(facts)} · Slurm not answering`;
      }
      title = [text, wrong].filter(part => part !== '').join('\n');
    } else if (this.known) {
      text = 'Session: no answer';
      title = this.known.problem;
    }
    this.button.textContent = text;
    this.button.title = title;
    this.button.setAttribute('aria-label', `This session: ${text}. Show details`);
  }

  private toggle(): void {
    if (this.popup && !this.popup.isDisposed) {
      this.popup.dispose();
      this.popup = null;
      return;
    }
    this.popup = showPopup({ body: new SessionDetails(this.known), anchor: this, align: 'left' });
  }
}

/** The popup: a list of names and values, and what is wrong in plain words. */
class SessionDetails extends Widget {
  constructor(known: Known | null) {
    super();
    this.addClass('fabric-SessionDetails');
    this.node.setAttribute('role', 'dialog');
    this.node.setAttribute('aria-label', 'Details of this session');
    if (known && 'facts' in known) {
      const at = now();
      const list = document.createElement('dl');
      for (const [name, value] of details(known.facts, at)) {
        const term = document.createElement('dt');
        term.textContent = name;
        const description = document.createElement('dd');
        description.textContent = value;
        list.append(term, description);
      }
      this.node.append(list);
      this.say(trouble(known.facts, at));
      if (known.facts.ends_at !== null && known.facts.ends_at - at < SOON_S) {
        this.say(`Save your work: ${left(known.facts.ends_at, at)}. When the session ends, its kernels end with it.`);
      }
    } else {
      this.say(known ? known.problem : 'No answer yet.');
    }
  }

  private say(sentence: string): void {
    if (sentence) {
      const paragraph = document.createElement('p');
      paragraph.textContent = sentence;
      this.node.append(paragraph);
    }
  }
}

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
    const at = now();
    const text = gone ? 'Session ended or unreachable' : known ? usageSummary(known, at) : 'Usage …';
    this.button.textContent = text;
    this.button.title =
      problem || known?.quota?.problem || known?.problem || 'Use, limits and time left: show the panel';
    this.button.dataset['state'] = gone ? 'last' : known ? state(known, at) : '';
    this.button.setAttribute('aria-label', `Usage: ${text}. Show the panel`);
  }
}
