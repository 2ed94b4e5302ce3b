import type { ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import {
  Button,
  ReactWidget,
  refreshIcon,
  ToolbarButtonComponent,
  UseSignal,
  type LabIcon
} from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import { Poll } from '@lumino/polling';
import { Signal, type ISignal } from '@lumino/signaling';
import * as React from 'react';

import { KeepFocus } from './focus';
import type { ISessionSettings, PanelName } from './settings';

/** What a panel shows can change at any time. */
interface IStore {
  readonly changed: ISignal<unknown, void>;
}

interface IOptions {
  readonly id: string;
  readonly className: string;
  /** Its name, for the side bar and for screen readers. */
  readonly title: string;
  readonly icon: LabIcon;
}

/** A side panel that shows a store; it tells when it comes into view, for only then is anything asked for it. */
export abstract class SidePanel<S extends IStore> extends ReactWidget {
  private readonly _shown = new Signal<this, void>(this);

  protected constructor(
    protected readonly store: S,
    { id, className, title, icon }: IOptions
  ) {
    super();
    this.id = id;
    this.addClass('fabric-Panel');
    this.addClass(className);
    this.title.icon = icon;
    this.title.caption = title;
    this.node.tabIndex = -1;
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', title);
  }

  get shown(): ISignal<this, void> {
    return this._shown;
  }

  /** What is shown of the store as it is now. */
  protected abstract content(): React.JSX.Element;

  /** Who asks for the panel gets the keyboard into it. */
  protected override onActivateRequest(msg: Message): void {
    super.onActivateRequest(msg);
    this.node.focus();
  }

  protected override onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    if (this.isVisible) {
      this._shown.emit();
    }
  }

  protected override onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    this._shown.emit();
  }

  protected override render(): React.JSX.Element {
    return (
      <UseSignal signal={this.store.changed}>
        {() => <KeepFocus within={this.node}>{this.content()}</KeepFocus>}
      </UseSignal>
    );
  }
}

interface IPlace {
  readonly name: PanelName;
  readonly rank: number;
  readonly type: string;
}

/** Put a panel into the left side bar for as long as the settings want it there. */
export function place(
  app: JupyterFrontEnd,
  panel: SidePanel<IStore>,
  settings: ISessionSettings,
  restorer: ILayoutRestorer | null,
  { name, rank, type }: IPlace
): void {
  const add = (): void => app.shell.add(panel, 'left', { rank, type });
  let ready = false;
  const look = (): void => {
    if (!settings.values[name]) {
      panel.parent = null;
    } else if (ready && !panel.parent) {
      add();
    }
  };
  add(); // the page's layout is restored with all that is there as it starts
  restorer?.add(panel, panel.id);
  void app.restored.then(() => {
    ready = true;
    look();
  });
  settings.changed.connect(look, panel);
}

/** Show a panel, and give it the keyboard. */
export function bring(app: JupyterFrontEnd, panel: { readonly id: string; activate(): void }): void {
  app.shell.activateById(panel.id);
  // the palette gives the keyboard back to where it was as it closes: only then is it the panel's
  requestAnimationFrame(() => panel.activate());
}

/** Ask again and again while a panel is in view, and as soon as it comes into view. */
export function pollInView(
  panel: SidePanel<IStore>,
  ask: () => Promise<void>,
  interval: number,
  wanted: () => boolean = () => true
): Poll {
  const poll = new Poll({
    name: panel.id,
    auto: false,
    factory: ask,
    frequency: { interval, backoff: false },
    standby: () => document.hidden || !panel.isVisible || !wanted()
  });
  panel.shown.connect(() => void poll.refresh(), panel);
  panel.disposed.connect(() => poll.dispose());
  return poll;
}

/** The title of a panel, with a button that asks anew. */
export function Head(props: { title: string; tooltip: string; refresh: () => Promise<void> }): React.JSX.Element {
  return (
    <div className="fabric-Panel-head">
      <h2>{props.title}</h2>
      <ToolbarButtonComponent
        icon={refreshIcon}
        label=""
        tooltip={props.tooltip}
        onClick={() => void props.refresh()}
      />
    </div>
  );
}

/** What is wrong or worth knowing, each as a sentence; the same one is said once. */
export function Notices({ sentences }: { readonly sentences: readonly string[] }): React.JSX.Element {
  return (
    <>
      {[...new Set(sentences)].filter(Boolean).map(sentence => (
        <p key={sentence} className="fabric-Panel-notice">
          {sentence}
        </p>
      ))}
    </>
  );
}

interface ISaidProps {
  readonly text: string;
  readonly wrong: boolean;
  /** For screen readers alone: it is shown elsewhere. */
  readonly quiet?: boolean;
}

/** What came of the last thing that was asked for, for screen readers too. */
export function Said({ text, wrong, quiet = false }: ISaidProps): React.JSX.Element {
  return (
    <p role="status" className={quiet ? 'fabric-Panel-unseen' : 'fabric-Panel-said'} data-wrong={wrong}>
      {text}
    </p>
  );
}

interface IActProps {
  readonly does: () => unknown;
  readonly children: React.ReactNode;
  /** What a screen reader says of it, where its text does not say enough. */
  readonly label?: string;
  readonly busy?: boolean;
  readonly accent?: boolean;
  /** It is a switch, and this is how it stands. */
  readonly pressed?: boolean;
  /** Whether what it opens is open; not told of a button that opens nothing. */
  readonly expanded?: boolean;
}

/** A button; while something is under way it stays in reach of the keyboard and says that it waits. */
export function Act(props: IActProps): React.JSX.Element {
  const { does, children, label, busy = false, accent = false, pressed, expanded } = props;
  return (
    <Button
      type="button"
      minimal={false}
      small
      className={`fabric-Panel-act${accent ? ' jp-mod-styled jp-mod-accept' : ''}`}
      aria-label={label}
      aria-disabled={busy}
      aria-pressed={pressed}
      aria-expanded={expanded}
      onClick={() => {
        if (!busy) {
          void does();
        }
      }}
    >
      {children}
    </Button>
  );
}
