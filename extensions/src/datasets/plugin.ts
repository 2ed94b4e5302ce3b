import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { PageConfig } from '@jupyterlab/coreutils';
import type { CommandRegistry } from '@lumino/commands';

import { bring, place, pollInView } from '../common/panel';
import { ISessionSettings } from '../common/settings';
import { trans } from '../common/translation';
import { DatasetsActions } from './actions';
import { DatasetsApi } from './api';
import { datasetsIcon } from './icon';
import { DatasetsPanel } from './panel';
import { DatasetsStore } from './store';
import { DatasetTabs } from './tab';
import { stateOf } from './format';

/** Commands take `{name}`; from the palette they work on the dataset whose details are open. */
function addCommands(
  app: JupyterFrontEnd,
  panel: DatasetsPanel,
  actions: DatasetsActions,
  palette: ICommandPalette | null
): void {
  const { store } = actions;
  const nameOf = (args: { readonly name?: unknown }): string =>
    typeof args.name === 'string' ? args.name : store.selected;
  const on = (
    label: string,
    fits: (state: string) => boolean,
    does: (name: string) => unknown
  ): CommandRegistry.ICommandOptions => ({
    label: args => (nameOf(args) ? `${label}: ${nameOf(args)}` : trans.__('%1 (select one in the panel)', label)),
    caption: label,
    isEnabled: args => {
      const dataset = store.find(nameOf(args));
      return dataset !== undefined && fits(stateOf(dataset));
    },
    execute: args => does(nameOf(args)),
    describedBy: { args: { type: 'object', properties: { name: { type: 'string' } } } }
  });
  const here = (state: string): boolean => state === 'here';
  const commands: Record<string, CommandRegistry.ICommandOptions> = {
    'fabric-datasets:show': {
      label: trans.__('Show Datasets'),
      icon: datasetsIcon,
      isVisible: () => panel.isAttached,
      execute: () => bring(app, panel),
      describedBy: { args: null }
    },
    'fabric-datasets:refresh': {
      label: trans.__('Refresh Datasets'),
      execute: () => store.refresh(),
      describedBy: { args: null }
    },
    'fabric-datasets:open': on(
      trans.__('Show Dataset'),
      () => true,
      name => actions.show(name)
    ),
    'fabric-datasets:add': on(
      trans.__('Add Dataset'),
      state => state === 'available',
      name => store.add(name)
    ),
    'fabric-datasets:drop': on(trans.__('Remove Dataset'), here, name => store.drop(name)),
    'fabric-datasets:insert-path': on(trans.__('Insert Path of Dataset'), here, name => actions.insertPath(name)),
    'fabric-datasets:insert-code': on(trans.__('Insert Loading Code of Dataset'), here, name =>
      actions.insertCode(name)
    ),
    'fabric-datasets:open-notebook': on(
      trans.__('Open Dataset in a New Notebook'),
      state => here(state) || state === 'available',
      name => actions.tryOut(name)
    )
  };
  for (const [command, options] of Object.entries(commands)) {
    app.commands.addCommand(command, options);
    palette?.addItem({ command, category: trans.__('Datasets') });
  }
  store.changed.connect(() => app.commands.notifyCommandChanged());
}

export const datasetsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'fabric-lab:datasets',
  description: 'A side panel with the datasets: find them, add them to the session, load them.',
  autoStart: true,
  requires: [ISessionSettings],
  optional: [ICommandPalette, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    settings: ISessionSettings,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null
  ): void => {
    if (PageConfig.getOption('fabricDatasets') !== 'true') {
      return; // a site without datasets, or no session of a hub
    }
    const store = new DatasetsStore(new DatasetsApi(app.serviceManager.serverSettings));
    const actions: DatasetsActions = new DatasetsActions(app, store, name => tabs.open(name, actions));
    const panel = new DatasetsPanel(store, actions);
    const tabs = new DatasetTabs(app, store, panel);
    place(app, panel, settings, restorer, { name: 'datasetsPanel', rank: 250, type: trans.__('Datasets') });
    addCommands(app, panel, actions, palette);
    if (restorer) {
      tabs.restore(restorer, 'fabric-datasets:open');
    }

    const poll = pollInView(panel, () => store.refresh(), settings.values.refreshSeconds * 1000);
    settings.changed.connect(() => {
      poll.frequency = { ...poll.frequency, interval: settings.values.refreshSeconds * 1000 };
    }, panel);
    const look = (): void => {
      if (!document.hidden && (panel.isVisible || tabs.isVisible)) {
        void store.refresh();
      }
    };
    // back from the hub's page, where terms were accepted or access was requested
    document.addEventListener('visibilitychange', look);
    window.addEventListener('focus', look);
    panel.disposed.connect(() => {
      document.removeEventListener('visibilitychange', look);
      window.removeEventListener('focus', look);
    });
  }
};
