import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Dialog, ICommandPalette, Notification, showDialog } from '@jupyterlab/apputils';
import { PageConfig, URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import { Widget } from '@lumino/widgets';

import type { IHome } from './model';
import { entry, headline } from './words';

const NOTHING: IHome = { left_out: [], log: '' };

/** Nothing, where the server does not say: this is never what a person is here for. */
async function ask(settings: ServerConnection.ISettings): Promise<IHome> {
  try {
    const response = await ServerConnection.makeRequest(URLExt.join(settings.baseUrl, 'fabric', 'home'), {}, settings);
    return response.ok ? ((await response.json()) as IHome) : NOTHING;
  } catch {
    return NOTHING;
  }
}

/** A list of what is left out: each with why, and what to do. */
class Details extends Widget {
  constructor(known: IHome) {
    super();
    this.addClass('fabric-Home');
    // a long list is scrolled, by keyboard too
    this.node.tabIndex = 0;
    this.node.setAttribute('role', 'group');
    this.node.setAttribute('aria-label', 'What is left out');
    const say = (parent: HTMLElement, text: string, tag: 'p' | 'strong' = 'p'): void => {
      const node = document.createElement(tag);
      node.textContent = text;
      parent.append(node);
    };
    if (!known.left_out.length) {
      say(this.node, 'Nothing in your home directory is left out of this session.');
      return;
    }
    const list = document.createElement('ul');
    for (const item of known.left_out) {
      const { what, why, todo } = entry(item, known.log);
      const node = document.createElement('li');
      say(node, what, 'strong');
      say(node, why);
      say(node, todo);
      list.append(node);
    }
    this.node.append(list);
    say(this.node, 'Your files are unchanged. The image’s own kernel and programs work as usual.');
  }
}

export const homePlugin: JupyterFrontEndPlugin<void> = {
  id: 'fabric-lab:home',
  description: 'Says once per session which Jupyter files of the home directory it does without, and why.',
  autoStart: true,
  optional: [ICommandPalette],
  activate: (app: JupyterFrontEnd, palette: ICommandPalette | null): void => {
    const session = PageConfig.getOption('fabricSession');
    if (!session) {
      return; // no session of a hub
    }
    const settings = app.serviceManager.serverSettings;
    const show = async (): Promise<void> => {
      const body = new Details(await ask(settings));
      await showDialog({ title: 'Left out of this session', body, buttons: [Dialog.okButton({ label: 'Close' })] });
    };
    const command = 'fabric-home:show';
    app.commands.addCommand(command, {
      label: 'Show What Is Left Out of This Session',
      execute: show,
      describedBy: { args: null }
    });
    palette?.addItem({ command, category: 'Session' });

    const sayOnce = async (): Promise<void> => {
      const mark = `fabric-lab:home:${session}`;
      if (localStorage.getItem(mark) !== null) {
        return;
      }
      const { left_out } = await ask(settings);
      await app.restored; // a page that JupyterLab leaves for another workspace is never restored
      if (left_out.length && localStorage.getItem(mark) === null) {
        localStorage.setItem(mark, new Date().toISOString());
        Notification.warning(headline(left_out), {
          autoClose: false,
          actions: [{ label: 'Show details', callback: () => void show() }]
        });
      }
    };
    void sayOnce();
  }
};
