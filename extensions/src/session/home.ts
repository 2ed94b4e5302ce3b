import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Dialog, ICommandPalette, Notification, showDialog } from '@jupyterlab/apputils';
import { PageConfig } from '@jupyterlab/coreutils';
import type { ServerConnection } from '@jupyterlab/services';
import { Widget } from '@lumino/widgets';

import { ask } from '../common/request';
import type { Home, LeftOut } from '../schema';

/** What is left out, why, and what to do. */
interface IEntry {
  readonly what: string;
  readonly why: string;
  readonly todo: string;
}

/** At most 140 characters: JupyterLab cuts what is longer. */
function headline(items: readonly LeftOut[]): string {
  const [first] = items;
  switch (first?.kind) {
    case 'everything':
      return 'Your own Jupyter settings, kernels and extensions are off in this session: it could not start with them.';
    case 'rescue':
      return 'A rescue session runs without your own Jupyter settings, kernels and extensions.';
    default:
      return items.length === 1
        ? 'One of your own Jupyter files is left out of this session.'
        : `${items.length} of your own Jupyter files are left out of this session.`;
  }
}

/** @param log The session's log, or ''. */
function entry(item: LeftOut, log: string): IEntry {
  const why = sentence(item.why);
  switch (item.kind) {
    case 'everything':
      return {
        what: `All Jupyter settings, kernels and extensions in ${item.place}`,
        why: `The server could not start with them. ${why}`,
        todo: `Correct or move away what is named here, then start a new session.${log ? ` The whole message is in ${log}.` : ''}`
      };
    case 'rescue':
      return {
        what: `All Jupyter settings, kernels and extensions in ${item.place}`,
        why: 'A rescue session uses none of them, so that it starts whatever is in them.',
        todo: 'Start another profile to use them again.'
      };
    case 'settings':
      return {
        what: `Settings in ${item.place}`,
        why: `The file failed. ${why}`,
        todo: 'Correct the file, then start a new session.'
      };
    case 'kernel':
      return { what: `Kernel ${item.name}`, why, todo: `Correct or delete ${item.place}, then reload this page.` };
    case 'server-extension':
      return {
        what: `Server extension ${item.name}`,
        why,
        todo: `If you do not need it, turn it off in ${item.place}. Ask support to add it to the image if you do.`
      };
    case 'lab-extension':
      return {
        what: `JupyterLab extension ${item.name}`,
        why,
        todo: `Install it again, or delete ${item.place}. Then start a new session.`
      };
  }
}

function sentence(clause: string): string {
  const text = clause.charAt(0).toUpperCase() + clause.slice(1);
  return text === '' || /[.!?]$/.test(text) ? text : `${text}.`;
}

const NOTHING: Home = { left_out: [], log: '' };

/** Nothing, where the server does not say: this is never what a person is here for. */
async function leftOut(settings: ServerConnection.ISettings): Promise<Home> {
  return ask<Home>(settings, ['home']).catch(() => NOTHING);
}

/** A list of what is left out: each with why, and what to do. */
class Details extends Widget {
  constructor(known: Home) {
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
      const body = new Details(await leftOut(settings));
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
      const { left_out } = await leftOut(settings);
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
