import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { PageConfig } from '@jupyterlab/coreutils';

import { trans } from '../common/translation';

/** Its place in the Help menu is in schema/settings.json. */
export const REPORT_COMMAND = 'fabric-report:open';

/**
 * The hub's page on which a person reports a problem with this session.
 *
 * @param home The hub's page with all sessions.
 * @param session The session's id.
 * @param page The path of the page that is open; the hub takes no query of it.
 */
export function reportAddress(home: string, session: string, page: string): string {
  return `${home.replace(/home$/, 'report')}?${new URLSearchParams({ session, page }).toString()}`;
}

export const reportPlugin: JupyterFrontEndPlugin<void> = {
  id: 'fabric-lab:report',
  description: 'Opens the page of the hub on which a problem with this session is reported.',
  autoStart: true,
  optional: [ICommandPalette],
  activate: (app: JupyterFrontEnd, palette: ICommandPalette | null): void => {
    const session = PageConfig.getOption('fabricSession');
    const home = PageConfig.getOption('fabricHub');
    app.commands.addCommand(REPORT_COMMAND, {
      label: trans.__('Report a Problem …'),
      caption: trans.__('Opens a page of the hub in a new tab; it shows what is sent.'),
      isVisible: () => Boolean(session && home),
      execute: () => {
        window.open(reportAddress(home, session, location.pathname), '_blank', 'noopener');
      },
      describedBy: { args: null }
    });
    if (session && home) {
      palette?.addItem({ command: REPORT_COMMAND, category: trans.__('Session') });
    }
  }
};
