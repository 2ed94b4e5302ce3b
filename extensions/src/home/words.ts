import type { ILeftOut } from './model';

/** What is left out, why, and what to do. */
export interface IEntry {
  readonly what: string;
  readonly why: string;
  readonly todo: string;
}

/** At most 140 characters: JupyterLab cuts what is longer. */
export function headline(items: readonly ILeftOut[]): string {
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
export function entry(item: ILeftOut, log: string): IEntry {
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
