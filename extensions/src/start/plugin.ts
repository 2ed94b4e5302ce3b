import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { PageConfig } from '@jupyterlab/coreutils';
import { ILauncher } from '@jupyterlab/launcher';
import { LabIcon } from '@jupyterlab/ui-components';

import { ask } from '../common/request';
import { ISessionSettings } from '../common/settings';
import { trans } from '../common/translation';
import { datasetsIcon } from '../datasets/icon';
import type { Facts, Welcome } from '../schema';
import { links, type ILink, type LinkName } from './links';

const CATEGORY = 'Fabric';

/** A ring with a question mark. */
const helpIcon = new LabIcon({
  name: 'fabric-lab:help',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <path class="jp-icon3" fill="#616161" d="M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zm0 18a8 8 0 1 1 0-16 8 8 0 0 1 0 16zm-1-4h2v2h-2zm1-10a4 4 0 0 0-4 4h2a2 2 0 1 1 4 0c0 2-3 1.750-3 5h2c0-2.250 3-2.500 3-5a4 4 0 0 0-4-4z"/>
</svg>`
});

/** Bars of a chart. */
const usageIcon = new LabIcon({
  name: 'fabric-lab:launcher-usage',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <path class="jp-icon3" fill="#616161" d="M4 13h4v7H4zm6-9h4v16h-4zm6 5h4v11h-4z"/>
</svg>`
});

/** Dots that are joined. */
const clusterIcon = new LabIcon({
  name: 'fabric-lab:launcher-cluster',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <path class="jp-icon3" fill="#616161" d="M12 3a3 3 0 0 0-1 5.800V11H6v4.200a3 3 0 1 0 2 0V13h8v2.200a3 3 0 1 0 2 0V11h-5V8.800A3 3 0 0 0 12 3z"/>
</svg>`
});

/** What the launcher offers beside notebooks: each shows a panel, with the keyboard in it. */
const CARDS: readonly { name: string; label: () => string; icon: LabIcon; shows: string }[] = [
  { name: 'datasets', label: () => trans.__('Try a dataset'), icon: datasetsIcon, shows: 'fabric-datasets:show' },
  { name: 'clusters', label: () => trans.__('Dask cluster'), icon: clusterIcon, shows: 'fabric-clusters:show' },
  { name: 'usage', label: () => trans.__('Usage'), icon: usageIcon, shows: 'fabric-usage:show' }
];

function follow(address: string): void {
  if (address.startsWith('mailto:')) {
    window.location.assign(address);
  } else {
    window.open(address, '_blank', 'noopener,noreferrer');
  }
}

/** The commands of the Help menu (schema/start.json puts them there): shown where the site has said where they lead. */
function addLinks(app: JupyterFrontEnd, known: () => Facts | null): void {
  const names: readonly LinkName[] = ['help', 'docs', 'support'];
  for (const name of names) {
    const link = (): ILink => links(known())[name];
    app.commands.addCommand(`fabric-start:${name}`, {
      label: () => link().label,
      icon: name === 'help' ? helpIcon : undefined,
      isVisible: () => link().address !== '',
      isEnabled: () => link().address !== '',
      execute: () => follow(link().address),
      describedBy: { args: null }
    });
  }
}

function addCards(app: JupyterFrontEnd, launcher: ILauncher, known: () => Facts | null): void {
  const { commands } = app;
  CARDS.forEach(({ name, label, icon, shows }, rank) => {
    if (commands.hasCommand(shows)) {
      const command = `fabric-start:${name}`;
      commands.addCommand(command, {
        label,
        icon,
        execute: () => commands.execute(shows),
        describedBy: { args: null }
      });
      launcher.add({ command, category: CATEGORY, rank });
    }
  });
  if (links(known()).help.address !== '') {
    launcher.add({ command: 'fabric-start:help', category: CATEGORY, rank: CARDS.length });
  }
}

/** On a person's first session their server writes a notebook that shows around; it is opened once. */
async function welcome(app: JupyterFrontEnd): Promise<void> {
  const { path } = await ask<Welcome>(app.serviceManager.serverSettings, ['welcome'], { method: 'POST' });
  if (path) {
    await app.commands.execute('docmanager:open', { path });
  }
}

export const startPlugin: JupyterFrontEndPlugin<void> = {
  id: 'fabric-lab:start',
  description: 'What a session begins with: cards in the launcher, a welcome, and where to find help.',
  autoStart: true,
  requires: [ISessionSettings],
  optional: [ILauncher],
  activate: (app: JupyterFrontEnd, _settings: ISessionSettings, launcher: ILauncher | null): void => {
    if (!PageConfig.getOption('fabricSession')) {
      return; // no session of a hub
    }
    let facts: Facts | null = null;
    addLinks(app, () => facts);
    void app.restored.then(async () => {
      try {
        facts = await ask<Facts>(app.serviceManager.serverSettings, ['session']);
      } catch {
        return; // the status bar says that the session does not answer
      }
      app.commands.notifyCommandChanged();
      if (launcher) {
        addCards(app, launcher, () => facts);
      }
      if (facts.hub?.site?.welcome) {
        await welcome(app).catch((error: unknown) => console.warn(error));
      }
    });
  }
};
