import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Dialog, ICommandPalette, showDialog } from '@jupyterlab/apputils';
import { PageConfig } from '@jupyterlab/coreutils';
import { Poll } from '@lumino/polling';

import { insert, nowhere } from '../common/insert';
import { trans } from '../common/translation';
import { bring, place, pollInView } from '../common/panel';
import { ISessionSettings } from '../common/settings';
import { ClustersApi } from './api';
import type { IActions } from './card';
import { Dashboards } from './dashboards';
import { clustersIcon } from './icons';
import { ClustersPanel } from './panel';
import { ClustersStore } from './store';
import { clientCode, lost } from './format';

const EVERY_MS = 5_000;

export const clustersPlugin: JupyterFrontEndPlugin<void> = {
  id: 'fabric-lab:clusters',
  description: 'A side panel with the session’s Dask clusters: start, scale and stop them, and see their dashboards.',
  autoStart: true,
  requires: [ISessionSettings],
  optional: [ICommandPalette, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    settings: ISessionSettings,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null
  ): void => {
    if (PageConfig.getOption('fabricClusters') !== 'true') {
      return; // an image without Dask, or no session of a hub
    }
    const api = new ClustersApi(app.serviceManager.serverSettings);
    const store = new ClustersStore(api);
    const dashboards = new Dashboards(app, api);
    const actions: IActions = {
      insertClientCode: name => {
        const done = insert(app, clientCode(name));
        store.say(name, done ? trans.__('Code that connects to %1 is inserted.', name) : nowhere(), !done);
      },
      stop: async cluster => {
        const { name } = cluster;
        const asked = await showDialog({
          title: trans.__('Stop cluster %1?', name),
          body: lost(cluster),
          buttons: [Dialog.cancelButton({ label: trans.__('Cancel') }), Dialog.warnButton({ label: trans.__('Stop') })],
          defaultButton: 0
        });
        if (asked.button.accept) {
          await store.send(name, { verb: 'close' }, () => trans.__('Cluster %1 stopped.', name));
        }
      },
      openPage: (name, path) => dashboards.open(name, path),
      address: (name, path) => api.address(name, path)
    };
    const panel = new ClustersPanel(store, actions);
    place(app, panel, settings, restorer, { name: 'clustersPanel', rank: 260, type: trans.__('Dask clusters') });
    const command = 'fabric-clusters:show';
    app.commands.addCommand(command, {
      label: trans.__('Show Dask Clusters'),
      icon: clustersIcon,
      isVisible: () => panel.isAttached,
      execute: () => bring(app, panel),
      describedBy: { args: null }
    });
    palette?.addItem({ command, category: trans.__('Dask') });
    pollInView(panel, () => store.refresh(), EVERY_MS);
    store.changed.connect(() => {
      if (store.known && !store.problem) {
        dashboards.look(store.known.clusters.map(cluster => cluster.name));
      }
    });
    // while the panel asks for all of them, nothing more has to be asked for the tabs
    new Poll({
      name: 'fabric-clusters:dashboards',
      auto: true,
      factory: async () => dashboards.look(await api.running()),
      frequency: { interval: EVERY_MS, backoff: false },
      standby: () => document.hidden || panel.isVisible || !dashboards.live
    });
  }
};
