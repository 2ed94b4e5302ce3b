/**
 * A bar over the page that says that the session is gone, with the way to the hub.
 * Not a notification: JupyterLab fetches the code that shows those from the server, which is not there any more.
 */
export class Banner {
  private node: HTMLElement | null = null;

  constructor(private readonly hub: string) {}

  show(text: string): void {
    if (this.node) {
      return;
    }
    const node = document.createElement('div');
    node.className = 'fabric-Banner';
    node.setAttribute('role', 'alert');
    const said = document.createElement('span');
    said.textContent = text;
    const link = document.createElement('a');
    link.href = this.hub;
    link.target = '_blank';
    link.rel = 'noopener';
    link.textContent = 'Go to the hub';
    node.append(said, link);
    document.body.append(node);
    this.node = node;
  }

  clear(): void {
    this.node?.remove();
    this.node = null;
  }
}
