/** Says sentences to screen readers, at once and whatever has the focus. */
export class Announcer {
  private readonly node = document.createElement('div');

  constructor() {
    this.node.className = 'fabric-Voice';
    this.node.setAttribute('role', 'alert');
    document.body.append(this.node);
  }

  say(text: string): void {
    this.node.textContent = text;
  }
}

/** What the bar says, and where it leads: each link is a text and an address, each button a text and what it does. */
export interface IFarewell {
  readonly text: string;
  readonly links: readonly (readonly [string, string])[];
  readonly buttons: readonly (readonly [string, () => void])[];
}

/**
 * A bar over the page that says that the session is gone, and why, with the way to the next one.
 * Not a notification: JupyterLab fetches the code that shows those from the server, which is not there any more.
 */
export class Banner {
  private node: HTMLElement | null = null;
  private shown = '';

  /** Say it, or say something else than before. */
  show({ text, links, buttons }: IFarewell): void {
    const now = JSON.stringify([text, links, buttons.map(([label]) => label)]);
    if (this.node && now === this.shown) {
      return;
    }
    this.shown = now;
    const node = this.node ?? document.createElement('div');
    const said = document.createElement('span');
    said.textContent = text;
    node.replaceChildren(
      said,
      ...links.map(([label, href]) => link(href, label)),
      ...buttons.map(([label, act]) => button(label, act))
    );
    if (!this.node) {
      node.className = 'fabric-Banner';
      node.setAttribute('role', 'alert');
      document.body.append(node);
      this.node = node;
    }
  }

  clear(): void {
    this.node?.remove();
    this.node = null;
    this.shown = '';
  }
}

function button(text: string, act: () => void): HTMLButtonElement {
  const found = document.createElement('button');
  found.type = 'button';
  found.textContent = text;
  found.addEventListener('click', act);
  return found;
}

function link(href: string, text: string): HTMLAnchorElement {
  const found = document.createElement('a');
  found.href = href;
  found.target = '_blank';
  found.rel = 'noopener';
  found.textContent = text;
  return found;
}
