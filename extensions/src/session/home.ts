import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Dialog, ICommandPalette, Notification, showDialog } from '@jupyterlab/apputils';
import { PageConfig } from '@jupyterlab/coreutils';
import type { ServerConnection } from '@jupyterlab/services';
import { Widget } from '@lumino/widgets';

import { ask } from '../common/request';
import { trans } from '../common/translation';
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
      return trans.__(
        'Your own Jupyter settings, kernels and extensions are off in this session: it could not start with them.'
      );
    case 'rescue':
      return trans.__('A rescue session runs without your own Jupyter settings, kernels and extensions.');
    default:
      return trans._n(
        'One of your own Jupyter files is left out of this session.',
        '%1 of your own Jupyter files are left out of this session.',
        items.length
      );
  }
}

/** @param log The session's log, or ''. */
function entry(item: LeftOut, log: string): IEntry {
  const why = sentence(item.why);
  switch (item.kind) {
    case 'everything':
      return {
        what: trans.__('All Jupyter settings, kernels and extensions in %1', item.place),
        why: `${trans.__('The server could not start with them.')} ${why}`,
        todo: [
          trans.__('Correct or move away what is named here, then start a new session.'),
          log && trans.__('The whole message is in %1.', log)
        ]
          .filter(Boolean)
          .join(' ')
      };
    case 'rescue':
      return {
        what: trans.__('All Jupyter settings, kernels and extensions in %1', item.place),
        why: trans.__('A rescue session uses none of them, so that it starts whatever is in them.'),
        todo: trans.__('Start another profile to use them again.')
      };
    case 'settings':
      return {
        what: trans.__('Settings in %1', item.place),
        why: `${trans.__('The file failed.')} ${why}`,
        todo: trans.__('Correct the file, then start a new session.')
      };
    case 'kernel':
      return {
        what: trans.__('Kernel %1', item.name),
        why,
        todo: trans.__('Correct or delete %1, then reload this page.', item.place)
      };
    case 'server-extension':
      return {
        what: trans.__('Server extension %1', item.name),
        why,
        todo: trans.__(
          'If you do not need it, turn it off in %1. Ask support to add it to the image if you do.',
          item.place
        )
      };
    case 'lab-extension':
      return {
        what: trans.__('JupyterLab extension %1', item.name),
        why,
        todo: trans.__('Install it again, or delete %1. Then start a new session.', item.place)
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
    this.node.setAttribute('aria-label', trans.__('What is left out'));
    const say = (parent: HTMLElement, text: string, tag: 'p' | 'strong' = 'p'): void => {
      const node = document.createElement(tag);
      node.textContent = text;
      parent.append(node);
    };
    if (!known.left_out.length) {
      say(this.node, trans.__('Nothing in your home directory is left out of this session.'));
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
    say(this.node, trans.__('Your files are unchanged. The image’s own kernel and programs work as usual.'));
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
      await showDialog({
        title: trans.__('Left out of this session'),
        body,
        buttons: [Dialog.okButton({ label: trans.__('Close') })]
      });
    };
    const command = 'fabric-home:show';
    app.commands.addCommand(command, {
      label: trans.__('Show What Is Left Out of This Session'),
      execute: show,
      describedBy: { args: null }
    });
    palette?.addItem({ command, category: trans.__('Session') });

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
          actions: [{ label: trans.__('Show details'), callback: () => void show() }]
        });
      }
    };
    void sayOnce();
  }
};
