/** Says sentences to screen readers, at once and whatever has the focus. */
export class Voice {
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
