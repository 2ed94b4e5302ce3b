import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, Notification } from '@jupyterlab/apputils';
import { PageConfig } from '@jupyterlab/coreutils';
import { IStatusBar } from '@jupyterlab/statusbar';
import { Poll } from '@lumino/polling';

import { bring, place, pollInView } from '../common/panel';
import { ISessionSettings } from '../common/settings';
import { trans } from '../common/translation';
import { Announcements } from './announcements';
import { Announcer, Banner } from './announcer';
import { SessionApi } from './api';
import { continueSession, extend } from './continue';
import { reopen } from './documents';
import { SessionEvents } from './events';
import { KilledKernels } from './killed';
import { usageIcon, UsagePanel } from './panel';
import { SessionStatus, UsageItem } from './status';
import { SessionStore } from './store';
import { Unsaved } from './unsaved';
import { Warnings } from './warnings';

/** As often as the session's server keeps a moment of its GPUs. */
const READINGS_EVERY_MS = 5_000;

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
    trans.__(
      '%1 of %2 documents of the session before are open again. Variables were not kept: run your cells again.',
      opened.length,
      paths.length
    ),
    { autoClose: false }
  );
}

/** Ask again and again about the session, and at once where something has happened. */
function follow(app: JupyterFrontEnd, store: SessionStore, settings: ISessionSettings, ofHub: boolean): Poll {
  const frequency = (): Poll['frequency'] => {
    const interval = settings.values.refreshSeconds * 1000;
    return { interval, backoff: false, max: interval };
  };
  const poll = new Poll({
    name: 'fabric-lab:session',
    factory: () => store.refresh(),
    frequency: frequency(),
    // a tab out of sight has documents to save, too
    standby: ofHub ? 'never' : 'when-hidden'
  });
  settings.changed.connect(() => {
    poll.frequency = frequency();
  });
  if (ofHub) {
    const ask = (): void => void poll.refresh();
    new SessionEvents(app.serviceManager.serverSettings).changed.connect(ask);
    app.serviceManager.connectionFailure.connect(ask);
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) {
        ask();
      }
    });
  }
  return poll;
}

/** What the hub knows of a session's use and time: an item of the status bar, a panel, warnings and commands. */
function showUsage(
  app: JupyterFrontEnd,
  store: SessionStore,
  settings: ISessionSettings,
  statusBar: IStatusBar | null,
  palette: ICommandPalette | null,
  restorer: ILayoutRestorer | null
): void {
  const actions = { continueSession: () => void continueSession(app, store), extend: () => void extend(store) };
  const panel = new UsagePanel(store, actions);
  const show = (): void => bring(app, panel);
  place(app, panel, settings, restorer, { name: 'usagePanel', rank: 260, type: trans.__('Usage') });
  statusBar?.registerStatusItem('fabric-lab:usage', { item: new UsageItem(store, show), align: 'left', rank: -1 });
  const hub = PageConfig.getOption('fabricHub') || '/hub/home';
  const announcer = new Announcer();
  new Warnings(app, store, announcer, new Banner(), settings, hub);
  new Announcements(store, announcer, hub);
  new KilledKernels(store, show).follow(app);
  pollInView(
    panel,
    () => store.refreshReadings(),
    READINGS_EVERY_MS,
    () => !store.gone
  );

  const commands = {
    'fabric-usage:show': {
      label: trans.__('Show Usage'),
      icon: usageIcon,
      isVisible: () => panel.isAttached,
      execute: show,
      describedBy: { args: null }
    },
    'fabric-usage:continue': {
      label: trans.__('Continue in a New Session …'),
      execute: actions.continueSession,
      describedBy: { args: null }
    },
    'fabric-usage:extend': {
      label: trans.__('Extend This Session …'),
      isEnabled: () => store.known?.quota?.time.can_extend === true,
      execute: actions.extend,
      describedBy: { args: null }
    }
  };
  for (const [command, options] of Object.entries(commands)) {
    app.commands.addCommand(command, options);
    palette?.addItem({ command, category: trans.__('Usage') });
  }
}

export const sessionPlugin: JupyterFrontEndPlugin<void> = {
  id: 'fabric-lab:session',
  description:
    'Tells of the session, its use and its time: in the status bar, in a panel, and as warnings before the end.',
  autoStart: true,
  requires: [ISessionSettings],
  optional: [IStatusBar, ICommandPalette, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    settings: ISessionSettings,
    statusBar: IStatusBar | null,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null
  ): void => {
    const ofHub = PageConfig.getOption('fabricUsage') === 'true';
    if (!ofHub && !statusBar) {
      return; // nothing is to be shown
    }
    const store = new SessionStore(new SessionApi(app.serviceManager.serverSettings), ofHub);
    statusBar?.registerStatusItem('fabric-lab:session', { item: new SessionStatus(store), align: 'left', rank: -2 });
    if (ofHub) {
      showUsage(app, store, settings, statusBar, palette, restorer);
      void reopenOnce(app);
      new Unsaved(app, store.api).follow();
    }
    follow(app, store, settings, ofHub);
  }
};
