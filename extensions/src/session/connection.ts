import { ConnectionLost, IConnectionLost, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { PageConfig } from '@jupyterlab/coreutils';

/**
 * One voice at a session's end. JupyterLab's own dialog asks whether the server is to be restarted, knows nothing of
 * why it ended, and stands over what does. A session of a hub has a bar that says it: see `Warnings`.
 */
export const connectionPlugin: JupyterFrontEndPlugin<IConnectionLost> = {
  id: 'fabric-lab:connection',
  description: 'Leaves it to the session’s own bar to say that the connection is lost.',
  autoStart: true,
  provides: IConnectionLost,
  activate: (): IConnectionLost =>
    PageConfig.getOption('fabricUsage') === 'true' ? () => Promise.resolve() : ConnectionLost
};
