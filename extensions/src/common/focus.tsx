import * as React from 'react';

const CONTROLS = 'button, jp-button, input, select, textarea, summary';

interface IProps {
  /** What is drawn in here. */
  readonly within: HTMLElement;
  readonly children: React.ReactNode;
}

/**
 * Keeps the keyboard's place where what had the focus is drawn no longer, as a button that has done its work. Without
 * it the page's body has the focus, and who works without a mouse begins at the top of the page again.
 *
 * The focus goes to the first control of the nearest part that is left around the old place and has any.
 */
export class KeepFocus extends React.Component<IProps> {
  /** The element with the focus and the parts around it, the nearest first; null where the focus is elsewhere. */
  override getSnapshotBeforeUpdate(): HTMLElement[] | null {
    const { within } = this.props;
    const around: HTMLElement[] = [];
    for (let part = document.activeElement; part instanceof HTMLElement; part = part.parentElement) {
      around.push(part);
      if (part === within) {
        return around;
      }
    }
    return null;
  }

  override componentDidUpdate(_props: IProps, _state: unknown, around: HTMLElement[] | null): void {
    const had = around?.[0];
    if (!around || !had || had.isConnected || document.activeElement !== document.body) {
      return;
    }
    for (const part of around) {
      const control = part.isConnected ? part.querySelector<HTMLElement>(CONTROLS) : null;
      if (control) {
        control.focus();
        return;
      }
    }
  }

  override render(): React.ReactNode {
    return this.props.children;
  }
}
