import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Dialog, ICommandPalette, IFrame, MainAreaWidget, showDialog } from '@jupyterlab/apputils';
import { PageConfig } from '@jupyterlab/coreutils';

import { insert, nowhere } from '../common/insert';
import { trans } from '../common/translation';
import { place, pollInView } from '../common/panel';
import { ISessionSettings } from '../common/settings';
import { ClustersApi } from './api';
import { pages } from './model';
import { clustersIcon, ClustersPanel, type IActions } from './panel';
import { ClustersStore } from './store';
import { clientCode, lost } from './format';

const EVERY_MS = 5_000;

/** A page of a dashboard as a tab; the same page is opened once. */
function openPage(app: JupyterFrontEnd, api: ClustersApi, name: string, path: string): void {
  const id = `fabric-dashboard-${name}-${path}`;
  const title = pages().find(([known]) => known === path)?.[1] ?? path;
  const open = [...app.shell.widgets('main')].find(widget => widget.id === id);
  if (!open) {
    // the cluster's own pages, from this session's server: bokeh draws with scripts and a websocket
    const content = new IFrame({ sandbox: ['allow-same-origin', 'allow-scripts', 'allow-popups'] });
    content.url = api.page(name, path);
    const widget = new MainAreaWidget({ content });
    widget.id = id;
    widget.title.label = `${name}: ${title}`;
    widget.title.icon = clustersIcon;
    widget.title.closable = true;
    content.node.querySelector('iframe')?.setAttribute('title', trans.__('%1 of cluster %2', title, name));
    app.shell.add(widget, 'main');
  }
  app.shell.activateById(id);
}

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
          await store.send(name, { verb: 'close' }, trans.__('Cluster %1 stopped.', name));
        }
      },
      openPage: (name, path) => openPage(app, api, name, path)
    };
    const panel = new ClustersPanel(store, actions);
    place(app, panel, settings, restorer, { name: 'clustersPanel', rank: 260, type: trans.__('Dask clusters') });
    const command = 'fabric-clusters:show';
    app.commands.addCommand(command, {
      label: trans.__('Show Dask Clusters'),
      icon: clustersIcon,
      isVisible: () => panel.isAttached,
      execute: () => app.shell.activateById(panel.id),
      describedBy: { args: null }
    });
    palette?.addItem({ command, category: trans.__('Dask') });
    pollInView(panel, () => store.refresh(), EVERY_MS);
  }
};
