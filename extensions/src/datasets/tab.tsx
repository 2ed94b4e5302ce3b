import type { ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import { MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import * as React from 'react';

import { KeepFocus } from '../common/focus';
import { Said } from '../common/panel';
import { trans } from '../common/translation';
import type { DatasetsActions } from './actions';
import { Details } from './details';
import { datasetsIcon } from './icon';
import type { DatasetsPanel } from './panel';
import type { DatasetsStore } from './store';

/** A dataset in the main area. */
export class DatasetView extends ReactWidget {
  constructor(
    readonly name: string,
    private readonly store: DatasetsStore,
    private readonly actions: DatasetsActions,
    private readonly back: () => void,
    private readonly listed: () => boolean
  ) {
    super();
    this.addClass('fabric-Panel');
    this.addClass('fabric-Datasets');
    this.addClass('fabric-Dataset-tab');
    this.node.tabIndex = -1;
  }

  /** Its title where it is known. */
  get heading(): string {
    return this.store.find(this.name)?.title || this.name;
  }

  /** Who opens it gets the keyboard to its title, and reads on from there. */
  protected override onActivateRequest(msg: Message): void {
    super.onActivateRequest(msg);
    void this.renderPromise?.then(() => {
      if (!this.isDisposed) {
        (this.node.querySelector<HTMLElement>('h2') ?? this.node).focus();
      }
    });
  }

  protected override render(): React.JSX.Element {
    return (
      <UseSignal signal={this.store.changed}>
        {() => <KeepFocus within={this.node}>{this.content()}</KeepFocus>}
      </UseSignal>
    );
  }

  private content(): React.JSX.Element {
    const { store, actions, back } = this;
    const dataset = store.find(this.name);
    const { text, wrong, about } = store.said;
    return dataset ? (
      <>
        {/* where the list is in view it says the same */}
        <Said text={about === this.name && !this.listed() ? text : ''} wrong={wrong} quiet />
        <Details dataset={dataset} store={store} actions={actions} back={back} />
      </>
    ) : (
      <p role="status">
        {store.known
          ? trans.__('%1 is not available to your project.', this.name)
          : store.problem || trans.__('Loading …')}
      </p>
    );
  }
}

/** The tabs of datasets: one for each, opened again with the page's layout. */
export class DatasetTabs {
  private readonly tracker = new WidgetTracker<MainAreaWidget<DatasetView>>({ namespace: 'fabric-dataset' });

  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly store: DatasetsStore,
    private readonly panel: DatasetsPanel
  ) {
    store.changed.connect(() => this.tracker.forEach(tab => this.name(tab)), this);
  }

  restore(restorer: ILayoutRestorer, command: string): void {
    void restorer.restore(this.tracker, {
      command,
      args: tab => ({ name: tab.content.name }),
      name: tab => tab.content.name
    });
  }

  /** Show a dataset; the keyboard goes to it, and back to its row when it is closed. */
  open(name: string, actions: DatasetsActions): void {
    const id = `fabric-dataset-tab-${name}`;
    const tab = this.tracker.find(one => one.id === id) ?? this.made(id, name, actions);
    if (!tab.isAttached) {
      this.app.shell.add(tab, 'main', { type: trans.__('Datasets') });
    }
    this.app.shell.activateById(id);
    void (this.store.known ? this.store.select(name) : this.store.refresh().then(() => this.store.select(name)));
  }

  private made(id: string, name: string, actions: DatasetsActions): MainAreaWidget<DatasetView> {
    const content = new DatasetView(
      name,
      this.store,
      actions,
      () => this.back(name),
      () => this.panel.isVisible
    );
    const tab = new MainAreaWidget({ content });
    tab.id = id;
    tab.title.icon = datasetsIcon;
    tab.title.closable = true;
    this.name(tab);
    tab.disposed.connect(() => {
      if (this.panel.isVisible) {
        this.back(name);
      }
    });
    void this.tracker.add(tab);
    return tab;
  }

  /** Whether the tab of any dataset is in view. */
  get isVisible(): boolean {
    return this.tracker.filter(tab => tab.isVisible).length > 0;
  }

  /** Put the keyboard on a dataset's row in the list. */
  private back(name: string): void {
    this.panel.focusOn(name);
    this.app.shell.activateById(this.panel.id);
  }

  private name(tab: MainAreaWidget<DatasetView>): void {
    tab.title.label = tab.content.heading;
    tab.title.caption = tab.content.name;
  }
}
