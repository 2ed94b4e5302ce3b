import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, Notification } from '@jupyterlab/apputils';
import { PageConfig } from '@jupyterlab/coreutils';
import type { ServerConnection } from '@jupyterlab/services';
import { IStatusBar } from '@jupyterlab/statusbar';
import { Poll } from '@lumino/polling';

import { send } from '../common/request';
import type { Facts } from '../schema';
import { Announcer, Banner } from './announcer';
import { UsageApi } from './api';
import { continueSession, extend } from './continue';
import { reopen } from './documents';
import { sessionEvents } from './events';
import { usageIcon, UsagePanel } from './panel';
import { SessionStatus, UsageItem, type Known } from './status';
import { UsageStore } from './store';
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

/** Ask this session's own server; it asks the hub for all tabs together. */
async function askFacts(settings: ServerConnection.ISettings): Promise<Known> {
  const answer = await send(settings, ['session']);
  if (!answer) {
    return {
      problem: 'This session does not answer: it has ended, or the connection is down. Look at the hub’s page.'
    };
  }
  const { response, body } = answer;
  if ([404, 424, 502, 503].includes(response.status)) {
    return { problem: 'This session has ended. Look at the hub’s page.' }; // who answers is the hub, or its proxy
  }
  if (!response.ok || body === null) {
    return { problem: `This session's server answered with HTTP ${response.status}.` };
  }
  return { facts: body as Facts };
}

export const sessionPlugin: JupyterFrontEndPlugin<void> = {
  id: 'fabric-lab:session',
  description: 'Shows project, profile, node, GPUs and time left in the status bar.',
  autoStart: true,
  optional: [IStatusBar],
  activate: (app: JupyterFrontEnd, statusBar: IStatusBar | null): void => {
    if (!statusBar) {
      return;
    }
    const status = new SessionStatus();
    statusBar.registerStatusItem('fabric-lab:session', { item: status, align: 'left', rank: 0 });
    const poll = new Poll({
      name: 'fabric-lab:session',
      factory: () => askFacts(app.serviceManager.serverSettings),
      frequency: { interval: EVERY_MS, backoff: false },
      standby: 'when-hidden'
    });
    poll.ticked.connect((_, tick) => {
      if (tick.phase === 'resolved') {
        status.display(tick.payload as Known);
      } else {
        status.render();
      }
    });
    if (PageConfig.getOption('fabricUsage') === 'true') {
      sessionEvents(app.serviceManager.serverSettings).changed.connect(() => void poll.refresh());
    }
    status.disposed.connect(() => poll.dispose());
  }
};

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
    const actions = { continueSession: () => void continueSession(app, store), extend: () => void extend(store) };
    const panel = new UsagePanel({ store, ...actions });
    const show = (): void => app.shell.activateById(panel.id);
    app.shell.add(panel, 'left', { rank: 260, type: CATEGORY });
    restorer?.add(panel, panel.id);
    statusBar?.registerStatusItem('fabric-lab:usage', { item: new UsageItem(store, show), align: 'left', rank: 0.5 });
    new Warnings(app, store, new Announcer(), new Banner(PageConfig.getOption('fabricHub') || '/hub/home'));

    const commands = {
      'fabric-usage:show': { label: 'Show Usage', icon: usageIcon, execute: show, describedBy: { args: null } },
      'fabric-usage:continue': {
        label: 'Continue in a New Session …',
        execute: actions.continueSession,
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
    sessionEvents(settings).changed.connect(ask);
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
