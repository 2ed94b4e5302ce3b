import { trans } from '../common/translation';

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

/**
 * A bar over the page that says that the session is gone, with the way to the one that follows it, or else to the hub.
 * Not a notification: JupyterLab fetches the code that shows those from the server, which is not there any more.
 */
export class Banner {
  private node: HTMLElement | null = null;

  constructor(private readonly hub: string) {}

  /** @param next The page of the session that follows: the hub's, which leads there once it is ready. */
  show(text: string, next: string | null = null): void {
    if (this.node) {
      return;
    }
    const node = document.createElement('div');
    node.className = 'fabric-Banner';
    node.setAttribute('role', 'alert');
    const said = document.createElement('span');
    said.textContent =
      next === null ? text : `${text} ${trans.__('The next session starts as soon as there is room for it.')}`;
    node.append(
      said,
      next === null ? link(this.hub, trans.__('Go to the hub')) : link(next, trans.__('Go to the next session'))
    );
    document.body.append(node);
    this.node = node;
  }

  clear(): void {
    this.node?.remove();
    this.node = null;
  }
}

function link(href: string, text: string): HTMLAnchorElement {
  const found = document.createElement('a');
  found.href = href;
  found.target = '_blank';
  found.rel = 'noopener';
  found.textContent = text;
  return found;
}
