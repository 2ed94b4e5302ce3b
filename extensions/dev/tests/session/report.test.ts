import { describe, expect, it } from 'vitest';

import schema from '../../../schema/settings.json';
import { REPORT_COMMAND, reportAddress } from '../../../src/session/report';

describe('the address of a report', () => {
  it('is of the hub and says which session it is about', () => {
    expect(reportAddress('/hub/home', 'abcdefghijkl', '/user/jan/lab/tree/a b.ipynb')).toBe(
      '/hub/report?session=abcdefghijkl&page=%2Fuser%2Fjan%2Flab%2Ftree%2Fa+b.ipynb'
    );
    expect(reportAddress('https://hub.example.org/jupyter/hub/home', 'abcdefghijkl', '/')).toBe(
      'https://hub.example.org/jupyter/hub/report?session=abcdefghijkl&page=%2F'
    );
  });

  it('is opened by a command of the Help menu', () => {
    const [help] = schema['jupyter.lab.menus'].main;
    expect(help?.id).toBe('jp-mainmenu-help');
    expect(help?.items.map(item => item.command)).toContain(REPORT_COMMAND);
  });
});
