import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { PageConfig, URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import { IStatusBar } from '@jupyterlab/statusbar';
import { Poll } from '@lumino/polling';

import { clustersPlugin } from './clusters/plugin';
import { datasetsPlugin } from './datasets/plugin';
import type { IFacts } from './facts';
import { homePlugin } from './home/plugin';
import { savedPlugin } from './saved';
import { SessionStatus, type Known } from './status';
import { sessionLine } from './usage/line';
import { usagePlugin } from './usage/plugin';

const EVERY_MS = 30_000;

/** Ask this session's own server; it asks the hub for all tabs together. */
async function ask(settings: ServerConnection.ISettings): Promise<Known> {
  const url = URLExt.join(settings.baseUrl, 'fabric', 'session');
  let response: Response;
  try {
    response = await ServerConnection.makeRequest(url, {}, settings);
  } catch {
    return {
      problem: 'This session does not answer: it has ended, or the connection is down. Look at the hub’s page.'
    };
  }
  if ([404, 424, 502, 503].includes(response.status)) {
    return { problem: 'This session has ended. Look at the hub’s page.' }; // who answers is the hub, or its proxy
  }
  if (!response.ok) {
    return { problem: `This session's server answered with HTTP ${response.status}.` };
  }
  return { facts: (await response.json()) as IFacts };
}

const sessionPlugin: JupyterFrontEndPlugin<void> = {
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
      factory: () => ask(app.serviceManager.serverSettings),
      frequency: { interval: EVERY_MS, backoff: false },
      standby: 'when-hidden'
    });
    poll.ticked.connect((_, tick) => {
      if (tick.phase === 'resolved') {
        status.tell(tick.payload as Known);
      } else {
        status.render();
      }
    });
    if (PageConfig.getOption('fabricUsage') === 'true') {
      sessionLine(app.serviceManager.serverSettings).rang.connect(() => void poll.refresh());
    }
    status.disposed.connect(() => poll.dispose());
  }
};

export default [sessionPlugin, savedPlugin, datasetsPlugin, clustersPlugin, usagePlugin, homePlugin];
