import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, Notification } from '@jupyterlab/apputils';
import { PageConfig } from '@jupyterlab/coreutils';
import { IStatusBar } from '@jupyterlab/statusbar';
import { Poll } from '@lumino/polling';

import { UsageApi } from './api';
import { Banner } from './banner';
import { reopen } from './documents';
import { usageIcon } from './icon';
import { UsageItem } from './item';
import { sessionLine } from './line';
import { UsagePanel } from './panel';
import { extend, proceed } from './proceed';
import { UsageStore } from './store';
import { Voice } from './voice';
import { Warnings } from './warnings';

const EVERY_MS = 30_000;
const GPUS_EVERY_MS = 3_000;
const CATEGORY = 'Usage';

/** Open what the session before had open, once per session and browser. */
async function reopenOnce(app: JupyterFrontEnd): Promise<void> {
  const paths = JSON.parse(PageConfig.getOption('fabricReopen') || '[]') as string[];
  const mark = `fabric-lab:reopened:${PageConfig.getOption('fabricSession')}`;
  if (!paths.length || localStorage.getItem(mark) !== null) {
    return;
  }
  // JupyterLab leaves a page that finds its workspace in another tab, as of the session before, for one of its own:
  // the page that it leaves is never restored, and has opened nothing
  await app.restored;
  localStorage.setItem(mark, new Date().toISOString());
  const opened = await reopen(app, paths);
  Notification.info(
    `${opened.length} of ${paths.length} documents of the session before are open again. ` +
      'The memory of kernels was not carried over: run the cells again.',
    { autoClose: false }
  );
}

export const usagePlugin: JupyterFrontEndPlugin<void> = {
  id: 'fabric-lab:usage',
  description: 'Time, GPU-hours and storage left: in the status bar, in a panel, and as warnings before the end.',
  autoStart: true,
  optional: [IStatusBar, ICommandPalette, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    statusBar: IStatusBar | null,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null
  ): void => {
    if (PageConfig.getOption('fabricUsage') !== 'true') {
      return; // no session of a hub
    }
    const settings = app.serviceManager.serverSettings;
    const store = new UsageStore(new UsageApi(settings));
    const actions = { proceed: () => void proceed(app, store), extend: () => void extend(store) };
    const panel = new UsagePanel({ store, ...actions });
    const show = (): void => app.shell.activateById(panel.id);
    app.shell.add(panel, 'left', { rank: 260, type: CATEGORY });
    restorer?.add(panel, panel.id);
    statusBar?.registerStatusItem('fabric-lab:usage', { item: new UsageItem(store, show), align: 'left', rank: 0.5 });
    new Warnings(app, store, new Voice(), new Banner(PageConfig.getOption('fabricHub') || '/hub/home'));

    const commands = {
      'fabric-usage:show': { label: 'Show Usage', icon: usageIcon, execute: show, describedBy: { args: null } },
      'fabric-usage:continue': {
        label: 'Continue in a New Session …',
        execute: actions.proceed,
        describedBy: { args: null }
      },
      'fabric-usage:extend': {
        label: 'Extend This Session …',
        isEnabled: () => store.known?.quota?.time.can_extend === true,
        execute: actions.extend,
        describedBy: { args: null }
      }
    };
    for (const [command, options] of Object.entries(commands)) {
      app.commands.addCommand(command, options);
      palette?.addItem({ command, category: CATEGORY });
    }

    // never in standby: a tab out of sight has documents to save too
    const poll = new Poll({
      name: 'fabric-lab:usage',
      factory: () => store.refresh(),
      frequency: { interval: EVERY_MS, backoff: false },
      standby: 'never'
    });
    const ask = (): void => void poll.refresh();
    sessionLine(settings).rang.connect(ask);
    app.serviceManager.connectionFailure.connect(ask);
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) {
        ask();
      }
    });
    const gpus = new Poll({
      name: 'fabric-lab:gpus',
      auto: false,
      factory: () => store.refreshGpus(),
      frequency: { interval: GPUS_EVERY_MS, backoff: false },
      standby: () => document.hidden || !panel.isVisible || store.gone
    });
    panel.shown.connect(() => void gpus.refresh());
    panel.disposed.connect(() => {
      poll.dispose();
      gpus.dispose();
    });
    void reopenOnce(app);
  }
};
