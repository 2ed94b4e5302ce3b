import { showPopup, type Popup } from '@jupyterlab/statusbar';
import { Widget } from '@lumino/widgets';

import { now } from '../common/clock';
import { trans } from '../common/translation';
import { badge, details, left, SOON_S, summary, trouble } from './facts';
import { state, summary as usageSummary } from './format';
import type { SessionStore } from './store';

/** The status bar item: one line about this session, and a popup with the details. */
export class SessionStatus extends Widget {
  private readonly button = document.createElement('button');
  private popup: Popup | null = null;

  constructor(private readonly store: SessionStore) {
    super();
    this.button.type = 'button';
    this.button.className = 'fabric-Session';
    this.button.setAttribute('aria-haspopup', 'dialog');
    this.button.addEventListener('click', () => this.toggle());
    this.node.append(this.button);
    store.changed.connect(this.draw, this);
    this.draw();
  }

  private draw(): void {
    const { facts, factsProblem } = this.store;
    const at = now();
    let text = trans.__('Session …');
    let title = trans.__('Asking about this session');
    let kind = '';
    let state = 'wait';
    if (facts) {
      const wrong = trouble(facts, at);
      text = summary(facts, this.store.readings?.gpus);
      kind = badge(facts);
      state = wrong ? 'wait' : 'ok';
      if (wrong) {
        text = facts.problem ? trans.__('%1 · hub not answering', text) : trans.__('%1 · Slurm not answering', text);
      }
      title = [text, wrong].filter(part => part !== '').join('\n');
    } else if (factsProblem) {
      text = trans.__('Session: no answer');
      title = factsProblem;
    }
    this.button.textContent = text;
    this.button.dataset['dot'] = state;
    if (kind) {
      const shown = document.createElement('span');
      shown.className = 'fabric-Session-kind';
      shown.textContent = kind;
      this.button.append(' ', shown);
      text = `${text} ${kind}`;
    }
    this.button.title = title;
    this.button.setAttribute('aria-label', trans.__('This session: %1. Show details', text));
  }

  private toggle(): void {
    if (this.popup && !this.popup.isDisposed) {
      this.popup.dispose();
      this.popup = null;
      return;
    }
    this.popup = showPopup({ body: new SessionDetails(this.store), anchor: this, align: 'left' });
  }
}

/** The popup: a list of names and values, and what is wrong in plain words. */
class SessionDetails extends Widget {
  constructor({ facts, factsProblem }: SessionStore) {
    super();
    this.addClass('fabric-SessionDetails');
    this.node.setAttribute('role', 'dialog');
    this.node.setAttribute('aria-label', trans.__('Details of this session'));
    if (facts) {
      const at = now();
      const list = document.createElement('dl');
      for (const [name, value] of details(facts, at)) {
        const term = document.createElement('dt');
        term.textContent = name;
        const description = document.createElement('dd');
        description.textContent = value;
        list.append(term, description);
      }
      this.node.append(list);
      this.say(trouble(facts, at));
      if (facts.ends_at !== null && facts.ends_at - at < SOON_S) {
        this.say(trans.__('Save your work: %1. Kernels stop when the session ends.', left(facts.ends_at, at)));
      }
    } else {
      this.say(factsProblem || trans.__('No answer yet.'));
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

/** The status bar item: time left, GPU-hours left, a disk that is nearly full. A click shows the panel. */
export class UsageItem extends Widget {
  private readonly button = document.createElement('button');

  constructor(
    private readonly store: SessionStore,
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
    const text = gone
      ? trans.__('Session ended or unreachable')
      : known
        ? usageSummary(known, at)
        : trans.__('Usage …');
    this.button.textContent = text;
    this.button.title =
      problem || known?.quota?.problem || known?.problem || trans.__('Use, limits and time left: show the panel');
    this.button.dataset['state'] = gone ? 'last' : known ? state(known, at) : '';
    this.button.setAttribute(
      'aria-label',
      trans.__('Usage: %1. Time and GPU-hours are what is left. Show the panel', text)
    );
  }
}
